"""Pooling: one image plane (n, c) is one work item, so windows that overlap never meet another thread's.

Nothing is padded or copied: a window looks at each of its pixels only if that lies in the image. The 2 x 2 windows of
nearly every network have a way of their own, a vector of them at a time.
"""

from __future__ import annotations

import numpy as np

from .. import formulas, reference
from ..reference.pool import max_pool2d_gather, max_pool2d_indices  # noqa: F401  (only higher derivatives need them)
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for
from .rows import max_of_pairs, to_pairs
from .target import VECTOR_BYTES


@jit
def _max_plane(item, x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    plane = x[item * H * W : (item + 1) * H * W]
    for i in range(OH):
        top = i * SH - PH
        line = y[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        winners = where[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        for j in range(OW):
            left = j * SW - PW
            best, winner, empty = -np.inf, 0, True
            for kh in range(KH):
                h = top + kh * DH
                if h < 0 or h >= H:
                    continue
                for kw in range(KW):
                    w = left + kw * DW
                    if w < 0 or w >= W:
                        continue
                    value = plane[h * W + w]
                    if empty or formulas.wins(value, best):
                        best, winner, empty = value, kh * KW + kw, False
            line[j] = best
            winners[j] = winner


@jit
def _max_plane_2x2(item, x, y, where, H, W, OH, OW):
    """2 x 2 windows, stride 2, nothing padded: the case of nearly every network."""
    lanes = VECTOR_BYTES // x.itemsize
    for i in range(OH):
        for j in range(0, OW, lanes):
            at, start = (item * OH + i) * OW + j, (item * H + 2 * i) * W + 2 * j
            max_of_pairs(y, where, at, x, start, W, min(lanes, OW - j))


@jit
def _max_gx_plane(item, gy, where, gx, H, W, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    plane = gx[item * H * W : (item + 1) * H * W]
    plane[:] = 0
    for i in range(OH):
        line = gy[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        winners = where[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        for j in range(OW):
            winner = np.int64(winners[j])
            h, w = i * SH - PH + winner // KW * DH, j * SW - PW + winner % KW * DW
            if 0 <= h < H and 0 <= w < W:
                plane[h * W + w] += line[j]


@jit
def _max_gx_plane_2x2(item, gy, where, gx, H, W, OH, OW):
    """The adjoint of ``_max_plane_2x2``: each pixel is in one window at most, so every pixel is written once."""
    lanes = VECTOR_BYTES // gx.itemsize
    for i in range(OH):
        for j in range(0, OW, lanes):
            at, start = (item * OH + i) * OW + j, (item * H + 2 * i) * W + 2 * j
            to_pairs(gx, start, W, gy, where, at, min(lanes, OW - j))
        for j in range(2 * OW, W):  # an odd last column is in no window, and so is an odd last row
            gx[(item * H + 2 * i) * W + j] = gx[(item * H + 2 * i + 1) * W + j] = 0
    for j in range(2 * OH * W, H * W):
        gx[item * H * W + j] = 0


@jit
def _divisor(i, j, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor):
    """What window (i, j) is divided by."""
    if divisor != 0:
        return divisor
    top, left = i * SH - PH, j * SW - PW
    bottom, right = min(top + KH, H + PH), min(left + KW, W + PW)
    if not include_pad:
        top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, H), min(right, W)
    return max(1, (bottom - top) * (right - left)) if bottom > top and right > left else 1


@jit
def _average_plane(item, x, y, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW):
    plane = x[item * H * W : (item + 1) * H * W]
    for i in range(OH):
        top, bottom = max(i * SH - PH, 0), min(i * SH - PH + KH, H)
        line = y[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        for j in range(OW):
            left, right = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
            total = 0.0
            for h in range(top, bottom):
                for w in range(left, right):
                    total += plane[h * W + w]
            line[j] = total / _divisor(i, j, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor)


@jit
def _average_gx_plane(item, gy, gx, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW):
    plane = gx[item * H * W : (item + 1) * H * W]
    plane[:] = 0
    for i in range(OH):
        top, bottom = max(i * SH - PH, 0), min(i * SH - PH + KH, H)
        line = gy[(item * OH + i) * OW : (item * OH + i + 1) * OW]
        for j in range(OW):
            left, right = max(j * SW - PW, 0), min(j * SW - PW + KW, W)
            share = line[j] / _divisor(i, j, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor)
            for h in range(top, bottom):
                for w in range(left, right):
                    plane[h * W + w] += share


@jit
def _max(n, x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    parallel_for(_max_plane, n, (x, y, where, H, W, KH, KW, SH, SW, PH, PW, DH, DW, OH, OW))


@jit
def _max_2x2(n, x, y, where, H, W, OH, OW):
    parallel_for(_max_plane_2x2, n, (x, y, where, H, W, OH, OW))


@jit
def _max_gx(n, gy, where, gx, H, W, KW, SH, SW, PH, PW, DH, DW, OH, OW):
    parallel_for(_max_gx_plane, n, (gy, where, gx, H, W, KW, SH, SW, PH, PW, DH, DW, OH, OW))


@jit
def _max_gx_2x2(n, gy, where, gx, H, W, OH, OW):
    parallel_for(_max_gx_plane_2x2, n, (gy, where, gx, H, W, OH, OW))


@jit
def _average(n, x, y, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW):
    parallel_for(_average_plane, n, (x, y, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW))


@jit
def _average_gx(n, gy, gx, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW):
    parallel_for(_average_gx_plane, n, (gy, gx, H, W, KH, KW, SH, SW, PH, PW, include_pad, divisor, OH, OW))


def _is_plain_2x2(kernel_size, stride, padding, dilation, input_size, output_size):
    (H, W), (OH, OW) = input_size, output_size
    return kernel_size == stride == (2, 2) and padding == (0, 0) and dilation == (1, 1) and 2 * OH <= H and 2 * OW <= W


def max_pool2d(x, kernel_size, stride, padding, dilation, output_size):
    if not compiled_for(x):
        return reference.max_pool2d(x, kernel_size, stride, padding, dilation, output_size)
    (N, C, H, W), (OH, OW) = x.shape, output_size
    y = np.empty((N, C, OH, OW), x.dtype)
    where = np.empty(y.shape, np.uint8 if kernel_size[0] * kernel_size[1] <= 256 else np.int32)
    arrays = flat(x), y.reshape(-1), where.reshape(-1)
    if _is_plain_2x2(kernel_size, stride, padding, dilation, (H, W), output_size):
        _max_2x2(N * C, *arrays, H, W, OH, OW)
    else:
        _max(N * C, *arrays, H, W, *kernel_size, *stride, *padding, *dilation, OH, OW)
    return y, where


def max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation):
    if not compiled_for(gy):
        return reference.max_pool2d_gx(gy, where, input_size, kernel_size, stride, padding, dilation)
    (N, C, OH, OW), (H, W) = gy.shape, input_size
    gx = np.empty((N, C, H, W), gy.dtype)
    arrays = flat(gy), flat(where), gx.reshape(-1)
    if _is_plain_2x2(kernel_size, stride, padding, dilation, input_size, (OH, OW)):
        _max_gx_2x2(N * C, *arrays, H, W, OH, OW)
    else:
        _max_gx(N * C, *arrays, H, W, kernel_size[1], *stride, *padding, *dilation, OH, OW)
    return gx


def avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor):
    if not compiled_for(x):
        return reference.avg_pool2d(x, kernel_size, stride, padding, output_size, count_include_pad, divisor)
    N, C, H, W = x.shape
    y = np.empty((N, C, *output_size), x.dtype)
    _average(
        N * C,
        flat(x),
        y.reshape(-1),
        H,
        W,
        *kernel_size,
        *stride,
        *padding,
        count_include_pad,
        divisor or 0,
        *output_size,
    )
    return y


def avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor):
    if not compiled_for(gy):
        return reference.avg_pool2d_gx(gy, input_size, kernel_size, stride, padding, count_include_pad, divisor)
    (N, C, OH, OW), (H, W) = gy.shape, input_size
    gx = np.empty((N, C, H, W), gy.dtype)
    arguments = *kernel_size, *stride, *padding, count_include_pad, divisor or 0, OH, OW
    _average_gx(N * C, flat(gy), gx.reshape(-1), H, W, *arguments)
    return gx
