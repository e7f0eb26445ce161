"""Batch normalization of (N, C, L): a channel is a work item where sums are needed, an image plane where they are not.
Layer normalization of (R, L): some rows are, each of which stays in the cache while it is read again.
"""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for
from .totals import centre_rows, sum_products, sum_rows, sum_squares

PARTS, ELEMENTS = 16, 16384  # work items over rows at most, and elements of one at least


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
def _stats(x, N, C, L, mean, var):
    parallel_for(_stats_channel, C, (x, N, C, L, mean, var))


@jit
def _normalize(x, y, N, C, L, mean, rstd, w, b):
    parallel_for(_normalize_plane, N * C, (x, y, C, L, mean, rstd, w, b))


@jit
def _gx(gy, x, gx, N, C, L, mean, rstd, w, gw, gb):
    parallel_for(_gx_channel, C, (gy, x, gx, N, C, L, mean, rstd, w, gw, gb))


@jit
def _layer_norm(items, rows, x, y, R, L, w, b, eps, mean, rstd):
    parallel_for(_layer_norm_rows, items, (rows, x, y, R, L, w, b, eps, mean, rstd))


@jit
def _layer_norm_gx(items, rows, gy, x, gx, R, L, mean, rstd, w, sums):
    parallel_for(_layer_norm_gx_rows, items, (rows, gy, x, gx, R, L, mean, rstd, w, sums))


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


def _cut(R, L):
    """Work items, and rows of one."""
    rows = max(1, -(-R // PARTS), -(-ELEMENTS // max(L, 1)))
    return -(-R // rows), rows


def layer_norm(x, w, b, eps):
    if not compiled_for(x):
        return reference.layer_norm(x, w, b, eps)
    (R, L), y, mean, rstd = x.shape, np.empty(x.shape, x.dtype), np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    _layer_norm(*_cut(R, L), flat(x), y.reshape(-1), R, L, flat(w), flat(b), x.dtype.type(eps), mean, rstd)
    return y, mean, rstd


def layer_norm_gx(gy, x, mean, rstd, w):
    if not compiled_for(x):
        return reference.layer_norm_gx(gy, x, mean, rstd, w)
    (R, L), gx = x.shape, np.empty(x.shape, x.dtype)
    items, rows = _cut(R, L)
    sums = np.empty((items, 2, L))
    _layer_norm_gx(items, rows, flat(gy), flat(x), gx.reshape(-1), R, L, flat(mean), flat(rstd), flat(w), sums)
    gw, gb = sums.sum(0).astype(x.dtype)
    return gx, gw, gb
