"""Random numbers: element i is a function of (seed, offset, i), so any thread can draw any of them."""

from __future__ import annotations

import math

import numpy as np

from .. import formulas, reference
from .arrays import compiled_for, empty, empty_like, flat
from .compile import jit
from .parallel import parallel_for
from .philox import COUNTERS, HALF_WORDS, drop_block, random_block

WORDS = 4096  # of a work item: a multiple of what one call of ``random_block`` makes
DROPPED = 2 * WORDS  # elements of a work item of dropout


@jit(exact=True)
def _words(item, n, seed, offset):
    """The random words of a work item (and perhaps some too many), and how many of the n it needs."""
    words, count = np.empty(WORDS, np.uint32), min(WORDS, n - item * WORDS)
    for at in range(0, count, 4 * COUNTERS):
        random_block(words, at, seed, offset + np.uint64((item * WORDS + at) // 4))
    return words[:count]


@jit(exact=True)
def _uniform32_chunk(item, out, seed, offset, low, high):
    words = _words(item, out.size, seed, offset)
    part = out[item * WORDS : item * WORDS + words.size]
    for k in range(part.size):
        part[k] = formulas.stretch(formulas.uniform_float32(np.uint64(words[k])), low, high)


@jit(exact=True)
def _uniform64_chunk(item, out, seed, offset, low, high):
    words = _words(item, 2 * out.size, seed, offset)
    part = out[item * (WORDS // 2) : item * (WORDS // 2) + words.size // 2]
    for k in range(part.size):
        bits = formulas.random_bits(np.uint64(words[2 * k]), np.uint64(words[2 * k + 1]))
        part[k] = formulas.stretch(formulas.uniform_float64(bits), low, high)


@jit(exact=True)
def _bits_chunk(item, out, seed, offset):
    words = _words(item, 2 * out.size, seed, offset)
    part = out[item * (WORDS // 2) : item * (WORDS // 2) + words.size // 2]
    for k in range(part.size):
        part[k] = formulas.random_bits(np.uint64(words[2 * k]), np.uint64(words[2 * k + 1]))


@jit(exact=True)
def _box_muller_chunk(item, u, mean, std):
    """Pairs of uniforms to pairs of Gaussians, in place."""
    for q in range(item * WORDS // 2, min((item + 1) * WORDS // 2, u.size // 2)):
        a, b = formulas.box_muller(u[2 * q], u[2 * q + 1])
        u[2 * q], u[2 * q + 1] = mean + std * a, mean + std * b


@jit(exact=True)
def _drop_some(x, y, limit, scale, seed, counter, undecided):
    """Any number of elements from the first of a counter on, or only those whose upper half-words do not tell."""
    words, top = np.empty(4 * COUNTERS, np.uint32), limit >> np.uint64(16)
    for k in range(y.size):
        if k % HALF_WORDS == 0:
            random_block(words, 0, seed, counter + np.uint64(k // 8))
        upper = formulas.half_word(np.uint64(words[k % HALF_WORDS // 2]), k)
        if upper == top or not undecided:
            kept = formulas.dropout_keeps(upper, k % 8, limit, seed, counter + np.uint64(k // 8))
            y[k] = x[k] * scale if kept else type(scale)(0)


@jit(exact=True)
def _dropout_chunk(item, x, y, limit, scale, seed, offset):
    first, counter = item * DROPPED, offset + np.uint64(item * (DROPPED // 8))
    last, top = min(first + DROPPED, y.size), np.uint16(limit >> np.uint64(16))
    if counter >> np.uint64(32) == (counter + np.uint64(DROPPED // 8)) >> np.uint64(32):  # else: once in a million
        while first + HALF_WORDS <= last:
            if drop_block(y, x, first, top, scale, seed, counter):
                block = slice(first, first + HALF_WORDS)
                _drop_some(x[block], y[block], limit, scale, seed, counter, True)
            first, counter = first + HALF_WORDS, counter + np.uint64(COUNTERS)
    if first < last:
        _drop_some(x[first:last], y[first:last], limit, scale, seed, counter, False)


@jit
def _uniform32(items, out, seed, offset, low, high):
    parallel_for(_uniform32_chunk, items, (out, seed, offset, low, high))


@jit
def _uniform64(items, out, seed, offset, low, high):
    parallel_for(_uniform64_chunk, items, (out, seed, offset, low, high))


@jit
def _bits(items, out, seed, offset):
    parallel_for(_bits_chunk, items, (out, seed, offset))


@jit
def _box_muller(items, u, mean, std):
    parallel_for(_box_muller_chunk, items, (u, mean, std))


@jit
def _dropout(items, x, y, limit, scale, seed, offset):
    parallel_for(_dropout_chunk, items, (x, y, limit, scale, seed, offset))


def _items(words):
    return -(-words // WORDS)


def _key(seed, offset):
    return np.uint64(seed % 2**64), np.uint64(offset % 2**64)


def uniform(shape, low, high, dtype, seed, offset):
    out = empty((math.prod(shape),), dtype)
    loop, per = (_uniform32, 1) if dtype == np.float32 else (_uniform64, 2)
    loop(_items(per * out.size), out, *_key(seed, offset), dtype.type(low), dtype.type(high))
    return out.reshape(shape)


def normal(shape, mean, std, dtype, seed, offset):
    n = math.prod(shape)
    u = uniform((n + n % 2,), 0, 1, dtype, seed, offset)
    _box_muller(_items(u.size), u, dtype.type(mean), dtype.type(std))
    return u[:n].reshape(shape) if n % 2 == 0 else u[:n].copy().reshape(shape)


def _random_bits(n, seed, offset):
    bits = np.empty(n, np.uint64)
    _bits(_items(2 * n), bits, *_key(seed, offset))
    return bits


def randint(shape, low, high, dtype, seed, offset):
    below = _random_bits(math.prod(shape), seed, offset) % np.uint64(high - low)
    return (low + below.astype(np.int64)).astype(dtype).reshape(shape)


def randperm(n, seed, offset):
    return np.argsort(_random_bits(n, seed, offset), kind="stable").astype(np.int64)


def dropout(x, p, seed, offset):
    limit = math.ceil(p * 2**32)  # u >= p where u is a multiple of 2**-32: as integers, nothing is rounded
    if not compiled_for(x) or limit == 2**32:
        return reference.dropout(x, p, seed, offset)
    y = empty_like(x)
    numbers = np.uint64(limit), x.dtype.type(1 / (1 - p)), *_key(seed, offset)
    _dropout(-(-x.size // DROPPED), flat(x), y.reshape(-1), *numbers)
    return y
