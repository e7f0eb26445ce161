"""Making tensors: types and shapes as PyTorch infers them, who shares memory, conversions, and bad input."""

from __future__ import annotations

import re

import numpy as np
import pytest

import tinyconv

DATA = [
    1,
    2.5,
    True,
    [],
    [[]],
    [1, 2],
    [1.0, 2],
    [True, False],
    [True, 2],
    (1, (2)),
    [[1, 2], [3, 4]],
    np.float32(1),
    np.arange(3, dtype=np.uint8),
    np.ones((2, 2)),
    float("nan"),
]


@pytest.mark.parametrize("data", DATA, ids=repr)
def test_tensor_infers_what_torch_infers(data):
    torch = pytest.importorskip("torch")
    ours, theirs = tinyconv.tensor(data), torch.tensor(data)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_array_equal(ours.array, theirs.numpy())


def test_tensor_copies():
    a = np.ones(3)
    for source in (a, tinyconv.from_numpy(a)):
        x = tinyconv.tensor(source)
        assert not np.shares_memory(x.array, a)
        assert x.dtype is tinyconv.float64
    assert tinyconv.tensor(a, dtype=tinyconv.int32).dtype is tinyconv.int32
    assert tinyconv.tensor([tinyconv.tensor(1.0), tinyconv.tensor(2.0)]).tolist() == [1.0, 2.0]
    assert tinyconv.tensor(np.ones((2, 3)).T).is_contiguous()


def test_tensor_requires_grad():
    x = tinyconv.tensor([1.0], requires_grad=True)
    assert x.requires_grad
    assert x.is_leaf
    assert not tinyconv.tensor(x * 2).requires_grad


def test_tensor_errors():
    with pytest.raises(ValueError, match="nested sequences must all have the same lengths"):
        tinyconv.tensor([[1, 2], [3]])
    for bad, error in (("abc", TypeError), ([None], RuntimeError), ({"a": 1}, RuntimeError), ([1j], TypeError)):
        with pytest.raises(error, match="cannot make a tensor"):
            tinyconv.tensor(bad)
    with pytest.raises(TypeError, match="tensors cannot hold NumPy's complex128"):
        tinyconv.tensor(np.ones(2, complex))
    with pytest.raises(RuntimeError, match="expected 'cpu' or 'cuda'"):
        tinyconv.tensor([1.0], device="tpu")


def test_from_numpy_shares_memory():
    a = np.arange(6.0).reshape(2, 3)
    x = tinyconv.from_numpy(a.T)
    a[0, 1] = 50
    assert x[1, 0].item() == 50
    x[2, 1] = 7
    assert a[1, 2] == 7
    assert x.numpy() is x.array
    with pytest.raises(TypeError, match="from_numpy: expected a NumPy array, got list"):
        tinyconv.from_numpy([1])
    with pytest.raises(TypeError, match="tensors cannot hold NumPy's"):
        tinyconv.from_numpy(np.array(["a"]))


def test_as_tensor():
    a = np.ones(3, np.float32)
    assert np.shares_memory(tinyconv.as_tensor(a).array, a)
    assert not np.shares_memory(tinyconv.as_tensor(a, dtype=tinyconv.float64).array, a)
    x = tinyconv.ones(2)
    assert tinyconv.as_tensor(x) is x
    assert tinyconv.as_tensor([1, 2]).dtype is tinyconv.int64


def test_filled():
    assert tinyconv.zeros(2, 3).shape == tinyconv.zeros((2, 3)).shape == tinyconv.ones([2, 3]).shape == (2, 3)
    assert tinyconv.zeros(()).shape == ()
    assert tinyconv.empty(2, 0).shape == (2, 0)
    assert tinyconv.ones(2, dtype=tinyconv.int64).tolist() == [1, 1]
    assert tinyconv.full((2,), 3).dtype is tinyconv.int64
    assert tinyconv.full((2,), 3.0).dtype is tinyconv.float32
    assert tinyconv.full((2,), True).dtype is tinyconv.bool
    assert tinyconv.full([2], 3, dtype=tinyconv.float64).tolist() == [3.0, 3.0]
    assert tinyconv.zeros(2, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match=r"zeros: sizes must not be negative, got \(2, -1\)"):
        tinyconv.zeros(2, -1)


def test_like():
    x = tinyconv.zeros(2, 3, dtype=tinyconv.float64)
    for y, value in (
        (tinyconv.zeros_like(x), 0),
        (tinyconv.ones_like(x), 1),
        (tinyconv.full_like(x, 2), 2),
        (x.new_ones(2, 3), 1),
    ):
        assert (y.shape, y.dtype) == (x.shape, x.dtype)
        assert y.tolist() == [[value] * 3] * 2
    assert tinyconv.empty_like(x, dtype=tinyconv.int64).dtype is tinyconv.int64
    assert x.new_zeros((4,)).shape == x.new_full((4,), 1.0).shape == (4,)


@pytest.mark.parametrize(
    "arguments", [(5,), (2, 5), (0, 10, 3), (5, 0, -2), (0.5, 2), (0, 1, 0.25), (3, 3), (2, 0, -0.5)], ids=str
)
def test_arange(arguments):
    torch = pytest.importorskip("torch")
    ours, theirs = tinyconv.arange(*arguments), torch.arange(*arguments)
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.array, theirs.numpy())


def test_ranges_and_eye():
    assert tinyconv.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert tinyconv.linspace(3, 7, 1).tolist() == [3.0]
    assert tinyconv.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert tinyconv.eye(2, dtype=tinyconv.int64).dtype is tinyconv.int64
    for arguments in ((0, 5, 0), (0, 5, -1)):
        with pytest.raises(RuntimeError, match=r"arange: step -?\d does not lead from 0 to 5"):
            tinyconv.arange(*arguments)
    with pytest.raises(RuntimeError, match="linspace: steps must not be negative"):
        tinyconv.linspace(0, 1, -1)


def test_conversions():
    x = tinyconv.tensor([1.7, -1.7, 0.0])
    assert x.long().tolist() == [1, -1, 0]
    assert x.int().dtype is tinyconv.int32
    assert x.bool().tolist() == [True, True, False]
    assert x.double().dtype is tinyconv.float64
    assert x.half().dtype is tinyconv.float16
    assert x.byte().dtype is tinyconv.uint8
    assert x.float() is x
    assert x.to(tinyconv.float32) is x
    assert x.to("cpu") is x
    assert x.cpu() is x
    assert x.to(dtype=tinyconv.int64).dtype is tinyconv.int64
    assert x.to(tinyconv.zeros(1, dtype=tinyconv.float64)).dtype is tinyconv.float64
    assert x.type_as(tinyconv.zeros(1, dtype=tinyconv.int32)).dtype is tinyconv.int32
    assert x.to("cpu", tinyconv.float64).dtype is tinyconv.float64
    copied = x.to(tinyconv.float32, copy=True)
    assert copied is not x
    assert not np.shares_memory(copied.array, x.array)
    with pytest.raises(TypeError, match="to: expected a dtype, a device or a tensor, got 3"):
        x.to(3)


def test_there_is_no_gpu_without_its_kernels():
    with pytest.raises(RuntimeError, match="no GPU|no NVIDIA driver|GPU needs numba-cuda|no kernels for device 'cuda'"):
        tinyconv.zeros(2, device="cuda")


def test_comparing():
    x = tinyconv.tensor([1.0, 2.0])
    assert tinyconv.equal(x, x.clone())
    assert not x.equal(tinyconv.tensor([1.0, 3.0]))
    assert not x.equal(tinyconv.tensor([1.0]))
    assert tinyconv.allclose(x, x + 1e-7)
    assert not x.allclose(x + 1e-3)
    assert x.allclose(x + 1e-3, atol=1e-2)
    assert tinyconv.zeros(0).equal(tinyconv.zeros(0))
    assert tinyconv.is_tensor(x)
    assert not tinyconv.is_tensor(1)
    assert tinyconv.numel(x) == 2


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([np.float32(1), 2], "float32"),
        ([np.float16(1), 2], "float16"),
        ([2.0, np.float64(1)], "float64"),
        ([[1.0, 2], [3, True]], "float32"),
        ([np.int32(1), 2.0], "float32"),
        ([[], []], "float32"),
    ],
)
def test_numbers_of_several_types(data, dtype):
    assert tinyconv.tensor(data).dtype is getattr(tinyconv, dtype)


def test_numbers_that_fit():
    assert tinyconv.full((1,), -1, dtype=tinyconv.uint8).tolist() == [255]
    assert tinyconv.full((2,), float("inf")).tolist() == [float("inf")] * 2
    assert tinyconv.zeros(2, dtype=tinyconv.uint8).fill_(255.9).tolist() == [255, 255]
    x = tinyconv.zeros(2, dtype=tinyconv.uint8)
    x[0] = -1
    assert x.tolist() == [255, 0]
    for number, dtype in (
        (300, tinyconv.uint8),
        (256.0, tinyconv.uint8),
        (-1.0, tinyconv.uint8),
        (float("nan"), tinyconv.int32),
        (float("-inf"), tinyconv.int64),
        (3.5e38, tinyconv.float32),
        (1e5, tinyconv.float16),
    ):
        x = tinyconv.zeros(2, dtype=dtype)
        for name, put in (
            ("full", lambda: tinyconv.full((1,), number, dtype=dtype)),  # noqa: B023
            ("fill_", lambda: x.fill_(number)),  # noqa: B023
            ("setitem", lambda: x.__setitem__(0, number)),  # noqa: B023
            ("masked_fill", lambda: x.masked_fill(x == 0, number)),  # noqa: B023
        ):
            with pytest.raises(RuntimeError, match=re.escape(f"{name}: {number} does not fit into {dtype}")):
                put()
        assert x.tolist() == [0, 0]


@pytest.mark.filterwarnings("error")
def test_what_is_too_large_is_infinite_without_a_warning():
    large = tinyconv.tensor([1e300], dtype=tinyconv.float64)
    for x in (
        tinyconv.tensor([1e300]),
        tinyconv.tensor(np.array([1e300]), dtype=tinyconv.float32),
        tinyconv.as_tensor([1e300]),
        large.float(),
        large.half(),
        tinyconv.zeros(1).copy_(large),
    ):
        assert x.isinf().tolist() == [True]


def test_range_has_its_end_and_warns():
    with pytest.warns(UserWarning, match="range is deprecated"):
        assert tinyconv.range(1, 4).tolist() == [1, 2, 3, 4]
    with (
        pytest.warns(UserWarning, match="use arange"),
        pytest.raises(RuntimeError, match="step -1 does not lead from 0 to 5"),
    ):
        tinyconv.range(0, 5, -1)


def test_scalar_tensor():
    x = tinyconv.scalar_tensor(3)
    assert (x.shape, x.dtype, x.item()) == ((), tinyconv.float32, 3.0)
