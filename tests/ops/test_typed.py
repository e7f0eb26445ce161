"""FloatTensor and its kin."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

NAMES = {
    "HalfTensor": "float16", "FloatTensor": "float32", "DoubleTensor": "float64", "ByteTensor": "uint8",
    "CharTensor": "int8", "ShortTensor": "int16", "IntTensor": "int32", "LongTensor": "int64", "BoolTensor": "bool",
}  # fmt: skip


def test_the_class_itself():
    """`torch.Tensor([1, 2])` of older programs: always the default type."""
    x = tinyconv.Tensor([[1, 2], [3, 4]])
    assert x.dtype is tinyconv.float32
    assert x.tolist() == [[1, 2], [3, 4]]
    assert tinyconv.Tensor(2, 3, 4).shape == (2, 3, 4)
    assert tinyconv.Tensor(2, 1).shape == (2, 1)
    assert tinyconv.Tensor(5).shape == (5,)
    assert tinyconv.Tensor().shape == (0,)
    assert tinyconv.Tensor(tinyconv.Size([2, 3])).shape == (2, 3)
    assert tinyconv.Tensor([1.0], requires_grad=True).requires_grad
    with pytest.raises(TypeError, match="cannot make a tensor of str"):
        tinyconv.Tensor("a")


def test_the_class_of_an_array():
    """`torch.Tensor(features)`, which are float64 as NumPy makes them, for a network of float32."""
    for array in (np.array([[1.5, -2.0]]), np.arange(3), np.array(2.5), np.array([True, False])):
        x = tinyconv.Tensor(array)
        assert x.dtype is tinyconv.float32 and x.tolist() == array.tolist() and x.shape == array.shape
    shared = np.zeros(2, np.float32)
    x = tinyconv.Tensor(shared)
    shared[0] = 5
    assert x.tolist() == [5, 0]
    double = tinyconv.ones(2, dtype=tinyconv.float64)
    assert tinyconv.Tensor(double).dtype is tinyconv.float64
    assert tinyconv.Tensor(double).data_ptr() == double.data_ptr()
    tinyconv.set_default_dtype(tinyconv.float64)
    try:
        assert tinyconv.Tensor(np.ones(2, np.float32)).dtype is tinyconv.float64
        array = np.ones(2)
        assert tinyconv.Tensor(array).array is array
    finally:
        tinyconv.set_default_dtype(tinyconv.float32)


@pytest.mark.parametrize("name", NAMES)
def test_types(name):
    kind, dtype = getattr(tinyconv, name), getattr(tinyconv, NAMES[name])
    x = kind([[1, 0], [0, 1]])
    assert type(x) is tinyconv.Tensor
    assert x.dtype is kind.dtype is dtype
    assert x.tolist() == [[1, 0], [0, 1]]
    assert kind(2, 3).shape == (2, 3)
    assert kind().shape == (0,)
    assert kind(tinyconv.ones(2)).dtype is dtype
    assert [isinstance(x, getattr(tinyconv, other)) for other in NAMES] == [other == name for other in NAMES]
    assert not isinstance(1.0, kind)
    assert tinyconv.ones(2).type(kind).dtype is dtype
    assert x.type() == f"tinyconv.{name}"


def test_types_of_the_gpu():
    """`isinstance(x, torch.cuda.FloatTensor)`: they tell where a tensor is."""
    x = tinyconv.ones(2)
    assert not isinstance(x, tinyconv.cuda.FloatTensor)
    assert isinstance(x, tinyconv.FloatTensor)
    for name in NAMES:
        kind = getattr(tinyconv.cuda, name)
        assert kind.dtype is getattr(tinyconv, NAMES[name])
        assert (kind.__module__, kind.__name__) == ("tinyconv.cuda", name)
    assert x.type(tinyconv.DoubleTensor).type() == "tinyconv.DoubleTensor"


@pytest.mark.parametrize("number", [2.5, True, np.float32(2.5), np.bool_(True)])
def test_a_single_number_is_neither_data_nor_a_size(number):
    for kind in tinyconv.Tensor, tinyconv.FloatTensor:
        with pytest.raises(TypeError, match="expected a sequence, or sizes, got"):
            kind(number)


def test_numpys_integers_are_sizes():
    assert tinyconv.Tensor(np.int64(3)).shape == tinyconv.FloatTensor(np.int32(3)).shape == (3,)
