"""Pooling: some image planes (n, c) are one work item, so windows that overlap never meet another thread's.

Nothing is padded or copied: a window looks at each of its pixels only if that lies in the image. The two poolings of
nearly every network have files of their own, ``blocks.py`` and ``windows_3x3.py``. Other windows that move on by one or
two columns go through ``windows.py``, a vector of them at a time; the rest one by one. Averages of whole planes are
sums of rows (``totals.py``).
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import formulas, reference
from ..reference.pool import max_pool2d_gather, max_pool2d_indices  # noqa: F401  (only higher derivatives need them)
from .arrays import compiled_for, empty, flat
from .blocks import average_blocks, max_blocks, share_blocks, to_blocks
from .compile import jit
from .parallel import parallel_for
from .totals import sum_rows
from .windows import (
    add_to_windows_1,
    add_to_windows_2,
    average_windows_1,
    average_windows_2,
    max_windows_1,
    max_windows_2,
)
from .windows_3x3 import max_windows_3x3, max_windows_3x3_nan, to_windows_3x3

PIXELS = 8192  # a work item, or one plane if that has more
SMALL = 256  # pixels of a plane


@jit
def _max_items(item, planes, n, x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    for p in range(item * planes, min((item + 1) * planes, n)):
        for i in range(OH):
            at, top = (p * OH + i) * OW, i * SH - PH
            first = max(0, -(top // DH))
            rows, start = min(KH, -((top - H) // DH)) - first, (p * H + top + first * DH) * W
            if SW == 1:
                max_windows_1(y, where, at, OW, x, start, DH * W, rows, first * KW, KW, DW, PW, W)
            elif SW == 2:
                max_windows_2(y, where, at, OW, x, start, DH * W, rows, first * KW, KW, DW, PW, W)
            else:
                for j in range(OW):
                    _max_window(y, where, at + j, x, start, DH * W, rows, first * KW, KW, DW, j * SW - PW, W)


@jit
def _max_window(y, where, at, x, start, step, rows, first, KW, DW, left, W):
    """One window, ``left`` its first column."""
    best, winner, empty = -np.inf, 0, True
    for kh in range(rows):
        for kw in range(KW):
            w = left + kw * DW
            if 0 <= w < W and (empty or formulas.wins(x[start + kh * step + w], best)):
                best, winner, empty = x[start + kh * step + w], first + kh * KW + kw, False
    y[at], where[at] = best, winner


@jit
def _planes(item, planes, n, H, W, OH):
    """The first of a work item's planes, how many they are, and of how many each is made: small planes that end with a
    row of windows are seen as one tall plane."""
    first = item * planes
    count = min(planes, n - first)
    return (first, 1, count) if H == 2 * OH and H * W < SMALL else (first, count, 1)


@jit
def _max_blocks_items(item, planes, n, x, y, where, H, W, OH, OW):
    """2 x 2 windows, stride 2, nothing padded: the case of nearly every network."""
    p, count, tall = _planes(item, planes, n, H, W, OH)
    max_blocks(y, where, p * OH * OW, x, p * H * W, count, tall * H, W, tall * OH, OW)


@jit
def _max_3x3_items(item, planes, n, x, y, where, numbers, H, W, OH, OW):
    """3 x 3 windows, stride 2, padding 1: the first pooling of a ResNet. Whether there is no NaN to numbers[item]."""
    numbers[item] = True
    for p in range(item * planes, min((item + 1) * planes, n)):
        numbers[item] &= max_windows_3x3(y, where, p * OH * OW, x, p * H * W, H, W, OH, OW)


@jit
def _max_3x3_nan_items(item, planes, n, x, y, where, H, W, OH, OW):
    for p in range(item * planes, min((item + 1) * planes, n)):
        max_windows_3x3_nan(y, where, p * OH * OW, x, p * H * W, H, W, OH, OW)


@jit
def _max_gx_3x3_items(item, planes, n, gy, where, gx, H, W, OH, OW):
    p = item * planes
    to_windows_3x3(gx, p * H * W, min(planes, n - p), H, W, gy, where, p * OH * OW, OH, OW)


@jit
def _max_gx_items(item, planes, n, gy, where, gx, H, W, SH, SW, PH, PW, down, right, OH, OW):
    """Scattered one by one: there are few additions, and where they go is in the data."""
    gx[item * planes * H * W : min((item + 1) * planes, n) * H * W] = 0
    for p in range(item * planes, min((item + 1) * planes, n)):
        for i in range(OH):
            at, top = (p * OH + i) * OW, i * SH - PH
            line, winners = gy[at : at + OW], where[at : at + OW]
            for j in range(line.size):
                tap = winners[j]
                h, w = top + down[tap], j * SW - PW + right[tap]
                if 0 <= h < H and 0 <= w < W:
                    gx[np.uint64((p * H + h) * W + w)] += line[j]


@jit
def _max_gx_blocks_items(item, planes, n, gy, where, gx, H, W, OH, OW):
    """The adjoint of ``_max_blocks_items``: each pixel is in one window at most, so every pixel is written once."""
    p, count, tall = _planes(item, planes, n, H, W, OH)
    to_blocks(gx, p * H * W, count, tall * H, W, gy, where, p * OH * OW, tall * OH, OW)


@jit
def _average_blocks_items(item, planes, n, x, y, H, W, share, OH, OW):
    p, count, tall = _planes(item, planes, n, H, W, OH)
    average_blocks(y, p * OH * OW, x, p * H * W, count, tall * H, W, tall * OH, OW, share)


@jit
def _average_gx_blocks_items(item, planes, n, gy, gx, H, W, share, OH, OW):
    p, count, tall = _planes(item, planes, n, H, W, OH)
    share_blocks(gx, p * H * W, count, tall * H, W, gy, p * OH * OW, tall * OH, OW, share)


@jit
def _average_items(item, planes, n, x, y, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW):
    for p in range(item * planes, min((item + 1) * planes, n)):
        for i in range(OH):
            at, top = (p * OH + i) * OW, max(i * SH - PH, 0)
            rows, start = min(i * SH - PH + KH, H) - top, (p * H + top) * W
            if SW == 1:
                average_windows_1(y, at, OW, x, start, W, rows, KW, PW, W, heights[i], widths)
            elif SW == 2:
                average_windows_2(y, at, OW, x, start, W, rows, KW, PW, W, heights[i], widths)
            else:
                for j in range(OW):
                    left, right = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
                    y[at + j] = sum_rows(x, start + left, W, rows, max(right - left, 0)) / (heights[i] * widths[j])


@jit
def _average_gx_items(item, planes, n, gy, gx, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW):
    share = np.empty(OH * OW, gy.dtype)  # of each pixel of a window
    for p in range(item * planes, min((item + 1) * planes, n)):
        g = gy[p * OH * OW : (p + 1) * OH * OW]
        for i in range(OH):
            for j in range(OW):
                share[i * OW + j] = g[i * OW + j] / (heights[i] * widths[j])
        for h in range(H):
            start, first, last = (p * H + h) * W, max(0, -((KH - 1 - h - PH) // SH)), min(OH, (h + PH) // SH + 1)
            rows = max(0, last - first)
            if SW == 1:
                add_to_windows_1(gx, start, W, share, first * OW, rows, OW, KW, PW)
            elif SW == 2:
                add_to_windows_2(gx, start, W, share, first * OW, rows, OW, KW, PW)
            else:
                gx[start : start + W] = 0
                for k in range(first * OW, last * OW):
                    left = k % OW * SW - PW
                    for w in range(max(left, 0), min(left + KW, W)):
                        gx[start + w] += share[k]


@jit
def _mean_items(item, planes, n, x, y, L, count):
    for p in range(item * planes, min((item + 1) * planes, n)):
        y[p] = sum_rows(x, p * L, 0, 1, L) / count


@jit
def _mean_gx_items(item, planes, n, gy, gx, L, count):
    for p in range(item * planes, min((item + 1) * planes, n)):
        gx[p * L : (p + 1) * L] = gy[p] / count


@jit
def _max(items, planes, n, x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    parallel_for(_max_items, items, (planes, n, x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW))


@jit
def _max_blocks(items, planes, n, x, y, where, H, W, OH, OW):
    parallel_for(_max_blocks_items, items, (planes, n, x, y, where, H, W, OH, OW))


@jit
def _max_gx(items, planes, n, gy, where, gx, H, W, SH, SW, PH, PW, down, right, OH, OW):
    parallel_for(_max_gx_items, items, (planes, n, gy, where, gx, H, W, SH, SW, PH, PW, down, right, OH, OW))


@jit
def _max_gx_blocks(items, planes, n, gy, where, gx, H, W, OH, OW):
    parallel_for(_max_gx_blocks_items, items, (planes, n, gy, where, gx, H, W, OH, OW))


@jit
def _average(items, planes, n, x, y, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW):
    parallel_for(_average_items, items, (planes, n, x, y, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW))


@jit
def _average_gx(items, planes, n, gy, gx, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW):
    arguments = planes, n, gy, gx, H, W, KH, KW, SH, SW, PH, PW, heights, widths, OH, OW
    parallel_for(_average_gx_items, items, arguments)


@jit
def _max_3x3(items, planes, n, x, y, where, H, W, OH, OW):
    numbers = np.empty(items, np.bool_)
    parallel_for(_max_3x3_items, items, (planes, n, x, y, where, numbers, H, W, OH, OW))
    return numbers.all()


@jit
def _max_3x3_nan(items, planes, n, x, y, where, H, W, OH, OW):
    parallel_for(_max_3x3_nan_items, items, (planes, n, x, y, where, H, W, OH, OW))


@jit
def _max_gx_3x3(items, planes, n, gy, where, gx, H, W, OH, OW):
    parallel_for(_max_gx_3x3_items, items, (planes, n, gy, where, gx, H, W, OH, OW))


@jit
def _average_blocks(items, planes, n, x, y, H, W, share, OH, OW):
    parallel_for(_average_blocks_items, items, (planes, n, x, y, H, W, share, OH, OW))


@jit
def _average_gx_blocks(items, planes, n, gy, gx, H, W, share, OH, OW):
    parallel_for(_average_gx_blocks_items, items, (planes, n, gy, gx, H, W, share, OH, OW))


@jit
def _mean(items, planes, n, x, y, L, count):
    parallel_for(_mean_items, items, (planes, n, x, y, L, count))


@jit
def _mean_gx(items, planes, n, gy, gx, L, count):
    parallel_for(_mean_gx_items, items, (planes, n, gy, gx, L, count))


def _cut(N, C, H, W):
    """(work items, planes of each, planes in all)."""
    planes = max(1, PIXELS // max(H * W, 1))
    return -(-N * C // planes), planes, N * C


def _is_plain_2x2(kernel_size, stride, padding, dilation, input_size, output_size):
    (H, W), (OH, OW) = input_size, output_size
    plain = kernel_size == stride == (2, 2) and padding == (0, 0) and dilation == (1, 1)
    return plain and OH == H // 2 and OW == W // 2


def _is_plain_3x3(kernel_size, stride, padding, dilation, input_size, output_size):
    plain = kernel_size == (3, 3) and stride == (2, 2) and padding == dilation == (1, 1)
    return plain and all(out == (n + 1) // 2 for n, out in zip(input_size, output_size, strict=True))


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    if not compiled_for(x):
        return reference.max_pool2d(x, kernel_size, stride, padding, dilation, output_size)
    (N, C, H, W), (OH, OW) = x.shape, output_size
    y = empty((N, C, OH, OW), x.dtype)
    where = empty(y.shape, np.uint8 if kernel_size[0] * kernel_size[1] <= 256 else np.int32)
    arguments = *_cut(N, C, H, W), flat(x), y.reshape(-1), where.reshape(-1), H, W
    windows = kernel_size, stride, padding, dilation, (H, W), output_size
    if _is_plain_2x2(*windows):
        _max_blocks(*arguments, OH, OW)
    elif _is_plain_3x3(*windows):
        if not _max_3x3(*arguments, OH, OW):
            _max_3x3_nan(*arguments, OH, OW)
    else:
        _max(*arguments, *kernel_size, *stride, *padding, *dilation, OH, OW)
    return y, where


@functools.lru_cache(maxsize=512)
def _taps(kernel_size, dilation):
    """How far each tap of a window is below the window's first row, and right of its first column."""
    (KH, KW), (DH, DW) = kernel_size, dilation
    return np.repeat(np.arange(KH) * DH, KW), np.tile(np.arange(KW) * DW, KH)


def max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation):
    if not compiled_for(gy):
        return reference.max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation)
    (N, C, OH, OW), (H, W) = gy.shape, input_size
    gx = empty((N, C, H, W), gy.dtype)
    arguments = *_cut(N, C, H, W), flat(gy), flat(where), gx.reshape(-1), H, W
    if _is_plain_2x2(kernel_size, stride, padding, dilation, input_size, (OH, OW)):
        _max_gx_blocks(*arguments, OH, OW)
    elif _is_plain_3x3(kernel_size, stride, padding, dilation, input_size, (OH, OW)):
        _max_gx_3x3(*arguments, OH, OW)
    else:
        _max_gx(*arguments, *stride, *padding, *_taps(kernel_size, dilation), OH, OW)
    return gx


@functools.lru_cache(maxsize=512)
def _extents(input_size, kernel_size, stride, padding, output_size, include_pad, divisor):
    """Heights and widths of the windows as they count in the average: their products are the divisors."""
    if divisor:
        return np.ones(output_size[0]), np.full(output_size[1], float(divisor))
    extents = []
    for n, k, s, p, out in zip(input_size, kernel_size, stride, padding, output_size, strict=True):
        first = np.arange(out) * s - p
        last = np.minimum(first + k, n + p)
        clipped = last - first if include_pad else np.minimum(last, n) - np.maximum(first, 0)
        extents.append(np.maximum(clipped, 1.0))  # a window without pixels has sum 0: any divisor will do, except 0
    return extents[0], extents[1]


def _is_whole_plane(input_size, kernel_size, padding, output_size):
    """Whether there is one window, and every pixel is in it."""
    return output_size == (1, 1) and all(k - p >= n for n, k, p in zip(input_size, kernel_size, padding, strict=True))


def _has_inverse(divisor):
    """Whether multiplying by 1 / divisor is dividing, to the bit: it is a power of two, as nearly always."""
    mantissa, exponent = math.frexp(divisor)
    return mantissa == 0.5 and exponent < 100


def avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor):
    if not compiled_for(x):
        return reference.avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor)
    (N, C, H, W), output_size = x.shape, tuple(output_size)
    y = empty((N, C, *output_size), x.dtype)
    heights, widths = _extents((H, W), kernel_size, stride, padding, output_size, count_include_pad, divisor)
    arguments = *_cut(N, C, H, W), flat(x), y.reshape(-1)
    if _is_whole_plane((H, W), kernel_size, padding, output_size):
        _mean(*arguments, H * W, heights[0] * widths[0])
    elif _is_plain_2x2(kernel_size, stride, padding, (1, 1), (H, W), output_size) and _has_inverse(divisor or 4):
        _average_blocks(*arguments, H, W, 1 / (divisor or 4), *output_size)
    else:
        _average(*arguments, H, W, *kernel_size, *stride, *padding, heights, widths, *output_size)
    return y


def avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor):
    if not compiled_for(gy):
        return reference.avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor)
    (N, C, OH, OW), (H, W) = gy.shape, input_size
    gx = empty((N, C, H, W), gy.dtype)
    heights, widths = _extents((H, W), kernel_size, stride, padding, (OH, OW), count_include_pad, divisor)
    arguments = *_cut(N, C, H, W), flat(gy), gx.reshape(-1)
    if _is_whole_plane((H, W), kernel_size, padding, (OH, OW)):
        _mean_gx(*arguments, H * W, heights[0] * widths[0])
    elif _is_plain_2x2(kernel_size, stride, padding, (1, 1), (H, W), (OH, OW)) and _has_inverse(divisor or 4):
        _average_gx_blocks(*arguments, H, W, 1 / (divisor or 4), OH, OW)
    else:
        _average_gx(*arguments, H, W, *kernel_size, *stride, *padding, heights, widths, OH, OW)
    return gx
