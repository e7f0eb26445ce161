"""Batch normalization of (N, C, L): some channels are a work item where sums are needed, some planes where they are
not. In training one work item does both, so that it finds its channels in the cache. Where L is 1, channels are
columns. Layer normalization of (R, L): some rows are a work item, each of which stays in the cache while it is read
again.
"""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from .arrays import compiled_for, empty_like, flat, is_large, lanes_of
from .channels import (
    centre_channels,
    channel_moments,
    channel_products,
    channel_sums,
    normalize_channels,
    total,
)
from .compile import jit
from .parallel import parallel_for
from .totals import centre_rows, sum_columns, sum_products, sum_rows, sum_squares

PARTS, ELEMENTS = 16, 16384  # work items over rows at most, and elements of one at least
GROUPS, NEIGHBOURS = 8, 1024  # work items over channels at least, where it takes several to have so many neighbours
COLUMNS = 128  # of a matrix, to a work item


@jit
def _means(first, count, x, images, C, L, mean):
    """The means of some channels over some images."""
    lanes = lanes_of(x)
    totals = np.zeros(count * lanes)
    channel_sums(totals, x, first * L, images, count, C, L)
    for c in range(count):
        mean[first + c] = total(totals, c * lanes, x) / (images * L)


@jit
def _variances(first, count, x, N, C, L, mean, var, guessed):
    """The variances of some channels by the distances d from ``mean``. Where that is only guessed, var = E[d**2] -
    E[d]**2, and the mean is corrected; whether all guesses were so near that little cancels in this difference."""
    lanes, near = lanes_of(x), True
    totals = np.zeros(2 * count * lanes)
    channel_moments(totals, x, first * L, N, count, C, L, mean[first : first + count])
    for c in range(count):
        d, v = total(totals, 2 * c * lanes, x) / (N * L), total(totals, (2 * c + 1) * lanes, x) / (N * L)
        if guessed:
            v -= d * d
            near = near and d * d <= 4 * v
            mean[first + c] += d
        var[first + c] = v
    return near


@jit
def _stats_group(item, G, x, N, C, L, eps, mean, var, rstd):
    """The statistics of a work item's channels, in one pass if the means of the first image are a good guess."""
    first, one = item * G, type(eps)(1)
    count = min(G, C - first)
    for images in (min(N, 1), N):
        _means(first, count, x, images, C, L, mean)
        if _variances(first, count, x, N, C, L, mean, var, images < N):
            break
    for c in range(first, first + count):
        rstd[c] = one / np.sqrt(var[c] + eps)


@jit
def _normalize_some(n, first, count, x, y, images, C, L, mean, rstd, w, b, streamed):
    """Some channels of some images from the n-th on."""
    last = first + count
    normalize_channels(
        y, x, (n * C + first) * L, images, count, C, L, streamed,
        mean[first:last], rstd[first:last], w[first:last], b[first:last],
    )  # fmt: skip


@jit
def _train_group(item, G, x, y, N, C, L, w, b, eps, mean, var, rstd, streamed):
    _stats_group(item, G, x, N, C, L, eps, mean, var, rstd)
    _normalize_some(0, item * G, min(G, C - item * G), x, y, N, C, L, mean, rstd, w, b, streamed)


@jit
def _normalize_part(item, G, x, y, C, L, mean, rstd, w, b, streamed):
    """Some channels of one image."""
    parts = -(-C // G)
    first = item % parts * G
    _normalize_some(item // parts, first, min(G, C - first), x, y, 1, C, L, mean, rstd, w, b, streamed)


@jit
def _gx_group(item, G, gy, x, gx, N, C, L, mean, rstd, w, gw, gb, streamed):
    first, lanes = item * G, lanes_of(x)
    count, M = min(G, C - first), N * L
    m, totals, numbers = mean[first : first + count], np.zeros(2 * count * lanes), np.empty((3, count), mean.dtype)
    scale, shift, slope = numbers[0], numbers[1], numbers[2]
    channel_products(totals, gy, x, first * L, N, count, C, L, m)
    for c in range(count):
        r = rstd[first + c]
        sum_g = total(totals, 2 * c * lanes, x)
        sum_gx = total(totals, (2 * c + 1) * lanes, x) * r
        gw[first + c], gb[first + c] = sum_gx, sum_g
        scale[c], shift[c], slope[c] = w[first + c] * r, sum_g / M, r * sum_gx / M
    centre_channels(gx, gy, x, first * L, N, count, C, L, streamed, scale, shift, m, slope)


@jit
def _train_columns(item, x, y, N, C, w, b, eps, mean, var, rstd):
    """Some channels of images of one pixel each: the columns of a matrix, so a vector is of neighbouring channels."""
    first, last, one = item * COLUMNS, min((item + 1) * COLUMNS, C), type(eps)(1)
    m, v, r, scale, bias = mean[first:last], var[first:last], rstd[first:last], w[first:last], b[first:last]
    totals = np.empty(last - first)
    sum_columns(totals, x, first, C, N, last - first)
    for j in range(m.size):
        m[j] = totals[j] / N
    totals[:] = 0
    for n in range(N):
        row = x[n * C + first : n * C + last]
        for j in range(row.size):
            totals[j] += (row[j] - m[j]) * (row[j] - m[j])
    for j in range(v.size):
        v[j] = totals[j] / N
        r[j] = one / np.sqrt(v[j] + eps)
    for n in range(N):
        row, out = x[n * C + first : n * C + last], y[n * C + first : n * C + last]
        for j in range(out.size):
            out[j] = (row[j] - m[j]) * (r[j] * scale[j]) + bias[j]


@jit
def _normalize_columns(item, rows, x, y, N, C, mean, rstd, w, b):
    for n in range(item * rows, min((item + 1) * rows, N)):
        row, out = x[n * C : (n + 1) * C], y[n * C : (n + 1) * C]
        for j in range(out.size):
            out[j] = (row[j] - mean[j]) * (rstd[j] * w[j]) + b[j]


@jit
def _gx_columns(item, gy, x, gx, N, C, mean, rstd, w, gw, gb):
    first, last = item * COLUMNS, min((item + 1) * COLUMNS, C)
    m, r, scale, numbers = mean[first:last], rstd[first:last], w[first:last], np.empty((2, last - first), mean.dtype)
    sum_g, sum_gx, shift, slope = np.zeros(last - first), np.zeros(last - first), numbers[0], numbers[1]
    for n in range(N):
        g, row = gy[n * C + first : n * C + last], x[n * C + first : n * C + last]
        for j in range(sum_g.size):
            sum_g[j] += g[j]
            sum_gx[j] += g[j] * (row[j] - m[j])
    for j in range(m.size):
        gw[first + j], gb[first + j] = sum_gx[j] * r[j], sum_g[j]
        shift[j], slope[j] = sum_g[j] / N, r[j] * (sum_gx[j] * r[j]) / N
    for n in range(N):
        g, row = gy[n * C + first : n * C + last], x[n * C + first : n * C + last]
        out = gx[n * C + first : n * C + last]
        for j in range(out.size):
            out[j] = (scale[j] * r[j]) * (g[j] - shift[j] - (row[j] - m[j]) * slope[j])


@jit
def _layer_norm_rows(item, rows, x, y, R, L, w, b, eps, mean, rstd):
    kind = type(eps)
    for r in range(item * rows, min((item + 1) * rows, R)):
        row, out = x[r * L : (r + 1) * L], y[r * L : (r + 1) * L]
        m = kind(sum_rows(row, 0, 0, 1, L) / L)
        s = kind(1 / math.sqrt(sum_squares(row, 0, 0, 1, L, m) / L + eps))
        mean[r], rstd[r] = m, s
        for k in range(out.size):
            out[k] = (row[k] - m) * s * w[k] + b[k]


@jit
def _layer_norm_gx_rows(item, rows, gy, x, gx, R, L, mean, rstd, w, sums):
    """``sums[item]``: what gw and gb get from these rows."""
    g, gw, gb = np.empty(L, gx.dtype), sums[item, 0], sums[item, 1]
    gw[:], gb[:] = 0, 0
    for r in range(item * rows, min((item + 1) * rows, R)):
        given, row, out = gy[r * L : (r + 1) * L], x[r * L : (r + 1) * L], gx[r * L : (r + 1) * L]
        m, s = mean[r], rstd[r]
        for k in range(g.size):
            g[k] = given[k] * w[k]
        for k in range(gb.size):
            gb[k] += given[k]
        for k in range(gw.size):
            gw[k] += given[k] * ((row[k] - m) * s)
        total, product = sum_products(g, row, 0, 0, 1, L, m)
        centre_rows(out, g, row, 0, 0, 1, L, s, type(m)(total / L), m, type(m)(s * s * product / L))


@jit
def _train(items, G, x, y, N, C, L, w, b, eps, mean, var, rstd, streamed):
    parallel_for(_train_group, items, (G, x, y, N, C, L, w, b, eps, mean, var, rstd, streamed))


@jit
def _normalize(parts, P, x, y, N, C, L, mean, rstd, w, b, streamed):
    parallel_for(_normalize_part, parts, (P, x, y, C, L, mean, rstd, w, b, streamed))


@jit
def _gx(items, G, gy, x, gx, N, C, L, mean, rstd, w, gw, gb, streamed):
    parallel_for(_gx_group, items, (G, gy, x, gx, N, C, L, mean, rstd, w, gw, gb, streamed))


@jit
def _train_matrix(items, x, y, N, C, w, b, eps, mean, var, rstd):
    parallel_for(_train_columns, items, (x, y, N, C, w, b, eps, mean, var, rstd))


@jit
def _normalize_matrix(items, rows, x, y, N, C, mean, rstd, w, b):
    parallel_for(_normalize_columns, items, (rows, x, y, N, C, mean, rstd, w, b))


@jit
def _gx_matrix(items, gy, x, gx, N, C, mean, rstd, w, gw, gb):
    parallel_for(_gx_columns, items, (gy, x, gx, N, C, mean, rstd, w, gw, gb))


@jit
def _layer_norm(items, rows, x, y, R, L, w, b, eps, mean, rstd):
    parallel_for(_layer_norm_rows, items, (rows, x, y, R, L, w, b, eps, mean, rstd))


@jit
def _layer_norm_gx(items, rows, gy, x, gx, R, L, mean, rstd, w, sums):
    parallel_for(_layer_norm_gx_rows, items, (rows, gy, x, gx, R, L, mean, rstd, w, sums))


def _groups(C, L):
    """Work items of whole channels, and channels of one."""
    G = max(1, min(-(-NEIGHBOURS // max(L, 1)), C // GROUPS))
    return -(-C // G), G


def _parts(N, C, L):
    """Work items of some channels of one image, and channels of one."""
    P = max(1, min(C, ELEMENTS // max(L, 1)))
    return N * -(-C // P), P


def batch_norm_train(x, w, b, eps):
    if not compiled_for(x):
        return reference.batch_norm_train(x, w, b, eps)
    (N, C, L), y = x.shape, empty_like(x)
    mean, var, rstd = np.empty((3, C), x.dtype)
    arrays, numbers = (flat(x), y.reshape(-1)), (flat(w), flat(b), x.dtype.type(eps), mean, var, rstd)
    if L == 1:
        _train_matrix(-(-C // COLUMNS), *arrays, N, C, *numbers)
    else:
        _train(*_groups(C, L), *arrays, N, C, L, *numbers, is_large(y))
    return y, mean, var, rstd


def batch_norm(x, mean, rstd, w, b):
    if not compiled_for(x):
        return reference.batch_norm(x, mean, rstd, w, b)
    (N, C, L), y = x.shape, empty_like(x)
    arrays, numbers = (flat(x), y.reshape(-1)), map(flat, (mean, rstd, w, b))
    if L == 1:
        _normalize_matrix(*_cut(N, C), *arrays, N, C, *numbers)
    else:
        _normalize(*_parts(N, C, L), *arrays, N, C, L, *numbers, is_large(y))
    return y


def batch_norm_gx(gy, x, mean, rstd, w):
    if not compiled_for(x):
        return reference.batch_norm_gx(gy, x, mean, rstd, w)
    (N, C, L), gx = x.shape, empty_like(x)
    gw, gb = np.empty(C, x.dtype), np.empty(C, x.dtype)
    arrays, numbers = (flat(gy), flat(x), gx.reshape(-1)), (*map(flat, (mean, rstd, w)), gw, gb)
    if L == 1:
        _gx_matrix(-(-C // COLUMNS), *arrays, N, C, *numbers)
    else:
        _gx(*_groups(C, L), *arrays, N, C, L, *numbers, is_large(gx))
    return gx, gw, gb


def _cut(R, L):
    """Work items, and rows of one."""
    rows = max(1, -(-R // PARTS), -(-ELEMENTS // max(L, 1)))
    return -(-R // rows), rows


def layer_norm(x, w, b, eps):
    if not compiled_for(x):
        return reference.layer_norm(x, w, b, eps)
    (R, L), y, mean, rstd = x.shape, empty_like(x), np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    _layer_norm(*_cut(R, L), flat(x), y.reshape(-1), R, L, flat(w), flat(b), x.dtype.type(eps), mean, rstd)
    return y, mean, rstd


def layer_norm_gx(gy, x, mean, rstd, w):
    if not compiled_for(x):
        return reference.layer_norm_gx(gy, x, mean, rstd, w)
    (R, L), gx = x.shape, empty_like(x)
    items, rows = _cut(R, L)
    sums = np.empty((items, 2, L))
    _layer_norm_gx(items, rows, flat(gy), flat(x), gx.reshape(-1), R, L, flat(mean), flat(rstd), flat(w), sums)
    gw, gb = sums.sum(0).astype(x.dtype)
    return gx, gw, gb
