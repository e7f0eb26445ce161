"""Comparison and selection, element by element: chunks of dense arrays of one shape, of which one may be a number.

A number is compared as a chunk full of it, which every work item reads again from the cache.
"""

from __future__ import annotations

import math

import numpy as np

from .. import reference
from ..reference.elementwise import silent
from .activation import activation
from .arrays import compiled_for, empty
from .compile import jit
from .elementwise import CHUNK, chunks, dense_floats, few
from .parallel import parallel_for

EQUAL, NOT_EQUAL, LESS, LESS_EQUAL = range(4)
# For each relation its loop, and whether the operands change places.
LOOPS = {"==": (EQUAL, False), "!=": (NOT_EQUAL, False), "<": (LESS, False), "<=": (LESS_EQUAL, False),
         ">": (LESS, True), ">=": (LESS_EQUAL, True)}  # fmt: skip


@jit
def _compare_chunk(i, x, y, z, relation):
    n, z = CHUNK, z[i * CHUNK : (i + 1) * CHUNK]
    x = x[i * n : i * n + z.size] if x.size > n else x[: z.size]
    y = y[i * n : i * n + z.size] if y.size > n else y[: z.size]
    if relation == EQUAL:
        for k in range(z.size):
            z[k] = x[k] == y[k]
    elif relation == NOT_EQUAL:
        for k in range(z.size):
            z[k] = x[k] != y[k]
    elif relation == LESS:
        for k in range(z.size):
            z[k] = x[k] < y[k]
    else:
        for k in range(z.size):
            z[k] = x[k] <= y[k]


@jit
def _extreme_chunk(i, x, y, z, largest):
    """The larger (or smaller) of two; NaN if either is: a y that is NaN loses no comparison."""
    n, z = CHUNK, z[i * CHUNK : (i + 1) * CHUNK]
    x = x[i * n : i * n + z.size] if x.size > n else x[: z.size]
    y = y[i * n : i * n + z.size] if y.size > n else y[: z.size]
    if largest:
        for k in range(z.size):
            a, b = x[k], y[k]
            z[k] = a if a > b or a != a else b
    else:
        for k in range(z.size):
            a, b = x[k], y[k]
            z[k] = a if a < b or a != a else b


@jit
def _where_chunk(i, condition, x, y, z):
    condition, z = condition[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK]
    n = CHUNK
    x = x[i * n : i * n + z.size] if x.size > n else x[: z.size]
    y = y[i * n : i * n + z.size] if y.size > n else y[: z.size]
    for k in range(z.size):
        a, b = x[k], y[k]  # loading both makes it a selection, not a branch
        z[k] = a if condition[k] else b


@jit
def _compare(n, x, y, z, relation):
    parallel_for(_compare_chunk, n, (x, y, z, relation))


@jit
def _extreme(n, x, y, z, largest):
    parallel_for(_extreme_chunk, n, (x, y, z, largest))


@jit
def _where(n, condition, x, y, z):
    parallel_for(_where_chunk, n, (condition, x, y, z))


@silent
def _filled(n, number, dtype):
    """A vector of one number, which may be too large for its type: infinity, and no warning."""
    return np.full(n, number, dtype)


def _flat(x, y):
    """Two operands as vectors, and their common shape; None if they are not dense floats of one shape."""
    array, other = (x, y) if type(x) is np.ndarray and x.ndim else (y, x)
    if not dense_floats(array, array):
        return None
    if type(other) is np.ndarray and other.ndim == 0 and other.dtype is array.dtype:
        other = other.item()
    if isinstance(other, (int, float)):
        other = _filled(min(array.size, CHUNK), other, array.dtype)
    elif not dense_floats(array, other):
        return None
    pair = array.reshape(-1), other.reshape(-1)
    return (*(pair if array is x else pair[::-1]), array.shape)


def _extreme_of(x, y, largest):
    array, number = (x, y) if type(x) is np.ndarray else (y, x)
    if not few(x, y) and isinstance(number, (int, float)) and compiled_for(array):
        return activation(array, "clamp", *((number, math.inf) if largest else (-math.inf, number)))
    operands = None if few(x, y) else _flat(x, y)
    if operands is None:
        return reference.maximum(x, y) if largest else reference.minimum(x, y)
    x, y, shape = operands
    z = empty(shape, x.dtype)
    _extreme(chunks(z.size), x, y, z.reshape(-1), largest)
    return z


def maximum(x, y):
    return _extreme_of(x, y, True)


def minimum(x, y):
    return _extreme_of(x, y, False)


def compare(x, y, relation):
    operands = None if few(x, y) else _flat(x, y)
    if operands is None:
        return reference.compare(x, y, relation)
    x, y, shape = operands
    z, (loop, swapped) = empty(shape, np.bool_), LOOPS[relation]
    _compare(chunks(z.size), *((y, x) if swapped else (x, y)), z.reshape(-1), loop)
    return z


def where(condition, x, y):
    operands = _flat(x, y) if type(x) is np.ndarray or type(y) is np.ndarray else None
    if operands is None or operands[2] != condition.shape or not condition.flags.carray:
        return reference.where(condition, x, y)
    x, y, shape = operands
    z = empty(shape, x.dtype)
    _where(chunks(z.size), condition.reshape(-1), x, y, z.reshape(-1))
    return z
