"""Arrays on the host: memory, views, indexing. NumPy already is what the contract asks for, up to the memory layout."""

from __future__ import annotations

import math

import numpy as np


def dense(x):
    """``x`` as a C-contiguous array, also where NumPy chose another layout or made a 0-d result a bare scalar."""
    return np.asarray(x, order="C")


def empty(shape, dtype):
    return np.empty(shape, dtype)


def full(shape, value, dtype):
    return np.full(shape, value, dtype)


def arange(start, stop, step, dtype):
    n = max(0, math.ceil((stop - start) / step))
    return (start + step * np.arange(n)).astype(dtype)


def eye(n, m, dtype):
    return np.eye(n, m, dtype=dtype)


def from_host(x):
    return x


def to_host(x):
    return x


def copy(x):
    return x.copy(order="C")


@np.errstate(all="ignore")  # NaN to an integer is some number, too large a float infinity: without a warning
def cast(x, dtype):
    return x.astype(dtype, order="C")


@np.errstate(all="ignore")
def assign(x, y):
    x[...] = y


def is_contiguous(x):
    return x.flags.c_contiguous


def view(x, shape):
    try:
        return x.reshape(shape, copy=False)
    except ValueError:
        return None


def address(x):
    return x.__array_interface__["data"][0]


def as_strided(x, shape, strides, offset):
    return np.lib.stride_tricks.as_strided(x[offset:], shape, tuple(s * x.itemsize for s in strides))


def strides(x):
    return tuple([step // x.itemsize for step in x.strides])


def storage(x):
    owner, below = x, x
    while (below := getattr(below, "base", None)) is not None:
        owner = below if isinstance(below, np.ndarray) else owner
    in_order = owner.transpose(sorted(range(owner.ndim), key=lambda axis: -abs(owner.strides[axis])))
    return flip(in_order, [i for i, step in enumerate(in_order.strides) if step < 0]).reshape(-1).view(x.dtype)


def permute(x, axes):
    return x.transpose(axes)


def flip(x, axes):
    backwards, forwards = slice(None, None, -1), slice(None)
    return x[(*(backwards if i in axes else forwards for i in range(x.ndim)), ...)]


def broadcast_to(x, shape):
    return np.broadcast_to(x, shape)


def diagonal(x, offset, axis1, axis2):
    y = x.diagonal(offset, axis1, axis2)
    y.flags.writeable = x.flags.writeable
    return y


def sliding_windows(x, axis, size, step):
    every = np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=x.flags.writeable)
    return every[(slice(None),) * axis + (slice(None, None, step),)]


def reinterpret(x, dtype):
    return x.view(dtype)


def cat(xs, axis):
    return dense(np.concatenate(xs, axis))
