"""The register tile of matrix products.

    out[i, j] (+)= sum over k of  S[row(i) + k*step] * V[columns[k] + j]        for i < MR, j < NV * lanes

The MR x NV vectors of the result stay in registers for the whole sum. Each step k loads NV vectors of V and
broadcasts MR scalars of S, and does MR*NV fused multiply-adds with them: few loads for much arithmetic. The scalars
are S[s + k*step + i] (``unit``: a transposed matrix) or S[rows[i] + k*step]. Convolutions have tiles of their own, in
``lane_tiles.py``.

Numba's own vectorizer does not keep such a tile in registers, so the loop is written in LLVM's instructions. A tile
at the border has fewer rows or columns: it runs the same loop with masked loads and stores, so nothing outside is
ever touched. Under ``NUMBA_DISABLE_JIT=1`` the lines of :func:`_in_python` stand in for it.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import types
from numba.extending import intrinsic

from .arrays import lanes_of
from .compile import JIT, jit
from .target import TILES
from .vectors import (
    array_pointer,
    at_most,
    i64,
    lanes_between,
    load,
    loop,
    multiply_add,
    spread,
    store,
    vector_pointer,
    vector_type,
    zeros,
)

ZERO, ADD = 0, 1  # what a sum starts from: nothing, or what is in out


def _in_python(unit, k_count, S, s, step, rows, V, v, columns, out, o, stride, m, n, start):
    for i in range(m):
        first = s + (i if unit else rows[i])
        total = out[o + i * stride :][:n].copy() if start == ADD else np.zeros(n, out.dtype)
        for k in range(k_count):
            total = total + S[first + k * step] * V[v + columns[k] :][:n]
        out[o + i * stride :][:n] = total


def make_tile(MR: int, NV: int, unit: bool):
    """A tile as a function for use in kernels, for float32 and float64 alike.

    Its arguments, with 1-D arrays and element offsets: ``k_count`` steps; scalars ``S[s + k*step + (i or rows[i])]``;
    vectors ``V[v + columns[k] + j]``; the result ``out[o + i*stride + j]`` for i < m <= MR, j < n <= NV*lanes; what
    the sum starts from, ``ZERO`` or, to ``ADD``, what is in ``out``.
    """
    if not JIT:
        return functools.partial(_in_python, unit)

    @intrinsic
    def tile(typingctx, k_count, S, s, step, rows, V, v, columns, out, o, stride, m, n, start):
        n64 = types.int64
        signature = types.void(n64, S, n64, n64, rows, V, n64, columns, out, n64, n64, n64, n64, n64)

        def codegen(context, builder, sig, args):
            _Emit(context, builder, sig.args, args, MR, NV, unit).whole()
            return context.get_dummy_value()

        return signature, codegen

    return tile


class _Emit:
    """Writes one tile's instructions."""

    def __init__(self, context, builder, kinds, args, MR, NV, unit):
        self.b, self.MR, self.NV, self.unit = builder, MR, NV, unit
        (self.k_count, S, s, self.step, rows, V, v, columns, out, o,
         self.stride, self.m, self.n, self.start) = args  # fmt: skip

        def pointer(position, array, offset):
            return array_pointer(context, builder, kinds[position], array, offset)

        self.S, self.V, self.out = pointer(1, S, s), pointer(5, V, v), pointer(8, out, o)
        self.rows, self.columns = pointer(4, rows, i64(0)), pointer(7, columns, i64(0))
        self.vector = vector_type(self.out.type.pointee)
        self.lanes = self.vector.count

    def whole(self):
        """Two versions: a full tile, and one at the border, which goes by masks."""
        b = self.b
        full = b.and_(b.icmp_signed("==", self.m, i64(self.MR)), b.icmp_signed("==", self.n, i64(self.NV * self.lanes)))
        with b.if_else(full, likely=True) as (inside, border):
            with inside:
                self.body(None)
            with border:
                self.body(
                    [lanes_between(b, i64(0), b.sub(self.n, i64(j * self.lanes)), self.lanes) for j in range(self.NV)]
                )

    def body(self, masks):
        """Start, loop and end; with ``masks`` (one a column of vectors) only m rows are read and written."""
        b, MR, NV = self.b, self.MR, self.NV
        mask = masks or [None] * NV
        last_row = b.sub(self.m, i64(1))

        def row(i):  # a row beyond the m-th repeats the last: computed, but not stored
            return i64(i) if masks is None else at_most(b, i64(i), last_row)

        def at(pointer, j):
            return vector_pointer(b, pointer, self.vector, j)

        outs = [b.gep(self.out, [b.mul(self.stride, row(i))]) for i in range(MR)]
        first = [value for out in outs for value in self.initial(out, mask)]
        offsets = [row(i) if self.unit else b.load(b.gep(self.rows, [row(i)])) for i in range(MR)]
        scalars = [b.gep(self.S, [offset]) for offset in offsets]

        def step(k, sums):
            base = b.gep(self.V, [b.load(b.gep(self.columns, [k]))])
            vectors = [load(b, at(base, j), mask[j]) for j in range(NV)]
            offset = b.mul(k, self.step)
            new = []
            for i in range(MR):
                scalar = spread(b, b.load(b.gep(scalars[i], [offset])), self.lanes)
                new += [multiply_add(b, scalar, vectors[j], sums[i * NV + j]) for j in range(NV)]
            return new

        sums = loop(b, self.k_count, first, step)

        def put(i):
            for j in range(NV):
                store(b, sums[i * NV + j], at(outs[i], j), mask[j])

        for i in range(MR):
            if masks is None:
                put(i)
            else:
                with b.if_then(b.icmp_signed("<", i64(i), self.m)):
                    put(i)

    def initial(self, out, mask):
        """What a row's sums start from."""
        b = self.b
        before, old, begun = b.block, b.append_basic_block("old"), b.append_basic_block("begun")
        b.cbranch(b.icmp_signed("==", self.start, i64(ADD)), old, begun)
        b.position_at_end(old)
        loaded = [load(b, vector_pointer(b, out, self.vector, j), mask[j]) for j in range(self.NV)]
        b.branch(begun)
        b.position_at_end(begun)
        phis = [b.phi(self.vector) for _ in loaded]
        for phi, value in zip(phis, loaded, strict=True):
            phi.add_incoming(zeros(self.vector), before)
            phi.add_incoming(value, old)
        return phis


MR, NV = TILES[0]
_tile_unit, _tile_rows = make_tile(MR, NV, unit=True), make_tile(MR, NV, unit=False)
_column_unit, _column_rows = make_tile(MR, 1, unit=True), make_tile(MR, 1, unit=False)


@jit(apart=True)
def panel_unit(k_count, S, s, step, V, v, columns, out, o, stride, m, n, start):
    """A row of tiles: m <= MR rows and any number n of columns, with the scalars S[s + k*step + i]."""
    lanes = lanes_of(out)
    j = 0
    while n - j > (NV - 1) * lanes:
        width = min(n - j, NV * lanes)
        _tile_unit(k_count, S, s, step, columns, V, v + j, columns, out, o + j, stride, m, width, start)
        j += width
    for q in range(j, n, lanes):
        _column_unit(k_count, S, s, step, columns, V, v + q, columns, out, o + q, stride, m, min(n - q, lanes), start)


@jit(apart=True)
def panel_rows(k_count, S, s, step, rows, V, v, columns, out, o, stride, m, n, start):
    """A row of tiles: m <= MR rows and any number n of columns, with the scalars S[s + rows[i] + k*step]."""
    lanes = lanes_of(out)
    j = 0
    while n - j > (NV - 1) * lanes:
        width = min(n - j, NV * lanes)
        _tile_rows(k_count, S, s, step, rows, V, v + j, columns, out, o + j, stride, m, width, start)
        j += width
    for q in range(j, n, lanes):
        _column_rows(k_count, S, s, step, rows, V, v + q, columns, out, o + q, stride, m, min(n - q, lanes), start)
