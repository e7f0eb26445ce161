"""A convolution, ReLU and max-pooling in one pass: what the three give one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import FLOATS, arrays, conv_geometries, float_dtypes, normal, seeds
from tinyconv.kernels import reference

WINDOWS = (2, 2), (2, 2), (0, 0), (1, 1)
ONE, ZERO = (1, 1), (0, 0)


def pooled(z):
    """ReLU of the maxima, and the winners, by the reference: 4 where ReLU cuts them."""
    y, where = reference.max_pool2d(z, *WINDOWS, (z.shape[2] // 2, z.shape[3] // 2))
    return np.maximum(y, 0), np.where(y <= 0, 4, where).astype(np.uint8)


def to_winners(gy, where, size):
    """The gradient before both."""
    return reference.max_pool2d_gx(np.where(where == 4, gy.dtype.type(0), gy), where % 4, size, *WINDOWS)


def whole(rng, shape, dtype):
    """Small whole numbers: every sum of products is exact, so that equal pixels are equal in every backend."""
    return rng.integers(-3, 4, shape).astype(dtype)


@given(conv_geometries(), float_dtypes, seeds, st.booleans())
def test_the_three_at_once(kernels, g, dtype, seed, bias):
    assume(min(g.output_size) > 1)
    rng = np.random.default_rng(seed)
    x, w = whole(rng, g.x_shape, dtype), whole(rng, g.w_shape, dtype)
    b = whole(rng, g.w_shape[:1], dtype) if bias else None
    y, where = kernels.conv2d_relu_max_pool2d(x, w, b, *g.options)
    expected, winners = pooled(reference.conv2d(x, w, b, *g.options))
    assert_same(y, expected)
    assert_same(where, winners)


@given(st.data(), conv_geometries(), float_dtypes, seeds)
def test_gradients_of_the_windows(kernels, data, g, dtype, seed):
    assume(min(g.output_size) > 1)
    rng = np.random.default_rng(seed)
    (OH, OW), (N, O) = g.output_size, g.y_shape[:2]
    x, w = normal(rng, g.x_shape, dtype), normal(rng, g.w_shape, dtype)
    gy = data.draw(arrays(dtype, (N, O, OH // 2, OW // 2)))
    where = rng.integers(0, 5, gy.shape).astype(np.uint8)
    gz = to_winners(gy.astype(np.float64), where, (OH, OW))
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    gx = kernels.max_pool2d_conv2d_gx(gy, where, w, g.x_shape[2:], *g.options)
    assert_close(gx, reference.conv2d_gx(gz, w64, g.x_shape[2:], *g.options), terms=w[:, 0].size)
    gw, gb = kernels.max_pool2d_conv2d_gw(gy, where, x, g.w_shape[2:], *g.options)
    assert_close(gw, reference.conv2d_gw(gz, x64, g.w_shape[2:], *g.options), terms=gz[:, 0].size)
    assert_close(gb, gz.sum((0, 2, 3)), terms=gz[:, 0].size)


@pytest.mark.parametrize("N", [1, 3, 16, 17, 64])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_every_parity_of_rows(kernels, dtype, N):
    """Odd heights and paddings: strips that begin between the rows of a window, rows and columns in no window."""
    if kernels.name == "cuda" and N > 3:
        pytest.skip("strips of many images are the CPU's")
    rng = np.random.default_rng(0)
    for H, padding in ((4, 0), (5, 0), (7, 1), (10, 2), (9, 3)):
        x, w = whole(rng, (N, 2, H, H + 1), dtype), whole(rng, (3, 2, 3, 2), dtype)
        options = ONE, (padding, padding), ONE, 1
        z = reference.conv2d(x, w, None, *options)
        expected, winners = pooled(z)
        y, where = kernels.conv2d_relu_max_pool2d(x, w, None, *options)
        assert_same(y, expected)
        assert_same(where, winners)
        gy = whole(rng, y.shape, dtype)
        gz = to_winners(gy, where, z.shape[2:])
        gx = kernels.max_pool2d_conv2d_gx(gy, where, w, x.shape[2:], *options)
        assert_same(gx, reference.conv2d_gx(gz, w, x.shape[2:], *options))
        gw, gb = kernels.max_pool2d_conv2d_gw(gy, where, x, w.shape[2:], *options)
        assert_same(gw, reference.conv2d_gw(gz, x, w.shape[2:], *options))
        assert_same(gb, gz.sum((0, 2, 3)))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nan_and_ties(kernels, dtype):
    """The first of equals wins, NaN wins over everything and passes ReLU; a maximum of zero or less becomes zero."""
    nan, inf = np.nan, np.inf
    windows = [[1, 1, 1, 1], [-1, -2, -1, -3], [0, -0.0, 0, 0], [5, nan, 7, nan], [-inf, 3, inf, 3], [-5, nan, -5, 0]]
    z = np.array(windows, dtype).reshape(6, 1, 2, 2)
    y, where = kernels.conv2d_relu_max_pool2d(z, np.ones((1, 1, 1, 1), dtype), None, ONE, ZERO, ONE, 1)
    np.testing.assert_array_equal(y.ravel(), [1, 0, 0, nan, inf, nan])
    assert where.ravel().tolist() == [0, 4, 4, 1, 2, 1]
