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
    close(ours(tinyconv.from_numpy(a), tinyconv.from_numpy(b)), expected)


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_one_operand(name, data):
    x = data.draw(sts.arrays(special=True))
    with silent():
        close(getattr(tinyconv, name)(tinyconv.from_numpy(x)), UNARY[name](x.astype(np.float64)).astype(x.dtype))


@given(sts.arrays(), sts.arrays(shape=(3, 2)), st.sampled_from([0, 1, 2, 3, -1, 0.5, -1.5]))
def test_pow(x, y, exponent):
    with silent():
        close(tinyconv.from_numpy(x) ** exponent, np.power(x, x.dtype.type(exponent)))
        close(2.0 ** tinyconv.from_numpy(x), np.power(x.dtype.type(2), x))
        close(abs(tinyconv.from_numpy(y)) ** tinyconv.from_numpy(y), np.abs(y) ** y)


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


def test_division_with_a_rest():
    x, n = tinyconv.tensor([7.0, -7.0]), tinyconv.tensor([7, -7])
    assert (x // 2).tolist() == [3.0, -4.0]
    assert (n // 2).tolist() == (20 // tinyconv.tensor([6, -6]) + tinyconv.tensor([0, 0])).tolist() == [3, -4]
    assert (x % 4).tolist() == (n % 4).tolist() == [3, 1]
    assert (9 % tinyconv.tensor([4, -4])).tolist() == [1, -3]
    assert tinyconv.fmod(n, 4).tolist() == [3, -3]
    assert tinyconv.div(n, 2, rounding_mode="trunc").tolist() == [3, -3]
    assert tinyconv.div(x, 2, rounding_mode="trunc").tolist() == [3.0, -3.0]
    assert tinyconv.div(n, 2, rounding_mode="floor").dtype is tinyconv.int64
    for divide in (tinyconv.floor_divide, tinyconv.remainder, tinyconv.fmod):
        for zero in (0, tinyconv.tensor([1, 0])):
            with pytest.raises(RuntimeError, match=f"{divide.__name__}: integers cannot be divided by 0"):
                divide(n, zero)
        with pytest.raises(RuntimeError, match=f"{divide.__name__}: expected integers or floats, got tinyconv.bool"):
            divide(n > 0, True)
    with pytest.raises(RuntimeError, match="div: rounding_mode must be None, 'floor' or 'trunc', got 'up'"):
        tinyconv.div(n, 2, rounding_mode="up")


def test_powers_of_integers_by_negative_ones():
    x = tinyconv.tensor([2, 1, -1, -1, 0])
    assert (x ** tinyconv.tensor([-1, -5, -2, -3, -1])).tolist() == [0, 1, 1, -1, 0]
    assert (2 ** tinyconv.tensor([3, -4])).tolist() == [8, 0]


def test_interpolation_reaches_both_ends():
    a, b = tinyconv.tensor([0.1, 1e8]), tinyconv.tensor([0.7, 1.0])  # 1e8 + (1 - 1e8) is 0 in float32
    assert tinyconv.lerp(a, b, 0).tolist() == a.tolist()
    assert tinyconv.lerp(a, b, 1).tolist() == a.lerp(b, tinyconv.ones(2)).tolist() == b.tolist()
    np.testing.assert_allclose(a.lerp(b, tinyconv.tensor(0.25)).array, [0.25, 0.75e8], rtol=1e-6)
    with pytest.raises(RuntimeError, match="lerp: input is tinyconv.float32, end is tinyconv.float64"):
        tinyconv.lerp(a, b.double(), 0.5)


def test_products_and_quotients_are_added():
    a, b = tinyconv.tensor([1, 2]), tinyconv.tensor([3, 4])
    assert tinyconv.addcmul(a, a, b, value=2).tolist() == [7, 18]
    assert a.float().addcdiv(b.float(), a).tolist() == [4.0, 4.0]
    with pytest.raises(RuntimeError, match="addcdiv: one of tensor1 and tensor2 must be floating point"):
        tinyconv.addcdiv(a, a, b)


def test_what_bools_and_integers_cannot():
    mask, n = tinyconv.tensor([True, False]), tinyconv.tensor([1, 2])
    with pytest.raises(RuntimeError, match="neg: bools cannot be negated"):
        tinyconv.neg(mask)
    for difference in (lambda: mask - mask, lambda: mask - 1, lambda: 1 - mask, lambda: n - True):
        with pytest.raises(RuntimeError, match="sub: bools cannot be subtracted"):
            difference()
    with pytest.raises(RuntimeError, match="add: alpha must be an integer where both operands are, got 1.5"):
        n.add(n, alpha=1.5)
    with pytest.raises(RuntimeError, match="abs: input must be integer or floating point, got tinyconv.bool"):
        abs(mask)
    assert mask.sign().tolist() == [True, False]
    assert (+n) is n
    assert n.square().tolist() == [1, 4]
    assert mask.square().dtype is tinyconv.int64
