"""Nonlinearities and their gradients against SciPy's functions and central differences in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import FLOATS, arrays, float_dtypes, shapes
from tinyconv.kernels.contract import ACTIVATIONS

NUMBERS = {"clamp": (-0.5, 0.75), "hardtanh": (-0.5, 0.75), "leaky_relu": (0.2, 0.0)}
ORACLES = {
    "clamp": lambda x, a, b: np.clip(x, a, b),
    "hardtanh": lambda x, a, b: np.clip(x, a, b),
    "leaky_relu": lambda x, a, b: np.maximum(x, 0) + a * np.minimum(x, 0),
    "hardsigmoid": lambda x, a, b: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x, a, b: x * np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x, a, b: x * scipy.special.expit(x),
    "gelu": lambda x, a, b: x * scipy.special.ndtr(x),
    "gelu_tanh": lambda x, a, b: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
}
BENDS = {"clamp": (-0.5, 0.75), "hardtanh": (-0.5, 0.75), "leaky_relu": (0,), "hardsigmoid": (-3, 3),
         "hardswish": (-3, 3)}  # fmt: skip

every_function = pytest.mark.parametrize("function", ACTIVATIONS)


def numbers(function, dtype):
    """The two numbers as the arrays' type has them."""
    return [float(dtype.type(number)) for number in NUMBERS.get(function, (0.0, 0.0))]


@every_function
@given(arrays())
def test_value(kernels, function, x):
    a, b = numbers(function, x.dtype)
    assert_close(kernels.activation(x, function, a, b), ORACLES[function](x.astype(np.float64), a, b))


@every_function
@given(st.data(), float_dtypes, shapes())
def test_gradient(kernels, function, data, dtype, shape):
    gy, x = data.draw(arrays(dtype, shape)), data.draw(arrays(dtype, shape))
    (a, b), h, f, wide = numbers(function, dtype), 1e-6, ORACLES[function], x.astype(np.float64)
    slope = (f(wide + h, a, b) - f(wide - h, a, b)) / (2 * h)
    smooth = np.all([np.abs(wide - bend) > 2 * h for bend in BENDS.get(function, ())] + [np.isfinite(wide)], axis=0)
    gx = kernels.activation_gx(gy, x, function, a, b)
    assert gx.dtype == dtype and gx.flags.c_contiguous
    np.testing.assert_allclose(gx[smooth], (gy * slope)[smooth], rtol=1e-8, atol=64 * np.finfo(dtype).eps + 1e-8)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_gelu_to_the_last_places(kernels, dtype):
    """Where x is positive, within 2 units in the last place of the truth. Where it is negative, the share below x may
    be a small difference of large numbers: it errs by up to a unit in the last place of 1/2."""
    x = np.linspace(-7, 7, 5001).astype(dtype)
    wide, eps = x.astype(np.float64), np.finfo(dtype).eps
    error = np.abs(kernels.activation(x, "gelu", 0.0, 0.0) - wide * scipy.special.ndtr(wide))
    assert (error / np.maximum(wide * scipy.special.ndtr(wide), 1e-30))[wide > 0].max() <= 2 * eps
    assert (error / np.maximum(-wide, 1e-30))[wide < 0].max() <= eps / 2 + 2.0**-53
    slope = scipy.special.ndtr(wide) + wide * np.exp(-wide * wide / 2) / math.sqrt(2 * math.pi)
    gx = kernels.activation_gx(np.ones_like(x), x, "gelu", 0.0, 0.0)
    np.testing.assert_allclose(gx, slope, rtol=0, atol=2 * eps)


AT = [-np.inf, -3, -0.5, 0, 0.75, 3, np.inf, np.nan]
SLOPES = {
    "clamp": [0, 0, 1, 1, 1, 0, 0, 0],
    "hardtanh": [0, 0, 0, 1, 0, 0, 0, 1],
    "leaky_relu": [0.2, 0.2, 0.2, 0.2, 1, 1, 1, 0.2],
    "hardsigmoid": [0, 0, 1 / 6, 1 / 6, 1 / 6, 0, 0, 0],
    "hardswish": [0, 0, 1 / 3, 0.5, 0.75, 1, 1, 1],
}


@pytest.mark.parametrize("function", SLOPES)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_slopes_at_the_bends(kernels, function, dtype):
    x, gy = np.array(AT, dtype), np.full(len(AT), 2, dtype)
    gx = kernels.activation_gx(gy, x, function, *NUMBERS.get(function, (0.0, 0.0)))
    np.testing.assert_allclose(gx, 2 * np.array(SLOPES[function]), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_silu_to_the_last_places(kernels, dtype):
    x = np.linspace(-85, 85, 3001).astype(dtype)
    y = kernels.activation(x, "silu", 0.0, 0.0)
    np.testing.assert_allclose(
        y, x.astype(np.float64) * scipy.special.expit(x.astype(np.float64)), rtol=4 * np.finfo(dtype).eps
    )
    far = kernels.activation(np.array([-1e5, -800, -100, 800, 1e30], dtype), "silu", 0.0, 0.0)
    np.testing.assert_allclose(far, np.array([0, 0, 0, 800, 1e30]), atol=1e-37)


@every_function
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nan_stays_and_large_numbers_do_no_harm(kernels, function, dtype):
    x = np.array([np.nan, 1e30, -1e30], dtype)
    y = kernels.activation(x, function, *NUMBERS.get(function, (0.0, 0.0)))
    top = {"clamp": 0.75, "hardtanh": 0.75, "hardsigmoid": 1}.get(function, dtype.type(1e30))
    low = {"clamp": -0.5, "hardtanh": -0.5, "leaky_relu": -2e29}.get(function, 0)
    np.testing.assert_allclose(y, np.array([np.nan, top, low]), rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_bounds(kernels, dtype):
    """None at all, beyond the type, or crossed: then the upper one holds."""
    x = np.array([-2, 0, 3, np.nan], dtype)
    assert_same(kernels.activation(x, "clamp", -np.inf, np.inf), x)
    assert_same(kernels.activation(x, "clamp", -1e300, 1e300), x)
    assert_same(kernels.activation(x, "clamp", 1.0, -1.0), np.array([-1, -1, -1, np.nan], dtype))
    for bounds in (np.nan, 1.0), (-1.0, np.nan), (np.nan, np.nan):
        assert_same(kernels.activation(x, "clamp", *bounds), np.full(4, np.nan, dtype))
        assert_same(kernels.activation_gx(x, x, "clamp", *bounds), np.zeros(4, dtype))


@every_function
def test_large_arrays(kernels, function):
    """More than one block of work, with an odd rest; the loops by vectors say what those for the rest say."""
    x, gy = np.random.default_rng(0).standard_normal((2, 100_003)).astype(np.float32)
    a, b = numbers(function, x.dtype)
    y, gx = kernels.activation(x, function, a, b), kernels.activation_gx(gy, x, function, a, b)
    assert_close(y, ORACLES[function](x.astype(np.float64), a, b))
    for k in (0, 17, 100_002):
        assert_close(
            gx[k : k + 1],
            kernels.activation_gx(gy[k : k + 1].astype(np.float64), x[k : k + 1].astype(np.float64), function, a, b),
        )
