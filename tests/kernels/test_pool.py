"""Pooling: against a loop over windows, and each gradient as an adjoint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import FLOATS, PoolGeometry, arrays, float_dtypes, laid_out, normal, pool_geometries, seeds

IMAGE = [[0.2, 0.8, 0.3, 0.6], [0.2, 0.9, 0.3, 0.8], [0.3, 0.8, 0.8, 0.9], [0, 0, 0.2, 0.8]]
HALVES = (2, 2), (2, 2), (0, 0)


def window(g: PoolGeometry, i: int, j: int) -> list[tuple[int, int, int]]:
    """The pixels of window (i, j), row by row: (place in the window, h, w). Padding is left out."""
    (KH, KW), (H, W) = g.kernel_size, g.x_shape[2:]
    pixels = []
    for kh, kw in np.ndindex(KH, KW):
        h = i * g.stride[0] + kh * g.dilation[0] - g.padding[0]
        w = j * g.stride[1] + kw * g.dilation[1] - g.padding[1]
        if 0 <= h < H and 0 <= w < W:
            pixels.append((kh * KW + kw, h, w))
    return pixels


def winners(x: np.ndarray, g: PoolGeometry) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(y, where, indices) of max-pooling, window by window."""
    y, where = np.empty(g.y_shape, x.dtype), np.empty(g.y_shape, np.uint8)
    indices = np.empty(g.y_shape, np.int64)
    for n, c, i, j in np.ndindex(g.y_shape):
        best, place, index = -np.inf, 0, -1
        for k, h, w in window(g, i, j):
            v = x[n, c, h, w]
            if index == -1 or v > best or (np.isnan(v) and not np.isnan(best)):
                best, place, index = v, k, h * g.x_shape[3] + w
        y[n, c, i, j], where[n, c, i, j], indices[n, c, i, j] = best, place, index
    return y, where, indices


# --------------------------------------------------------------------------------------------------- the worked example


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_worked_example(kernels, dtype):
    x = np.array([[IMAGE]], dtype)
    y, where = kernels.max_pool2d(x, *HALVES, (1, 1), (2, 2))
    assert_same(y, np.array([[[[0.9, 0.8], [0.8, 0.9]]]], dtype))
    assert where.tolist() == [[[[3, 3], [1, 1]]]]
    average = kernels.avg_pool2d(x, *HALVES, (2, 2), True, None)
    np.testing.assert_allclose(average, [[[[0.525, 0.5], [0.275, 0.675]]]], rtol=1e-6)
    total = kernels.avg_pool2d(x, *HALVES, (2, 2), True, 1)
    np.testing.assert_allclose(total, [[[[2.1, 2.0], [1.1, 2.7]]]], rtol=1e-6)


# -------------------------------------------------------------------------------------------------------------- maximum


@given(st.data(), pool_geometries(), float_dtypes, st.booleans())
def test_max_pool2d(kernels, data, g, dtype, ties):
    x = data.draw(arrays(dtype, g.x_shape, special=True, ties=ties))
    y, where = kernels.max_pool2d(x, *g.windows, g.output_size)
    expected, places, indices = winners(x, g)
    assert_same(y, expected)
    assert_same(where, places)
    assert_same(kernels.max_pool2d_indices(where, g.x_shape[2:], *g.windows), indices)


@given(st.data(), pool_geometries(), float_dtypes, seeds)
def test_max_pool2d_gx_adds_to_the_winners(kernels, data, g, dtype, seed):
    rng = np.random.default_rng(seed)
    x, gy = normal(rng, g.x_shape, dtype), data.draw(arrays(dtype, g.y_shape))
    _, where, indices = winners(x, g)
    expected = np.zeros(g.x_shape)
    for n, c, i, j in np.ndindex(g.y_shape):
        if indices[n, c, i, j] >= 0:
            expected[n, c].reshape(-1)[indices[n, c, i, j]] += gy[n, c, i, j]
    gx = kernels.max_pool2d_gx(gy, data.draw(laid_out(where)), g.x_shape[2:], *g.windows)
    assert_close(gx, expected, terms=g.kernel_size[0] * g.kernel_size[1])


@given(st.data(), pool_geometries(), float_dtypes, seeds)
def test_max_pool2d_gather_picks_the_winners(kernels, data, g, dtype, seed):
    x = normal(np.random.default_rng(seed), g.x_shape, dtype)
    y, where, indices = winners(x, g)
    other = data.draw(arrays(dtype, g.x_shape, special=True))
    picked = kernels.max_pool2d_gather(other, data.draw(laid_out(where)), *g.windows)
    expected = np.zeros(g.y_shape, dtype)
    for n, c, i, j in np.ndindex(g.y_shape):
        if indices[n, c, i, j] >= 0:
            expected[n, c, i, j] = other[n, c].flat[indices[n, c, i, j]]
    assert_same(picked, expected)
    assert_same(kernels.max_pool2d_gather(x, where, *g.windows), np.where(indices < 0, 0, y).astype(dtype))


def test_the_first_of_equals_wins(kernels):
    x = np.zeros((1, 1, 3, 3), np.float32)
    y, where = kernels.max_pool2d(x, (2, 2), (1, 1), (1, 1), (1, 1), (4, 4))
    assert y.max() == 0
    # On the border the first pixel of the image, not of the window: padding never wins.
    assert where[0, 0].tolist() == [[3, 2, 2, 2], [1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]]


def test_the_first_nan_wins_over_everything(kernels):
    x = np.array([[[[1, np.nan, np.inf, np.nan]]]], np.float32)
    y, where = kernels.max_pool2d(x, (1, 4), (1, 1), (0, 0), (1, 1), (1, 1))
    assert np.isnan(y).all()
    assert where.tolist() == [[[[1]]]]


def test_minus_infinity_wins_over_padding(kernels):
    x = np.full((1, 1, 2, 2), -np.inf, np.float32)
    y, where = kernels.max_pool2d(x, (2, 2), (1, 1), (1, 1), (1, 1), (3, 3))
    assert (y == -np.inf).all()
    indices = kernels.max_pool2d_indices(where, (2, 2), (2, 2), (1, 1), (1, 1), (1, 1))
    assert indices[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]


def test_a_window_wholly_in_the_padding(kernels):
    x, geometry = np.ones((1, 1, 1, 1), np.float32), ((2, 1), (1, 1), (1, 0), (2, 1))
    y, where = kernels.max_pool2d(x, *geometry, (1, 1))  # rows -1 and 1 of an image that only has row 0
    assert (y.item(), where.item()) == (-np.inf, 0)
    assert kernels.max_pool2d_gx(np.ones((1, 1, 1, 1), np.float32), where, (1, 1), *geometry).item() == 0
    assert kernels.max_pool2d_gather(x, where, *geometry).item() == 0
    assert kernels.max_pool2d_indices(where, (1, 1), *geometry).item() == -1


@pytest.mark.parametrize(("kernel", "dtype"), [((16, 16), np.uint8), ((16, 17), np.int32), ((1, 300), np.int32)])
def test_large_windows_need_wider_places(kernels, kernel, dtype):
    x = np.zeros((1, 2, *kernel), np.float32)
    x[..., -1, -1] = 1
    y, where = kernels.max_pool2d(x, kernel, kernel, (0, 0), (1, 1), (1, 1))
    last = kernel[0] * kernel[1] - 1
    assert_same(where, np.full((1, 2, 1, 1), last, dtype))
    gx = kernels.max_pool2d_gx(y, where, kernel, kernel, kernel, (0, 0), (1, 1))
    assert_same(gx, x)
    assert (kernels.max_pool2d_indices(where, kernel, kernel, kernel, (0, 0), (1, 1)) == last).all()


def test_max_pool2d_of_many_planes(kernels):
    """LeNet's size, more planes than one block of work."""
    x = normal(np.random.default_rng(0), (33, 7, 28, 28), np.float32)
    y, where = kernels.max_pool2d(x, *HALVES, (1, 1), (14, 14))
    quarters = x.reshape(33, 7, 14, 2, 14, 2).transpose(0, 1, 2, 4, 3, 5).reshape(33, 7, 14, 14, 4)
    assert_same(y, quarters.max(-1))
    assert_same(where, quarters.argmax(-1).astype(np.uint8))
    gx = kernels.max_pool2d_gx(y, where, (28, 28), *HALVES, (1, 1))
    assert_same(gx, np.where(x == y.repeat(2, 2).repeat(2, 3), x, 0))


PLANES = {  # as (N, C, H, W) numbers from 0 to 2, and Gaussian ones
    "of numbers": lambda few, normal: normal,
    "with ties": lambda few, normal: few,
    "of zeros of both signs": lambda few, normal: few * 0 * np.sign(normal),
    "of infinities": lambda few, normal: np.array([-np.inf, 1, np.inf])[few.astype(int)],
    "of minus infinity": lambda few, normal: np.full_like(few, -np.inf),
    "with NaN in some": lambda few, normal: np.where(few[:1] * (normal > 1.5), np.nan, few),
    "of NaN": lambda few, normal: np.full_like(few, np.nan),
}


@pytest.mark.parametrize("planes", PLANES)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_max_pool2d_3x3_of_every_width(kernels, dtype, planes):
    """Stride 2, padding 1; widths and heights at which vectors and bands end in every way."""
    rng = np.random.default_rng(0)
    for W in (*range(1, 36), 47, 63, 64, 65, 97, 130):
        H = 1 + W * 5 % 19
        few, normal_ = rng.integers(0, 3, (2, 2, H, W)), rng.standard_normal((2, 2, H, W))
        x = PLANES[planes](few.astype(dtype), normal_).astype(dtype)
        size = (H + 1) // 2, (W + 1) // 2
        y, where = kernels.max_pool2d(x, (3, 3), (2, 2), (1, 1), (1, 1), size)
        taps = np.pad(x, ((0, 0), (0, 0), (1, 2), (1, 2)))
        inside = np.pad(np.ones_like(x, bool), ((0, 0), (0, 0), (1, 2), (1, 2)))
        best, winner, seen = np.full_like(y, -np.inf), np.zeros_like(where), np.zeros(y.shape, bool)
        for k in range(9):
            place = (..., *(slice(o, o + 2 * n, 2) for o, n in zip(divmod(k, 3), size, strict=True)))
            value = taps[place]
            wins = inside[place] & (~seen | (value > best) | (np.isnan(value) & ~np.isnan(best)))
            best, winner, seen = np.where(wins, value, best), np.where(wins, k, winner), seen | wins
        assert_same(where, winner.astype(np.uint8))
        assert_same(y, best)
        assert_same(np.signbit(y) & (y == 0), np.signbit(best) & (best == 0))


# -------------------------------------------------------------------------------------------------------------- average

divisors = st.one_of(st.none(), st.integers(1, 7))


@given(st.data(), pool_geometries(dilated=False), float_dtypes, st.booleans(), divisors)
def test_avg_pool2d(kernels, data, g, dtype, count_include_pad, divisor):
    x = data.draw(arrays(dtype, g.x_shape))
    (KH, KW), (SH, SW), (PH, PW), (H, W) = g.kernel_size, g.stride, g.padding, g.x_shape[2:]
    expected = np.zeros(g.y_shape)
    for n, c, i, j in np.ndindex(g.y_shape):
        pixels = [float(x[n, c, h, w]) for _, h, w in window(g, i, j)]
        padded = (min(i * SH + KH, H + 2 * PH) - i * SH) * (min(j * SW + KW, W + 2 * PW) - j * SW)
        area = divisor or (padded if count_include_pad else len(pixels))
        expected[n, c, i, j] = sum(pixels) / area if pixels else 0
    y = kernels.avg_pool2d(x, *g.windows[:3], g.output_size, count_include_pad, divisor)
    assert_close(y, expected, terms=KH * KW)


@given(st.data(), pool_geometries(dilated=False), float_dtypes, st.booleans(), divisors)
def test_avg_pool2d_gx_is_the_adjoint(kernels, data, g, dtype, count_include_pad, divisor):
    x = normal(np.random.default_rng(data.draw(seeds)), g.x_shape, np.float64)
    gy = data.draw(arrays(dtype, g.y_shape))
    exact = np.array(gy, np.float64)
    gx = kernels.avg_pool2d_gx(exact, g.x_shape[2:], *g.windows[:3], count_include_pad, divisor)
    assert gx.shape == g.x_shape
    y = kernels.avg_pool2d(x, *g.windows[:3], g.output_size, count_include_pad, divisor)
    np.testing.assert_allclose(np.vdot(y, exact), np.vdot(x, gx), rtol=1e-10, atol=1e-11)
    low = kernels.avg_pool2d_gx(gy, g.x_shape[2:], *g.windows[:3], count_include_pad, divisor)
    assert_close(low, gx, terms=g.kernel_size[0] * g.kernel_size[1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_avg_pool2d_propagates_nan_and_infinity(kernels, bad):
    x = np.ones((1, 1, 4, 4), np.float32)
    x[0, 0, 1, 2] = bad
    y = kernels.avg_pool2d(x, *HALVES, (2, 2), True, None)
    np.testing.assert_array_equal(y, [[[[1, bad], [1, 1]]]])


def test_a_window_outside_the_image_averages_to_zero(kernels):
    x = np.ones((1, 1, 1, 1), np.float32)
    for count_include_pad in (True, False):
        y = kernels.avg_pool2d(x, (1, 1), (1, 1), (1, 1), (3, 3), count_include_pad, None)
        assert y[0, 0].tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
        gx = kernels.avg_pool2d_gx(
            np.ones((1, 1, 3, 3), np.float32), (1, 1), (1, 1), (1, 1), (1, 1), count_include_pad, None
        )
        assert gx.tolist() == [[[[1]]]]
