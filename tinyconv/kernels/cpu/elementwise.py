"""Element by element: nothing but memory traffic, so what counts is to touch each element once, on all cores.

Broadcasting and the elementary functions are where NumPy's own vectorized loops are at home: those go to the
reference backend. What remains are dense operands of one shape, cut into chunks of CHUNK elements. (Small ones too:
calling a compiled loop costs less than telling NumPy not to warn.)
"""

from __future__ import annotations

import numpy as np

from .. import formulas, reference
from ..reference.elementwise import (  # noqa: F401
    abs,
    compare,
    exp,
    log,
    logical_not,
    maximum,
    minimum,
    neg,
    pow,
    sigmoid,
    sign,
    sqrt,
    tanh,
    where,
)
from .compile import jit
from .parallel import parallel_for

CHUNK = 16384


def chunks(n):
    """Work items for n elements."""
    return -(-n // CHUNK)


def dense_floats(x, y):
    """Whether both are float32, or both float64, dense, aligned, writeable and of one shape."""
    return (
        type(x) is type(y) is np.ndarray
        and x.dtype is y.dtype
        and x.dtype.char in "fd"
        and x.shape == y.shape
        and x.flags.carray
        and y.flags.carray
    )


# Slicing first lets the compiler see that indexes run from 0: loops with a signed offset in the index do not vectorize.


@jit
def _add_chunk(i, x, y, z):
    x, y, z = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK]
    for k in range(z.size):
        z[k] = x[k] + y[k]


@jit
def _sub_chunk(i, x, y, z):
    x, y, z = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK]
    for k in range(z.size):
        z[k] = x[k] - y[k]


@jit
def _mul_chunk(i, x, y, z):
    x, y, z = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK]
    for k in range(z.size):
        z[k] = x[k] * y[k]


@jit
def _div_chunk(i, x, y, z):
    x, y, z = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK]
    for k in range(z.size):
        z[k] = x[k] / y[k]


@jit
def _add_scaled_chunk(i, x, y, alpha):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(x.size):
        x[k] += alpha * y[k]


@jit
def _relu_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = formulas.relu(x[k])


@jit
def _relu_gx_chunk(i, gy, y, gx):
    gy, y, gx = gy[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], gx[i * CHUNK : (i + 1) * CHUNK]
    for k in range(gx.size):
        gx[k] = formulas.relu_gx(gy[k], y[k])


@jit
def _tanh_gx_chunk(i, gy, y, gx):
    gy, y, gx = gy[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], gx[i * CHUNK : (i + 1) * CHUNK]
    for k in range(gx.size):
        gx[k] = formulas.tanh_gx(gy[k], y[k])


@jit
def _sigmoid_gx_chunk(i, gy, y, gx):
    gy, y, gx = gy[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK], gx[i * CHUNK : (i + 1) * CHUNK]
    for k in range(gx.size):
        gx[k] = formulas.sigmoid_gx(gy[k], y[k])


@jit
def _add(n, x, y, z):
    parallel_for(_add_chunk, n, (x, y, z))


@jit
def _sub(n, x, y, z):
    parallel_for(_sub_chunk, n, (x, y, z))


@jit
def _mul(n, x, y, z):
    parallel_for(_mul_chunk, n, (x, y, z))


@jit
def _div(n, x, y, z):
    parallel_for(_div_chunk, n, (x, y, z))


@jit
def _add_scaled(n, x, y, alpha):
    parallel_for(_add_scaled_chunk, n, (x, y, alpha))


@jit
def _relu(n, x, y):
    parallel_for(_relu_chunk, n, (x, y))


@jit
def _relu_gx(n, gy, y, gx):
    parallel_for(_relu_gx_chunk, n, (gy, y, gx))


@jit
def _tanh_gx(n, gy, y, gx):
    parallel_for(_tanh_gx_chunk, n, (gy, y, gx))


@jit
def _sigmoid_gx(n, gy, y, gx):
    parallel_for(_sigmoid_gx_chunk, n, (gy, y, gx))


def _run(loop, x, y):
    """A loop over two dense arrays of one shape, into a fresh one."""
    out = np.empty(x.shape, x.dtype)
    loop(chunks(out.size), x.reshape(-1), y.reshape(-1), out.reshape(-1))
    return out


def add(x, y):
    return _run(_add, x, y) if dense_floats(x, y) else reference.add(x, y)


def sub(x, y):
    return _run(_sub, x, y) if dense_floats(x, y) else reference.sub(x, y)


def mul(x, y):
    return _run(_mul, x, y) if dense_floats(x, y) else reference.mul(x, y)


def div(x, y):
    return _run(_div, x, y) if dense_floats(x, y) else reference.div(x, y)


def add_(x, y, alpha=1):
    if dense_floats(x, y) and (x is not y) and not np.may_share_memory(x, y):
        _add_scaled(chunks(x.size), x.reshape(-1), y.reshape(-1), x.dtype.type(alpha))
    else:
        reference.add_(x, y, alpha)


def mul_(x, y):
    reference.mul_(x, y)


def relu(x):
    if not dense_floats(x, x):
        return reference.relu(x)
    y = np.empty(x.shape, x.dtype)
    _relu(chunks(y.size), x.reshape(-1), y.reshape(-1))
    return y


def relu_gx(gy, y):
    return _run(_relu_gx, gy, y) if dense_floats(gy, y) else reference.relu_gx(gy, y)


def tanh_gx(gy, y):
    return _run(_tanh_gx, gy, y) if dense_floats(gy, y) else reference.tanh_gx(gy, y)


def sigmoid_gx(gy, y):
    return _run(_sigmoid_gx, gy, y) if dense_floats(gy, y) else reference.sigmoid_gx(gy, y)
