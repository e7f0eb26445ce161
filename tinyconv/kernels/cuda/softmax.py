"""Softmax, its logarithm, and the negative log-likelihood.

An array is ``(A, K, B)`` with the softmax along K. A line of K numbers has a group of threads of its own, as many as
are worth it: one where neighbouring lines are neighbours in memory (B is large); else some of a warp, who exchange
what they have by shuffles; a whole block where K is large, its warps through shared memory. The group goes over its
line for the maximum, for the sum of exponentials, and to write; the second and third time it comes from the cache.

A target out of range is noted on the device: nobody waits for it. The message comes when the host waits next, as
PyTorch's device-side assertion does, and says what the contract's does; until then that target's loss is NaN.
"""

from __future__ import annotations

import math
from typing import Any

from .. import formulas
from . import functions
from .arrays import broadcast_to, dense
from .elementwise import div
from .faults import note_target
from .kernel import FLOATS, Constant, T, kernel
from .language import ALL_LANES, WARP, cuda, quotient, shared
from .reduce import BLOCK, lanes_for, sum
from .runtime import ceil_div, empty, faults, launch

LOG: Any = Constant("LOG")  # 1: the logarithm of softmax


# -------------------------------------------------------------------------------------------------------------- kernels


def group_sum(value, lanes):
    """The sum over a group of ``lanes`` neighbouring threads, for each of them: 1 to 32 (a power of two), or all of the
    block."""
    for step in (16, 8, 4, 2, 1):
        if step < lanes:
            value += cuda.shfl_xor_sync(ALL_LANES, value, step)
    if lanes > WARP:
        of_warps = shared(WARP, T)
        cuda.syncthreads()
        if cuda.threadIdx.x % WARP == 0:
            of_warps[cuda.threadIdx.x // WARP] = value
        cuda.syncthreads()
        value = of_warps[0]
        for warp in range(1, BLOCK // WARP):
            value += of_warps[warp]
    return value


def group_maximum(value, lanes):
    """The largest number of a group likewise; NaN wins."""
    for step in (16, 8, 4, 2, 1):
        if step < lanes:
            value = functions.maximum(value, cuda.shfl_xor_sync(ALL_LANES, value, step))
    if lanes > WARP:
        of_warps = shared(WARP, T)
        cuda.syncthreads()
        if cuda.threadIdx.x % WARP == 0:
            of_warps[cuda.threadIdx.x // WARP] = value
        cuda.syncthreads()
        value = of_warps[0]
        for warp in range(1, BLOCK // WARP):
            value = functions.maximum(value, of_warps[warp])
    return value


@kernel("T*, T*, int32, int32, int32, int32", T=FLOATS, LOG=(0, 1), block=BLOCK, registers=64, resident=4)
def shares(x, y, n, K, B, lanes):
    """y = softmax (or its logarithm) of n = A*B lines, each by a group of ``lanes`` threads."""
    i = cuda.grid(1)
    line = quotient(i, lanes)
    stop = K if line < n else 0
    corner = quotient(line, B) * (K - 1) * B + line
    most = T(-math.inf)
    for k in range(i - line * lanes, stop, lanes):
        most = functions.maximum(most, x[corner + k * B])
    most = group_maximum(most, lanes)
    total = T(0)
    for k in range(i - line * lanes, stop, lanes):
        total += formulas.exp(x[corner + k * B] - most)
    total = group_sum(total, lanes)
    if LOG == 1:
        total = math.log(total)
    for k in range(i - line * lanes, stop, lanes):
        z = x[corner + k * B] - most
        y[corner + k * B] = z - total if LOG == 1 else formulas.exp(z) / total


@kernel("T*, T*, T*, int32, int32, int32, int32", T=FLOATS, LOG=(0, 1), block=BLOCK, registers=64, resident=4)
def shares_gx(gy, y, gx, n, K, B, lanes):
    """gx = gy - exp(y) * sum(gy) for the logarithm, y * (gy - sum(gy * y)) for softmax itself."""
    i = cuda.grid(1)
    line = quotient(i, lanes)
    stop = K if line < n else 0
    corner = quotient(line, B) * (K - 1) * B + line
    total = T(0)
    for k in range(i - line * lanes, stop, lanes):
        at = corner + k * B
        total += gy[at] if LOG == 1 else gy[at] * y[at]
    total = group_sum(total, lanes)
    for k in range(i - line * lanes, stop, lanes):
        at = corner + k * B
        gx[at] = gy[at] - formulas.exp(y[at]) * total if LOG == 1 else y[at] * (gy[at] - total)


@kernel("T*, int64*, T*, T*, T*, int64*, int32, int32, int32, int32, int64", T=FLOATS, block=BLOCK, registers=40)
def pick(x, target, weight, loss, scale, fault, n, C, L, weighted, ignore_index):
    """loss = -scale * x at the target; scale = the target's weight. Both 0 where the target is ignored."""
    i = cuda.grid(1)
    if i < n:
        t = target[i]
        factor = T(0)
        value = T(0)
        if t != ignore_index:
            if 0 <= t < C:
                factor = weight[t] if weighted != 0 else T(1)
                image = quotient(i, L)
                value = -factor * x[(image * C + t) * L + i - image * L]
            else:
                note_target(fault, i, t, C, L)
                value = T(math.nan)
        loss[i] = value
        scale[i] = factor


@kernel("T*, int64*, T*, T*, int32, int32, int32", T=FLOATS, block=BLOCK, registers=40)
def pick_gx(gy, target, scale, gx, n, C, L):
    """gx = -scale * gy at the target, 0 elsewhere."""
    i = cuda.grid(1)
    if i < n:
        plane = quotient(i, L)
        image = quotient(plane, C)
        at = image * L + i - plane * L
        value = T(0)
        if target[at] == plane - image * C and scale[at] != T(0):  # what counts for nothing gets 0, not 0 times NaN
            value = -(scale[at] * gy[at])
        gx[i] = value


# --------------------------------------------------------------------------------------------------------- the contract


def _along(kernel: Any, arrays: tuple, axis: int, LOG: int) -> Any:
    arrays = tuple(map(dense, arrays))
    y = empty(arrays[0].shape, arrays[0].dtype)
    if y.size == 0:
        return y
    K, B = y.shape[axis], math.prod(y.shape[axis + 1 :])
    n = y.size // K
    lanes = lanes_for(K, B, BLOCK if K > WARP * WARP else WARP)
    launch(kernel, ceil_div(n * lanes, BLOCK), *arrays, y, n, K, B, lanes, LOG=LOG)
    return y


def log_softmax(x, axis):
    return _along(shares, (x,), axis, LOG=1)


def log_softmax_gx(gy, y, axis):
    return _along(shares_gx, (gy, y), axis, LOG=1)


def softmax(x, axis):
    return _along(shares, (x,), axis, LOG=0)


def softmax_gx(gy, y, axis):
    return _along(shares_gx, (gy, y), axis, LOG=0)


def nll_loss(x, target, weight, ignore_index):
    x, target = dense(x), dense(target)
    weighted = weight is not None
    weight = dense(weight) if weighted else x
    loss, scale = empty(target.shape, x.dtype), empty(target.shape, x.dtype)
    _, C, L = x.shape
    launch(
        pick, ceil_div(loss.size, BLOCK), x, target, weight, loss, scale, faults(), loss.size, C, L, int(weighted),
        ignore_index,
    )  # fmt: skip
    return loss, scale


def nll_loss_gx(gy, target, scale, classes):
    gy, target, scale = dense(gy), dense(target), dense(scale)
    N, L = target.shape
    gx = empty((N, classes, L), gy.dtype)
    launch(pick_gx, ceil_div(gx.size, BLOCK), gy, target, scale, gx, gx.size, classes, L)
    return gx


def cross_entropy(x, target, weight, ignore_index, mean):
    logp = log_softmax(x, 1)
    loss, scale = nll_loss(logp, target, weight, ignore_index)
    loss, total = sum(loss, (0, 1), False), sum(scale, (0, 1), False)
    return div(loss, total) if mean else loss, logp, scale, total


def cross_entropy_gx(gloss, logp, target, scale, total):
    g = broadcast_to(gloss if total is None else div(gloss, total), target.shape)
    return log_softmax_gx(nll_loss_gx(g, target, scale, logp.shape[1]), logp, 1)
