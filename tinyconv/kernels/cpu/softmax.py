"""Softmax and the negative log-likelihood. A dense array is seen as (outer, n, inner) with the softmax along n; a
stretch of ``outer`` is a work item."""

from __future__ import annotations

import math

import numpy as np

from .. import formulas, reference
from .arrays import compiled_for, empty, empty_like, flat
from .compile import jit
from .parallel import parallel_for
from .totals import largest, sum_columns, sum_products, sum_rows

ELEMENTS = 2048  # of a work item, or one row if that has more
LONG = 256  # elements of a row that is worth a loop of its own


@jit
def _softmax_rows(item, rows, x, y, outer, n, log):
    """Along the rows of (outer, n). Classes are few and rows are short: the exponentials of all rows are one loop."""
    first, last = item * rows, min((item + 1) * rows, outer)
    x, y = x[first * n : last * n], y[first * n : last * n]
    e = np.empty(y.size, y.dtype)
    for start in range(0, y.size, n):
        top, row, out = largest(x, start, n), x[start : start + n], y[start : start + n]
        for k in range(out.size):
            out[k] = row[k] - top
    for k in range(e.size):
        e[k] = formulas.exp(y[k])
    for start in range(0, y.size, n):
        total, row, out = sum_rows(e, start, 0, 1, n), e[start : start + n], y[start : start + n]
        if log:
            shift = y.dtype.type(math.log(total))
            for k in range(out.size):
                out[k] -= shift
        else:
            scale = y.dtype.type(1 / total)
            for k in range(out.size):
                out[k] = row[k] * scale


@jit
def _softmax_columns(item, x, y, n, inner, log):
    """Along the columns of one (n, inner), all at once."""
    x, y = x[item * n * inner : (item + 1) * n * inner], y[item * n * inner : (item + 1) * n * inner]
    top, total = np.full(inner, -np.inf, x.dtype), np.empty(inner)
    for k in range(n):
        row = x[k * inner : (k + 1) * inner]
        for j in range(top.size):
            top[j] = row[j] if formulas.wins(row[j], top[j]) else top[j]
    e = np.empty(y.size, y.dtype)
    for k in range(n):
        row, out, part = x[k * inner : (k + 1) * inner], y[k * inner : (k + 1) * inner], e[k * inner : (k + 1) * inner]
        for j in range(top.size):
            out[j] = row[j] - top[j]
            part[j] = formulas.exp(out[j])
    sum_columns(total, e, 0, inner, n, inner)
    for j in range(inner):
        top[j] = math.log(total[j]) if log else 1 / total[j]
    for k in range(n):
        out, part = y[k * inner : (k + 1) * inner], e[k * inner : (k + 1) * inner]
        for j in range(top.size):
            out[j] = out[j] - top[j] if log else part[j] * top[j]


@jit
def _log_softmax_gx_rows(item, rows, gy, y, gx, outer, n):
    first, last = item * rows, min((item + 1) * rows, outer)
    gy, y, gx = gy[first * n : last * n], y[first * n : last * n], gx[first * n : last * n]
    for start in range(0, gx.size, n):
        total = gx.dtype.type(sum_rows(gy, start, 0, 1, n))
        g, row, out = gy[start : start + n], y[start : start + n], gx[start : start + n]
        for k in range(out.size):
            out[k] = g[k] - formulas.exp(row[k]) * total if n >= LONG else total
    if n < LONG:  # one loop over all rows: gx is first the sum that belongs to each element
        for k in range(gx.size):
            gx[k] = gy[k] - formulas.exp(y[k]) * gx[k]


@jit
def _softmax_gx_rows(item, rows, gy, y, gx, outer, n):
    for r in range(item * rows, min((item + 1) * rows, outer)):
        g, row, out = gy[r * n : (r + 1) * n], y[r * n : (r + 1) * n], gx[r * n : (r + 1) * n]
        total = gx.dtype.type(sum_products(g, row, 0, 0, 1, n, gx.dtype.type(0))[1])
        for k in range(out.size):
            out[k] = row[k] * (g[k] - total)


@jit
def _log_softmax_gx_columns(item, gy, y, gx, n, inner):
    size = n * inner
    gy, y, gx = gy[item * size : (item + 1) * size], y[item * size : (item + 1) * size], gx[item * size :]
    totals = np.empty(inner)
    sum_columns(totals, gy, 0, inner, n, inner)
    for k in range(n):
        for j in range(inner):
            gx[k * inner + j] = totals[j]
    for k in range(y.size):
        gx[k] = gy[k] - formulas.exp(y[k]) * gx[k]


@jit
def _rows(items, rows, x, y, outer, n, log):
    parallel_for(_softmax_rows, items, (rows, x, y, outer, n, log))


@jit
def _columns(outer, x, y, n, inner, log):
    parallel_for(_softmax_columns, outer, (x, y, n, inner, log))


@jit
def _gx_rows(items, rows, gy, y, gx, outer, n):
    parallel_for(_log_softmax_gx_rows, items, (rows, gy, y, gx, outer, n))


@jit
def _softmax_gx(items, rows, gy, y, gx, outer, n):
    parallel_for(_softmax_gx_rows, items, (rows, gy, y, gx, outer, n))


@jit
def _gx_columns(outer, gy, y, gx, n, inner):
    parallel_for(_log_softmax_gx_columns, outer, (gy, y, gx, n, inner))


@jit
def _nll_loss(x, target, weight, ignore_index, N, C, L, loss, scale):
    for i in range(N * L):
        t = target[i]
        if t == ignore_index:
            loss[i] = scale[i] = 0
        elif t < 0 or t >= C:
            return i
        else:
            scale[i] = weight[t] if weight.size else 1
            loss[i] = -scale[i] * x[(i // L * C + t) * L + i % L]
    return -1


@jit
def _nll_loss_gx(gy, target, scale, gx, N, C, L):
    gx[:] = 0
    for i in range(N * L):
        if scale[i] != 0:
            gx[(i // L * C + target[i]) * L + i % L] = -scale[i] * gy[i]


@jit
def _cross_entropy(items, rows, x, logp, target, weight, ignore_index, N, C, L, mean, loss, scale, sums):
    parallel_for(_softmax_rows, items, (rows, x, logp, N, C, True))
    return _losses(logp, target, weight, ignore_index, N, C, L, mean, loss, scale, sums)


@jit
def _cross_entropy_of_columns(x, logp, target, weight, ignore_index, N, C, L, mean, loss, scale, sums):
    parallel_for(_softmax_columns, N, (x, logp, C, L, True))
    return _losses(logp, target, weight, ignore_index, N, C, L, mean, loss, scale, sums)


@jit
def _losses(logp, target, weight, ignore_index, N, C, L, mean, loss, scale, sums):
    """The losses, and to ``sums`` their sum, or mean, and that of their scales; where a target is wrong, else -1."""
    wrong = _nll_loss(logp, target, weight, ignore_index, N, C, L, loss, scale)
    sums[0], sums[1] = sum_rows(loss, 0, 0, 1, loss.size), sum_rows(scale, 0, 0, 1, scale.size)
    if mean:
        sums[0] /= sums[1]
    return wrong


@jit
def _cross_entropy_gx_rows(item, rows, g, logp, target, scale, gx, N, C):
    """The gradient along rows of classes: their probabilities, less 1 at the target, times the gradient of the loss."""
    first, last = item * rows, min((item + 1) * rows, N)
    logp, gx = logp[first * C : last * C], gx[first * C : last * C]
    for r in range(first, last):
        factor = scale[r] * g if scale[r] != 0 else scale[r]  # 0 if ignored; if all are, g is infinite
        out = gx[(r - first) * C : (r - first + 1) * C]
        for k in range(out.size):
            out[k] = factor
    for k in range(gx.size):
        gx[k] *= formulas.exp(logp[k])
    for r in range(first, last):
        if scale[r] != 0:
            gx[(r - first) * C + target[r]] -= scale[r] * g


@jit
def _cross_entropy_gx(items, rows, gloss, total, logp, target, scale, gx, N, C):
    g = gloss[0] / total[0] if total.size else gloss[0]
    parallel_for(_cross_entropy_gx_rows, items, (rows, g, logp, target, scale, gx, N, C))


@jit
def _cross_entropy_gx_of_columns(gloss, total, logp, target, scale, gx, gy, N, C, L):
    g = gloss[0] / total[0] if total.size else gloss[0]
    gy[:] = 0
    for i in range(N * L):
        if scale[i] != 0:
            gy[(i // L * C + target[i]) * L + i % L] = -scale[i] * g
    parallel_for(_log_softmax_gx_columns, N, (gy, logp, gx, C, L))


def _as_three(x, axis):
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


def _cut(outer, n):
    """Work items, and rows a work item."""
    rows = max(1, ELEMENTS // max(n, 1))
    return -(-outer // rows) if n else 0, rows


def _run(x, axis, log):
    y, (outer, n, inner) = empty_like(x), _as_three(x, axis)
    if inner == 1:
        _rows(*_cut(outer, n), flat(x), y.reshape(-1), outer, n, log)
    elif y.size:
        _columns(outer, flat(x), y.reshape(-1), n, inner, log)
    return y


def log_softmax(x, axis):
    return _run(x, axis, True) if compiled_for(x) else reference.log_softmax(x, axis)


def softmax(x, axis):
    return _run(x, axis, False) if compiled_for(x) else reference.softmax(x, axis)


def log_softmax_gx(gy, y, axis):
    if not compiled_for(y):
        return reference.log_softmax_gx(gy, y, axis)
    gx, (outer, n, inner) = empty_like(y), _as_three(y, axis)
    if inner == 1:
        _gx_rows(*_cut(outer, n), flat(gy), flat(y), gx.reshape(-1), outer, n)
    elif gx.size:
        _gx_columns(outer, flat(gy), flat(y), gx.reshape(-1), n, inner)
    return gx


def softmax_gx(gy, y, axis):
    if not compiled_for(y) or math.prod(y.shape[axis + 1 :]) != 1:
        return reference.softmax_gx(gy, y, axis)
    gx, n = empty_like(y), y.shape[axis]
    outer = gx.size // max(n, 1)
    _softmax_gx(*_cut(outer, n), flat(gy), flat(y), gx.reshape(-1), outer, n)
    return gx


def nll_loss(x, target, weight, ignore_index):
    if not compiled_for(x):
        return reference.nll_loss(x, target, weight, ignore_index)
    (N, C, L), loss, scale = x.shape, np.empty(target.shape, x.dtype), np.empty(target.shape, x.dtype)
    w = np.empty(0, x.dtype) if weight is None else flat(weight)
    wrong = _nll_loss(flat(x), flat(target), w, ignore_index, N, C, L, loss.reshape(-1), scale.reshape(-1))
    if wrong >= 0:
        return reference.nll_loss(x, target, weight, ignore_index)  # which says what is wrong
    return loss, scale


def nll_loss_gx(gy, target, scale, classes):
    if not compiled_for(gy):
        return reference.nll_loss_gx(gy, target, scale, classes)
    (N, L) = target.shape
    gx = empty((N, classes, L), gy.dtype)
    _nll_loss_gx(flat(gy), flat(target), flat(scale), gx.reshape(-1), N, classes, L)
    return gx


def cross_entropy(x, target, weight, ignore_index, mean):
    if not compiled_for(x) or not x.size:
        return reference.cross_entropy(x, target, weight, ignore_index, mean)
    (N, C, L), logp = x.shape, empty_like(x)
    loss, scale, sums = np.empty(target.size, x.dtype), np.empty(target.shape, x.dtype), np.empty(2, x.dtype)
    w = np.empty(0, x.dtype) if weight is None else flat(weight)
    arrays = flat(x), logp.reshape(-1), flat(target), w
    arguments = *arrays, ignore_index, N, C, L, mean, loss, scale.reshape(-1), sums
    wrong = _cross_entropy(*_cut(N, C), *arguments) if L == 1 else _cross_entropy_of_columns(*arguments)
    if wrong >= 0:
        return reference.cross_entropy(x, target, weight, ignore_index, mean)  # which says what is wrong
    return sums[0:1].reshape(()), logp, scale, sums[1:2].reshape(())


def cross_entropy_gx(gloss, logp, target, scale, total):
    if not compiled_for(logp) or not logp.size:
        return reference.cross_entropy_gx(gloss, logp, target, scale, total)
    (N, C, L), gx = logp.shape, empty_like(logp)
    total = np.empty(0, logp.dtype) if total is None else flat(total)
    arrays = flat(gloss), total, flat(logp), flat(target), flat(scale), gx.reshape(-1)
    if L == 1:
        _cross_entropy_gx(*_cut(N, C), *arrays, N, C)
    else:
        _cross_entropy_gx_of_columns(*arrays, np.empty(logp.size, logp.dtype), N, C, L)
    return gx
