"""Running totals and extremes along an axis, all places at once.

A warp adds up its 32 numbers in five rounds: in round r every lane adds what the lane ``2**r`` before it has (Hillis
and Steele, "Data parallel algorithms", 1986). The warps' totals then tell each warp where it starts. A long row is cut
into chunks, one block each: their totals are added up first, and running totals of *those*, by the same kernels, say
where each chunk starts. Lines that are neighbours in memory, many or short, take a thread each and no rounds at all.

Totals of floats are kept in float64, of integers in int64, and rounded once, when they are written.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import functions
from .array import DeviceArray, dense_strides
from .arrays import cast, dense, permute
from .kernel import FLOATS, Constant, T, kernel
from .language import ALL_LANES, WARP, cuda, float64, int32, int64, quotient, shared, uint8
from .reduce import BLOCK, DEPTH, tree
from .runtime import ceil_div, empty, launch

CHUNK = DEPTH * BLOCK
MANY = 4096  # lines: enough for a thread each
SHORT = 64
F: Any = Constant("F")  # add or mul; ge or le
W: Any = Constant("W")  # the type of the totals
TOTALS: Any = {"T": (*FLOATS, int64), "W": (float64, int64), "F": (functions.add, functions.mul)}


def _wide(T: Any, W: Any, F: Any) -> bool:
    return (T is int64) == (W is int64) and (F is functions.add or T is np.float32)


def _some(T: Any, F: Any) -> bool:
    return F is functions.ge or T is np.float32


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("T*, T*, W, int32, int32, int32", **TOTALS, only=_wide, block=BLOCK, registers=64, resident=4)
def run_lines(x, y, one, n, K, B):
    """Running totals of n = A*B lines of ``(A, K, B)``, a thread each; ``one`` is what the totals begin with."""
    line = cuda.grid(1)
    if line < n:
        corner = quotient(line, B) * (K - 1) * B + line
        total = one
        for k in range(K):
            total = F(total, W(x[corner + k * B]))
            y[corner + k * B] = T(total)


@kernel("T*, W*, W, int32, int32", **TOTALS, only=_wide, block=BLOCK, registers=64, resident=4)
def total_chunks(x, totals, one, K, chunks):
    """The total of each chunk of each row."""
    partial = shared(BLOCK, W)
    row = quotient(cuda.blockIdx.x, chunks)
    first = (cuda.blockIdx.x - row * chunks) * CHUNK
    value = one
    for k in range(first + cuda.threadIdx.x, min(first + CHUNK, K), BLOCK):
        value = F(value, W(x[row * K + k]))
    tree(partial, value, 1)
    if cuda.threadIdx.x == 0:
        totals[cuda.blockIdx.x] = partial[0]


@kernel("T*, W*, T*, W, int32, int32", **TOTALS, only=_wide, block=BLOCK, registers=64, resident=4)
def run_chunks(x, carry, y, one, K, chunks):
    """Running totals of each chunk of each row; ``carry`` has those of the chunks."""
    of_warps = shared(WARP, W)
    row = quotient(cuda.blockIdx.x, chunks)
    chunk = cuda.blockIdx.x - row * chunks
    lane = cuda.threadIdx.x % WARP
    warp = cuda.threadIdx.x // WARP
    start = one
    if chunk > 0:
        start = carry[cuda.blockIdx.x - 1]
    for u in range(DEPTH):
        k = chunk * CHUNK + u * BLOCK + cuda.threadIdx.x
        value = one
        if k < K:
            value = W(x[row * K + k])
        for step in (1, 2, 4, 8, 16):
            before = cuda.shfl_up_sync(ALL_LANES, value, step)
            if lane >= step:
                value = F(before, value)
        cuda.syncthreads()  # all have read the last round's totals
        if lane == WARP - 1:
            of_warps[warp] = value
        cuda.syncthreads()
        for w in range(BLOCK // WARP):
            if w == warp and k < K:
                y[row * K + k] = T(F(start, value))
            start = F(start, of_warps[w])


def leader(x, corner, step, i, j):
    """Which of the places i < j of a line leads: j if x there is the extreme, or as much, or NaN. -1: no place."""
    if i < 0:
        return j
    if j < 0:
        return i
    v = x[corner + i * step]
    w = x[corner + j * step]
    return j if w != w or (v == v and F(w, v) != 0) else i


EXTREMES: Any = {"T": (*FLOATS, int64, int32, uint8), "F": (functions.ge, functions.le)}


@kernel("T*, T*, int64*, int32, int32, int32", **EXTREMES, only=_some, block=BLOCK, registers=64, resident=4)
def lead_lines(x, y, places, n, K, B):
    """Running extremes and their places of n = A*B lines of ``(A, K, B)``, a thread each."""
    line = cuda.grid(1)
    if line < n:
        corner = quotient(line, B) * (K - 1) * B + line
        place = int64(-1)
        for k in range(K):
            place = leader(x, corner, B, place, int64(k))
            y[corner + k * B] = x[corner + place * B]
            places[corner + k * B] = place


@kernel("T*, T*, int64*, int32, int32", **EXTREMES, only=_some, block=BLOCK, registers=64, resident=4)
def lead_rows(x, y, places, K, B):
    """What :func:`lead_lines` computes, with a block of threads for each line: they pass places on to each other."""
    of_warps = shared(WARP, int32)
    corner = quotient(cuda.blockIdx.x, B) * (K - 1) * B + cuda.blockIdx.x
    lane = cuda.threadIdx.x % WARP
    warp = cuda.threadIdx.x // WARP
    start = int64(-1)
    for first in range(0, K, BLOCK):
        k = int64(first + cuda.threadIdx.x)
        place = k if k < K else int64(-1)
        for step in (1, 2, 4, 8, 16):
            before = int64(cuda.shfl_up_sync(ALL_LANES, int32(place), step))
            if lane >= step:
                place = leader(x, corner, B, before, place)
        cuda.syncthreads()
        if lane == WARP - 1:
            of_warps[warp] = int32(place)
        cuda.syncthreads()
        for w in range(BLOCK // WARP):
            if w == warp and k < K:
                best = leader(x, corner, B, start, place)
                y[corner + k * B] = x[corner + best * B]
                places[corner + k * B] = best
            start = leader(x, corner, B, start, int64(of_warps[w]))


# --------------------------------------------------------------------------------------------------------- the contract


def _rows(function: Any, x: DeviceArray, one: int, W: Any) -> DeviceArray:
    """Running totals along the last axis of ``(A, K)``."""
    A, K = x.shape
    chunks = ceil_div(K, CHUNK)
    carry = None
    if chunks > 1:
        totals = empty((A, chunks), W)
        launch(total_chunks, A * chunks, x, totals, one, K, chunks, F=function)
        carry = _rows(function, totals, one, W)
    y = empty(x.shape, x.dtype)
    launch(run_chunks, A * chunks, x, carry, y, one, K, chunks, F=function, W=W)
    return y


def _running(function: Any, x: DeviceArray, axis: int, one: int) -> DeviceArray:
    if x.dtype.kind != "f":
        x = cast(x, np.dtype(np.int64))
    x = dense(x)
    y = empty(x.shape, x.dtype)
    if x.size == 0:
        return y
    K, B = x.shape[axis], math.prod(x.shape[axis + 1 :])
    W, n = float64 if x.dtype.kind == "f" else int64, x.size // K
    if n >= MANY or K <= SHORT:
        launch(run_lines, ceil_div(n, BLOCK), x, y, one, n, K, B, F=function, W=W)
        return y
    last = (*(a for a in range(x.ndim) if a != axis), axis)
    turned = dense(permute(x, last))
    y = _rows(function, turned.viewed((n, K), (K, 1)), one, W).viewed(turned.shape, dense_strides(turned.shape))
    return dense(permute(y, tuple(last.index(a) for a in range(x.ndim))))


def _leading(function: Any, x: DeviceArray, axis: int) -> tuple[DeviceArray, DeviceArray]:
    x = dense(x)
    y, places = empty(x.shape, x.dtype), empty(x.shape, np.int64)
    if x.size == 0:
        return y, places
    K, B = x.shape[axis], math.prod(x.shape[axis + 1 :])
    n = x.size // K
    if n >= MANY or K <= SHORT:
        launch(lead_lines, ceil_div(n, BLOCK), x, y, places, n, K, B, F=function)
    else:
        launch(lead_rows, n, x, y, places, K, B, F=function)
    return y, places


def cumsum(x, axis):
    return _running(functions.add, x, axis, 0)


def cumprod(x, axis):
    return _running(functions.mul, x, axis, 1)


def cummax(x, axis):
    return _leading(functions.ge, x, axis)


def cummin(x, axis):
    return _leading(functions.le, x, axis)
