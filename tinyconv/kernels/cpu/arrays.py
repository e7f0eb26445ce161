"""Memory and views: NumPy's own are as good as it gets on the host, but for one number in many places, which takes all
threads. Then, what every compiled kernel asks of an array: how it lies, how many numbers a vector of its type holds,
and memory for the kernel's own use."""

import math
from types import SimpleNamespace

import numpy as np
from numba import types
from numba.extending import lower_builtin, type_callable

from ..reference.arrays import (
    address,
    arange,
    as_strided,
    assign,
    cast,
    cat,
    diagonal,
    eye,
    flip,
    from_host,
    is_contiguous,
    permute,
    reinterpret,
    sliding_windows,
    storage,
    strides,
    to_host,
)
from ..reference.arrays import view as view_of_any
from .compile import jit
from .parallel import parallel_for
from .target import VECTOR_BYTES

CACHE_LINE = 64  # bytes
CHUNK = 16384  # elements that a thread fills at a time
MANY = 4 * CHUNK  # elements that are worth a second thread
SAME_SIZE = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}  # to move numbers is to copy bits
ALIGNED = 1 << 22  # bytes: what finding an aligned address costs is little beside writing so many
LASTING = 1 << 15  # bytes: the same beside writing so many again and again
LARGE = 1 << 24  # bytes: a core's share of most last-level caches is smaller


def is_large(x):
    """Whether an array is too large to be found in a cache once it is written."""
    return x.nbytes >= LARGE


def empty(shape, dtype):
    """Memory for the result of a compiled kernel. Where it leaves the cores' own caches it begins where a line of the
    cache does: NumPy's arrays begin 16 bytes after that, so every vector of them lies across two lines."""
    dtype = np.dtype(dtype)
    return np.empty(shape, dtype) if math.prod(shape) * dtype.itemsize < ALIGNED else _empty_lines(shape, dtype)


def empty_like(x):
    """:func:`empty` for a result of the shape and type of ``x``."""
    return np.empty(x.shape, x.dtype) if x.nbytes < ALIGNED else _empty_lines(x.shape, x.dtype)


def lasting(shape, dtype):
    """:func:`empty` for memory that is no kernel's result but is asked for by itself, as that of a parameter and of
    what an optimizer remembers of it: it is written in every step, so it begins with a line from 32 KiB on."""
    dtype = np.dtype(dtype)
    return np.empty(shape, dtype) if math.prod(shape) * dtype.itemsize < LASTING else _empty_lines(shape, dtype)


def _empty_lines(shape, dtype):
    """Memory from the start of a line of the cache on. It is no view of another array, so it is all of its storage."""
    shape = tuple(map(int, shape))  # the product of NumPy's 32-bit integers could wrap around
    memory = np.empty(math.prod(shape) + CACHE_LINE // dtype.itemsize, dtype)
    first = address(memory)
    first += -first % CACHE_LINE
    interface = {"version": 3, "shape": shape, "typestr": dtype.str, "data": (first, False)}
    return np.asarray(SimpleNamespace(memory=memory, __array_interface__=interface))


def copy(x):
    if x.nbytes < ALIGNED:
        return x.copy(order="C")
    y = empty_like(x)
    y[...] = x
    return y


@jit
def _fill_chunk(i, x, bits):
    x = x[i * CHUNK : (i + 1) * CHUNK]
    for k in range(x.size):
        x[k] = bits


@jit
def _fill(n, x, bits):
    parallel_for(_fill_chunk, n, (x, bits))


def full(shape, value, dtype):
    x = lasting(shape, dtype)
    if x.size < MANY or x.dtype.itemsize not in SAME_SIZE:
        x.fill(value)
        return x
    x.reshape(-1)[:1].fill(value)
    bits = x.view(SAME_SIZE[x.dtype.itemsize]).reshape(-1)
    _fill(-(-bits.size // CHUNK), bits, bits[0])
    return x


def broadcast_to(x, shape):
    if not x.flags.carray or x.ndim:
        return np.broadcast_to(x, shape)
    out = np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))  # the same, in a third of the time
    out.flags.writeable = False
    return out


def view(x, shape):
    return x.reshape(shape) if x.flags.c_contiguous else view_of_any(x, shape)


def flat(x):
    """The elements in C order: dense, writeable and aligned, so that one compiled version serves all arrays."""
    return (x if x.flags.carray else x.copy(order="C")).ravel()


def compiled_for(x) -> bool:
    """Whether there are compiled kernels for this type: float32 and float64. Others go to the reference backend."""
    return x.dtype.char in "fd"


def lanes_of(x):
    """How many numbers of the type of an array a vector holds."""
    return VECTOR_BYTES // x.itemsize


@type_callable(lanes_of)
def _type_of_lanes(context):
    return lambda x: types.int64


@lower_builtin(lanes_of, types.Array)
def _constant_lanes(context, builder, signature, args):
    """In compiled code a constant, and nothing to compile."""
    return context.get_constant(types.int64, VECTOR_BYTES // (signature.args[0].dtype.bitwidth // 8))


@jit(apart=True)
def workspace(n, like):
    """Memory for n elements of the type of ``like``, for use inside a kernel. It begins where a vector may: one that
    lies across two lines of the cache takes twice as long to load."""
    memory = np.empty(n + lanes_of(like), like.dtype)
    skip = -memory.ctypes.data % VECTOR_BYTES // like.itemsize
    return memory[skip : skip + n]
