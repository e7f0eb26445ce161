"""The machine's peak: multiply-adds whose numbers never leave the registers."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from tinyconv.kernels.cpu import vectors
from tinyconv.kernels.cpu.compile import JIT, jit
from tinyconv.kernels.cpu.parallel import parallel_for

from .tile import LANES, MR, NV

STEPS = 10_000  # of a work item
ITEMS = 16  # a thread


@intrinsic
def chains(typingctx, steps, y, y0):
    """As many independent chains ``s = s * 0.5 + 0.25`` as a tile has vectors of sums; their ends to y."""

    def codegen(context, b, signature, args):
        y = vectors.array_pointer(context, b, signature.args[1], args[1], args[2])
        vector = vectors.vector_type(y.type.pointee)
        half, quarter = (ir.Constant(vector, [value] * vector.count) for value in (0.5, 0.25))

        def step(_, sums):
            return [vectors.multiply_add(b, s, half, quarter) for s in sums]

        targets = [vectors.vector_pointer(b, y, vector, j) for j in range(MR * NV)]
        for total, target in zip(vectors.loop(b, args[0], [vectors.load(b, t) for t in targets], step), targets):
            vectors.store(b, total, target)
        return context.get_dummy_value()

    return types.void(types.int64, y, types.int64), codegen


def _in_python(steps, y, y0):
    for _ in range(steps):
        y[y0:][: MR * NV * LANES] *= y.dtype.type(0.5)
        y[y0:][: MR * NV * LANES] += y.dtype.type(0.25)


if not JIT:
    chains = _in_python


@jit
def _item(item, y):
    chains(STEPS, y, item * MR * NV * LANES)


@jit
def _items(n, y):
    parallel_for(_item, n, (y,))


def multiply_adds(threads: int) -> None:
    """:func:`peak_operations` multiplications and additions, shared among ``threads`` threads."""
    _items(ITEMS * threads, np.zeros(ITEMS * threads * MR * NV * LANES, np.float32))


def peak_operations(threads: int) -> int:
    """How many a call does."""
    return ITEMS * threads * STEPS * MR * NV * LANES * 2
