"""Element by element: nothing but memory traffic, so what counts is to touch each element once, on all cores.

Dense operands of one shape are cut into chunks of CHUNK elements. So is a dense operand beside a number, or beside a
vector along one of its axes, as the bias of a channel is: seen as (R, A, S), it meets element a of the vector. All
other broadcasting, plain arithmetic on FEW elements, and the logarithm and the hyperbolic tangent, whose loops in NumPy
are vectorized, go to the reference backend.

The loops are alike, and so are the functions that launch them on all threads, and yet each is written out: what a
factory of functions makes cannot be kept in the cache (``compile.py``), and one loop that chose its operation at every
element would not become vector instructions.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import formulas, reference
from ..reference.elementwise import (  # noqa: F401
    abs,
    binary,
    log,
    logical_not,
    neg,
    pow,
    sign,
    tanh,
)
from .arrays import compiled_for, empty_like, flat
from .compile import jit
from .parallel import parallel_for

CHUNK = 16384
FEW = 64  # elements on which NumPy is done with plain arithmetic before a compiled loop has begun


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


def few(x, y):
    """Whether two operands, of which one may be a number, are small."""
    return (type(x) is not np.ndarray or x.size <= FEW) and (type(y) is not np.ndarray or y.size <= FEW)


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
def _exp_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = formulas.exp(x[k])


@jit
def _sigmoid_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = formulas.sigmoid(x[k])


@jit
def _sqrt_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = np.sqrt(x[k])


@jit
def _erf_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = formulas.erf(x[k])


@jit
def _erfc_chunk(i, x, y):
    x, y = x[i * CHUNK : (i + 1) * CHUNK], y[i * CHUNK : (i + 1) * CHUNK]
    for k in range(y.size):
        y[k] = math.erfc(x[k])


@jit
def _add_number_chunk(i, x, number, z):
    x, z, number = x[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK], z.dtype.type(number)
    for k in range(z.size):
        z[k] = x[k] + number


@jit
def _mul_number_chunk(i, x, number, z):
    x, z, number = x[i * CHUNK : (i + 1) * CHUNK], z[i * CHUNK : (i + 1) * CHUNK], z.dtype.type(number)
    for k in range(z.size):
        z[k] = x[k] * number


@jit
def _add_vector_rows(i, rows, count, x, y, z, S):
    """Rows of S elements meet one element of y; where S is 1, rows of y.size elements meet all of it."""
    for r in range(i * rows, min((i + 1) * rows, count)):
        if S == 1:
            row, out = x[r * y.size : (r + 1) * y.size], z[r * y.size : (r + 1) * y.size]
            for k in range(out.size):
                out[k] = row[k] + y[k]
        else:
            row, out, number = x[r * S : (r + 1) * S], z[r * S : (r + 1) * S], y[r % y.size]
            for k in range(out.size):
                out[k] = row[k] + number


@jit
def _mul_vector_rows(i, rows, count, x, y, z, S):
    for r in range(i * rows, min((i + 1) * rows, count)):
        if S == 1:
            row, out = x[r * y.size : (r + 1) * y.size], z[r * y.size : (r + 1) * y.size]
            for k in range(out.size):
                out[k] = row[k] * y[k]
        else:
            row, out, number = x[r * S : (r + 1) * S], z[r * S : (r + 1) * S], y[r % y.size]
            for k in range(out.size):
                out[k] = row[k] * number


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
def _exp(n, x, y):
    parallel_for(_exp_chunk, n, (x, y))


@jit
def _sigmoid(n, x, y):
    parallel_for(_sigmoid_chunk, n, (x, y))


@jit
def _sqrt(n, x, y):
    parallel_for(_sqrt_chunk, n, (x, y))


@jit
def _erf(n, x, y):
    parallel_for(_erf_chunk, n, (x, y))


@jit
def _erfc(n, x, y):
    parallel_for(_erfc_chunk, n, (x, y))


@jit
def _add_number(n, x, number, z):
    parallel_for(_add_number_chunk, n, (x, number, z))


@jit
def _mul_number(n, x, number, z):
    parallel_for(_mul_number_chunk, n, (x, number, z))


@jit
def _add_vector(n, rows, count, x, y, z, S):
    parallel_for(_add_vector_rows, n, (rows, count, x, y, z, S))


@jit
def _mul_vector(n, rows, count, x, y, z, S):
    parallel_for(_mul_vector_rows, n, (rows, count, x, y, z, S))


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
    out = empty_like(x)
    loop(chunks(out.size), x.ravel(), y.ravel(), out.ravel())
    return out


def _map(loop, x):
    """A loop over one dense array, into a fresh one."""
    out = empty_like(x)
    loop(chunks(out.size), x.ravel(), out.ravel())
    return out


@functools.lru_cache(maxsize=512)
def _along_one_axis(shape, other):
    """S, if an array of shape ``other`` has one axis longer than 1 and broadcasts to ``shape`` along it; else None."""
    other = (1,) * (len(shape) - len(other)) + other
    long = [axis for axis, n in enumerate(other) if n != 1]
    if len(other) != len(shape) or len(long) != 1 or other[long[0]] != shape[long[0]]:
        return None
    return math.prod(shape[long[0] + 1 :])


def _broadcast(with_number, with_vector, x, y):
    """A loop over a dense array and a number, or a vector along one of its axes, whichever operand is which (they
    commute); None for other operands."""
    if type(x) is not np.ndarray or (type(y) is np.ndarray and (x.size < y.size or not any(x.strides))):
        x, y = y, x
    if not dense_floats(x, x):
        return None
    if type(y) is np.ndarray and y.dtype is x.dtype and y.shape == x.shape and not any(y.strides):
        y = y.item(0)  # a number seen in many places, as the gradient of a sum is
    if isinstance(y, (int, float)):
        out = empty_like(x)
        with_number(chunks(out.size), x.ravel(), float(y), out.ravel())
        return out
    if type(y) is not np.ndarray or y.dtype is not x.dtype:
        return None
    S = _along_one_axis(x.shape, y.shape)
    if S is None or x.size == 0:
        return None
    width = S if S > 1 else y.size
    rows, count = max(1, CHUNK // width), x.size // width
    out = empty_like(x)
    with_vector(-(-count // rows), rows, count, x.ravel(), flat(y), out.ravel(), S)
    return out


def add(x, y):
    if few(x, y):
        return reference.add(x, y)
    if dense_floats(x, y):
        return _run(_add, x, y)
    z = _broadcast(_add_number, _add_vector, x, y)
    return reference.add(x, y) if z is None else z


def sub(x, y):
    return _run(_sub, x, y) if not few(x, y) and dense_floats(x, y) else reference.sub(x, y)


def mul(x, y):
    if few(x, y):
        return reference.mul(x, y)
    if dense_floats(x, y):
        return _run(_mul, x, y)
    z = _broadcast(_mul_number, _mul_vector, x, y)
    return reference.mul(x, y) if z is None else z


def exp(x):
    return _map(_exp, x) if dense_floats(x, x) else reference.exp(x)


def sigmoid(x):
    return _map(_sigmoid, x) if dense_floats(x, x) else reference.sigmoid(x)


def sqrt(x):
    return _map(_sqrt, x) if dense_floats(x, x) else reference.sqrt(x)


LOOPS = {"erf": _erf, "erfc": _erfc}  # the functions of one number that NumPy has no loop for


def unary(x, function):
    loop = LOOPS.get(function)
    if loop is None or not compiled_for(x):
        return reference.unary(x, function)
    if not dense_floats(x, x):
        x = np.array(x, order="C")
    return _map(loop, x)


def relu(x):
    return _map(_relu, x) if dense_floats(x, x) else reference.relu(x)


def div(x, y):
    return _run(_div, x, y) if not few(x, y) and dense_floats(x, y) else reference.div(x, y)


def add_(x, y, alpha=1):
    if x.size > FEW and dense_floats(x, y) and x is not y and not np.may_share_memory(x, y):
        _add_scaled(chunks(x.size), x.ravel(), y.ravel(), x.dtype.type(alpha))
    else:
        reference.add_(x, y, alpha)


def mul_(x, y):
    reference.mul_(x, y)


def relu_gx(gy, y):
    return _run(_relu_gx, gy, y) if dense_floats(gy, y) else reference.relu_gx(gy, y)


def tanh_gx(gy, y):
    return _run(_tanh_gx, gy, y) if dense_floats(gy, y) else reference.tanh_gx(gy, y)


def sigmoid_gx(gy, y):
    return _run(_sigmoid_gx, gy, y) if dense_floats(gy, y) else reference.sigmoid_gx(gy, y)
