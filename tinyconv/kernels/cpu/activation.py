"""Nonlinearities: one pass over memory each, whatever they are made of.

There is a loop for each function, because one that chose at every element would not become vector instructions.
"""

from __future__ import annotations

from .. import formulas, reference
from ..reference.elementwise import silent
from .arrays import compiled_for, empty_like, flat
from .compile import jit
from .elementwise import CHUNK, chunks
from .parallel import parallel_for

CLAMP, HARDTANH, LEAKY_RELU, HARDSIGMOID, HARDSWISH, SILU, GELU, GELU_TANH = range(8)
LOOPS = {
    "clamp": CLAMP, "hardtanh": HARDTANH, "leaky_relu": LEAKY_RELU, "hardsigmoid": HARDSIGMOID, "hardswish": HARDSWISH,
    "silu": SILU, "gelu": GELU, "gelu_tanh": GELU_TANH,
}  # fmt: skip


@jit
def _chunk(i, x, y, function, a, b):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    if function in (CLAMP, HARDTANH):
        for k in range(y.size):
            y[k] = formulas.clamp(x[k], a, b)
    elif function == LEAKY_RELU:
        for k in range(y.size):
            y[k] = formulas.leaky_relu(x[k], a, b)
    elif function == HARDSIGMOID:
        for k in range(y.size):
            y[k] = formulas.hardsigmoid(x[k], a, b)
    elif function == HARDSWISH:
        for k in range(y.size):
            y[k] = formulas.hardswish(x[k], a, b)
    elif function == SILU:
        for k in range(y.size):
            y[k] = formulas.silu(x[k], a, b)
    elif function == GELU:
        for k in range(y.size):
            y[k] = formulas.gelu(x[k], a, b)
    else:
        for k in range(y.size):
            y[k] = formulas.gelu_tanh(x[k], a, b)


@jit
def _gx_chunk(i, gy, x, gx, function, a, b):
    gy, x, gx = gy[i * CHUNK : (i + 1) * CHUNK], x[i * CHUNK : (i + 1) * CHUNK], gx[i * CHUNK : (i + 1) * CHUNK]
    if function == CLAMP:
        for k in range(gx.size):
            gx[k] = formulas.clamp_gx(gy[k], x[k], a, b)
    elif function == HARDTANH:
        for k in range(gx.size):
            gx[k] = formulas.hardtanh_gx(gy[k], x[k], a, b)
    elif function == LEAKY_RELU:
        for k in range(gx.size):
            gx[k] = formulas.leaky_relu_gx(gy[k], x[k], a, b)
    elif function == HARDSIGMOID:
        for k in range(gx.size):
            gx[k] = formulas.hardsigmoid_gx(gy[k], x[k], a, b)
    elif function == HARDSWISH:
        for k in range(gx.size):
            gx[k] = formulas.hardswish_gx(gy[k], x[k], a, b)
    elif function == SILU:
        for k in range(gx.size):
            gx[k] = formulas.silu_gx(gy[k], x[k], a, b)
    elif function == GELU:
        for k in range(gx.size):
            gx[k] = formulas.gelu_gx(gy[k], x[k], a, b)
    else:
        for k in range(gx.size):
            gx[k] = formulas.gelu_tanh_gx(gy[k], x[k], a, b)


@jit
def _activation(n, x, y, function, a, b):
    parallel_for(_chunk, n, (x, y, function, a, b))


@jit
def _activation_gx(n, gy, x, gx, function, a, b):
    parallel_for(_gx_chunk, n, (gy, x, gx, function, a, b))


@silent
def _numbers(x, a, b):
    """a and b in the type of x, for which they may be too large: infinity, and no warning."""
    return x.dtype.type(a), x.dtype.type(b)


def activation(x, function, a, b):
    if not compiled_for(x):
        return reference.activation(x, function, a, b)
    y = empty_like(x)
    _activation(chunks(y.size), flat(x), y.reshape(-1), LOOPS[function], *_numbers(x, a, b))
    return y


def activation_gx(gy, x, function, a, b):
    if not compiled_for(x):
        return reference.activation_gx(gy, x, function, a, b)
    gx = empty_like(x)
    _activation_gx(chunks(gx.size), flat(gy), flat(x), gx.reshape(-1), LOOPS[function], *_numbers(x, a, b))
    return gx
