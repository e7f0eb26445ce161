"""Many numbers in, one out: sums, products and extremes.

The axes to be reduced are brought to one form: x lies in memory as ``(A, K, B)``, and K goes. Where several groups of
axes go (the gradient of a convolution's bias sums over the images and the pixels), one goes after the other, the last
first, so that most of the array is read once, in the order in which it lies.

* B is 1 and K small: some neighbouring threads to a row; they add up by shuffles.
* B is 1 and K large: a block to a chunk of a row, four neighbours in one access.
* B is larger: threads that are neighbours take neighbouring columns, so that the warp reads a line of memory.

No thread adds more than ``DEPTH`` numbers one after the other: what is longer is cut into chunks, whose results are
reduced in turn. So rounding errors grow with the logarithm of K, one long row occupies the whole GPU, and the order of
the additions depends on the shape alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import functions
from .array import DeviceArray, dense_strides
from .arrays import cast, copy, dense, full
from .kernel import FLOATS, Constant, T, kernel
from .language import ALL_LANES, WARP, cuda, float64, int32, int64, load4, quotient, shared, uint8
from .runtime import ceil_div, empty, launch

BLOCK = 256
DEPTH = 16  # so many numbers a thread adds one after the other
NUMBERS = (*FLOATS, int64, int32)
F: Any = Constant("F")  # of two numbers: the sum, the larger, the smaller
V: Any = Constant("V")  # how many neighbours are read in one access
FOLDS = (functions.add, functions.mul, functions.maximum, functions.minimum)


def _sensible(F: Any, V: int = 1, **types: Any) -> bool:
    """All of them for float32, but products; for the other types some that differ from it. int32 is never summed."""
    T = types["T"]
    if F is functions.mul:
        return V == 1 and T in (float64, int64)
    fits = T is np.float32 or (F is functions.maximum if T is int32 else F is not functions.minimum)
    return fits and (V == 1 or T is np.float32)


# ------------------------------------------------------------------------------------------------------ inside a block


def block_sum(value, T):
    """The sum of every thread's ``value`` over the block, for thread 0: in each warp by shuffles, then over the warps.

    The order of the additions depends on nothing but the block's size.
    """
    totals = shared(WARP, T)
    thread = cuda.threadIdx.x
    for step in (16, 8, 4, 2, 1):
        value += cuda.shfl_down_sync(ALL_LANES, value, step)
    cuda.syncthreads()  # the memory may still be in use by an earlier call
    if thread % WARP == 0:
        totals[thread // WARP] = value
    cuda.syncthreads()
    value = T(0)
    if thread < WARP:
        if thread < cuda.blockDim.x // WARP:
            value = totals[thread]
        for step in (16, 8, 4, 2, 1):
            value += cuda.shfl_down_sync(ALL_LANES, value, step)
    return value


def tree(partial, value, width):
    """``partial[t] = F(...)`` of the values of all threads t, t + width, t + 2*width, ... of the block, t < width (a
    power of two)."""
    t = cuda.threadIdx.x
    partial[t] = value
    cuda.syncthreads()
    step = cuda.blockDim.x // 2
    while step >= width:
        if t < step:
            partial[t] = F(partial[t], partial[t + step])
        cuda.syncthreads()
        step //= 2


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("T*, T*, int32, int32, int32, T", T=NUMBERS, F=FOLDS, only=_sensible, block=BLOCK, registers=64, resident=4)
def fold_rows(x, y, n, K, lanes, start):
    """y = the fold of each of n rows, by ``lanes`` neighbouring threads (a power of two, at most a warp)."""
    i = cuda.grid(1)
    row = quotient(i, lanes)
    lane = i - row * lanes
    value = start
    if row < n:
        for k in range(lane, K, lanes):
            value = F(value, x[row * K + k])
    for step in (16, 8, 4, 2, 1):
        if step < lanes:
            value = F(value, cuda.shfl_down_sync(ALL_LANES, value, step))
    if row < n and lane == 0:
        y[row] = T(value)


@kernel("T*, T*, int32, int32, T", T=NUMBERS, F=FOLDS, V=(1, 4), only=_sensible, block=BLOCK, registers=64, resident=4)
def fold_chunks(x, y, K, chunks, start):
    """y = the fold of each chunk of V * DEPTH * BLOCK numbers of each row."""
    partial = shared(BLOCK, T)
    row = quotient(cuda.blockIdx.x, chunks)
    first = (cuda.blockIdx.x - row * chunks) * (V * DEPTH * BLOCK)
    value = start
    if V == 4:
        a = start
        b = start
        c = start
        for k in range(first + 4 * cuda.threadIdx.x, min(first + V * DEPTH * BLOCK, K), 4 * BLOCK):
            p, q, r, s = load4(x, row * K + k)
            value = F(value, p)
            a = F(a, q)
            b = F(b, r)
            c = F(c, s)
        value = F(F(value, a), F(b, c))
    else:
        for k in range(first + cuda.threadIdx.x, min(first + V * DEPTH * BLOCK, K), BLOCK):
            value = F(value, x[row * K + k])
    tree(partial, value, 1)
    if cuda.threadIdx.x == 0:
        y[cuda.blockIdx.x] = partial[0]


@kernel(
    "T*, T*, int32, int32, int32, int32, int32, T",
    T=NUMBERS,
    F=FOLDS,
    only=_sensible,
    block=BLOCK,
    registers=64,
    resident=4,
)
def fold_columns(x, y, K, B, width, chunks, tiles, start):
    """y = the folds of ``(A, K, B)`` over chunks of K: a block takes ``width`` columns (a power of two), and of each
    DEPTH times as many rows as it has threads left."""
    partial = shared(BLOCK, T)
    t = cuda.threadIdx.x
    rest = quotient(cuda.blockIdx.x, tiles)
    a = quotient(rest, chunks)
    row = quotient(t, width)
    column = (cuda.blockIdx.x - rest * tiles) * width + t - row * width
    rows = quotient(BLOCK, width)
    first = (rest - a * chunks) * rows * DEPTH
    value = start
    if column < B:
        for k in range(first + row, min(first + rows * DEPTH, K), rows):
            value = F(value, x[(a * K + k) * B + column])
    tree(partial, value, width)
    if t < width and column < B:
        y[rest * B + column] = partial[t]


def beats(v, i, w, j):
    """Whether the number v at place i is the extreme rather than w at j; NaN is, and the first of equals."""
    first = w != w and i < j
    return (w == w or first) if v != v else w == w and (F(v, w) != 0 or (v == w and i < j))


@kernel("T*, int64*, int32, int32, int32, int32", T=(*NUMBERS, uint8), F=(functions.gt, functions.lt),
        only=lambda T, F: F is functions.gt or T is np.float32, block=BLOCK, registers=64, resident=4)  # fmt: skip
def find(x, y, n, K, B, lanes):
    """y = where along K the extreme of ``(A, K, B)`` is; ``lanes`` threads to each of n = A*B lines."""
    values = shared(BLOCK, T)
    places = shared(BLOCK, int32)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    line = quotient(i, lanes)
    lane = i - line * lanes
    best = T(0)
    place = int64(-1)
    if line < n:
        corner = quotient(line, B) * (K - 1) * B + line
        for k in range(lane, K, lanes):
            value = x[corner + k * B]
            if place < 0 or beats(value, k, best, place):
                best = T(value)
                place = int64(k)
    values[t] = best
    places[t] = int32(place)
    cuda.syncthreads()
    step = lanes // 2
    while step > 0:
        if lane < step:
            best = values[t + step]
            place = int64(places[t + step])
            if place >= 0 and beats(best, place, values[t], places[t]):
                values[t] = best
                places[t] = int32(place)
        cuda.syncthreads()
        step //= 2
    if line < n and lane == 0:
        y[line] = int64(places[t])


# ------------------------------------------------------------------------------------------------------------ launching


def power_of_two(n: int) -> int:
    """The least that is not below n."""
    return 1 << max(0, n - 1).bit_length()


def lanes_for(K: int, B: int, most: int) -> int:
    """How many threads share a line of K numbers: one where lines are neighbours in memory; else so many that each has
    about four, and at most ``most``."""
    return 1 if B >= WARP else min(most, power_of_two(ceil_div(K, 4)))


def fold(function: Any, x: DeviceArray, A: int, K: int, B: int, start: Any) -> DeviceArray:
    """``(A, K, B) -> (A, B)``, both dense; K > 0."""
    while True:
        if B == 1 and K <= WARP * DEPTH:
            lanes = lanes_for(K, B, WARP)
            y = empty((A, B), x.dtype)
            launch(fold_rows, ceil_div(A * lanes, BLOCK), x, y, A, K, lanes, start, F=function)
            return y
        if B == 1:
            wide = 4 if K % 4 == 0 and x.pointer % (4 * x.dtype.itemsize) == 0 else 1
            chunks = ceil_div(K, wide * DEPTH * BLOCK)
            y = empty((A, chunks, B), x.dtype)
            launch(fold_chunks, A * chunks, x, y, K, chunks, start, F=function, V=wide)
        else:
            width = min(BLOCK, power_of_two(B), max(WARP, BLOCK // power_of_two(K)))
            chunks, tiles = ceil_div(K, BLOCK // width * DEPTH), ceil_div(B, width)
            y = empty((A, chunks, B), x.dtype)
            launch(fold_columns, A * chunks * tiles, x, y, K, B, width, chunks, tiles, start, F=function)
        if chunks == 1:
            return y
        x, K = y, chunks


def _reduced(function: Any, x: DeviceArray, axes: tuple[int, ...], keepdims: bool, start: Any) -> DeviceArray:
    order = list(range(x.ndim))
    if not x.dense:  # perhaps in another order of its axes
        order.sort(key=lambda axis: -x.strides[axis])
        turned = x.viewed(tuple(x.shape[a] for a in order), tuple(x.strides[a] for a in order))
        x = turned if turned.dense else copy(turned)
    at = x.ndim - 1
    y, rest = x, list(x.shape)
    while at >= 0:
        if order[at] not in axes:
            at -= 1
            continue
        end = at + 1
        while at > 0 and order[at - 1] in axes:
            at -= 1
        A, K, B = math.prod(rest[:at]), math.prod(rest[at:end]), math.prod(rest[end:])
        y = fold(function, y, A, K, B, start)
        rest[at:end] = [1] * (end - at)
        at -= 1
    kept = y.viewed(tuple(rest), dense_strides(tuple(rest)))
    back = [order.index(axis) for axis in range(x.ndim) if keepdims or axis not in axes]
    y = dense(kept.viewed(tuple(rest[a] for a in back), tuple(kept.strides[a] for a in back)))
    return copy(y) if not axes else y


def _extreme(function: Any, x: DeviceArray, axes: tuple[int, ...], keepdims: bool) -> DeviceArray:
    if x.size == 0:
        return empty(_kept(x, axes, keepdims), x.dtype)
    if x.dtype.itemsize < 4:  # shuffles move 32 or 64 bits
        return cast(_extreme(function, cast(x, np.dtype(np.int32)), axes, keepdims), x.dtype)
    limits = (-math.inf, math.inf) if x.dtype.kind == "f" else (np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    return _reduced(function, x, axes, keepdims, limits[function is functions.minimum])


def _kept(x: DeviceArray, axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    """The result's shape."""
    return tuple(1 if axis in axes else n for axis, n in enumerate(x.shape) if keepdims or axis not in axes)


def _place(relation: Any, x: DeviceArray, axis: int) -> DeviceArray:
    x = dense(x)
    y = empty((*x.shape[:axis], *x.shape[axis + 1 :]), np.int64)
    K, B = x.shape[axis], math.prod(x.shape[axis + 1 :])
    lanes = lanes_for(K, B, BLOCK)
    launch(find, ceil_div(y.size * lanes, BLOCK), x, y, y.size, K, B, lanes, F=relation)
    return y


# --------------------------------------------------------------------------------------------------------- the contract


def sum(x, axes, keepdims):
    if x.dtype.kind != "f":
        x = cast(x, np.dtype(np.int64))
    if x.size == 0:
        return full(_kept(x, axes, keepdims), 0, x.dtype)
    return _reduced(functions.add, x, axes, keepdims, 0)


def prod(x, axes, keepdims):
    wide = np.dtype(np.float64 if x.dtype.kind == "f" else np.int64)
    if x.size == 0:
        return full(_kept(x, axes, keepdims), 1, x.dtype if x.dtype.kind == "f" else wide)
    y = _reduced(functions.mul, x if x.dtype == wide else cast(x, wide), axes, keepdims, 1)
    return cast(y, x.dtype) if x.dtype.kind == "f" and x.dtype != wide else y


def amax(x, axes, keepdims):
    return _extreme(functions.maximum, x, axes, keepdims)


def amin(x, axes, keepdims):
    return _extreme(functions.minimum, x, axes, keepdims)


def argmax(x, axis):
    return _place(functions.gt, x, axis)


def argmin(x, axis):
    return _place(functions.lt, x, axis)
