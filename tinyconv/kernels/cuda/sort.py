"""Sorting along an axis by a bitonic network.

The network (Batcher, "Sorting networks and their applications", 1968) compares the same pairs of places whatever the
numbers are, so all comparisons of a step can be done at once, and of ``log2(P) * (log2(P) + 1) / 2`` steps on P places
those between neighbours closer than a block's tile happen in shared memory, many in one launch. It needs a power of two
of places: those past the line's end count as larger than everything. A network does not keep the order of equals, so
where two numbers tie their places decide, which are carried along anyway: what comes out is stable.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .arrays import dense
from .kernel import FLOATS, Constant, T, kernel
from .language import cuda, int32, int64, quotient, shared, uint8
from .reduce import BLOCK, power_of_two
from .runtime import ceil_div, empty, launch

TILE = 4 * BLOCK  # so many numbers a block sorts in shared memory
D: Any = Constant("D")  # 1: the largest first
NUMBERS = (*FLOATS, int64, int32, uint8)


def _some(T: Any, D: int) -> bool:
    return D == 0 or T is np.float32


def precedes(v, i, w, j, K):
    """Whether the number v from place i of a line of K comes before w from j."""
    if i >= K or j >= K:
        return i < j
    if v != v or w != w:
        if v != v and w != w:
            return i < j
        return (w != w) == (D == 0)
    return i < j if v == w else (v < w) == (D == 0)


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("T*, T*, int32*, int32, int32, int32, int32, int32", T=NUMBERS, block=BLOCK, registers=64, resident=4)
def lay_out(x, keys, places, total, n, K, B, P):
    """The n lines of ``(A, K, B)``, each in P places of its own."""
    i = cuda.grid(1)
    if i < total:
        line = quotient(i, P)
        k = i - line * P
        key = T(0)
        if line < n and k < K:
            key = x[quotient(line, B) * (K - 1) * B + line + k * B]
        keys[i] = T(key)
        places[i] = int32(k)


@kernel(
    "T*, int32*, int32, int32, int32, int32", T=NUMBERS, D=(0, 1), only=_some, block=BLOCK, registers=64, resident=4
)
def sort_tiles(keys, places, K, P, smallest, largest):
    """The network's steps from sorted runs of ``smallest`` to runs of ``largest``, as far as they stay in a tile."""
    key = shared(TILE, T)
    place = shared(TILE, int32)
    t = cuda.threadIdx.x
    start = cuda.blockIdx.x * TILE
    for u in range(t, TILE, BLOCK):
        key[u] = keys[start + u]
        place[u] = places[start + u]
    cuda.syncthreads()
    size = smallest
    while size <= largest:
        stride = min(size, TILE) // 2
        while stride > 0:
            for pair in range(t, TILE // 2, BLOCK):
                a = 2 * pair - (pair & (stride - 1))
                b = a + stride
                v = key[a]
                w = key[b]
                i = place[a]
                j = place[b]
                if precedes(w, j, v, i, K) == ((((start + a) & (P - 1)) & size) == 0):
                    key[a] = w
                    key[b] = v
                    place[a] = j
                    place[b] = i
            cuda.syncthreads()
            stride //= 2
        size *= 2
    for u in range(t, TILE, BLOCK):
        keys[start + u] = key[u]
        places[start + u] = place[u]


@kernel(
    "T*, int32*, int32, int32, int32, int32, int32",
    T=NUMBERS,
    D=(0, 1),
    only=_some,
    block=BLOCK,
    registers=64,
    resident=4,
)
def sort_step(keys, places, pairs, K, P, size, stride):
    """One step between places that are ``stride`` apart."""
    pair = cuda.grid(1)
    if pair < pairs:
        a = 2 * pair - (pair & (stride - 1))
        b = a + stride
        v = keys[a]
        w = keys[b]
        i = places[a]
        j = places[b]
        if precedes(w, j, v, i, K) == (((a & (P - 1)) & size) == 0):
            keys[a] = w
            keys[b] = v
            places[a] = j
            places[b] = i


@kernel("T*, int32*, T*, int64*, int32, int32, int32, int32", T=NUMBERS, block=BLOCK, registers=64, resident=4)
def collect(keys, places, y, indices, total, K, B, P):
    """The lines' first K places, back in ``(A, K, B)``."""
    i = cuda.grid(1)
    if i < total:
        row = quotient(i, B)
        a = quotient(row, K)
        at = (a * B + i - row * B) * P + row - a * K
        y[i] = keys[at]
        indices[i] = int64(places[at])


# --------------------------------------------------------------------------------------------------------- the contract


def sort(x, axis, descending, count):
    x, shape = dense(x), (*x.shape[:axis], count, *x.shape[axis + 1 :])
    y, indices = empty(shape, x.dtype), empty(shape, np.int64)
    if y.size == 0:
        return y, indices
    K, B, D = x.shape[axis], math.prod(x.shape[axis + 1 :]), int(descending)
    n, P = x.size // K, power_of_two(K)
    total = ceil_div(n * P, TILE) * TILE
    keys, places = empty((total,), x.dtype), empty((total,), np.int32)
    launch(lay_out, ceil_div(total, BLOCK), x, keys, places, total, n, K, B, P)
    launch(sort_tiles, total // TILE, keys, places, K, P, 2, min(P, TILE), D=D)
    size = 2 * TILE
    while size <= P:
        stride = size // 2
        while stride >= TILE:
            launch(sort_step, ceil_div(total, 2 * BLOCK), keys, places, total // 2, K, P, size, stride, D=D)
            stride //= 2
        launch(sort_tiles, total // TILE, keys, places, K, P, size, size, D=D)
        size *= 2
    launch(collect, ceil_div(y.size, BLOCK), keys, places, y, indices, y.size, count, B, P)
    return y, indices
