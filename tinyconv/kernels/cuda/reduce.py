"""Many numbers in, one out."""

from __future__ import annotations

import math

from .kernel import FLOATS, T, kernel
from .language import ALL_LANES, WARP, cuda, shared
from .runtime import empty, launch

BLOCK = 256


def block_sum(value, T):
    """The sum of every thread's ``value`` over the block, for thread 0: in each warp by shuffles, then over the warps.

    The order of the additions depends on nothing but the block's size.
    """
    totals = shared(WARP, T)
    thread = cuda.threadIdx.x
    for step in (16, 8, 4, 2, 1):
        value += cuda.shfl_down_sync(ALL_LANES, value, step)
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


@kernel("T*, T*, int32", T=FLOATS, block=BLOCK, registers=40)
def sum_all(x, y, n):
    """y[0] = sum of x[i], by one block."""
    total = T(0)
    for i in range(cuda.threadIdx.x, n, BLOCK):
        total += x[i]
    total = block_sum(total, T)
    if cuda.threadIdx.x == 0:
        y[0] = total


def sum(x, axes, keepdims):
    if len(axes) != x.ndim or not x.dense or x.dtype.kind != "f":
        raise NotImplementedError
    y = empty((1,) * x.ndim if keepdims else (), x.dtype)
    launch(sum_all, 1, x, y, math.prod(x.shape))
    return y
