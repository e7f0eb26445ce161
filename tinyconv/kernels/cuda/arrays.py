"""Memory, views and copies. A view is arithmetic on the host; what moves numbers is one kernel, :func:`move`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .array import DeviceArray, dense_strides
from .kernel import Constant, element_type, kernel
from .language import cuda, int32, int64, quotient, uint8, uint16, uint32, uint64
from .layout import collapsed, reshaped, stretched
from .runtime import ceil_div, check_faults, constant, device, launch, not_in_a_graph
from .runtime import empty as _empty

BLOCK = 256
RAW = {1: uint8, 2: uint16, 4: uint32, 8: uint64}  # to copy bits, whatever they mean
ELEMENT_TYPES = (np.float32, np.float64, int64, int32, uint8)
U: Any = Constant("U")  # the bits of an element
R: Any = Constant("R")  # the number of axes
S: Any = Constant("S")  # the type read
D: Any = Constant("D")  # the type written


# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("U*, U*, int32, int32[R], int32[R], int32[R]", U=tuple(RAW.values()), R=(1, 2, 3, 4), block=BLOCK, registers=40)
def move(x, y, n, shape, sx, sy):
    """y = x, element by element in C order of ``shape``, with strides ``sx`` and ``sy``."""
    i = cuda.grid(1)
    if i < n:
        at_x = int64(0)
        at_y = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(i, shape[axis])
            k = i - outer * shape[axis]
            at_x += k * sx[axis]
            at_y += k * sy[axis]
            i = outer
        y[at_y + i * sy[0]] = x[at_x + i * sx[0]]


@kernel("U, U*, int32, int32[R], int32[R]", U=tuple(RAW.values()), R=(1, 2), block=BLOCK, registers=40)
def fill(value, y, n, shape, sy):
    """y = value, with strides ``sy``."""
    i = cuda.grid(1)
    if i < n:
        at = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(i, shape[axis])
            at += (i - outer * shape[axis]) * sy[axis]
            i = outer
        y[at + i * sy[0]] = value


@kernel("S*, D*, int32", S=ELEMENT_TYPES, D=ELEMENT_TYPES, only=lambda S, D: S is not D, block=BLOCK, registers=24)
def convert(x, y, n):
    """y = x in another type; numbers behind the point are cut off."""
    i = cuda.grid(1)
    if i < n:
        y[i] = D(x[i])


@kernel("S*, uint8*, int32", S=ELEMENT_TYPES, block=BLOCK, registers=24)
def truth(x, y, n):
    """y = 1 where x is not 0, else 0."""
    i = cuda.grid(1)
    if i < n:
        y[i] = uint8(1) if x[i] != S(0) else uint8(0)


# --------------------------------------------------------------------------------------------------------------- making


def empty(shape, dtype):
    return _empty(shape, dtype)


def full(shape, value, dtype):
    y = _empty(shape, dtype)
    _fill(y, value)
    return y


def arange(start, stop, step, dtype):
    n = max(0, math.ceil((stop - start) / step))
    return constant((start + step * np.arange(n)).astype(dtype))


def eye(n, m, dtype):
    return constant(np.eye(n, m, dtype=dtype))


def from_host(x):
    not_in_a_graph("numbers copied from the host would be the same at every replay")
    return constant(x)


def to_host(x):
    not_in_a_graph("its launches only run when it is replayed: there is no result yet for .item(), .cpu() or print")
    y = np.empty(x.shape, x.dtype)
    if x.size:
        device().to_host(dense(x), y)
    check_faults()
    return y


# -------------------------------------------------------------------------------------------------------------- copying


def copy(x):
    y = _empty(x.shape, x.dtype)
    _move(x, x.strides, y)
    return y


def cast(x, dtype):
    if dtype == x.dtype:
        return copy(x)
    y = _empty(x.shape, dtype)
    x = dense(x)
    if dtype.kind == "b":
        launch(truth, ceil_div(x.size, BLOCK), x, y, x.size)
    elif element_type(dtype) is element_type(x.dtype):  # a bool is 0 or 1 already
        _move(x, x.strides, y)
    else:
        launch(convert, ceil_div(x.size, BLOCK), x, y, x.size)
    return y


def assign(x, y):
    if not isinstance(y, DeviceArray):
        _fill(x, y)
        return
    if y.dtype != x.dtype:
        y = cast(y, x.dtype)
    elif y.block is x.block:
        y = copy(y)  # they may overlap
    _move(y, stretched(y.shape, y.strides, x.shape), x)


def _move(x: DeviceArray, strides: tuple[int, ...], y: DeviceArray) -> None:
    """y = x, read with ``strides``."""
    _writable(y)
    U = RAW[y.dtype.itemsize]
    shape, sx, sy = collapsed(y.shape, strides, y.strides)
    launch(move, ceil_div(y.size, BLOCK), x, y, y.size, shape, sx, sy, U=U, R=len(shape))


def _fill(y: DeviceArray, value: Any) -> None:
    _writable(y)
    U = RAW[y.dtype.itemsize]
    bits = int(np.array(value, y.dtype).view(U))
    shape, sy = collapsed(y.shape, y.strides)
    launch(fill, ceil_div(y.size, BLOCK), bits, y, y.size, shape, sy, U=U, R=len(shape))


def _writable(x: DeviceArray) -> None:
    if not x.writeable:
        raise ValueError("a view that repeats elements (broadcast_to, expand) cannot be written to")


def dense(x: DeviceArray) -> DeviceArray:
    """``x`` if it lies in C order without gaps, else a copy that does."""
    return x if x.dense else copy(x)


# ---------------------------------------------------------------------------------------------------------------- views


def is_contiguous(x):
    return x.dense


def view(x, shape):
    if x.size == 0:
        return x.viewed(shape, dense_strides(shape))
    strides = reshaped(x.shape, x.strides, shape)
    return None if strides is None else x.viewed(shape, strides)


def permute(x, axes):
    return x.viewed(tuple(x.shape[a] for a in axes), tuple(x.strides[a] for a in axes))


def flip(x, axes):
    if x.size == 0:
        return x.viewed(x.shape, x.strides)
    offset = sum((x.shape[a] - 1) * x.strides[a] for a in axes)
    return x.viewed(x.shape, tuple(-s if a in axes else s for a, s in enumerate(x.strides)), offset)


def broadcast_to(x, shape):
    y = x.viewed(shape, stretched(x.shape, x.strides, shape))
    y.writeable = False
    return y


def diagonal(x, offset, axis1, axis2):
    n, m = x.shape[axis1] + min(offset, 0), x.shape[axis2] - max(offset, 0)
    length = max(0, min(n, m))
    start = max(offset, 0) * x.strides[axis2] - min(offset, 0) * x.strides[axis1] if length else 0
    rest = [a for a in range(x.ndim) if a not in (axis1, axis2)]
    shape, strides = tuple(x.shape[a] for a in rest), tuple(x.strides[a] for a in rest)
    return x.viewed((*shape, length), (*strides, x.strides[axis1] + x.strides[axis2]), start)


def sliding_windows(x, axis, size, step):
    windows = (x.shape[axis] - size) // step + 1
    shape = (*x.shape[:axis], windows, *x.shape[axis + 1 :], size)
    strides = (*x.strides[:axis], x.strides[axis] * step, *x.strides[axis + 1 :], x.strides[axis])
    return x.viewed(shape, strides)


def address(x):
    return x.pointer


def as_strided(x, shape, strides, offset):
    return x.viewed(shape, strides, offset)


def strides(x):
    return x.strides


def storage(x):
    return DeviceArray(x.block, 0, (x.block.nbytes // x.dtype.itemsize,), (1,), x.dtype, x.writeable)


def reinterpret(x, dtype):
    old, new = x.dtype.itemsize, dtype.itemsize
    if old == new:
        return DeviceArray(x.block, x.offset, x.shape, x.strides, dtype, x.writeable)
    strides = tuple(s * old // new for s in x.strides[:-1])
    shape = (*x.shape[:-1], x.shape[-1] * old // new)
    return DeviceArray(x.block, x.offset, shape, (*strides, 1), dtype, x.writeable)


def cat(xs, axis):
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    y, at = _empty(tuple(shape), xs[0].dtype), 0
    for x in xs:
        _move(x, x.strides, y.viewed(x.shape, y.strides, at * y.strides[axis]))
        at += x.shape[axis]
    return y
