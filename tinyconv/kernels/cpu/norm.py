"""Batch normalization of (N, C, L): a channel is a work item where sums are needed, an image plane where they are
not."""

from __future__ import annotations

import numpy as np

from .. import reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for


@jit(reorder=True)
def _stats_channel(c, x, N, C, L, mean, var):
    total = 0.0
    for n in range(N):
        row = x[(n * C + c) * L : (n * C + c + 1) * L]
        for k in range(row.size):
            total += row[k]
    m = total / (N * L)
    total = 0.0
    for n in range(N):
        row = x[(n * C + c) * L : (n * C + c + 1) * L]
        for k in range(row.size):
            total += (row[k] - m) ** 2
    mean[c], var[c] = m, total / (N * L)


@jit
def _normalize_plane(item, x, y, C, L, mean, rstd, w, b):
    c = item % C
    shift, scale, bias = mean[c], rstd[c] * w[c], b[c]
    row, out = x[item * L : (item + 1) * L], y[item * L : (item + 1) * L]
    for k in range(out.size):
        out[k] = (row[k] - shift) * scale + bias


@jit(reorder=True)
def _gx_channel(c, gy, x, gx, N, C, L, mean, rstd, w, gw, gb):
    sum_g, sum_gx = 0.0, 0.0
    for n in range(N):
        g, row = gy[(n * C + c) * L : (n * C + c + 1) * L], x[(n * C + c) * L : (n * C + c + 1) * L]
        for k in range(row.size):
            sum_g += g[k]
            sum_gx += np.float64(g[k]) * (row[k] - mean[c])
    sum_gx *= rstd[c]
    gw[c], gb[c] = sum_gx, sum_g
    kind = type(mean[c])
    scale, shift, slope = w[c] * rstd[c], kind(sum_g / (N * L)), kind(rstd[c] * sum_gx / (N * L))
    for n in range(N):
        g, row = gy[(n * C + c) * L : (n * C + c + 1) * L], x[(n * C + c) * L : (n * C + c + 1) * L]
        out = gx[(n * C + c) * L : (n * C + c + 1) * L]
        for k in range(out.size):
            out[k] = scale * (g[k] - shift - (row[k] - mean[c]) * slope)


@jit
def _stats(x, N, C, L, mean, var):
    parallel_for(_stats_channel, C, (x, N, C, L, mean, var))


@jit
def _normalize(x, y, N, C, L, mean, rstd, w, b):
    parallel_for(_normalize_plane, N * C, (x, y, C, L, mean, rstd, w, b))


@jit
def _gx(gy, x, gx, N, C, L, mean, rstd, w, gw, gb):
    parallel_for(_gx_channel, C, (gy, x, gx, N, C, L, mean, rstd, w, gw, gb))


def batch_norm_stats(x):
    if not compiled_for(x):
        return reference.batch_norm_stats(x)
    (N, C, L), mean, var = x.shape, np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    _stats(flat(x), N, C, L, mean, var)
    return mean, var


def batch_norm(x, mean, rstd, w, b):
    if not compiled_for(x):
        return reference.batch_norm(x, mean, rstd, w, b)
    y = np.empty(x.shape, x.dtype)
    _normalize(flat(x), y.reshape(-1), *x.shape, *map(flat, (mean, rstd, w, b)))
    return y


def batch_norm_gx(gy, x, mean, rstd, w):
    if not compiled_for(x):
        return reference.batch_norm_gx(gy, x, mean, rstd, w)
    gx, gw, gb = np.empty(x.shape, x.dtype), np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    _gx(flat(gy), flat(x), gx.reshape(-1), *x.shape, *map(flat, (mean, rstd, w)), gw, gb)
    return gx, gw, gb
