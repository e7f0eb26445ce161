"""Batch normalization of (N, C, L): a channel is a work item where sums are needed, an image plane where they are
not."""

from __future__ import annotations

import numpy as np

from .. import reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for
from .totals import centre_rows, sum_products, sum_rows, sum_squares


@jit
def _stats_channel(c, x, N, C, L, mean, var):
    m = sum_rows(x, c * L, C * L, N, L) / (N * L)
    mean[c] = m
    var[c] = sum_squares(x, c * L, C * L, N, L, mean[c]) / (N * L)


@jit
def _normalize_plane(item, x, y, C, L, mean, rstd, w, b):
    c = item % C
    shift, scale, bias = mean[c], rstd[c] * w[c], b[c]
    row, out = x[item * L : (item + 1) * L], y[item * L : (item + 1) * L]
    for k in range(out.size):
        out[k] = (row[k] - shift) * scale + bias


@jit
def _gx_channel(c, gy, x, gx, N, C, L, mean, rstd, w, gw, gb):
    sum_g, sum_gx = sum_products(gy, x, c * L, C * L, N, L, mean[c])
    sum_gx *= rstd[c]
    gw[c], gb[c] = sum_gx, sum_g
    kind = type(mean[c])
    scale, shift, slope = w[c] * rstd[c], kind(sum_g / (N * L)), kind(rstd[c] * sum_gx / (N * L))
    centre_rows(gx, gy, x, c * L, C * L, N, L, scale, shift, mean[c], slope)


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
