"""Random numbers: element i is a function of (seed, offset, i), so a thread draws the four words of its own counter.

The formulas are the CPU's (``formulas.py``), and the kernels that scale numbers keep the two roundings of ``a*b + c``
(``exact``): uniform numbers, integers and dropout's masks are the CPU's to the bit. Gaussians go through this device's
logarithm and sine, and agree to rounding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import formulas
from ..reference import random as reference
from .array import dense_strides
from .arrays import BLOCK, dense, from_host, full
from .kernel import FLOATS, Constant, T, kernel
from .language import cuda, int32, int64, uint8, uint64
from .runtime import ceil_div, empty, launch

D: Any = Constant("D")  # the integers' type


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("float32*, int32, uint64, uint64, float32, float32", exact=True, block=BLOCK, registers=40)
def uniform32(y, n, seed, offset, low, high):
    q = cuda.grid(1)
    i = 4 * q
    if i < n:
        a, b, c, d = formulas.random_words(seed, offset + uint64(q))
        y[i] = formulas.stretch(formulas.uniform_float32(a), low, high)
        if i + 1 < n:
            y[i + 1] = formulas.stretch(formulas.uniform_float32(b), low, high)
        if i + 2 < n:
            y[i + 2] = formulas.stretch(formulas.uniform_float32(c), low, high)
        if i + 3 < n:
            y[i + 3] = formulas.stretch(formulas.uniform_float32(d), low, high)


@kernel("float64*, int32, uint64, uint64, float64, float64", exact=True, block=BLOCK, registers=40)
def uniform64(y, n, seed, offset, low, high):
    q = cuda.grid(1)
    i = 2 * q
    if i < n:
        a, b, c, d = formulas.random_words(seed, offset + uint64(q))
        y[i] = formulas.stretch(formulas.uniform_float64(formulas.random_bits(a, b)), low, high)
        if i + 1 < n:
            y[i + 1] = formulas.stretch(formulas.uniform_float64(formulas.random_bits(c, d)), low, high)


@kernel("T*, int32, T, T", T=FLOATS, block=BLOCK, registers=64)
def gaussian(y, n, mean, std):
    """Pairs of uniforms to pairs of Gaussians, in place."""
    i = 2 * cuda.grid(1)
    if i < n:
        a, b = formulas.box_muller(y[i], y[i + 1])
        y[i] = mean + std * a
        y[i + 1] = mean + std * b


@kernel("D*, int32, uint64, uint64, int64, uint64", D=(int64, int32, uint8), block=BLOCK, registers=64)
def integers(y, n, seed, offset, low, width):
    q = cuda.grid(1)
    i = 2 * q
    if i < n:
        a, b, c, d = formulas.random_words(seed, offset + uint64(q))
        y[i] = D(low + int64(formulas.random_bits(a, b) % width))
        if i + 1 < n:
            y[i + 1] = D(low + int64(formulas.random_bits(c, d) % width))


@kernel("T*, T*, int32, uint64, T, uint64, uint64", T=FLOATS, exact=True, block=BLOCK, registers=40)
def drop(x, y, n, limit, scale, seed, offset):
    """y = x * scale where dropout keeps the element, else 0. Two threads share a counter."""
    q = cuda.grid(1)
    i = 4 * q
    if i < n:
        counter, first = offset + uint64(q // 2), 4 * (q % 2)
        a, b, c, d = formulas.random_words(seed, counter)
        for k in range(min(4, n - i)):
            word = (a if k < 2 else b) if first == 0 else (c if k < 2 else d)
            kept = formulas.dropout_keeps(formulas.half_word(word, k), first + k, limit, seed, counter)
            y[i + k] = x[i + k] * scale if kept else T(0)


# --------------------------------------------------------------------------------------------------------- the contract


def _key(seed, offset):
    return seed % 2**64, offset % 2**64


def uniform(shape, low, high, dtype, seed, offset):
    y = empty(shape, dtype)
    draw, numbers = (uniform32, 4) if dtype == np.float32 else (uniform64, 2)
    launch(draw, ceil_div(y.size, numbers * BLOCK), y, y.size, *_key(seed, offset), dtype.type(low), dtype.type(high))
    return y


def normal(shape, mean, std, dtype, seed, offset):
    n = math.prod(shape)
    pairs = uniform((n + n % 2,), 0.0, 1.0, dtype, seed, offset)
    launch(gaussian, ceil_div(pairs.size, 2 * BLOCK), pairs, pairs.size, dtype.type(mean), dtype.type(std))
    return pairs.viewed(tuple(shape), dense_strides(tuple(shape)))


def randint(shape, low, high, dtype, seed, offset):
    y = empty(shape, dtype)
    launch(integers, ceil_div(y.size, 2 * BLOCK), y, y.size, *_key(seed, offset), low, high - low)
    return y


def randperm(n, seed, offset):
    return from_host(reference.randperm(n, seed, offset))


def dropout(x, p, seed, offset):
    if p == 1:
        return full(x.shape, 0, x.dtype)
    x = dense(x)
    y = empty(x.shape, x.dtype)
    limit = math.ceil(p * 2**32)  # u >= p where u is a multiple of 2**-32: compared as integers, nothing is rounded
    launch(drop, ceil_div(x.size, 4 * BLOCK), x, y, x.size, limit, x.dtype.type(1 / (1 - p)), *_key(seed, offset))
    return y
