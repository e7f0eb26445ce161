"""Sums over axes. Extremes go to the reference backend: NumPy's are vectorized.

Whatever the axes, a dense array can be seen as (R, A, S): R and S are summed over, A stays. Sums run in float64, so
their error does not grow with their length. The work is cut into parts of R (and, where everything is summed, of the
flat array) by the shape alone; the parts' sums are added in order.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import reference
from ..reference.reduce import amax, amin, argmax, argmin  # noqa: F401
from .compile import jit
from .parallel import parallel_for

PARTS = 16
ROW = 16384  # elements of a row, where everything is summed


@jit(reorder=True)
def _sum_part(part, x, R, A, S, parts, partial):
    """partial[part, a] = sum of x[r, a, s] over all s and the r of one part."""
    first, last = R * part // parts, R * (part + 1) // parts
    if S == 1:  # column sums: whole rows are added
        line = partial[part * A : (part + 1) * A]
        line[:] = 0
        for r in range(first, last):
            row = x[r * A : (r + 1) * A]
            for a in range(A):
                line[a] += row[a]
        return
    for a in range(A):
        total = 0.0
        for r in range(first, last):
            row = x[(r * A + a) * S : (r * A + a + 1) * S]
            for s in range(row.size):
                total += row[s]
        partial[part * A + a] = total


@jit
def _sum(x, R, A, S, parts, partial, out):
    parallel_for(_sum_part, parts, (x, R, A, S, parts, partial))
    for a in range(A):
        total = 0.0
        for k in range(R * A * S, x.size):  # the rest
            total += x[k]
        for part in range(parts):
            total += partial[part * A + a]
        out[a] = total


@functools.lru_cache(maxsize=512)
def _plan(shape, axes, keepdims):
    """(R, A, S), and the result's shape; None if the reduced axes are not leading and/or trailing ones."""
    kept = [i for i in range(len(shape)) if i not in axes]
    out = tuple(1 if i in axes else n for i, n in enumerate(shape) if keepdims or i not in axes)
    if not kept:  # all of it: as rows of equal length, and a rest
        size = math.prod(shape)
        rows = max(1, -(-size // ROW))
        return rows, 1, size // rows, out
    if kept != list(range(kept[0], kept[-1] + 1)):
        return None
    return *(math.prod(part) for part in (shape[: kept[0]], shape[kept[0] : kept[-1] + 1], shape[kept[-1] + 1 :])), out


def sum(x, axes, keepdims):
    plan = _plan(x.shape, axes, keepdims) if x.dtype.char in "fd" and x.flags.carray else None
    if plan is None:
        return reference.sum(x, axes, keepdims)
    (R, A, S, shape), flat = plan, x.reshape(-1)
    parts = min(PARTS, max(R, 1))
    out = np.empty(A, x.dtype)
    _sum(flat, R, A, S, parts, np.empty(parts * A), out)
    return out.reshape(shape)
