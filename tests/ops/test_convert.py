"""The same values in another type or place, and what a tensor tells of itself: as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

WORDS = {
    "double": "float64", "float": "float32", "half": "float16", "long": "int64", "int": "int32", "short": "int16",
    "char": "int8", "byte": "uint8", "bool": "bool",
}  # fmt: skip


@pytest.mark.parametrize("word, dtype", WORDS.items())
def test_words_for_types(word, dtype):
    x = tinyconv.tensor([0.0, 2.7, -1.0 if dtype != "uint8" else 3.0])
    y = getattr(x, word)()
    assert y.array.dtype == dtype
    np.testing.assert_array_equal(y.array, x.array.astype(dtype))
    assert getattr(y, word)() is y
    assert x.to(getattr(tinyconv, dtype)).dtype is y.dtype
    name = f"tinyconv.{word.capitalize()}Tensor"
    assert y.type() == name
    assert x.type(name).dtype is x.type(y.dtype).dtype is y.dtype
    assert x.type(name.replace("tinyconv", "torch")).dtype is y.dtype
    assert x.type_as(y).dtype is y.dtype


def test_to():
    x = tinyconv.ones(2)
    assert x.to() is x.to(tinyconv.float32) is x.to("cpu") is x.to(x) is x
    assert x.to("cpu", tinyconv.int64).dtype is x.to(dtype=int).dtype is tinyconv.int64
    assert x.to(float).dtype is tinyconv.float64
    assert x.to(bool).dtype is tinyconv.bool
    assert x.to(tinyconv.tensor([1])).dtype is tinyconv.int64
    for copy in (x.to("cpu", copy=True), x.to(tinyconv.float32, False, True), x.to(x, True, True)):
        assert copy.array is not x.array
        assert copy.tolist() == x.tolist()
    with pytest.raises(TypeError, match="to: expected a dtype, a device or a tensor, got 3"):
        x.to(3)
    with pytest.raises(RuntimeError, match="expected 'cpu' or 'cuda'"):
        x.to("float64")
    with pytest.raises(ValueError, match="type: expected a dtype or a name such as .*, got 'FooTensor'"):
        x.type("FooTensor")
    assert x.type(tinyconv.Tensor).dtype is (x == 0).type(tinyconv.Tensor).dtype is tinyconv.float32


def test_gradients_go_back_in_the_old_type():
    x = tinyconv.ones(2, requires_grad=True)
    (x.double() * 2).sum().backward()
    assert x.grad.dtype is tinyconv.float32
    assert x.grad.tolist() == [2.0, 2.0]


def test_what_a_tensor_tells():
    x = tinyconv.zeros(2, 3)
    assert (x.nbytes, x.itemsize, x.element_size(), x.ndimension(), x.dim(), x.numel(), x.nelement()) == (
        24, 4, 4, 2, 2, 6, 6)  # fmt: skip
    assert (x.is_cpu, x.is_cuda, x.get_device(), x.is_signed(), x.byte().is_signed()) == (True, False, -1, True, False)
    assert tinyconv.is_floating_point(x)
    assert not tinyconv.is_floating_point(x.long())
    assert not tinyconv.is_complex(x)
    assert not x.is_complex()
    assert (x.size(-1), x.size(0)) == (3, 2)
    with pytest.raises(IndexError, match=r"size: dim 2 is out of range for shape \(2, 3\)"):
        x.size(2)


def test_memory():
    x = tinyconv.zeros(2, 3, dtype=tinyconv.float64)
    assert (x.stride(), x.t().stride(), x.t().stride(-1), x[:, ::2].stride()) == ((3, 1), (1, 3), 3, (3, 2))
    assert x.pin_memory() is x
    assert not x.is_pinned()
    with pytest.raises(IndexError, match=r"stride: dim 2 is out of range for shape \(2, 3\)"):
        x.stride(2)


def test_as_a_number():
    assert tinyconv.is_nonzero(tinyconv.tensor([2]))
    assert not tinyconv.tensor(0.0).is_nonzero()
    assert float(tinyconv.tensor([2])) == 2.0
    assert int(tinyconv.tensor(2.7)) == 2
    assert [1, 2, 3][tinyconv.tensor(1)] == 2
    assert [1, 2, 3][tinyconv.tensor(True)] == 2
    assert f"{tinyconv.tensor(3)} {tinyconv.tensor(1.5):.3f}" == "3 1.500"
    two = tinyconv.ones(2)
    for convert in (float, int):
        with pytest.raises(ValueError, match=r"only one-element tensors are numbers, got shape \(2,\)"):
            convert(two)
    with pytest.raises(ValueError, match="NaN"):
        int(tinyconv.tensor(float("nan")))
    with pytest.raises(RuntimeError, match="truth value of a tensor with 2 elements is ambiguous"):
        bool(two)
    for wrong in (tinyconv.tensor(1.0), tinyconv.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element"):
            [1, 2, 3][wrong]
    with pytest.raises(TypeError, match="unsupported format string"):
        f"{two:.2f}"


def test_as_an_array():
    x = tinyconv.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="numpy"):
        x.numpy()
    assert x.numpy(force=True) is x.array
    y = x.detach()
    assert np.asarray(y) is y.array
    assert np.array(y, dtype=np.float64).dtype == np.float64
    assert np.array(y) is not y.array


def test_detach_in_place():
    x = tinyconv.ones(2, requires_grad=True)
    y = x * 2
    assert y.detach_() is y
    assert not y.requires_grad
    assert y.is_leaf
    assert not x.detach_().requires_grad
    view = (tinyconv.ones(2, requires_grad=True) * 1)[:1]
    with pytest.raises(RuntimeError, match="detach_: a view cannot be detached in place"):
        view.detach_()


@pytest.mark.parametrize("a", WORDS.values())
@pytest.mark.parametrize("b", WORDS.values())
def test_can_cast_as_in_torch(a, b):
    torch = pytest.importorskip("torch")
    found = [m.can_cast(getattr(m, a), getattr(m, b)) for m in (tinyconv, torch)]
    assert found[0] == found[1]
    x = tinyconv.ones(2, dtype=getattr(tinyconv, b))
    result = tinyconv.zeros(2, dtype=getattr(tinyconv, a))
    if tinyconv.result_type(x, result) is result.dtype and a != b and b != "bool":
        if found[0]:
            assert x.mul_(result).tolist() == [0, 0]
        else:
            with pytest.raises(
                RuntimeError, match=f"result type tinyconv.{a} can't be cast to the tensor's tinyconv.{b}"
            ):
                x.mul_(result)


def test_typename():
    class Mine:
        """A class of the test's own."""

    assert tinyconv.typename(tinyconv.ones(2)) == "tinyconv.FloatTensor"
    assert tinyconv.typename(tinyconv.nn.Linear(1, 1)) == tinyconv.typename(tinyconv.nn.Linear)
    assert tinyconv.typename(3) == tinyconv.typename(int) == "int"
    assert tinyconv.typename(Mine()).endswith("test_typename.<locals>.Mine")
    assert tinyconv.typename([].append) == "list.append"
