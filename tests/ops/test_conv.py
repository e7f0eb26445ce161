"""Convolution, its transpose and im2col: the definition written out, the worked example, PyTorch, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts


def naive(x, w, b, stride, padding, dilation, groups):
    """The formula at the head of ops/conv.py, one output at a time."""
    N, C, O, KH, KW = *x.shape[:2], w.shape[0], *w.shape[2:]
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    span = [d * (k - 1) + 1 for d, k in zip(dilation, (KH, KW))]
    OH, OW = [(n - s) // step + 1 for n, s, step in zip(x.shape[2:], span, stride)]
    y = np.zeros((N, O, OH, OW))
    for o in range(O):
        first = o // (O // groups) * (C // groups)
        channels = x[:, first : first + C // groups]
        for i in range(OH):
            for j in range(OW):
                top, left = i * stride[0], j * stride[1]
                window = channels[:, :, top : top + span[0] : dilation[0], left : left + span[1] : dilation[1]]
                y[:, o, i, j] = (window * w[o]).sum((1, 2, 3)) + b[o]
    return y


@given(st.data())
def test_the_definition(data):
    g = data.draw(sts.conv_geometries())
    dtype = data.draw(sts.float_dtypes)
    x, w, b = (data.draw(sts.arrays(dtype, shape)) for shape in (g.x_shape, g.w_shape, g.w_shape[:1]))
    y = F.conv2d(tinyconv.from_numpy(x), tinyconv.from_numpy(w), tinyconv.from_numpy(b), *g.options)
    expected = naive(x, w, b, *g.options)
    tolerance = 16 * np.finfo(dtype).eps * np.prod(g.w_shape[1:])
    assert y.shape == expected.shape
    np.testing.assert_allclose(y.array, expected, rtol=tolerance, atol=tolerance)


def test_scipy():
    x, w = np.random.default_rng(0).standard_normal((2, 7, 6)), np.random.default_rng(1).standard_normal((2, 3, 2))
    y = F.conv2d(tinyconv.from_numpy(x[None]), tinyconv.from_numpy(w[None]))
    np.testing.assert_allclose(y.array[0, 0], sum(signal.correlate(x[c], w[c], "valid") for c in range(2)))


SLIDE = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.2, 0.8, 0.0, 0.3, 0.6, 0.0],
    [0.2, 0.9, 0.0, 0.3, 0.8, 0.0],
    [0.3, 0.8, 0.7, 0.8, 0.9, 0.0],
    [0.0, 0.0, 0.0, 0.2, 0.8, 0.0],
    [0.0, 0.0, 0.0, 0.2, 0.2, 0.0],
]


def test_the_worked_example():
    image = tinyconv.tensor(SLIDE).reshape(1, 1, 6, 6)
    kernel = tinyconv.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]).reshape(1, 1, 3, 3)
    expected = [[1.0, 1.2, 1.1, 0.9], [2.1, 2.7, 2.5, 1.9], [1.0, 2.1, 2.4, 1.4], [1.0, 1.8, 2.0, 1.8]]
    np.testing.assert_allclose(F.conv2d(image, kernel).array[0, 0], expected, rtol=1e-6)
    columns = F.unfold(image, 3)
    np.testing.assert_allclose((kernel.reshape(1, 9) @ columns[0]).array.reshape(4, 4), expected, rtol=1e-6)


@given(st.data())
def test_conv_transpose2d_is_the_adjoint_of_conv2d(data):
    """<conv(x), y> = <x, conv_transpose(y)>, for every geometry in which the sizes come out even."""
    g = data.draw(sts.conv_geometries())
    rng = np.random.default_rng(0)
    x, w = (tinyconv.from_numpy(rng.standard_normal(shape)) for shape in (g.x_shape, g.w_shape))
    y = tinyconv.from_numpy(rng.standard_normal(g.y_shape))
    covered = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, s, p, d, k in zip(g.output_size, g.stride, g.padding, g.dilation, g.w_shape[2:])
    ]
    rest = tuple([n - c for n, c in zip(g.x_shape[2:], covered)])
    if any(r >= s and r >= d for r, s, d in zip(rest, g.stride, g.dilation)) or min(covered) < 1:
        return
    back = F.conv_transpose2d(y, w, None, g.stride, g.padding, rest, g.groups, g.dilation)
    assert back.shape == x.shape
    np.testing.assert_allclose(
        (F.conv2d(x, w, None, *g.options) * y).sum().item(), (x * back).sum().item(), rtol=1e-9, atol=1e-9
    )


@given(st.data())
def test_fold_is_the_adjoint_of_unfold(data):
    g = data.draw(sts.conv_geometries(groups=st.just(1)))
    x = tinyconv.randn(*g.x_shape, dtype=tinyconv.float64)
    options = {"kernel_size": g.w_shape[2:], "dilation": g.dilation, "padding": g.padding, "stride": g.stride}
    columns = F.unfold(x, **options)
    assert columns.shape == (g.x_shape[0], np.prod(g.w_shape[1:]), np.prod(g.output_size))
    y = tinyconv.randn(*columns.shape, dtype=tinyconv.float64)
    back = F.fold(y, g.x_shape[2:], **options)
    np.testing.assert_allclose((columns * y).sum().item(), (x * back).sum().item(), rtol=1e-9, atol=1e-9)


def test_a_convolution_is_unfold_and_one_matrix_product():
    x, w = tinyconv.randn(2, 3, 6, 5, dtype=tinyconv.float64), tinyconv.randn(4, 3, 3, 2, dtype=tinyconv.float64)
    y = w.reshape(4, -1) @ F.unfold(x, (3, 2), padding=1, stride=2)
    np.testing.assert_allclose(y.reshape(2, 4, 3, 3).array, F.conv2d(x, w, stride=2, padding=1).array)


def test_fold_counts_the_windows_a_pixel_is_in():
    ones = tinyconv.ones(1, 1, 3, 3)
    assert F.fold(F.unfold(ones, 2), (3, 3), 2).tolist() == [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]


def test_one_image():
    x, w = tinyconv.randn(3, 6, 5), tinyconv.randn(4, 3, 3, 3)
    np.testing.assert_array_equal(F.conv2d(x, w).array, F.conv2d(x[None], w)[0].array)
    np.testing.assert_array_equal(F.unfold(x, 3).array, F.unfold(x[None], 3)[0].array)
    w = tinyconv.randn(3, 2, 2, 2)
    np.testing.assert_array_equal(F.conv_transpose2d(x, w).array, F.conv_transpose2d(x[None], w)[0].array)


def test_empty_batch():
    x = tinyconv.zeros(0, 3, 6, 5, requires_grad=True)
    w = tinyconv.randn(4, 3, 3, 3, requires_grad=True)
    y = F.conv2d(x, w, padding=1)
    assert y.shape == (0, 4, 6, 5)
    y.sum().backward()
    assert x.grad.shape == (0, 3, 6, 5)
    assert w.grad.abs().sum().item() == 0
    assert F.conv_transpose2d(x, tinyconv.randn(3, 2, 2, 2)).shape == (0, 2, 7, 6)
    assert F.unfold(x, 2).shape == (0, 12, 20)


def test_only_the_gradients_asked_for_are_computed():
    x, w, b = tinyconv.randn(1, 1, 4, 4), tinyconv.randn(1, 1, 3, 3), tinyconv.randn(1, requires_grad=True)
    F.conv2d(x, w, b).sum().backward()
    assert b.grad.item() == 4.0
    assert x.grad is None
    assert w.grad is None


def test_nan_stays_in_its_windows():
    x = tinyconv.zeros(1, 1, 5, 5)
    x[0, 0, 0, 0] = float("nan")
    y = F.conv2d(x, tinyconv.ones(1, 1, 3, 3))
    assert np.isnan(y.array).sum() == 1


@pytest.mark.parametrize("padding, expected", [("valid", (4, 3)), ("same", (6, 5))])
def test_named_padding(padding, expected):
    x, w = tinyconv.randn(1, 1, 6, 5), tinyconv.randn(1, 1, 3, 3)
    assert F.conv2d(x, w, padding=padding).shape[2:] == expected
    if padding == "same":
        np.testing.assert_array_equal(F.conv2d(x, w, padding="same").array, F.conv2d(x, w, padding=1).array)


def test_conv2d_errors():
    x, w = tinyconv.zeros(8, 3, 32, 32), tinyconv.zeros(16, 6, 5, 5)
    with pytest.raises(
        RuntimeError,
        match=r"conv2d: weight expects 6 input channels, x has 3 \(x: \(8, 3, 32, 32\), weight: \(16, 6, 5, 5\)\)",
    ):
        F.conv2d(x, w)
    with pytest.raises(RuntimeError, match=r"expected input of shape \(N, C, H, W\) or \(C, H, W\), got \(3, 32\)"):
        F.conv2d(tinyconv.zeros(3, 32), w)
    with pytest.raises(RuntimeError, match=r"weight must have shape \(O, C/groups, KH, KW\), got \(6, 5, 5\)"):
        F.conv2d(x, tinyconv.zeros(6, 5, 5))
    small = tinyconv.zeros(1, 6, 3, 9)
    with pytest.raises(
        RuntimeError, match="the kernel, 9 x 9 with dilation, does not fit into the padded input, 5 x 11"
    ):
        F.conv2d(small, w, padding=1, dilation=2)
    row, kernel = tinyconv.ones(1, 2, 3), tinyconv.ones(4, 2, 5)
    with pytest.raises(RuntimeError, match=r"conv1d: the kernel, 5 .* input, 3 \(x: \(1, 2, 3\), weight: \(4, 2, 5"):
        F.conv1d(row, kernel)
    with pytest.raises(RuntimeError, match=r"conv1d: bias must have shape \(4,\), got \(3,\)"):
        F.conv1d(row, kernel, tinyconv.ones(3), padding=1)
    with pytest.raises(RuntimeError, match=r"conv1d: padding must be an int, two ints, 'valid' or 'same', got 'full'"):
        F.conv1d(row, kernel, padding="full")
    with pytest.raises(RuntimeError, match=r"conv_transpose1d: bias must have shape \(2,\), got \(3,\)"):
        F.conv_transpose1d(tinyconv.ones(1, 4, 3), kernel, tinyconv.ones(3))
    with pytest.raises(RuntimeError, match="conv2d: stride must be at least 1, got 0"):
        F.conv2d(small, w, stride=0)
    with pytest.raises(RuntimeError, match=r"conv2d: dilation must be at least 1, got \(1, 0\)"):
        F.conv2d(small, w, dilation=(1, 0))
    with pytest.raises(RuntimeError, match="conv2d: padding must be at least 0, got -1"):
        F.conv2d(small, w, padding=-1)
    with pytest.raises(RuntimeError, match=r"conv2d: stride must be an int or two ints, got \(1, 2, 3\)"):
        F.conv2d(small, w, stride=(1, 2, 3))
    with pytest.raises(TypeError, match="conv2d: padding must be an int or two ints, got 1.5"):
        F.conv2d(small, w, padding=1.5)
    with pytest.raises(RuntimeError, match="groups must divide the 3 input and 16 output channels, got 2"):
        F.conv2d(x, w, groups=2)
    for groups in (0, -1):
        with pytest.raises(RuntimeError, match="groups must be a positive int"):
            F.conv2d(x, w, groups=groups)
    with pytest.raises(TypeError, match="groups must be an int, got 1.0"):
        F.conv2d(x, w, groups=1.0)
    with pytest.raises(RuntimeError, match=r"bias must have shape \(16,\), got \(6,\)"):
        F.conv2d(tinyconv.zeros(1, 6, 8, 8), w, tinyconv.zeros(6))
    with pytest.raises(RuntimeError, match="input must be floating point, got tinyconv.uint8"):
        F.conv2d(tinyconv.zeros(1, 6, 8, 8, dtype=tinyconv.uint8), w)
    with pytest.raises(RuntimeError, match="input is tinyconv.float64, weight is tinyconv.float32"):
        F.conv2d(tinyconv.zeros(1, 6, 8, 8, dtype=tinyconv.float64), w)
    with pytest.raises(TypeError, match="input must be a tensor, got ndarray"):
        F.conv2d(np.zeros((1, 6, 8, 8)), w)
    with pytest.raises(RuntimeError, match="'valid' or 'same', got 'full'"):
        F.conv2d(small, w, padding="full")
    with pytest.raises(RuntimeError, match="padding='same' is not supported for strided convolutions"):
        F.conv2d(small, w, padding="same", stride=2)


def test_conv_transpose2d_errors():
    x, w = tinyconv.zeros(1, 4, 3, 3), tinyconv.zeros(4, 2, 3, 3)
    with pytest.raises(RuntimeError, match="weight expects 4 input channels, x has 3"):
        F.conv_transpose2d(tinyconv.zeros(1, 3, 3, 3), w)
    with pytest.raises(RuntimeError, match="groups must divide the 4 input channels, got 3"):
        F.conv_transpose2d(x, w, groups=3)
    with pytest.raises(RuntimeError, match="output_padding must be smaller than stride or dilation, got 1"):
        F.conv_transpose2d(x, w, output_padding=1)
    with pytest.raises(RuntimeError, match="the output would be -1 x -1"):
        F.conv_transpose2d(x, w, padding=3)
    with pytest.raises(RuntimeError, match=r"bias must have shape \(2,\), got \(4,\)"):
        F.conv_transpose2d(x, w, tinyconv.zeros(4))
    with pytest.raises(RuntimeError, match=r"weight must have shape \(C, O/groups, KH, KW\)"):
        F.conv_transpose2d(x, tinyconv.zeros(4, 2, 3))


def test_unfold_and_fold_errors():
    with pytest.raises(RuntimeError, match=r"unfold: no \(4, 4\) window fits into input of shape \(1, 1, 3, 3\)"):
        F.unfold(tinyconv.zeros(1, 1, 3, 3), 4)
    with pytest.raises(
        RuntimeError, match=r"fold: an image of \(3, 3\) has 2 x 2 windows of \(2, 2\), .* got \(1, 4, 5\)"
    ):
        F.fold(tinyconv.zeros(1, 4, 5), (3, 3), 2)
    with pytest.raises(RuntimeError, match="fold: an image"):
        F.fold(tinyconv.zeros(1, 5, 4), 3, 2)
    with pytest.raises(RuntimeError, match="unfold: kernel_size must be at least 1, got 0"):
        F.unfold(tinyconv.zeros(1, 1, 3, 3), 0)
