"""Random numbers: element i is a function of (seed, offset, i), so any thread can draw any of them."""

from __future__ import annotations

import math

import numpy as np

from .. import formulas, reference
from .arrays import compiled_for, flat
from .compile import jit
from .parallel import parallel_for

COUNTERS = 2048  # Philox counters, four words each, a work item


@jit(exact=True)
def _uniform32_chunk(item, out, seed, offset, low, high):
    n = out.size
    for q in range(item * COUNTERS, min((item + 1) * COUNTERS, (n + 3) // 4)):
        words = formulas.random_words(seed, offset + np.uint64(q))
        for k in range(min(4, n - 4 * q)):
            out[4 * q + k] = formulas.stretch(formulas.uniform_float32(words[k]), low, high)


@jit(exact=True)
def _uniform64_chunk(item, out, seed, offset, low, high):
    n = out.size
    for q in range(item * COUNTERS, min((item + 1) * COUNTERS, (n + 1) // 2)):
        words = formulas.random_words(seed, offset + np.uint64(q))
        for k in range(min(2, n - 2 * q)):
            bits = formulas.random_bits(words[2 * k], words[2 * k + 1])
            out[2 * q + k] = formulas.stretch(formulas.uniform_float64(bits), low, high)


@jit(exact=True)
def _bits_chunk(item, out, seed, offset):
    n = out.size
    for q in range(item * COUNTERS, min((item + 1) * COUNTERS, (n + 1) // 2)):
        words = formulas.random_words(seed, offset + np.uint64(q))
        for k in range(min(2, n - 2 * q)):
            out[2 * q + k] = formulas.random_bits(words[2 * k], words[2 * k + 1])


@jit(exact=True)
def _box_muller_chunk(item, u, mean, std):
    """Pairs of uniforms to pairs of Gaussians, in place."""
    for q in range(item * COUNTERS, min((item + 1) * COUNTERS, u.size // 2)):
        a, b = formulas.box_muller(u[2 * q], u[2 * q + 1])
        u[2 * q], u[2 * q + 1] = mean + std * a, mean + std * b


@jit(exact=True)
def _dropout_chunk(item, x, y, p, keep, seed, offset):
    n = x.size
    for q in range(item * COUNTERS, min((item + 1) * COUNTERS, (n + 3) // 4)):
        words = formulas.random_words(seed, offset + np.uint64(q))
        for k in range(min(4, n - 4 * q)):
            kept = formulas.uniform_float32(words[k]) >= p
            y[4 * q + k] = x[4 * q + k] / keep if kept else type(keep)(0)


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
def _dropout(items, x, y, p, keep, seed, offset):
    parallel_for(_dropout_chunk, items, (x, y, p, keep, seed, offset))


def _items(counters):
    return -(-counters // COUNTERS)


def _key(seed, offset):
    return np.uint64(seed % 2**64), np.uint64(offset % 2**64)


def uniform(shape, low, high, dtype, seed, offset):
    out = np.empty(math.prod(shape), dtype)
    loop, per = (_uniform32, 4) if dtype == np.float32 else (_uniform64, 2)
    loop(_items(-(-out.size // per)), out, *_key(seed, offset), dtype.type(low), dtype.type(high))
    return out.reshape(shape)


def normal(shape, mean, std, dtype, seed, offset):
    n = math.prod(shape)
    u = uniform((n + n % 2,), 0, 1, dtype, seed, offset)
    _box_muller(_items(u.size // 2), u, dtype.type(mean), dtype.type(std))
    return u[:n].reshape(shape) if n % 2 == 0 else u[:n].copy().reshape(shape)


def _random_bits(n, seed, offset):
    bits = np.empty(n, np.uint64)
    _bits(_items(-(-n // 2)), bits, *_key(seed, offset))
    return bits


def randint(shape, low, high, dtype, seed, offset):
    below = _random_bits(math.prod(shape), seed, offset) % np.uint64(high - low)
    return (low + below.astype(np.int64)).astype(dtype).reshape(shape)


def randperm(n, seed, offset):
    return np.argsort(_random_bits(n, seed, offset), kind="stable").astype(np.int64)


def dropout(x, p, seed, offset):
    if not compiled_for(x) or p == 1:
        return reference.dropout(x, p, seed, offset)
    y = np.empty(x.shape, x.dtype)
    counters = -(-x.size // 4)
    _dropout(_items(counters), flat(x), y.reshape(-1), np.float64(p), x.dtype.type(1 - p), *_key(seed, offset))
    return y
