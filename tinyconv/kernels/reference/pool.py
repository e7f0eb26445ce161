"""Pooling: the maximum or the average of each window.

Once ``max_pool2d`` knows which tap won in each window, the rest is picking and its adjoint, scattering. Averaging is
linear: one window sum, divided by how many pixels it had.
"""

from __future__ import annotations

import numpy as np

from .arrays import dense
from .reduce import wide
from .windows import Windows


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    windows = Windows((H, W), kernel_size, stride, padding, dilation, output_size)
    image, inside = windows.pad(x), windows.pad(np.ones((H, W), bool))

    best = np.full((N, C, *output_size), -np.inf, x.dtype)
    where = np.zeros(best.shape, np.uint8 if KH * KW <= 256 else np.int32)
    unclaimed = np.ones(output_size, bool)  # without it, a -inf in the image could not win against the initial -inf
    for kh, kw, at in windows.taps():
        candidate = image[at]
        larger = (candidate > best) | (np.isnan(candidate) & ~np.isnan(best))
        wins = inside[at] & (larger | unclaimed)
        best = np.where(wins, candidate, best)
        where[wins] = kh * KW + kw
        unclaimed &= ~inside[at]
    return best, where


@np.errstate(all="ignore")
def max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation):
    N, C, OH, OW = gy.shape
    windows = Windows(input_size, kernel_size, stride, padding, dilation, (OH, OW))
    image = np.zeros((N, C, *windows.padded_size), wide(gy.dtype))
    for kh, kw, at in windows.taps():
        image[at] += np.where(where == kh * kernel_size[1] + kw, gy, 0)
    return windows.crop(image).astype(gy.dtype, order="C")


def max_pool2d_gather(x, where, kernel_size, stride, padding, dilation):
    windows = Windows(x.shape[2:], kernel_size, stride, padding, dilation, where.shape[2:])
    image = windows.pad(x)
    y = np.zeros(where.shape, x.dtype)
    for kh, kw, at in windows.taps():
        y = np.where(where == kh * kernel_size[1] + kw, image[at], y)
    return dense(y)


def max_pool2d_indices(where, input_size, kernel_size, stride, padding, dilation):
    H, W = input_size
    windows = Windows(input_size, kernel_size, stride, padding, dilation, where.shape[2:])
    places = windows.pad(np.arange(H * W).reshape(H, W), fill=-1)
    indices = np.zeros(where.shape, np.int64)
    for kh, kw, at in windows.taps():
        indices = np.where(where == kh * kernel_size[1] + kw, places[at], indices)
    return dense(indices)


@np.errstate(all="ignore")
def avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor):
    windows = Windows(x.shape[2:], kernel_size, stride, padding, (1, 1), output_size)
    image = windows.pad(x.astype(wide(x.dtype)))
    total = np.zeros((*x.shape[:2], *output_size), image.dtype)
    for _, _, at in windows.taps():
        total += image[at]
    return (total / divisors(windows, count_include_pad, divisor)).astype(x.dtype)


@np.errstate(all="ignore")
def avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor):
    N, C, OH, OW = gy.shape
    windows = Windows(input_size, kernel_size, stride, padding, (1, 1), (OH, OW))
    share = gy / divisors(windows, count_include_pad, divisor)
    image = np.zeros((N, C, *windows.padded_size), share.dtype)
    for _, _, at in windows.taps():
        image[at] += share
    return windows.crop(image).astype(gy.dtype, order="C")


def divisors(windows, count_include_pad, divisor):
    """What to divide each window's sum by, ``(OH, OW)``: ``divisor``, or the window sum of an image of ones."""
    if divisor is not None:
        return np.full(windows.output_size, divisor, np.float64)
    (H, W), (PH, PW) = windows.input_size, windows.padding
    ones = windows.pad(np.ones((H, W)))
    if count_include_pad:  # the padding counts; what hangs over its end still does not
        ones[: H + 2 * PH, : W + 2 * PW] = 1
    count = np.zeros(windows.output_size)
    for _, _, at in windows.taps():
        count += ones[at]
    return np.maximum(count, 1)  # a window without pixels has sum 0: any divisor will do, except 0
