"""Batch normalization: statistics by chunks, each exactly, then put together.

The variance as E[x**2] - mean**2 is the difference of two large numbers, and noise where the mean is large. A block
instead takes a chunk of a channel into registers and goes over it twice there: for its mean, then for the sum of the
squared distances from it. Memory is read once. One more block per channel puts the chunks together (Chan, Golub and
LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979): the squared distances from
the channel's mean are those inside the chunks, plus those of the chunks' means, each times its count.

The gradient needs two sums per channel, by the same chunks, and then is an elementwise kernel. Chunks are cut by the
shape alone, and a channel of any size occupies many blocks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .array import DeviceArray, dense_strides
from .arrays import dense, full
from .elementwise import add, div, mul, sqrt, sub
from .kernel import FLOATS, Constant, T, kernel
from .language import cuda, load4, local, quotient, remainder, shared, store4
from .reduce import BLOCK, DEPTH, block_sum
from .reduce import sum as sum_of
from .runtime import ceil_div, empty, launch

CHUNK = DEPTH * BLOCK  # numbers of a channel to a block
V: Any = Constant("V")  # how many neighbours are read in one access


def _sensible(V: int, T: Any) -> bool:
    return V == 1 or T is np.float32


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("T*, T*, int32, int32, int32, int32", T=FLOATS, V=(1, 4), only=_sensible, block=BLOCK, registers=96)
def chunk_stats(x, partial, C, L, M, chunks):
    """partial[c, chunk] = the mean of a chunk of channel c, and the sum of the squared distances from it."""
    mean_of_all = shared(1, T)
    channel = quotient(cuda.blockIdx.x, chunks)
    first = (cuda.blockIdx.x - channel * chunks) * CHUNK
    values = local(DEPTH, T)
    total = T(0)
    for u in range(DEPTH // V):
        m = first + (u * BLOCK + cuda.threadIdx.x) * V
        if m < M:
            n = quotient(m, L)
            at = n * (C - 1) * L + channel * L + m
            if V == 4:
                values[4 * u], values[4 * u + 1], values[4 * u + 2], values[4 * u + 3] = load4(x, at)
                total += (values[4 * u] + values[4 * u + 1]) + (values[4 * u + 2] + values[4 * u + 3])
            else:
                values[u] = x[at]
                total += values[u]
    total = block_sum(total, T)
    if cuda.threadIdx.x == 0:
        mean_of_all[0] = total / T(min(M - first, CHUNK))
    cuda.syncthreads()
    mean = mean_of_all[0]
    squares = T(0)
    for u in range(DEPTH // V):
        if first + (u * BLOCK + cuda.threadIdx.x) * V < M:
            for k in range(V):
                squares += (values[V * u + k] - mean) * (values[V * u + k] - mean)
    squares = block_sum(squares, T)
    if cuda.threadIdx.x == 0:
        partial[2 * cuda.blockIdx.x] = mean
        partial[2 * cuda.blockIdx.x + 1] = squares


@kernel("T*, T*, T*, int32, int32", T=FLOATS, block=BLOCK, registers=64, resident=4)
def join_stats(partial, mean, var, M, chunks):
    """The mean and the biased variance of each channel, of what its chunks say."""
    mean_of_all = shared(1, T)
    start = 2 * chunks * cuda.blockIdx.x
    origin = partial[start] if chunks > 0 else T(0)  # sums of small numbers round less
    total = T(0)
    for chunk in range(cuda.threadIdx.x, chunks, BLOCK):
        total += T(min(M - chunk * CHUNK, CHUNK)) * (partial[start + 2 * chunk] - origin)
    total = block_sum(total, T)
    if cuda.threadIdx.x == 0:
        mean_of_all[0] = origin + total / T(M)
    cuda.syncthreads()
    centre = mean_of_all[0]
    squares = T(0)
    for chunk in range(cuda.threadIdx.x, chunks, BLOCK):
        away = partial[start + 2 * chunk] - centre
        squares += partial[start + 2 * chunk + 1] + T(min(M - chunk * CHUNK, CHUNK)) * away * away
    squares = block_sum(squares, T)
    if cuda.threadIdx.x == 0:
        mean[cuda.blockIdx.x] = centre
        var[cuda.blockIdx.x] = squares / T(M)


@kernel("T*, T*, T*, T*, T*, T*, int32, int32, int32", T=FLOATS, V=(1, 4), only=_sensible, block=BLOCK, registers=40)
def normalize(x, mean, rstd, w, b, y, n, C, L):
    """y = (x - mean) * rstd * w + b, V neighbours to a thread."""
    i = V * cuda.grid(1)
    if i < n:
        c = remainder(quotient(i, L), C)
        m = mean[c]
        s = rstd[c] * w[c]
        shift = b[c]
        if V == 4:
            p, q, r, t = load4(x, i)
            store4(y, i, (p - m) * s + shift, (q - m) * s + shift, (r - m) * s + shift, (t - m) * s + shift)
        else:
            y[i] = (x[i] - m) * s + shift


@kernel(
    "T*, T*, T*, T*, T*, int32, int32, int32, int32",
    T=FLOATS,
    V=(1, 4),
    only=_sensible,
    block=BLOCK,
    registers=64,
    resident=4,
)
def chunk_products(gy, x, mean, rstd, partial, C, L, M, chunks):
    """partial[c, chunk] = the sums of gy and of gy * (x - mean) * rstd over a chunk of channel c."""
    channel = quotient(cuda.blockIdx.x, chunks)
    first = (cuda.blockIdx.x - channel * chunks) * CHUNK
    m = mean[channel]
    s = rstd[channel]
    total = T(0)
    product = T(0)
    for u in range(DEPTH // V):
        place = first + (u * BLOCK + cuda.threadIdx.x) * V
        if place < M:
            at = quotient(place, L) * (C - 1) * L + channel * L + place
            if V == 4:
                f, g, h, k = load4(gy, at)
                p, q, r, t = load4(x, at)
                total += (f + g) + (h + k)
                product += (f * ((p - m) * s) + g * ((q - m) * s)) + (h * ((r - m) * s) + k * ((t - m) * s))
            else:
                total += gy[at]
                product += gy[at] * ((x[at] - m) * s)
    total = block_sum(total, T)
    product = block_sum(product, T)
    if cuda.threadIdx.x == 0:
        partial[2 * cuda.blockIdx.x] = total
        partial[2 * cuda.blockIdx.x + 1] = product


@kernel("T*, T*, T*, int32", T=FLOATS, block=BLOCK, registers=40)
def join_products(partial, gw, gb, chunks):
    """gb = sum of gy, gw = sum of gy * (x - mean) * rstd, of what the chunks say."""
    start = 2 * chunks * cuda.blockIdx.x
    total = T(0)
    product = T(0)
    for chunk in range(cuda.threadIdx.x, chunks, BLOCK):
        total += partial[start + 2 * chunk]
        product += partial[start + 2 * chunk + 1]
    total = block_sum(total, T)
    product = block_sum(product, T)
    if cuda.threadIdx.x == 0:
        gb[cuda.blockIdx.x] = total
        gw[cuda.blockIdx.x] = product


@kernel("T*, T*, T*, T*, T*, T*, T*, T*, int32, int32, int32, int32", T=FLOATS, V=(1, 4), only=_sensible, block=BLOCK,
        registers=64, resident=4)  # fmt: skip
def normalize_gx(gy, x, mean, rstd, w, gw, gb, gx, n, C, L, M):
    """gx = w * rstd * (gy - gb / M - (x - mean) * rstd * gw / M), V neighbours to a thread."""
    i = V * cuda.grid(1)
    if i < n:
        c = remainder(quotient(i, L), C)
        m = mean[c]
        slope = rstd[c] * (gw[c] / T(M))
        level = gb[c] / T(M)
        s = w[c] * rstd[c]
        if V == 4:
            f, g, h, k = load4(gy, i)
            p, q, r, t = load4(x, i)
            store4(gx, i, s * (f - level - (p - m) * slope), s * (g - level - (q - m) * slope),
                   s * (h - level - (r - m) * slope), s * (k - level - (t - m) * slope))  # fmt: skip
        else:
            gx[i] = s * (gy[i] - level - (x[i] - m) * slope)


# --------------------------------------------------------------------------------------------------------- the contract


def _neighbours(L: int, *arrays: DeviceArray) -> int:
    """How many numbers of a plane can be had in one access: float32's 128 bits."""
    return 4 if L % 4 == 0 and all(a.dtype == np.float32 and a.pointer % 16 == 0 for a in arrays) else 1


def _stats(x, eps):
    """-> (mean, var, rstd) of each channel."""
    x = dense(x)
    N, C, L = x.shape
    mean, var = empty((C,), x.dtype), empty((C,), x.dtype)
    chunks = ceil_div(N * L, CHUNK)
    partial = empty((C, chunks, 2), x.dtype)
    launch(chunk_stats, C * chunks, x, partial, C, L, N * L, chunks, V=_neighbours(L, x))
    launch(join_stats, C, partial, mean, var, N * L, chunks)
    return mean, var, div(1.0, sqrt(add(var, eps)))


def batch_norm_train(x, w, b, eps):
    mean, var, rstd = _stats(x, eps)
    return batch_norm(x, mean, rstd, w, b), mean, var, rstd


def batch_norm(x, mean, rstd, w, b):
    x, mean, rstd, w, b = map(dense, (x, mean, rstd, w, b))
    y = empty(x.shape, x.dtype)
    _, C, L = x.shape
    V = _neighbours(L, x)
    launch(normalize, ceil_div(x.size, V * BLOCK), x, mean, rstd, w, b, y, x.size, C, L, V=V)
    return y


def batch_norm_gx(gy, x, mean, rstd, w):
    gy, x, mean, rstd, w = map(dense, (gy, x, mean, rstd, w))
    N, C, L = x.shape
    gx, gw, gb = empty(x.shape, x.dtype), empty((C,), x.dtype), empty((C,), x.dtype)
    chunks = ceil_div(N * L, CHUNK)
    partial = empty((C, chunks, 2), x.dtype)
    V = _neighbours(L, gy, x)
    launch(chunk_products, C * chunks, gy, x, mean, rstd, partial, C, L, N * L, chunks, V=V)
    launch(join_products, C, partial, gw, gb, chunks)
    launch(
        normalize_gx, ceil_div(x.size, V * BLOCK), gy, x, mean, rstd, w, gw, gb, gx, x.size, C, L, N * L, V=V
    )  # fmt: skip
    return gx, gw, gb


def _viewed(x: DeviceArray, *shape: int) -> DeviceArray:
    return x.viewed(shape, dense_strides(shape))


def layer_norm(x, w, b, eps):
    """The rows are the channels of one image, and w and b come after."""
    R, L = x.shape
    channels = _viewed(dense(x), 1, R, L)
    mean, _, rstd = _stats(channels, eps)
    xh = batch_norm(channels, mean, rstd, full((R,), 1, x.dtype), full((R,), 0, x.dtype))
    return add(mul(_viewed(xh, R, L), w), b), mean, rstd


def layer_norm_gx(gy, x, mean, rstd, w):
    R, L = x.shape
    g, channels = (_viewed(dense(a), 1, R, L) for a in (mul(gy, w), x))
    gx, _, _ = batch_norm_gx(g, channels, mean, rstd, full((R,), 1, x.dtype))
    mean, rstd = (_viewed(dense(a), R, 1) for a in (mean, rstd))
    gw, gb = (sum_of(a, (0,), False) for a in (mul(gy, mul(sub(x, mean), rstd)), gy))
    return _viewed(gx, R, L), gw, gb
