"""Running totals and extremes along an axis.

An array is seen as (O, R, S), its axis of R elements in the middle. Each total waits for the one before it, so what is
computed side by side are neighbours along S, which the compiler puts into vectors, or where there are none (S = 1) four
lines at once. A flipped array is read from its end (``first`` and ``step`` say where along the axis): the gradient of a
running total is one that runs backwards.
"""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from ..reference.reduce import wide
from .arrays import compiled_for, empty, empty_like
from .compile import jit
from .parallel import parallel_for

CHUNK = 16384  # elements of a work item
WIDTH = 256  # neighbours along S that one item follows


@jit
def _total_lines(item, x, y, start, product, R, first, step, lines):
    """``lines`` lines of R elements, four at a time. ``start`` is the first total, and of the type of all."""
    last = x.size // R - 1
    for o in range(item * lines, min((item + 1) * lines, last + 1), 4):
        a, b, c, d = o * R, min(o + 1, last) * R, min(o + 2, last) * R, min(o + 3, last) * R  # the last one repeatedly
        xa, xb, xc, xd = x[a : a + R], x[b : b + R], x[c : c + R], x[d : d + R]
        ya, yb, yc, yd = y[a : a + R], y[b : b + R], y[c : c + R], y[d : d + R]
        ta, tb, tc, td = start, start, start, start
        for r in range(R):
            k = np.uint64(first + r * step)
            if product:
                ta, tb, tc, td = ta * xa[k], tb * xb[k], tc * xc[k], td * xd[k]
            else:
                ta, tb, tc, td = ta + xa[k], tb + xb[k], tc + xc[k], td + xd[k]
            ya[r], yb[r], yc[r], yd[r] = ta, tb, tc, td


@jit
def _total_columns(item, x, y, start, product, R, first, step, S):
    """Up to WIDTH neighbours along S, for one o."""
    blocks = -(-S // WIDTH)
    before, left = item // blocks * R, item % blocks * WIDTH
    right = min(left + WIDTH, S)
    totals = np.full(right - left, start)
    for r in range(R):
        k = before + first + r * step
        row, out = x[k * S + left : k * S + right], y[(before + r) * S + left : (before + r) * S + right]
        for s in range(totals.size):
            totals[s] = totals[s] * row[s] if product else totals[s] + row[s]
            out[s] = totals[s]


@jit
def _lead_lines(item, x, values, places, largest, R, lines):
    """The extreme so far, and the last place that held it; a NaN leads, until the next."""
    for o in range(item * lines, min((item + 1) * lines, x.size // R)):
        line, out, where = x[o * R : (o + 1) * R], values[o * R : (o + 1) * R], places[o * R : (o + 1) * R]
        best, place = line[0], 0
        for r in range(R):
            v = line[r]
            if (v >= best if largest else v <= best) or v != v:
                best, place = v, r
            out[r], where[r] = best, place


@jit
def _lead_columns(item, x, values, places, largest, R, S):
    blocks = -(-S // WIDTH)
    before, left = item // blocks * R, item % blocks * WIDTH
    right = min(left + WIDTH, S)
    leaders, at = x[before * S + left : before * S + right].copy(), np.zeros(right - left, np.int64)
    for r in range(R):
        start, stop = (before + r) * S + left, (before + r) * S + right
        row, out, where = x[start:stop], values[start:stop], places[start:stop]
        for s in range(leaders.size):
            v, best = row[s], leaders[s]
            leads = (v >= best if largest else v <= best) or v != v
            leaders[s] = v if leads else best
            at[s] = r if leads else at[s]
            out[s], where[s] = leaders[s], at[s]


@jit
def _totals_of_lines(items, x, y, start, product, R, first, step, lines):
    parallel_for(_total_lines, items, (x, y, start, product, R, first, step, lines))


@jit
def _totals_of_columns(items, x, y, start, product, R, first, step, S):
    parallel_for(_total_columns, items, (x, y, start, product, R, first, step, S))


@jit
def _leaders_of_lines(items, x, values, places, largest, R, lines):
    parallel_for(_lead_lines, items, (x, values, places, largest, R, lines))


@jit
def _leaders_of_columns(items, x, values, places, largest, R, S):
    parallel_for(_lead_columns, items, (x, values, places, largest, R, S))


def _cut(shape, axis):
    """R and S; the work items, and how many lines one of them has where S is 1."""
    O, R, S = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    if S > 1:
        return R, S, O * -(-S // WIDTH), 0
    lines = 4 * max(1, CHUNK // (4 * R))
    return R, S, -(-O // lines), lines


def _running(x, axis, product):
    """The totals, in the wide type and rounded where they are written."""
    if x.dtype.kind in "iub" and x.dtype != np.int64:
        x = x.astype(np.int64)
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    flipped = not x.flags.carray and x[backwards].flags.carray
    x = x[backwards] if flipped else x if x.flags.carray else x.copy(order="C")
    y, start = empty_like(x), wide(x.dtype).type(product)
    R, S, items, lines = _cut(x.shape, axis)
    first, step = (R - 1, -1) if flipped else (0, 1)
    if S == 1:
        _totals_of_lines(items, x.reshape(-1), y.reshape(-1), start, product, R, first, step, lines)
    else:
        _totals_of_columns(items, x.reshape(-1), y.reshape(-1), start, product, R, first, step, S)
    return y


def _takes(x):
    return x.size > 0 and (compiled_for(x) or x.dtype.kind in "iub")


def cumsum(x, axis):
    return _running(x, axis, False) if _takes(x) else reference.cumsum(x, axis)


def cumprod(x, axis):
    return _running(x, axis, True) if _takes(x) else reference.cumprod(x, axis)


def _leaders(x, axis, largest):
    x = x if x.flags.carray else x.copy(order="C")
    values, places = empty_like(x), empty(x.shape, np.int64)
    R, S, items, lines = _cut(x.shape, axis)
    if S == 1:
        _leaders_of_lines(items, x.reshape(-1), values.reshape(-1), places.reshape(-1), largest, R, lines)
    else:
        _leaders_of_columns(items, x.reshape(-1), values.reshape(-1), places.reshape(-1), largest, R, S)
    return values, places


def cummax(x, axis):
    return _leaders(x, axis, True) if x.size and compiled_for(x) else reference.cummax(x, axis)


def cummin(x, axis):
    return _leaders(x, axis, False) if x.size and compiled_for(x) else reference.cummin(x, axis)
