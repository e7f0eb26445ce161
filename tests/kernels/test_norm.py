"""Batch normalization: the formulas in float64, and the gradient by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS, arrays, float_dtypes, normal, seeds

shapes = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 9))
EPS = 1e-5


def per_channel(a) -> np.ndarray:
    return np.asarray(a, np.float64)[:, None]


def statistics(kernels, x) -> tuple:
    """Mean and variance of each channel."""
    one = np.ones(x.shape[1], x.dtype)
    return kernels.batch_norm_train(x, one, one, EPS)[1:3]


@given(st.data(), shapes, float_dtypes)
def test_statistics(kernels, data, shape, dtype):
    x = data.draw(arrays(dtype, shape))
    mean, var = statistics(kernels, x)
    for c in range(shape[1]):
        values = x[:, c].astype(np.float64).ravel()
        np.testing.assert_allclose(mean[c], values.mean(), rtol=1e-6, atol=64 * np.finfo(dtype).eps)
        np.testing.assert_allclose(var[c], values.var(ddof=0), rtol=1e-5, atol=64 * np.finfo(dtype).eps)
    assert mean.shape == var.shape == (shape[1],)


@pytest.mark.parametrize("offset", [0, 1e3, -1e4])
@pytest.mark.parametrize("shape", [(64, 3, 784), (2, 3, 40_001), (2000, 70, 1)])
def test_the_variance_does_not_cancel(kernels, offset, shape):
    """By E[x**2] - mean**2 the variance of numbers near 10**4 would be noise, often negative."""
    x = (offset + normal(np.random.default_rng(0), shape, np.float64)).astype(np.float32)
    mean, var = statistics(kernels, x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2)), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(var, exact.var((0, 2)), rtol=1e-4)


def test_the_variance_does_not_cancel_if_the_first_image_is_unlike_the_others(kernels):
    x = normal(np.random.default_rng(0), (2500, 3, 2), np.float32)
    x[0, :2] = 1e4
    mean, var = statistics(kernels, x)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2)), rtol=2e-6, atol=2e-7)
    np.testing.assert_allclose(var, exact.var((0, 2)), rtol=1e-6)


@pytest.mark.parametrize("image", [0, 2])
def test_infinity_stays_in_its_channel(kernels, image):
    x = np.ones((3, 2, 5), np.float32)
    x[image, 1, 3] = np.inf
    mean, var = statistics(kernels, x)
    assert np.isfinite(mean).tolist() == np.isfinite(var).tolist() == [True, False]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_constant_channels_have_variance_zero(kernels, dtype):
    mean, var = statistics(kernels, np.full((3, 2, 4), 0.5, dtype))
    assert mean.tolist() == [0.5, 0.5]
    assert var.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_statistics_of_nothing_are_nan(kernels, dtype):
    for shape in [(0, 2, 3), (3, 2, 0)]:
        mean, var = statistics(kernels, np.ones(shape, dtype))
        assert np.isnan(mean).all()
        assert np.isnan(var).all()


def test_nan_stays_in_its_channel(kernels):
    x = np.ones((2, 3, 4), np.float32)
    x[1, 1, 2] = np.nan
    mean, var = statistics(kernels, x)
    assert np.isnan(mean).tolist() == np.isnan(var).tolist() == [False, True, False]


@given(st.data(), st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 9)), float_dtypes)
def test_batch_norm(kernels, data, shape, dtype):
    x = data.draw(arrays(dtype, shape))
    mean, rstd, w, b = (data.draw(arrays(dtype, shape[1:2])) for _ in range(4))
    y = kernels.batch_norm(x, mean, rstd, w, b)
    xh = (x.astype(np.float64) - per_channel(mean)) * per_channel(rstd)
    assert_close(y, xh * per_channel(w) + per_channel(b), terms=8)


def check_training(kernels, x, w, b) -> None:
    """That x is normalized by its own statistics, and these are returned."""
    y, mean, var, rstd = kernels.batch_norm_train(x, w, b, EPS)
    assert y.shape == x.shape and mean.shape == var.shape == rstd.shape == x.shape[1:2]
    exact = np.array(x, np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 2)), rtol=1e-6, atol=64 * np.finfo(x.dtype).eps)
    np.testing.assert_allclose(rstd, 1 / np.sqrt(np.array(var, np.float64) + EPS), rtol=8 * np.finfo(x.dtype).eps)
    xh = (exact - per_channel(mean)) * per_channel(rstd)
    assert_close(y, xh * per_channel(w) + per_channel(b), terms=8)


@given(st.data(), shapes, float_dtypes)
def test_batch_norm_train(kernels, data, shape, dtype):
    check_training(kernels, data.draw(arrays(dtype, shape)), *(data.draw(arrays(dtype, shape[1:2])) for _ in range(2)))


@pytest.mark.parametrize("shape", [(3, 40, 49), (5, 37, 64), (2, 3, 1100), (70, 2, 3001), (300, 150, 1)])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_training_on_many_channels_and_large_ones(kernels, shape, dtype):
    """Several channels to a work item, the last item with fewer; planes of whole vectors and of parts; columns."""
    rng = np.random.default_rng(0)
    check_training(kernels, *[normal(rng, s, dtype) for s in (shape, shape[1:2], shape[1:2])])


@given(st.data(), shapes.filter(lambda s: s[0] * s[2] > 2), seeds)
def test_batch_norm_gx_is_the_derivative(kernels, data, shape, seed):
    """The derivative of sum(gy * batch_norm(x)) in a random direction, statistics included, by a central difference."""
    rng = np.random.default_rng(seed)
    gy, x, dx = (normal(rng, shape, np.float64) for _ in range(3))
    w, b, dw, db = (normal(rng, shape[1:2], np.float64) for _ in range(4))

    def loss(t):
        z = x + t * dx
        centred = z - z.mean((0, 2), keepdims=True)
        xh = centred / np.sqrt((centred**2).mean((0, 2), keepdims=True) + EPS)
        return np.sum(gy * (xh * per_channel(w + t * dw) + per_channel(b + t * db)))

    mean, var = x.mean((0, 2)), x.var((0, 2))
    rstd = 1 / np.sqrt(var + EPS)
    gx, gw, gb = kernels.batch_norm_gx(gy, x, mean, rstd, w)
    h = 1e-6
    slope = (loss(h) - loss(-h)) / (2 * h)
    scale = 1 + np.abs(gx).max() + np.abs(gw).max() + np.abs(gb).max()
    np.testing.assert_allclose(np.vdot(gx, dx) + np.vdot(gw, dw) + np.vdot(gb, db), slope, atol=1e-6 * scale)


@given(st.data(), st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 9)), float_dtypes)
def test_batch_norm_gx_formula(kernels, data, shape, dtype):
    gy, x = data.draw(arrays(dtype, shape)), data.draw(arrays(dtype, shape))
    mean, rstd, w = (data.draw(arrays(dtype, shape[1:2])) for _ in range(3))
    gx, gw, gb = kernels.batch_norm_gx(gy, x, mean, rstd, w)

    gy, M = np.array(gy, np.float64), shape[0] * shape[2]
    xh = (x.astype(np.float64) - per_channel(mean)) * per_channel(rstd)
    sum_gy, sum_gy_xh = gy.sum((0, 2)), (gy * xh).sum((0, 2))
    assert_close(gb, sum_gy, terms=M)
    assert_close(gw, sum_gy_xh, terms=16 * M)
    if gx.size:
        correction = per_channel(sum_gy) / M + xh * per_channel(sum_gy_xh) / M
        assert_close(gx, per_channel(w) * per_channel(rstd) * (gy - correction), terms=256)
    assert gx.shape == shape


@pytest.mark.parametrize("shape", [(16, 3, 400), (3, 2, 3001), (5000, 2, 1), (300, 150, 1), (5, 37, 64), (3, 40, 49)])
def test_the_gradient_of_many_values(kernels, shape):
    """More than one worker adds up, in planes of a round and of an odd size, one channel at a time or several."""
    rng = np.random.default_rng(0)
    gy, x = (normal(rng, shape, np.float32) for _ in range(2))
    mean, rstd, w = (normal(rng, shape[1:2], np.float32) for _ in range(3))
    gx, gw, gb = kernels.batch_norm_gx(gy, x, mean, rstd, w)
    M, exact = shape[0] * shape[2], gy.astype(np.float64)
    xh = (x.astype(np.float64) - per_channel(mean)) * per_channel(rstd)
    assert_close(gb, exact.sum((0, 2)), terms=M**0.5)
    assert_close(gw, (exact * xh).sum((0, 2)), terms=M**0.5)
    correction = (exact.sum((0, 2), keepdims=True) + xh * (exact * xh).sum((0, 2), keepdims=True)) / M
    assert_close(gx, per_channel(w * rstd) * (exact - correction), terms=8)
    y = kernels.batch_norm(x, mean, rstd, w, w)
    assert_close(y, xh * per_channel(w) + per_channel(w), terms=8)


# ------------------------------------------------------------------------------------------------------------- by rows

rows = st.tuples(st.integers(0, 40), st.integers(1, 40))


@given(st.data(), rows, float_dtypes)
def test_layer_norm(kernels, data, shape, dtype):
    x, w, b = data.draw(arrays(dtype, shape)), data.draw(arrays(dtype, shape[1:])), data.draw(arrays(dtype, shape[1:]))
    y, mean, rstd = kernels.layer_norm(x, w, b, EPS)
    wide = x.astype(np.float64)
    expected = 1 / np.sqrt(wide.var(1) + EPS)
    assert_close(mean, wide.mean(1), terms=4)
    np.testing.assert_allclose(rstd, expected, rtol=1e-5 if dtype == np.float32 else 1e-9)
    assert_close(y, (wide - wide.mean(1, keepdims=True)) * expected[:, None] * w + b, terms=8, units=64)


@pytest.mark.parametrize("offset", [0, 1e3, -1e4])
def test_the_variance_of_a_row_does_not_cancel(kernels, offset):
    x = (offset + normal(np.random.default_rng(0), (5, 3001), np.float64)).astype(np.float32)
    one = np.ones(3001, np.float32)
    _, mean, rstd = kernels.layer_norm(x, one, one, 0.0)
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(1), rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(rstd, 1 / exact.std(1), rtol=1e-4)


@given(st.data(), rows.filter(lambda s: s[0] > 0), seeds)
def test_layer_norm_gx_is_the_derivative(kernels, data, shape, seed):
    rng = np.random.default_rng(seed)
    gy, x, dx = (normal(rng, shape, np.float64) for _ in range(3))
    w, b, dw, db = (normal(rng, shape[1:], np.float64) for _ in range(4))
    eps = 0.1  # rows of one or two numbers are steep otherwise

    def loss(t):
        z = x + t * dx
        xh = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + eps)
        return np.sum(gy * (xh * (w + t * dw) + b + t * db))

    gx, gw, gb = kernels.layer_norm_gx(gy, x, x.mean(1), 1 / np.sqrt(x.var(1) + eps), w)
    assert gx.shape == shape and gw.shape == gb.shape == shape[1:]
    h = 1e-6
    slope = np.sum(gx * dx) + np.sum(gw * dw) + np.sum(gb * db)
    np.testing.assert_allclose(slope, (loss(h) - loss(-h)) / (2 * h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(0, 5), (301, 129)])
def test_layer_norm_gx_in_float32(kernels, shape):
    """Over more rows than a work item has."""
    rng = np.random.default_rng(0)
    gy, x = (normal(rng, shape, np.float64) for _ in range(2))
    w = normal(rng, shape[1:], np.float64)
    mean, rstd = x.mean(1), 1 / np.sqrt(x.var(1) + EPS)
    xh, g = (x - mean[:, None]) * rstd[:, None], gy * w
    expected = rstd[:, None] * (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True))
    actual = kernels.layer_norm_gx(*[a.astype(np.float32) for a in (gy, x, mean, rstd, w)])
    for a, e in zip(actual, (expected, (gy * xh).sum(0), gy.sum(0)), strict=True):
        assert_close(a, e, terms=max(shape[0], 1))
