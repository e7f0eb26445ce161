"""Pooling: window by window in NumPy, the worked example, ties and NaN, PyTorch's sizes, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts

POOLED = [[0.2, 0.8, 0.3, 0.6], [0.2, 0.9, 0.3, 0.8], [0.3, 0.8, 0.8, 0.9], [0.0, 0.0, 0.2, 0.8]]


def test_the_worked_example():
    x = tinyconv.tensor(POOLED).reshape(1, 1, 4, 4)
    for y, expected in (
        (F.max_pool2d(x, 2), [[0.9, 0.8], [0.8, 0.9]]),
        (F.avg_pool2d(x, 2), [[0.525, 0.5], [0.275, 0.675]]),
        (F.avg_pool2d(x, 2, divisor_override=1), [[2.1, 2.0], [1.1, 2.7]]),
    ):
        np.testing.assert_allclose(y.array[0, 0], expected, rtol=1e-6)


options = st.fixed_dictionaries(
    {
        "kernel_size": st.one_of(st.integers(1, 4), sts.pairs(1, 4)),
        "stride": st.one_of(st.none(), st.integers(1, 3), sts.pairs(1, 3)),
        "ceil_mode": st.booleans(),
    }
)
images = st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(4, 9), st.integers(4, 9))


def windows(x, kernel, stride, padding, shape, fill):
    """(i, j, the window) for every output, with ``fill`` outside the image; a window may hang over the end."""
    H, W = x.shape[2:]
    far = [max(0, (n - 1) * s + k) for n, s, k in zip(shape, stride, kernel)]
    wide = np.full((*x.shape[:2], max(far[0], H + 2 * padding[0]), max(far[1], W + 2 * padding[1])), fill, x.dtype)
    wide[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W] = x
    for i in range(shape[0]):
        for j in range(shape[1]):
            yield i, j, wide[:, :, i * stride[0] : i * stride[0] + kernel[0], j * stride[1] : j * stride[1] + kernel[1]]


def two(value):
    return (value, value) if isinstance(value, int) else value


@given(images, options, st.data())
def test_max_pool2d(shape, chosen, data):
    kernel = two(chosen["kernel_size"])
    stride = kernel if chosen["stride"] is None else two(chosen["stride"])
    padding = tuple([data.draw(st.integers(0, k // 2)) for k in kernel])
    x = data.draw(sts.arrays(shape=shape, ties=data.draw(st.booleans())))
    y, indices = F.max_pool2d(tinyconv.from_numpy(x), padding=padding, return_indices=True, **chosen)
    for i, j, window in windows(x, kernel, stride, padding, y.shape[2:], -np.inf):
        np.testing.assert_array_equal(y.array[:, :, i, j], window.max((2, 3)))
    assert indices.dtype is tinyconv.int64
    flat = x.reshape(*shape[:2], -1)
    np.testing.assert_array_equal(
        np.take_along_axis(flat, indices.array.reshape(*shape[:2], -1), 2).reshape(y.shape), y.array
    )


@given(images, options, st.data(), st.booleans(), st.sampled_from([None, 1, 3]))
def test_avg_pool2d(shape, chosen, data, include, divisor):
    kernel = two(chosen["kernel_size"])
    stride = kernel if chosen["stride"] is None else two(chosen["stride"])
    padding = tuple([data.draw(st.integers(0, k // 2)) for k in kernel])
    x = data.draw(sts.arrays("float64", shape))
    y = F.avg_pool2d(
        tinyconv.from_numpy(x), padding=padding, count_include_pad=include, divisor_override=divisor, **chosen
    )
    inside = np.ones_like(x)
    padded = np.pad(inside, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=1)
    sums = windows(x, kernel, stride, padding, y.shape[2:], 0)
    counts = (
        windows(padded, kernel, stride, (0, 0), y.shape[2:], 0)
        if include
        else windows(inside, kernel, stride, padding, y.shape[2:], 0)
    )
    for (i, j, window), (_, _, counted) in zip(sums, counts):
        area = divisor or counted.sum((2, 3))
        np.testing.assert_allclose(y.array[:, :, i, j], window.sum((2, 3)) / area, atol=1e-12)


@given(images, options, st.data(), st.integers(1, 2))
def test_sizes_and_values_are_torchs(shape, chosen, data, dilation):
    torch = pytest.importorskip("torch")
    kernel = two(chosen["kernel_size"])
    padding = tuple([data.draw(st.integers(0, k // 2)) for k in kernel])
    x = np.random.default_rng(0).standard_normal((1, *shape[1:]))
    for name, extra in (("max_pool2d", {"dilation": dilation}), ("avg_pool2d", {})):
        results = []
        for library, functional in ((tinyconv, F), (torch, torch.nn.functional)):
            try:
                y = getattr(functional, name)(library.tensor(x), padding=padding, **chosen, **extra)
                results.append(np.asarray(y))
            except RuntimeError:
                results.append(None)
        assert (results[0] is None) == (results[1] is None)
        if results[0] is not None:
            np.testing.assert_allclose(results[0], results[1])


def test_the_first_of_equals_wins_and_nan_wins_over_all():
    x = tinyconv.ones(1, 1, 2, 2, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]
    nan = tinyconv.tensor([[[1.0, float("nan")], [5.0, 2.0]]])
    y, where = F.max_pool2d(nan, 2, return_indices=True)
    assert np.isnan(y.item())
    assert where.item() == 1


def test_overlapping_winners_add_up():
    x = tinyconv.zeros(1, 1, 3, 3)
    x[0, 0, 1, 1] = 1.0
    x.requires_grad_()
    F.max_pool2d(x, 2, 1).sum().backward()
    assert x.grad[0, 0, 1, 1].item() == 4.0


def test_one_image_and_an_empty_batch():
    x = tinyconv.randn(2, 5, 4)
    np.testing.assert_array_equal(F.max_pool2d(x, 2).array, F.max_pool2d(x[None], 2)[0].array)
    np.testing.assert_array_equal(F.avg_pool2d(x, 2).array, F.avg_pool2d(x[None], 2)[0].array)
    assert F.max_pool2d(x, 2, return_indices=True)[1].shape == (2, 2, 2)
    assert (
        F.max_pool2d(tinyconv.zeros(0, 2, 4, 4), 2).shape
        == F.avg_pool2d(tinyconv.zeros(0, 2, 4, 4), 2).shape
        == (0, 2, 2, 2)
    )


def test_errors():
    x = tinyconv.zeros(1, 1, 4, 4)
    for pool in (F.max_pool2d, F.avg_pool2d):
        name = pool.__name__
        with pytest.raises(RuntimeError, match=rf"{name}: expected input of shape .*, got \(4, 4\)"):
            pool(x[0, 0], 2)
        with pytest.raises(
            RuntimeError, match=rf"{name}: the output would be 0 x 0: a window of \(5, 5\) does not fit"
        ):
            pool(x, 5)
        with pytest.raises(
            RuntimeError,
            match=f"{name}: padding must be at most half of the kernel size, got padding 2 and kernel size 3",
        ):
            pool(x, 3, padding=2)
        with pytest.raises(RuntimeError, match=f"{name}: stride must be at least 1, got 0"):
            pool(x, 2, 0)
        with pytest.raises(RuntimeError, match=f"{name}: kernel_size must be at least 1"):
            pool(x, 0)
        with pytest.raises(RuntimeError, match="input must be floating point, got tinyconv.int64"):
            pool(x.long(), 2)
    with pytest.raises(RuntimeError, match="dilation must be at least 1"):
        F.max_pool2d(x, 2, dilation=0)
    with pytest.raises(RuntimeError, match="divisor_override must not be 0"):
        F.avg_pool2d(x, 2, divisor_override=0)


@given(images, st.data())
def test_adaptive_average_of_any_size(shape, data):
    x = np.random.default_rng(0).standard_normal(shape)
    OH, OW = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    y = F.adaptive_avg_pool2d(tinyconv.from_numpy(x), (OH, OW))
    assert y.shape == (*shape[:2], OH, OW)
    H, W = shape[2:]
    for i in range(OH):
        for j in range(OW):
            rows = slice(math.floor(i * H / OH), math.ceil((i + 1) * H / OH))
            columns = slice(math.floor(j * W / OW), math.ceil((j + 1) * W / OW))
            np.testing.assert_allclose(y.array[:, :, i, j], x[:, :, rows, columns].mean((2, 3)), atol=1e-12)


def test_adaptive_average_arguments():
    x = tinyconv.randn(2, 3, 4, 6)
    assert F.adaptive_avg_pool2d(x, 1).shape == (2, 3, 1, 1)
    assert F.adaptive_avg_pool2d(x, (None, 4)).shape == (2, 3, 4, 4)
    assert F.adaptive_avg_pool2d(x[0], (3, 5)).shape == (3, 3, 5)
    infinite = tinyconv.tensor([[[1.0, float("inf"), 2.0, 4.0]]])
    assert F.adaptive_avg_pool2d(infinite, (1, 3)).tolist() == [[[float("inf"), float("inf"), 3.0]]]


def test_adaptive_average_errors():
    x = tinyconv.zeros(1, 1, 4, 4)
    with pytest.raises(RuntimeError, match=r"adaptive_avg_pool2d: output_size must be at least 1, got \(0, 0\)"):
        F.adaptive_avg_pool2d(x, 0)
    with pytest.raises(ValueError, match="adaptive_avg_pool2d: output_size must be an int or two ints"):
        F.adaptive_avg_pool2d(x, (1, 2, 3))
    with pytest.raises(RuntimeError, match=r"adaptive_avg_pool2d: input of shape \(1, 1, 0, 4\) has no pixels"):
        F.adaptive_avg_pool2d(x[:, :, :0], 2)
    with pytest.raises(RuntimeError, match="adaptive_avg_pool2d: expected input of shape"):
        F.adaptive_avg_pool2d(x[0, 0], 2)


def test_one_average_is_taken_of_anything():
    x = tinyconv.randn(2, 3, 4, 5, 6)
    np.testing.assert_allclose(F.adaptive_avg_pool2d(x, 1).array, x.array.mean((-2, -1), keepdims=True), atol=1e-6)
    assert F.adaptive_avg_pool2d(x[0, 0, 0], (1, 1)).shape == (1, 1)
    assert F.adaptive_avg_pool2d(x[0, :, :0], 1).isnan().all()
