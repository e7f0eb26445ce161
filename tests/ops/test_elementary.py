"""Elementary functions: NumPy's and SciPy's values under PyTorch's names, and what is made of them."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from scipy import special

import tinyconv
from tests import strategies as sts
from tinyconv.ops.elementary import GRADIENTS

ORACLES = {name: getattr(special, name, None) or getattr(np, name) for name in GRADIENTS if name != "round"}
SECOND_NAMES = {
    "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2",
    "arctanh": "atanh", "absolute": "abs", "negative": "neg", "subtract": "sub", "multiply": "mul", "divide": "div",
    "true_divide": "div", "clip": "clamp", "fix": "trunc", "sgn": "sign", "greater": "gt", "greater_equal": "ge",
    "less": "lt", "less_equal": "le", "not_equal": "ne",
}  # fmt: skip


@pytest.mark.parametrize("name", ORACLES)
@given(sts.arrays(special=True))
def test_values(name, x):
    with np.errstate(all="ignore"):
        expected = ORACLES[name](x.astype(np.float64)).astype(x.dtype)
    y = getattr(tinyconv, name)(tinyconv.from_numpy(x))
    np.testing.assert_allclose(y.array, expected, rtol=8 * np.finfo(x.dtype).eps, atol=1e-37)
    assert y.array.dtype == x.dtype


@pytest.mark.parametrize("name", ["sin", "expm1", "erf", "log2", "rsqrt", "reciprocal", "deg2rad", "logit"])
def test_integers_are_taken_as_floats(name):
    n = tinyconv.tensor([1, 2])
    y = getattr(n, name)()
    assert y.dtype is tinyconv.float32
    np.testing.assert_array_equal(y.array, getattr(n.float(), name)().array)
    with pytest.raises(RuntimeError, match=r"result type tinyconv.float32 can't be cast"):
        getattr(n, name + "_")()


def test_nodes_are_called_by_the_function():
    y = tinyconv.ones(1, requires_grad=True).sin()
    assert y.grad_fn.name() == "SinBackward0"
    assert "grad_fn=<SinBackward0>" in repr(y)
    x = tinyconv.ones(2, 2, requires_grad=True)
    assert [x[index].grad_fn.name() for index in (0, (slice(None), 1), slice(1))] == [
        "SelectBackward0",
        "SelectBackward0",
        "SliceBackward0",
    ]


@pytest.mark.parametrize("second, first", SECOND_NAMES.items())
def test_second_names(second, first):
    functions = [getattr(tinyconv, name) for name in (second, first)]
    assert len({inspect.unwrap(function) for function in functions}) == 1
    assert getattr(tinyconv.Tensor, second) is getattr(tinyconv.Tensor, first)


def test_rounding():
    x = tinyconv.tensor([-2.5, -0.5, 0.5, 1.5, 2.49])
    assert x.round().tolist() == [-2, 0, 0, 2, 2]
    assert (x.floor().tolist(), x.ceil().tolist()) == ([-3, -1, 0, 1, 2], [-2, 0, 1, 2, 3])
    assert x.trunc().tolist() == x.fix().tolist() == [-2, 0, 0, 1, 2]
    np.testing.assert_allclose(x.frac().array, [-0.5, -0.5, 0.5, 0.5, 0.49], rtol=1e-6)
    assert tinyconv.round(tinyconv.tensor([1.234, 25.0]).double(), decimals=2).tolist() == [1.23, 25.0]
    assert tinyconv.round(tinyconv.tensor([25.0, 36.0]), decimals=-1).tolist() == [20.0, 40.0]
    n = tinyconv.tensor([1, 2])
    for y in (n.round(), n.floor(), n.ceil(), n.trunc()):
        assert y.tolist() == [1, 2]
        assert y.array is not n.array
    with pytest.raises(RuntimeError, match="round: input must be floating point, got tinyconv.int64"):
        tinyconv.round(n, decimals=1)


def test_made_of_others():
    x, y = np.array([0.3, -2.0, 0.0, 5.0]), np.array([1.5, 0.5, 0.0, -3.0])
    a, b = tinyconv.tensor(x), tinyconv.tensor(y)
    for name, oracle in (("atan2", np.arctan2), ("hypot", np.hypot), ("logaddexp", np.logaddexp)):
        np.testing.assert_allclose(getattr(tinyconv, name)(a, b).array, oracle(x, y), rtol=1e-14)
    np.testing.assert_allclose(tinyconv.xlogy(a, b.abs()).array, special.xlogy(x, np.abs(y)), rtol=1e-14)
    np.testing.assert_allclose(tinyconv.xlogy(2, b.abs() + 1).array, 2 * np.log(np.abs(y) + 1), rtol=1e-14)
    np.testing.assert_allclose(a.float_power(2).array, x**2)
    np.testing.assert_allclose(tinyconv.rad2deg(a).array, np.rad2deg(x), rtol=1e-14)
    p = tinyconv.tensor([0.0, 0.25, 1.0, 1.5])
    np.testing.assert_allclose(p.logit().array, [-np.inf, special.logit(0.25), np.inf, np.nan], rtol=1e-6)
    np.testing.assert_allclose(p.logit(0.1).array, special.logit([0.1, 0.25, 0.9, 0.9]), rtol=1e-5)


def test_edges():
    inf, nan = math.inf, math.nan
    a, b = tinyconv.tensor([inf, -inf, inf, 1e30, nan]), tinyconv.tensor([inf, -inf, -inf, 0.0, 1.0])
    np.testing.assert_array_equal(tinyconv.logaddexp(a, b).array, np.float32([inf, -inf, inf, 1e30, nan]))
    assert tinyconv.hypot(a, a)[3].item() == pytest.approx(math.sqrt(2) * 1e30)
    zero = tinyconv.tensor([0.0, 0.0, 0.0])
    np.testing.assert_array_equal(tinyconv.xlogy(zero, tinyconv.tensor([0.0, nan, -1.0])).array, [0, nan, 0])
    origin = tinyconv.zeros(1, requires_grad=True)
    tinyconv.atan2(origin, origin).backward()
    assert origin.grad.item() == 0
