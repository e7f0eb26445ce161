"""Memory and views: NumPy's own are as good as it gets on the host. And what every compiled kernel asks of an array."""

import numpy as np

from ..reference.arrays import (
    arange,
    assign,
    cast,
    cat,
    copy,
    diagonal,
    empty,
    eye,
    flip,
    from_host,
    getitem,
    is_basic,
    is_contiguous,
    permute,
    reinterpret,
    setitem,
    sliding_windows,
    to_host,
)
from ..reference.arrays import index_add as index_add_of_any
from ..reference.arrays import view as view_of_any
from .compile import jit
from .target import VECTOR_BYTES


def full(shape, value, dtype):
    x = np.empty(shape, dtype)
    x.fill(value)
    return x


def broadcast_to(x, shape):
    if not x.flags.carray or x.ndim:
        return np.broadcast_to(x, shape)
    out = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))  # the same, in a third of the time
    out.flags.writeable = False
    return out


def view(x, shape):
    return x.reshape(shape) if x.flags.c_contiguous else view_of_any(x, shape)


def index_add(x, index, y):
    parts = index if isinstance(index, tuple) else (index,)
    if all(is_basic(part) for part in parts):  # nothing occurs twice
        x[index] += y
    elif _is_vector(parts, y):
        *before, places = parts
        for k, i in enumerate(places):
            x[(*before, i)] += y[(*before, k)]
    else:
        index_add_of_any(x, index, y)


def _is_vector(parts, y):
    """Whether an index is one vector of places along an axis, each with enough behind it to be added by itself."""
    *before, places = parts
    return (
        all(isinstance(part, slice) and part == slice(None) for part in before)
        and isinstance(places, np.ndarray)
        and places.ndim == 1
        and places.dtype.kind in "iu"
        and y.size >= 128 * places.size
    )


def flat(x):
    """The elements in C order: dense, writeable and aligned, so that one compiled version serves all arrays."""
    return (x if x.flags.carray else x.copy(order="C")).ravel()


def compiled_for(x) -> bool:
    """Whether there are compiled kernels for this type: float32 and float64. Others go to the reference backend."""
    return x.dtype.char in "fd"


@jit
def workspace(n, like):
    """Memory for n elements of the type of ``like``, for use inside a kernel. It begins where a vector may: one that
    lies across two lines of the cache takes twice as long to load."""
    memory = np.empty(n + VECTOR_BYTES // like.itemsize, like.dtype)
    skip = -memory.ctypes.data % VECTOR_BYTES // like.itemsize
    return memory[skip : skip + n]
