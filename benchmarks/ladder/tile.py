"""The register tile: MR x NV vectors of sums that stay in registers for a whole sum.

    y[y0 + i*y_row + j*LANES + l] += sum over k < steps of
        w[w0 + i*w_row + k*w_step] * x[x0 + starts[k] + places[p0 + j] + l]         i < MR, j < NV, l < LANES

Each step loads NV vectors, broadcasts MR scalars, and does MR*NV fused multiply-adds with them: with 8 x 3 that is 11
loads for 24 multiply-adds, where the row loop needs three memory accesses for each. A core does two multiply-adds a
cycle, but each takes four cycles: at least eight must be under way that do not wait for each other, and here they are,
one for each sum. A compiler does not find this form by itself, so it is written in LLVM's instructions. The two tables
say where the vectors lie: ``starts`` for the steps of the sum, ``places`` for the columns of the tile.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic

from tinyconv.kernels.cpu import vectors
from tinyconv.kernels.cpu.compile import JIT
from tinyconv.kernels.cpu.target import TILES, VECTOR_BYTES

LANES = VECTOR_BYTES // 4  # of float32
MR, NV = TILES[0]
NR = NV * LANES
FREE = np.arange(NV) * LANES  # places one after another


@intrinsic
def tile(typingctx, steps, w, w0, w_row, w_step, x, x0, starts, places, p0, y, y0, y_row):
    """The formula above, as code in the function that calls it."""

    def codegen(context, b, signature, args):
        steps, w, w0, w_row, w_step, x, x0, starts, places, p0, y, y0, y_row = args
        kinds, i64 = signature.args, vectors.i64
        w = vectors.array_pointer(context, b, kinds[1], w, w0)
        x = vectors.array_pointer(context, b, kinds[5], x, x0)
        y = vectors.array_pointer(context, b, kinds[10], y, y0)
        starts = vectors.array_pointer(context, b, kinds[7], starts, i64(0))
        places = vectors.array_pointer(context, b, kinds[8], places, p0)
        vector = vectors.vector_type(y.type.pointee)
        scalars = [b.gep(w, [b.mul(w_row, i64(i))]) for i in range(MR)]
        columns = [b.gep(x, [b.load(b.gep(places, [i64(j)]))]) for j in range(NV)]
        rows = [b.gep(y, [b.mul(y_row, i64(i))]) for i in range(MR)]
        targets = [vectors.vector_pointer(b, row, vector, j) for row in rows for j in range(NV)]

        def step(k, sums):
            start, offset = b.load(b.gep(starts, [k])), b.mul(k, w_step)
            loaded = [vectors.load(b, vectors.vector_pointer(b, b.gep(p, [start]), vector)) for p in columns]
            new = []
            for i in range(MR):
                scalar = vectors.spread(b, b.load(b.gep(scalars[i], [offset])), vector.count)
                new += [vectors.multiply_add(b, scalar, loaded[j], sums[i * NV + j]) for j in range(NV)]
            return new

        for total, target in zip(vectors.loop(b, steps, [vectors.load(b, t) for t in targets], step), targets):
            vectors.store(b, total, target)
        return context.get_dummy_value()

    n = types.int64
    return types.void(n, w, n, n, n, x, n, starts, places, n, y, n, n), codegen


def _in_python(steps, w, w0, w_row, w_step, x, x0, starts, places, p0, y, y0, y_row):
    w, x, y = (a.reshape(-1) for a in (w, x, y))
    for i in range(MR):
        for j in range(NV):
            line = y[y0 + i * y_row + j * LANES :][:LANES]
            for k in range(steps):
                line += w[w0 + i * w_row + k * w_step] * x[x0 + starts[k] + places[p0 + j] :][:LANES]


if not JIT:
    tile = _in_python  # to step through


def whole(n: int, unit: int) -> int:
    """``n`` rounded up to whole units."""
    return -(-n // unit) * unit


def pack(w: np.ndarray) -> np.ndarray:
    """(O, K) as the tile reads it: panels of MR rows, in each of them column after column; zeros fill the last."""
    O, K = w.shape
    rows = np.zeros((whole(O, MR), K), w.dtype)
    rows[:O] = w
    return rows.reshape(-1, MR, K).transpose(0, 2, 1).copy()
