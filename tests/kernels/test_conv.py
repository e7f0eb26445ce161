"""Convolution: against SciPy's correlation, and each gradient as the adjoint of the forward pass: <Ax, y> = <x,
A'y>."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.signal import correlate

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import (
    COMMON_CONVOLUTIONS,
    FLOATS,
    ConvGeometry,
    arrays,
    conv_geometries,
    float_dtypes,
    laid_out,
    normal,
    seeds,
)


def correlation(x, w, b, stride, padding, dilation, groups) -> np.ndarray:
    """The formula of the contract in float64: one ``scipy.signal.correlate`` an image and an output channel."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    O, per_group = w.shape[:2]
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    spread = np.zeros((O, per_group, *(d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True))))
    spread[..., :: dilation[0], :: dilation[1]] = w
    images = []
    for image in x:
        planes = []
        for o in range(O):
            g = o // (O // groups)
            channels = image[g * per_group : (g + 1) * per_group]
            plane = correlate(channels, spread[o], mode="valid", method="direct")[0]
            planes.append(plane[:: stride[0], :: stride[1]])
        images.append(planes)
    y = np.array(images)
    return y if b is None else y + b[:, None, None]


def drawn(seed: int, *shapes) -> list[np.ndarray]:
    """Float64 arrays of Gaussian numbers."""
    rng = np.random.default_rng(seed)
    return [normal(rng, shape, np.float64) for shape in shapes]


def window_size(g: ConvGeometry) -> int:
    """How many products make one output."""
    return int(np.prod(g.w_shape[1:]))


def common(test):
    """Add the everyday geometries as examples."""
    for g in COMMON_CONVOLUTIONS:
        test = example(g, 0)(test)
    return test


# --------------------------------------------------------------------------------------------------- the worked example

IMAGE = [
    [0, 0, 0, 0, 0, 0],
    [0.2, 0.8, 0, 0.3, 0.6, 0],
    [0.2, 0.9, 0, 0.3, 0.8, 0],
    [0.3, 0.8, 0.7, 0.8, 0.9, 0],
    [0, 0, 0, 0.2, 0.8, 0],
    [0, 0, 0, 0.2, 0.2, 0],
]
KERNEL = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
RESULT = [[1.0, 1.2, 1.1, 0.9], [2.1, 2.7, 2.5, 1.9], [1.0, 2.1, 2.4, 1.4], [1.0, 1.8, 2.0, 1.8]]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_worked_example(kernels, dtype):
    """The example that every slide deck shows. (One widespread print has 1.9 for the first 2.1: the sum is
    0.2 + 0 + 0.9 + 0.3 + 0.7 = 2.1.)"""
    x, w = np.array([[IMAGE]], dtype), np.array([[KERNEL]], dtype)
    y = kernels.conv2d(x, w, None, (1, 1), (0, 0), (1, 1), 1)
    np.testing.assert_allclose(y, [[RESULT]], rtol=1e-6)


# -------------------------------------------------------------------------------------------------------------- forward


@given(st.data(), conv_geometries(), float_dtypes, st.booleans())
def test_conv2d(kernels, data, g, dtype, bias):
    x, w = data.draw(arrays(dtype, g.x_shape)), data.draw(arrays(dtype, g.w_shape))
    b = data.draw(arrays(dtype, g.w_shape[:1])) if bias else None
    expected = correlation(x, w, b, *g.options).reshape(g.y_shape)
    assert_close(kernels.conv2d(x, w, b, *g.options), expected, terms=window_size(g))


@pytest.mark.parametrize("g", COMMON_CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_common_convolutions(kernels, g, dtype):
    x, w, b = (a.astype(dtype) for a in drawn(0, g.x_shape, g.w_shape, g.w_shape[:1]))
    assert_close(kernels.conv2d(x, w, b, *g.options), correlation(x, w, b, *g.options), terms=window_size(g))


# ------------------------------------------------------------------------------------------------------------ gradients


@common
@given(conv_geometries(), seeds)
def test_conv2d_gx_is_the_adjoint_in_x(kernels, g, seed):
    x, w, gy = drawn(seed, g.x_shape, g.w_shape, g.y_shape)
    gx = kernels.conv2d_gx(gy, w, g.x_shape[2:], *g.options)
    assert gx.shape == g.x_shape
    assert_equal_products((kernels.conv2d(x, w, None, *g.options), gy), (x, gx))


@common
@given(conv_geometries(), seeds)
def test_conv2d_gw_is_the_adjoint_in_w(kernels, g, seed):
    x, w, gy = drawn(seed, g.x_shape, g.w_shape, g.y_shape)
    gw = kernels.conv2d_gw(gy, x, g.w_shape[2:], *g.options)
    assert gw.shape == g.w_shape
    assert_equal_products((kernels.conv2d(x, w, None, *g.options), gy), (w, gw))


def assert_equal_products(left, right):
    """<a, b> == <c, d>: since one side is random, a wrong element on the other would show."""
    terms = max(1, *(a.size for a in (*left, *right)))
    np.testing.assert_allclose(np.vdot(*left), np.vdot(*right), rtol=1e-10, atol=1e-12 * terms)


@given(st.data(), conv_geometries(), float_dtypes)
def test_gradients_in_every_layout_and_dtype(kernels, data, g, dtype):
    """The adjointness above holds in float64 and for plain arrays; here is the rest."""
    x, w, gy = (data.draw(arrays(dtype, shape)) for shape in (g.x_shape, g.w_shape, g.y_shape))
    x64, w64, gy64 = (np.array(a, np.float64) for a in (x, w, gy))
    gx = kernels.conv2d_gx(gy, w, g.x_shape[2:], *g.options)
    gw = kernels.conv2d_gw(gy, x, g.w_shape[2:], *g.options)
    assert_close(gx, kernels.conv2d_gx(gy64, w64, g.x_shape[2:], *g.options), terms=w.size / g.w_shape[1])
    assert_close(gw, kernels.conv2d_gw(gy64, x64, g.w_shape[2:], *g.options), terms=gy.size / g.w_shape[0])


@given(conv_geometries(), seeds, st.data())
def test_conv2d_gx_takes_any_size_that_gives_this_output(kernels, g, seed, data):
    """As a transposed convolution: rows and columns behind the last window get 0."""
    more = tuple(data.draw(st.integers(0, s - 1)) for s in g.stride)
    H, W = ((out - 1) * s + d * (k - 1) + 1 - 2 * p for out, s, d, k, p in zip(
        g.output_size, g.stride, g.dilation, g.w_shape[2:], g.padding, strict=True))  # fmt: skip
    if min(H, W) < 1:
        return
    g = replace(g, x_shape=(*g.x_shape[:2], H + more[0], W + more[1]))
    w, gy = drawn(seed, g.w_shape, g.y_shape)
    gx = kernels.conv2d_gx(gy, w, g.x_shape[2:], *g.options)
    exact = kernels.conv2d_gx(gy, w, (H, W), *g.options)
    reached = gx[:, :, : H + g.padding[0], : W + g.padding[1]]
    assert_close(reached[:, :, :H, :W], exact, terms=window_size(g))
    assert not gx[:, :, H + g.padding[0] :].any()
    assert not gx[:, :, :, W + g.padding[1] :].any()


def test_positions_that_no_window_reaches_get_zero(kernels):
    """A 1x1 kernel with stride 3 meets every third pixel only."""
    gy, w = np.ones((1, 1, 2, 2), np.float32), np.full((1, 1, 1, 1), 5, np.float32)
    gx = kernels.conv2d_gx(gy, w, (6, 6), (3, 3), (0, 0), (1, 1), 1)
    expected = np.zeros((1, 1, 6, 6), np.float32)
    expected[..., ::3, ::3] = 5
    assert_same(gx, expected)


# ----------------------------------------------------------------------------------------------------------- edge cases


@pytest.mark.parametrize(("N", "C", "O"), [(0, 2, 3), (2, 0, 3), (2, 2, 0)])
def test_nothing_to_add(kernels, N, C, O):
    x, w, b = np.ones((N, C, 5, 5), np.float32), np.ones((O, C, 3, 3), np.float32), np.arange(O, dtype=np.float32)
    options = (1, 1), (1, 1), (1, 1), 1
    y = kernels.conv2d(x, w, b, *options)
    assert y.shape == (N, O, 5, 5)
    if C == 0:
        assert_same(y, np.broadcast_to(b[:, None, None], y.shape))
    assert_same(kernels.conv2d_gx(y, w, (5, 5), *options), np.zeros_like(x))
    assert_same(kernels.conv2d_gw(y, x, (3, 3), *options), np.zeros_like(w))


def test_windows_wholly_in_the_padding_give_the_bias(kernels):
    x, w, b = np.ones((1, 1, 1, 1), np.float32), np.ones((1, 1, 1, 1), np.float32), np.array([7], np.float32)
    y = kernels.conv2d(x, w, b, (1, 1), (2, 3), (1, 1), 1)
    expected = np.full((1, 1, 5, 7), 7, np.float32)
    expected[0, 0, 2, 3] = 8
    assert_same(y, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nan_and_infinity_reach_the_outputs_that_see_them(kernels, dtype, bad):
    g = ConvGeometry((2, 3, 8, 8), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1)
    x, w = (np.abs(a).astype(dtype) for a in drawn(0, g.x_shape, g.w_shape))
    x[1, 2, 4, 0] = bad
    y = kernels.conv2d(x, w, None, *g.options)
    hit = np.zeros(g.y_shape, bool)
    hit[1, :, 3:6, :2] = True
    np.testing.assert_array_equal(y[hit], np.full(y[hit].shape, bad, dtype))
    assert np.isfinite(y[~hit]).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_nan_reaches_the_gradients_that_see_it(kernels, dtype):
    g = ConvGeometry((2, 3, 8, 8), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1)
    x, w, gy = (a.astype(dtype) for a in drawn(0, g.x_shape, g.w_shape, g.y_shape))
    gy[1, 2, 4, 0] = np.nan
    gx = kernels.conv2d_gx(gy, w, (8, 8), *g.options)
    hit = np.zeros(g.x_shape, bool)
    hit[1, :, 3:6, :2] = True
    assert np.isnan(gx[hit]).all()
    assert np.isfinite(gx[~hit]).all()
    gw = kernels.conv2d_gw(gy, x, (3, 3), *g.options)
    assert np.isnan(gw[2, :, :, 1:]).all()  # column 0 of these kernels met only padding there: see the contract
    assert np.isfinite(gw[[0, 1, 3]]).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("groups", [1, 4])
@pytest.mark.parametrize("column", [0, 5, 6])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_infinity_reaches_the_weight_gradients_that_see_it(kernels, dtype, groups, column, padding):
    P, KW, W, OW = padding, 3, 7, 7 + 2 * padding - 2
    x, gy = (np.abs(a).astype(dtype) for a in drawn(0, (2, 4, 6, W), (2, 4, 6, OW)))
    x[0, :, 2, column] = np.inf
    gw = kernels.conv2d_gw(gy, x, (3, KW), (1, 1), (1, P), (1, 1), groups)
    hit = np.array([0 <= column + P - kw < OW for kw in range(KW)])
    assert np.isposinf(gw[..., hit]).all() and np.isfinite(gw[..., ~hit]).all()


@pytest.mark.parametrize("size", [61, 64])
def test_gw_of_large_batches_stays_accurate(kernels, size):
    """A float32 gradient of 64 * 28 * 28 products."""
    gy, x = drawn(0, (size, 6, 28, 28), (size, 1, 28, 28))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2))), (28, 28), (2, 3))
    expected = np.einsum("noij,nchwij->ochw", gy, windows)
    gw = kernels.conv2d_gw(gy.astype(np.float32), x.astype(np.float32), (5, 5), (1, 1), (2, 2), (1, 1), 1)
    np.testing.assert_allclose(gw, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# ------------------------------------------------------------------------------------------------------- im2col, col2im


@given(st.data(), conv_geometries(groups=st.just(1)), float_dtypes)
def test_unfold(kernels, data, g, dtype):
    x = data.draw(arrays(dtype, g.x_shape, special=True))
    columns = kernels.unfold(x, g.w_shape[2:], g.stride, g.padding, g.dilation)
    (N, C, H, W), (KH, KW), (OH, OW) = g.x_shape, g.w_shape[2:], g.output_size
    expected = np.zeros((N, C * KH * KW, OH * OW), dtype)
    for c, kh, kw, i, j in np.ndindex(C, KH, KW, OH, OW):
        h = i * g.stride[0] + kh * g.dilation[0] - g.padding[0]
        v = j * g.stride[1] + kw * g.dilation[1] - g.padding[1]
        if 0 <= h < H and 0 <= v < W:
            expected[:, (c * KH + kh) * KW + kw, i * OW + j] = x[:, c, h, v]
    assert_same(columns, expected)


@given(st.data(), conv_geometries(groups=st.just(1)), float_dtypes, seeds)
def test_fold_is_the_adjoint_of_unfold(kernels, data, g, dtype, seed):
    geometry = g.w_shape[2:], g.stride, g.padding, g.dilation
    (N, C), (OH, OW) = g.x_shape[:2], g.output_size
    x, columns = drawn(seed, g.x_shape, (N, C * g.w_shape[2] * g.w_shape[3], OH * OW))
    image = kernels.fold(columns, g.x_shape[2:], *geometry)
    assert image.shape == g.x_shape
    assert_equal_products((kernels.unfold(x, *geometry), columns), (x, image))

    low = data.draw(laid_out(columns.astype(dtype)))
    exact = kernels.fold(low.astype(np.float64), g.x_shape[2:], *geometry)
    assert_close(kernels.fold(low, g.x_shape[2:], *geometry), exact, terms=g.w_shape[2] * g.w_shape[3])


def test_convolution_is_a_matrix_product_with_the_unfolded_image(kernels):
    g = COMMON_CONVOLUTIONS[1]
    x, w = drawn(0, g.x_shape, g.w_shape)
    columns = kernels.unfold(x, g.w_shape[2:], g.stride, g.padding, g.dilation)
    y = (w.reshape(g.w_shape[0], -1) @ columns).reshape(g.y_shape)
    np.testing.assert_allclose(kernels.conv2d(x, w, None, *g.options), y, rtol=1e-10)
