"""Random numbers from a counter: Philox4x32-10, over whole arrays of counters at once.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11. Element i of a draw is a function
of (seed, offset, i): there is no state, so nothing has to be drawn in order.
"""

from __future__ import annotations

import math

import numpy as np

MASK = 2**64 - 1


def philox(counter, key):
    """Ten rounds of Philox4x32.

    Args:
        counter: four uint64 arrays of 32-bit words, the lowest word first.
        key: two Python ints of 32 bits, the lower word first.

    Returns:
        Four uint64 arrays of random 32-bit words.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2  # 32 by 32 bits: the product fits into 64
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & 0xFFFFFFFF, (p0 >> 32) ^ c3 ^ k1, p0 & 0xFFFFFFFF
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return c0, c1, c2, c3


def words(n, seed, offset):
    """The first ``n`` words of the stream from counter ``offset`` on: uint64s below 2**32, shape ``(n,)``."""
    seed, offset = seed & MASK, offset & MASK
    counter = np.arange(-(-n // 4), dtype=np.uint64) + np.uint64(offset)
    zero = np.zeros_like(counter)
    four = philox((counter & 0xFFFFFFFF, counter >> 32, zero, zero), (seed & 0xFFFFFFFF, seed >> 32))
    return np.stack(four, axis=1).reshape(-1)[:n]


def bits(n, seed, offset):
    """``n`` times 64 random bits: of two words, the first is the upper half."""
    pairs = words(2 * n, seed, offset).reshape(n, 2)
    return pairs[:, 0] << 32 | pairs[:, 1]


def unit(n, dtype, seed, offset):
    """``n`` uniform numbers in [0, 1), multiples of 2**-24 (float32) or 2**-53 (float64), shape ``(n,)``."""
    if dtype == np.float32:
        return (words(n, seed, offset) >> 8).astype(np.float32) * np.float32(2**-24)
    return (bits(n, seed, offset) >> 11).astype(np.float64) * 2**-53


def uniform(shape, low, high, dtype, seed, offset):
    low, high = dtype.type(low), dtype.type(high)
    y = low + (high - low) * unit(math.prod(shape), dtype, seed, offset)
    return np.where(y < high, y, low).reshape(shape)  # rounding may reach high, which is excluded


def normal(shape, mean, std, dtype, seed, offset):
    n = math.prod(shape)
    pairs = unit(n + n % 2, dtype, seed, offset).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - pairs[:, 0])), 2 * math.pi * pairs[:, 1]
    z = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:n]
    return (mean + std * z).reshape(shape)


def randint(shape, low, high, dtype, seed, offset):
    width = np.uint64(high - low)
    return (low + (bits(math.prod(shape), seed, offset) % width).astype(np.int64)).astype(dtype).reshape(shape)


def randperm(n, seed, offset):
    return np.argsort(bits(n, seed, offset), kind="stable").astype(np.int64)


def halves(n, seed, offset):
    """The first ``n`` half-words of the stream, of each word the lower half first: uint64s below 2**16."""
    whole = words(-(-n // 2), seed, offset)
    return np.stack([whole & 0xFFFF, whole >> 16], axis=1).reshape(-1)[:n]


@np.errstate(all="ignore")
def dropout(x, p, seed, offset):
    if p == 1:
        return np.zeros(x.shape, x.dtype)
    u = (halves(x.size, seed, offset) << 16 | halves(x.size, seed, offset + 2**63)) * 2.0**-32
    return np.where(u.reshape(x.shape) >= p, x * x.dtype.type(1 / (1 - p)), 0).astype(x.dtype, order="C")
