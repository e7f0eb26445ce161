"""Softmax and the negative log-likelihood. A dense array is seen as (outer, n, inner) with the softmax along n; a
stretch of ``outer`` is a work item."""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for

ROWS = 64  # of ``outer`` a work item


@jit
def _log_softmax_rows(item, x, y, outer, n, inner):
    for i in range(item * ROWS, min((item + 1) * ROWS, outer)):
        for j in range(inner):
            at = i * n * inner + j
            largest = -np.inf
            for k in range(n):
                value = x[at + k * inner]
                if value > largest or value != value:
                    largest = value
            total = 0.0
            for k in range(n):
                total += math.exp(x[at + k * inner] - largest)
            shift = math.log(total)
            for k in range(n):
                y[at + k * inner] = (x[at + k * inner] - largest) - shift


@jit
def _log_softmax_gx_rows(item, gy, y, gx, outer, n, inner):
    for i in range(item * ROWS, min((item + 1) * ROWS, outer)):
        for j in range(inner):
            at = i * n * inner + j
            total = 0.0
            for k in range(n):
                total += gy[at + k * inner]
            for k in range(n):
                gx[at + k * inner] = gy[at + k * inner] - math.exp(y[at + k * inner]) * total


@jit
def _log_softmax(items, x, y, outer, n, inner):
    parallel_for(_log_softmax_rows, items, (x, y, outer, n, inner))


@jit
def _log_softmax_gx(items, gy, y, gx, outer, n, inner):
    parallel_for(_log_softmax_gx_rows, items, (gy, y, gx, outer, n, inner))


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


def _as_three(x, axis):
    return math.prod(x.shape[:axis]), x.shape[axis], math.prod(x.shape[axis + 1 :])


def log_softmax(x, axis):
    if not compiled_for(x):
        return reference.log_softmax(x, axis)
    y, (outer, n, inner) = np.empty(x.shape, x.dtype), _as_three(x, axis)
    _log_softmax(-(-outer // ROWS), flat(x), y.reshape(-1), outer, n, inner)
    return y


def log_softmax_gx(gy, y, axis):
    if not compiled_for(y):
        return reference.log_softmax_gx(gy, y, axis)
    gx, (outer, n, inner) = np.empty(y.shape, y.dtype), _as_three(y, axis)
    _log_softmax_gx(-(-outer // ROWS), flat(gy), flat(y), gx.reshape(-1), outer, n, inner)
    return gx


def softmax(x, axis):
    if not compiled_for(x):
        return reference.softmax(x, axis)
    return reference.exp(log_softmax(x, axis))


def softmax_gx(gy, y, axis):
    return reference.softmax_gx(gy, y, axis)


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
    gx = np.empty((N, classes, L), gy.dtype)
    _nll_loss_gx(flat(gy), flat(target), flat(scale), gx.reshape(-1), N, classes, L)
    return gx
