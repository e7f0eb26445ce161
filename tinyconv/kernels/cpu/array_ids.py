"""Many arrays handed over to a kernel at once, by their ``id``: an optimizer's parameters.

A network has dozens of parameters, and Numba takes apart every array that it is given; a tuple of them would also be a
version of the kernel for every number of parameters. Here a kernel gets one array of integers instead, the addresses of
the arrays (which is what ``id`` says), in a tenth of the time. It reads from NumPy's own structure,
``PyArrayObject_fields``, where the elements are, how many they are and whether they lie dense. Compiled extensions rely
on that structure, so it stays as it is.
"""

from __future__ import annotations

import ctypes
from itertools import chain

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .compile import JIT, jit
from .vectors import I64

HEAD = object.__basicsize__  # bytes of a Python object before what its class adds
DATA, NDIM, SHAPE, FLAGS = HEAD, HEAD + 8, HEAD + 16, HEAD + 48  # where NumPy's class has these fields
CARRAY = 0x1 | 0x100 | 0x400  # the flags of arrays that are dense, aligned and writeable


if JIT:

    @intrinsic
    def _word(typingctx, address):
        """The eight bytes at an address of memory."""

        def codegen(context, b, signature, args):
            return b.load(b.inttoptr(args[0], I64.as_pointer()))

        return types.int64(types.int64), codegen

    @intrinsic
    def _pointer(typingctx, address):
        """An address, as ``carray`` wants it."""

        def codegen(context, b, signature, args):
            return b.inttoptr(args[0], ir.IntType(8).as_pointer())

        return types.voidptr(types.int64), codegen

else:

    def _word(address):
        """The eight bytes at an address of memory."""
        return ctypes.c_int64.from_address(int(address)).value

    def _pointer(address):
        """An address, as ``carray`` wants it."""
        return ctypes.c_void_p(address)


def ids_of(*lists):
    """The ``id`` of every array of some lists, one after another, int64. (They are an array of objects, seen as
    integers: such an array consists of pointers to its objects, and keeps them alive.)"""
    n = sum(map(len, lists))
    return np.ndarray(n, np.int64, np.fromiter(chain(*lists), object, n))


@jit
def array_of(number, n, like):
    """The n elements of the array whose ``id`` is ``number``; it is dense and of the type of ``like``."""
    return numba.carray(_pointer(_word(number + DATA)), n, like.dtype)


@jit
def dense_size(number):
    """How many elements the array has whose ``id`` is ``number``; -1 if they do not lie one after another, or may not
    be written."""
    if _word(number + FLAGS) & CARRAY != CARRAY:
        return -1
    size, shape = 1, _word(number + SHAPE)
    for axis in range(_word(number + NDIM) & 0xFFFFFFFF):
        size *= _word(shape + 8 * axis)
    return size
