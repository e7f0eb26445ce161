"""Running totals and extremes."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import DTYPES, FLOATS, arrays, shapes

LINES = shapes(min_dims=1)


def along(function, x, axis) -> np.ndarray:
    """``function(list of numbers)``, a list of as many, for every line of ``x`` along ``axis``."""
    lines = np.moveaxis(x, axis, -1)
    y = [function(line.tolist()) for line in lines.reshape(-1, x.shape[axis])] if x.size else []
    return np.moveaxis(np.array(y, np.float64).reshape(lines.shape), -1, axis)


@given(st.data(), arrays(shape=LINES))
def test_cumsum(kernels, data, x):
    axis = data.draw(st.integers(0, x.ndim - 1))
    y = kernels.cumsum(x, axis)
    assert_close(y, along(lambda line: [math.fsum(line[: i + 1]) for i in range(len(line))], x, axis), units=4)


@given(st.data(), arrays(shape=LINES))
def test_cumprod(kernels, data, x):
    axis = data.draw(st.integers(0, x.ndim - 1))
    assert_close(kernels.cumprod(x, axis), along(lambda line: list(accumulate(line, lambda a, b: a * b)), x, axis))


@given(st.data(), arrays(st.sampled_from(DTYPES[2:]), LINES))
def test_integers_add_up_and_multiply_as_int64(kernels, data, x):
    axis = data.draw(st.integers(0, x.ndim - 1))
    assert_same(kernels.cumsum(x, axis), along(lambda line: list(accumulate(line)), x, axis).astype(np.int64))
    product = along(lambda line: list(accumulate(line, lambda a, b: a * b)), x, axis)
    assert_same(kernels.cumprod(x, axis), product.astype(np.int64))


@pytest.mark.parametrize("shape", [(9, 50), (3, 40, 300), (2, 0), (0, 3)], ids=str)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_totals_of_many_lines(kernels, shape, backwards, dtype):
    """Several lines at once, and more neighbours than one work item follows; from the end too."""
    x = np.random.default_rng(0).uniform(0.9, 1.1, shape).astype(dtype)
    x = np.flip(x, 1) if backwards else x
    assert_close(kernels.cumsum(x, 1), np.cumsum(x, 1, np.float64), units=4)
    assert_close(kernels.cumprod(x, 1), np.cumprod(x, 1, np.float64), units=4)
    values, indices = kernels.cummax(x, 1)
    assert_same(values, np.maximum.accumulate(x, 1))
    assert_same(values, np.take_along_axis(x, indices, 1))


def test_long_float32_totals_stay_accurate(kernels):
    y = kernels.cumsum(np.full(1_000_003, 0.1, np.float32), 0)
    np.testing.assert_allclose(y[-1], 1_000_003 * float(np.float32(0.1)), rtol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_totals_of_nan_and_infinity(kernels, dtype):
    x = np.array([1, np.inf, -np.inf, 2], dtype)
    assert_same(kernels.cumsum(x, 0), np.array([1, np.inf, np.nan, np.nan], dtype))
    assert_same(kernels.cumprod(np.array([2, 0, np.inf, 1], dtype), 0), np.array([2, 0, np.nan, np.nan], dtype))


@pytest.mark.parametrize(("name", "beats"), [("cummax", lambda a, b: a >= b), ("cummin", lambda a, b: a <= b)])
@given(st.data(), st.booleans())
def test_running_extremes(kernels, name, beats, data, ties):
    x = data.draw(arrays(st.sampled_from(DTYPES), LINES, special=True, ties=ties))
    axis = data.draw(st.integers(0, x.ndim - 1))

    def leaders(line):
        best, places = 0, []
        for i, v in enumerate(line):
            if math.isnan(v) or (not math.isnan(line[best]) and beats(v, line[best])):
                best = i
            places.append(best)
        return places

    values, indices = getattr(kernels, name)(x, axis)
    expected = along(leaders, x, axis).astype(np.int64)
    assert_same(indices, expected)
    assert_same(values, np.take_along_axis(x, expected, axis))


@pytest.mark.parametrize(
    ("shape", "axis"), [((2, 10_000), 1), ((300, 3), 0), ((2, 70, 3), 1), ((70, 4200), 0)], ids=str
)
def test_long_lines(kernels, shape, axis):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(kernels.cumsum(x, axis), np.cumsum(x, axis, np.float64), rtol=1e-5, atol=1e-5)
    near_1 = 1 + x / 100
    np.testing.assert_allclose(kernels.cumprod(near_1, axis), np.cumprod(near_1, axis, np.float64), rtol=1e-5)
    whole = rng.integers(-9, 9, shape)
    assert_same(kernels.cumsum(whole, axis), np.cumsum(whole, axis))
    if x.size < 2000:
        for name, beats in (("cummax", np.maximum), ("cummin", np.minimum)):
            values, indices = getattr(kernels, name)(whole, axis)
            assert_same(values, beats.accumulate(whole, axis))
            assert_same(np.take_along_axis(whole, indices, axis), values)
            at = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
            assert_same(indices, np.maximum.accumulate(np.where(whole == values, at, 0), axis))
