"""Sums and products over axes, and extremes over the last ones; over others NumPy's are vectorized.

A dense array whose reduced axes, or whose kept ones, lie side by side can be seen as (O, R, A, S): R and S are summed
over, O and A stay. Sums run in float64, so their error does not grow with their length. The work is cut along O and A,
and where that gives few items also into parts of R, by the shape alone; the parts' sums are added in order.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import reference
from ..reference.reduce import argmax, argmin  # noqa: F401
from .arrays import compiled_for
from .compile import jit
from .elementwise import FEW
from .parallel import parallel_for
from .totals import largest, product, smallest, sum_columns, sum_rows

ITEMS = 16  # so many are enough
ELEMENTS = 16384  # of a work item
WIDTH = 256  # columns whose products a work item takes
NOTHING = np.empty(0)


@jit
def _sum_item(item, x, R, A, S, parts, blocks, width, partial, out):
    """Sums of the elements a of one block, over all s and the r of one part."""
    o, part, first = item // (blocks * parts), item // blocks % parts, item % blocks * width
    size, low, high = min(width, A - first), R * part // parts, R * (part + 1) // parts
    totals = np.empty(size)
    if S == 1:
        sum_columns(totals, x, (o * R + low) * A + first, A, high - low, size)
    else:
        stride = A * S if R > 1 else S  # of one row the next is another's
        for a in range(size):
            totals[a] = sum_rows(x, ((o * R + low) * A + first + a) * S, stride, high - low, S)
    if parts == 1:
        for k in range(size):
            out[o * A + first + k] = totals[k]
    else:
        for k in range(size):
            partial[part * A + first + k] = totals[k]


@jit
def _sum(items, x, R, A, S, parts, blocks, width, partial, out):
    parallel_for(_sum_item, items, (x, R, A, S, parts, blocks, width, partial, out))
    if parts > 1:
        for a in range(A):
            total = 0.0
            for k in range(R * A * S, x.size):  # the rest
                total += x[k]
            for part in range(parts):
                total += partial[part * A + a]
            out[a] = total


@jit
def _product_rows(item, rows, x, n, out):
    for r in range(item * rows, min((item + 1) * rows, out.size)):
        out[r] = product(x, r * n, n)


@jit
def _product_columns(item, x, R, S, out):
    """Products over R rows of up to WIDTH neighbours of S."""
    blocks = -(-S // WIDTH)
    o, left = item // blocks, item % blocks * WIDTH
    totals = np.ones(min(WIDTH, S - left))
    for r in range(o * R, (o + 1) * R):
        row = x[r * S + left : r * S + left + totals.size]
        for k in range(totals.size):
            totals[k] *= row[k]
    out[o * S + left : o * S + left + totals.size] = totals


@jit
def _extreme_rows(item, rows, x, n, out, most):
    for r in range(item * rows, min((item + 1) * rows, out.size)):
        out[r] = largest(x, r * n, n) if most else smallest(x, r * n, n)


@jit
def _products_of_rows(items, rows, x, n, out):
    parallel_for(_product_rows, items, (rows, x, n, out))


@jit
def _products_of_columns(items, x, R, S, out):
    parallel_for(_product_columns, items, (x, R, S, out))


@jit
def _extreme(items, rows, x, n, out, most):
    parallel_for(_extreme_rows, items, (rows, x, n, out, most))


@functools.lru_cache(maxsize=512)
def _plan(shape, axes, keepdims):
    """Work items, the other arguments of ``_sum`` that follow from the shape, and the result's size and shape; None if
    neither the reduced axes nor the others lie side by side."""
    kept = [i for i in range(len(shape)) if i not in axes]
    out = tuple(1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes)
    if not kept:  # all of it: as rows of equal length, and a rest
        size = math.prod(shape)
        parts = max(2, size // ELEMENTS)
        return parts, (parts, 1, size // parts, parts, 1, 1), 1, out
    reduced = [i for i in range(len(shape)) if i in axes]
    if kept == list(range(kept[0], kept[-1] + 1)):
        O = 1
        R, A, S = (math.prod(part) for part in (shape[: kept[0]], shape[kept[0] : kept[-1] + 1], shape[kept[-1] + 1 :]))
    elif reduced == list(range(reduced[0], reduced[-1] + 1)):
        O, R = math.prod(shape[: reduced[0]]), math.prod(shape[reduced[0] : reduced[-1] + 1])
        A, S = math.prod(shape[reduced[-1] + 1 :]), 1
    else:
        return None
    width = max(1, ELEMENTS // max(R * S, 1))
    if S == 1:
        width = max(width, 512)  # whole cache lines
    blocks = -(-A // width)
    enough = max(1, min(ITEMS, R * A * S // ELEMENTS))
    parts = 1 if O > 1 else max(1, min(-(-enough // blocks) if blocks else 1, R))
    return O * parts * blocks, (R, A, S, parts, blocks, width), O * A, out


def sum(x, axes, keepdims):
    plan = _plan(x.shape, axes, keepdims) if compiled_for(x) and x.flags.carray else None
    if plan is None:
        return reference.sum(x, axes, keepdims)
    items, cut, size, shape = plan
    parts, out = cut[3], np.empty(shape, x.dtype)
    _sum(items, x.ravel(), *cut, np.empty(parts * size) if parts > 1 else NOTHING, out.ravel())
    return out


def prod(x, axes, keepdims):
    one_after_another = bool(axes) and axes == tuple(range(axes[0], axes[-1] + 1))
    if not compiled_for(x) or not x.flags.carray or x.size <= FEW or not one_after_another:
        return reference.prod(x, axes, keepdims)
    before, behind = x.shape[: axes[0]], x.shape[axes[-1] + 1 :]
    O, S = math.prod(before), math.prod(behind)
    R, out = x.size // (O * S), np.empty(before + (1,) * (len(axes) if keepdims else 0) + behind, x.dtype)
    if S == 1:
        rows = max(1, ELEMENTS // R)
        _products_of_rows(-(-O // rows), rows, x.ravel(), R, out.ravel())
    else:
        _products_of_columns(O * -(-S // WIDTH), x.ravel(), R, S, out.ravel())
    return out


def _extreme_of(x, axes, keepdims, most):
    kept = x.ndim - len(axes)
    if not compiled_for(x) or not x.flags.carray or x.size <= FEW or axes != tuple(range(kept, x.ndim)):
        return reference.amax(x, axes, keepdims) if most else reference.amin(x, axes, keepdims)
    n, out = math.prod(x.shape[kept:]), np.empty(x.shape[:kept] + (1,) * (len(axes) if keepdims else 0), x.dtype)
    rows = max(1, ELEMENTS // n)
    _extreme(-(-out.size // rows), rows, x.ravel(), n, out.ravel(), most)
    return out


def amax(x, axes, keepdims):
    return _extreme_of(x, axes, keepdims, True)


def amin(x, axes, keepdims):
    return _extreme_of(x, axes, keepdims, False)
