"""In which type operands meet: PyTorch's rules."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import tinyconv

DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]


@pytest.mark.parametrize("a", DTYPES)
@pytest.mark.parametrize("b", DTYPES)
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((), (2,)), ((2,), ()), ((), ())], ids=str)
def test_types_are_promoted_as_in_torch(a, b, shapes):
    torch = pytest.importorskip("torch")
    results = [
        [
            op(m.ones(shapes[0], dtype=getattr(m, a)), m.ones(shapes[1], dtype=getattr(m, b)))
            for op in (operator.add, operator.mul, operator.truediv, m.maximum, operator.lt)
        ]
        for m in (tinyconv, torch)
    ]
    assert [str(y.dtype).split(".")[1] for y in results[0]] == [str(y.dtype).split(".")[1] for y in results[1]]
    assert [y.tolist() for y in results[0]] == [y.tolist() for y in results[1]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("number", [2, 2.5, True], ids=str)
@pytest.mark.parametrize("shape", [(), (2,)], ids=str)
def test_numbers_take_the_type_of_the_tensor_as_in_torch(dtype, number, shape):
    torch = pytest.importorskip("torch")
    results = []
    for m in (tinyconv, torch):
        x = m.ones(shape, dtype=getattr(m, dtype))
        results.append(
            [x + number, number + x, x * number, number * x, x / number, number / x, x > number, x == number]
        )
    for ours, theirs in zip(*results, strict=True):
        assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
        assert ours.tolist() == theirs.tolist()


def test_numpy_scalars_are_numbers():
    x = tinyconv.ones(2)
    assert (x * np.float64(2)).dtype is tinyconv.float32
    assert (x + np.int64(2)).tolist() == [3.0, 3.0]


def test_default_type_of_floats():
    try:
        tinyconv.set_default_dtype(tinyconv.float64)
        assert (tinyconv.tensor([1]) / 2).dtype is tinyconv.float64
        assert tinyconv.tensor([1]).exp().dtype is tinyconv.float64
    finally:
        tinyconv.set_default_dtype(tinyconv.float32)
    assert (tinyconv.tensor([1]) + 0.5).dtype is tinyconv.float32


def test_numpy_meets_a_tensor():
    """Whichever side NumPy's number or array is on, the result is a tensor, of the type PyTorch would give it."""
    x, i = tinyconv.tensor([1.0, 2.0], requires_grad=True), tinyconv.tensor([1, 2])
    for y, dtype in (
        (np.sqrt(4.0) * x, tinyconv.float32),
        (x * np.float64(2), tinyconv.float32),
        (np.float32(2) * i, tinyconv.float32),
        (np.int64(2) * i, tinyconv.int64),
        (np.full(2, 2.0) * x, tinyconv.float64),
        (x * np.full(2, 2, np.float32), tinyconv.float32),
    ):
        assert isinstance(y, tinyconv.Tensor)
        assert y.dtype is dtype
        assert y.tolist() == [2, 4]


@pytest.mark.parametrize("a", [*DTYPES, 2, 2.5, True])
@pytest.mark.parametrize("b", [*DTYPES, 300, -1.0, False])
@pytest.mark.parametrize("shapes", [((2,), (2,)), ((), (2,)), ((2,), ()), ((), ())], ids=str)
def test_result_type_as_in_torch(a, b, shapes):
    torch = pytest.importorskip("torch")

    def found(m):
        operands = [m.ones(s, dtype=getattr(m, v)) if isinstance(v, str) else v for v, s in zip((a, b), shapes)]
        return str(m.result_type(*operands)).split(".")[1]

    assert found(tinyconv) == found(torch)


def test_result_type_of_a_string():
    with pytest.raises(TypeError, match="result_type: expected a tensor or a number, got str"):
        tinyconv.result_type(tinyconv.ones(1), "2")


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "int64"])
def test_integers_wrap_around(dtype):
    """Sums that do not fit, and numbers that do not fit, lose their upper bits."""
    info, x = np.iinfo(dtype), tinyconv.tensor([1, 100], dtype=getattr(tinyconv, dtype))
    assert (x + info.max).tolist() == [info.min, info.min + 99]
    assert (x - 1 - info.max).tolist() == [v - info.max for v in (0, 99)] or dtype == "uint8"
    if info.bits < 64:
        assert (x + 2**info.bits).tolist() == [1, 100]
        assert (x * (2**info.bits + 1)).dtype is x.dtype
        assert (2**info.bits - x).tolist() == (-x).tolist()
        assert (x / 2**info.bits).tolist() == pytest.approx([2.0**-info.bits, 100 * 2.0**-info.bits])


def test_what_cannot_meet():
    x = tinyconv.ones(2)
    with pytest.raises(TypeError, match="add: one of the two must be a tensor, got 1 and 2"):
        tinyconv.add(1, 2)
    with pytest.raises(TypeError, match="maximum: other must be a tensor, got int"):
        tinyconv.maximum(x, 1)
    with pytest.raises(TypeError, match="sin: input must be a tensor, got float"):
        tinyconv.sin(1.0)
    with pytest.raises(RuntimeError, match="floor: input must be integer or floating point, got tinyconv.bool"):
        tinyconv.floor(x > 0)
