"""Arithmetic and elementary functions: NumPy's values, PyTorch's types, every layout."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts

ARITHMETIC = {
    "add": (operator.add, np.add),
    "sub": (operator.sub, np.subtract),
    "mul": (operator.mul, np.multiply),
    "div": (operator.truediv, np.divide),
    "maximum": (tinyconv.maximum, np.maximum),
    "minimum": (tinyconv.minimum, np.minimum),
    "eq": (operator.eq, np.equal),
    "ne": (operator.ne, np.not_equal),
    "lt": (operator.lt, np.less),
    "le": (operator.le, np.less_equal),
    "gt": (operator.gt, np.greater),
    "ge": (operator.ge, np.greater_equal),
}
UNARY = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": lambda x: np.nan_to_num(np.sign(x)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.where(np.isnan(x), x, np.maximum(x, 0)),
}


def silent():
    return np.errstate(all="ignore")


def close(ours: tinyconv.Tensor, expected, units: float = 16) -> None:
    expected = np.asarray(expected)
    assert tuple(ours.shape) == expected.shape
    if ours.dtype.is_floating_point:
        eps = np.finfo(ours.dtype.numpy).eps
        np.testing.assert_allclose(ours.array, expected, rtol=units * eps, atol=units * eps)
    else:
        np.testing.assert_array_equal(ours.array, expected)


@pytest.mark.parametrize("name", ARITHMETIC)
@given(data=st.data())
def test_two_operands(name, data):
    ours, theirs = ARITHMETIC[name]
    dtype = data.draw(sts.float_dtypes)
    a, b = (data.draw(sts.arrays(dtype, shape, special=True)) for shape in data.draw(sts.broadcastable_shapes()))
    with silent():
        expected = theirs(a, b)
    close(ours(tinyconv.Tensor(a), tinyconv.Tensor(b)), expected)


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_one_operand(name, data):
    x = data.draw(sts.arrays(special=True))
    with silent():
        close(getattr(tinyconv, name)(tinyconv.Tensor(x)), UNARY[name](x.astype(np.float64)).astype(x.dtype))


@given(sts.arrays(), sts.arrays(shape=(3, 2)), st.sampled_from([0, 1, 2, 3, -1, 0.5, -1.5]))
def test_pow(x, y, exponent):
    with silent():
        close(tinyconv.Tensor(x) ** exponent, np.power(x, x.dtype.type(exponent)))
        close(2.0 ** tinyconv.Tensor(x), np.power(x.dtype.type(2), x))
        close(abs(tinyconv.Tensor(y)) ** tinyconv.Tensor(y), np.abs(y) ** y)


def test_pow_of_integers():
    x = tinyconv.tensor([1, -2, 3])
    assert (x**2).tolist() == [1, 4, 9]
    assert (2 ** tinyconv.tensor([0, 1, 3])).tolist() == [1, 2, 8]
    assert (x**2.0).dtype is tinyconv.float32
    with pytest.raises(RuntimeError, match="integers to negative integer powers"):
        x**-1


def test_gradients_at_the_edges():
    """Where the formula alone would say NaN."""
    x = tinyconv.tensor([0.0, 2.0], requires_grad=True)
    (x**0).sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]
    x.grad = None
    (x**2).sum().backward()
    assert x.grad.tolist() == [0.0, 4.0]
    y = tinyconv.tensor([1.0, 2.0], requires_grad=True)
    (tinyconv.tensor([0.0, 0.0]) ** y).sum().backward()
    assert y.grad.tolist() == [0.0, 0.0]
    for f, expected in (
        (tinyconv.relu, 0.0),
        (tinyconv.abs, 0.0),
        (lambda x: tinyconv.maximum(x, x.detach() * 0), 0.5),
    ):
        zero = tinyconv.zeros(1, requires_grad=True)
        f(zero).backward()
        assert zero.grad.tolist() == [expected]


def test_extreme_arguments():
    x = tinyconv.tensor([-1e4, -100.0, 0.0, 100.0, 1e4])
    assert x.sigmoid().tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert x.tanh().tolist() == [-1, -1, 0, 1, 1]
    assert x.exp().tolist()[0] == 0
    assert x.exp().tolist()[-1] == float("inf")


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


@given(data=st.data())
def test_where(data):
    dtype = data.draw(sts.float_dtypes)
    shape_a, shape_b = data.draw(sts.broadcastable_shapes())
    a, b = data.draw(sts.arrays(dtype, shape_a, special=True)), data.draw(sts.arrays(dtype, shape_b, special=True))
    c = data.draw(sts.arrays("bool", shape_a))
    y = tinyconv.where(tinyconv.Tensor(c), tinyconv.Tensor(a), tinyconv.Tensor(b))
    np.testing.assert_array_equal(y.array, np.where(c, a, b))
    assert y.dtype.numpy == dtype


def test_where_of_numbers():
    c = tinyconv.tensor([True, False])
    assert tinyconv.where(c, 1, 2).tolist() == [1, 2]
    assert tinyconv.where(c, 1, 2).dtype is tinyconv.int64
    assert tinyconv.where(c, 1.0, 2).dtype is tinyconv.float32
    with pytest.raises(TypeError, match="condition must be a bool tensor, got tinyconv.int64"):
        tinyconv.where(tinyconv.tensor([1, 0]), 1.0, 2.0)


def test_logic():
    a, b = tinyconv.tensor([0.0, 1.0, 2.0]), tinyconv.tensor([1, 0, 3])
    assert tinyconv.logical_and(a, b).tolist() == [False, False, True]
    assert a.logical_not().tolist() == [True, False, False]
    assert (~(a > 0)).tolist() == [True, False, False]


def test_equality_with_what_is_no_tensor():
    x = tinyconv.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    assert x in [None, x]


def test_in_place_relu():
    x = tinyconv.tensor([-1.0, 2.0])
    assert tinyconv.relu(x, inplace=True) is x
    assert x.tolist() == [0.0, 2.0]


def test_errors():
    x = tinyconv.ones(2, 3)
    with pytest.raises(
        RuntimeError, match=r"add: shapes \(2, 3\) and \(2,\) cannot be broadcast: .* dimension -1 is 3 in one and 2"
    ):
        x + tinyconv.ones(2)
    with pytest.raises(TypeError, match="expected a tensor or a number, got complex"):
        x * 1j
    with pytest.raises(TypeError, match="expected a tensor or a number, got str"):
        tinyconv.mul(x, "2")
    with pytest.raises(TypeError, match=r"~ expects a bool or integer tensor, got tinyconv\.float32"):
        operator.invert(x)
    with pytest.raises(TypeError, match=r"& expects bool or integer tensors, got tinyconv.bool and tinyconv.float32"):
        (x > 0) & x
    with pytest.raises(TypeError, match="unsupported operand"):
        x + None


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


def test_not_and_or():
    x = tinyconv.arange(4)
    assert (~x).tolist() == [-1, -2, -3, -4]
    assert (~(x > 1)).tolist() == [True, True, False, False]
    assert ((x > 0) & (x < 3)).tolist() == [False, True, True, False]
    assert ((x < 1) | (x > 2)).tolist() == [True, False, False, True]
    assert ((x < 2) ^ (x > 0)).tolist() == [True, False, True, True]
    assert ((x > 0) & True).tolist() == (x > 0).tolist()


def test_addition_asks_the_other_side():
    """An operand tinyconv does not know may know tinyconv's tensors."""

    class Unit:
        def __radd__(self, x):
            return "radd"

        def __eq__(self, x):
            return "eq"

        __hash__ = None

    assert tinyconv.ones(1) + Unit() == "radd"
    assert (tinyconv.ones(1) == Unit()) == "eq"
