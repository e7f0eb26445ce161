"""The register tile: the one inner loop that matrix products and convolutions share.

    out[i, j] (+)= sum over k of  S[row(i) + k*step] * V[column(k) + j]        for i < MR, j < NV * lanes

The MR x NV vectors of the result stay in registers for the whole sum. Each step k loads NV vectors of V and
broadcasts MR scalars of S, and does MR*NV fused multiply-adds with them: few loads for much arithmetic. Where the
vectors come from is up to a table, ``column(k)``: for a matrix product it walks down the rows of the right-hand
matrix, for a convolution it visits the taps of the kernel in a padded image, and no im2col buffer exists (*implicit
GEMM*). The scalars are S[s + k*step + i] (``tile_unit``: packed weights, or a transposed matrix) or S[rows[i] +
k*step] (``tile_rows``: MR pointers).

Numba's own vectorizer does not keep such a tile in registers, so the loop is written in LLVM's instructions. A tile
at the border has fewer rows or columns: it runs the same loop with masked loads and stores, so nothing outside is
ever touched. Under ``NUMBA_DISABLE_JIT=1`` the five lines of :func:`_in_python` stand in for it.
"""

from __future__ import annotations

import functools

import numpy as np
from numba import types
from numba.extending import intrinsic

from .compile import JIT, jit
from .target import TILES, VECTOR_BYTES
from .vectors import (
    array_pointer,
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

ZERO, BIAS, ADD = 0, 1, 2  # what a sum starts from: nothing, bias[i], or what is in out


def _in_python(unit, k_count, S, s, step, rows, row0, V, v, columns, out, o, stride, m, n, start, bias, b):
    for i in range(m):
        first = s + i if unit else s + rows[row0 + i]
        total = (
            out[o + i * stride :][:n] if start == ADD else np.full(n, bias[b + i] if start == BIAS else 0, out.dtype)
        )
        for k in range(k_count):
            total = total + S[first + k * step] * V[v + columns[k] :][:n]
        out[o + i * stride :][:n] = total


def make_tile(MR: int, NV: int, unit: bool):
    """A tile as a function for use in kernels, for float32 and float64 alike.

    Its arguments, with 1-D arrays and element offsets: ``k_count`` steps; scalars ``S[s + k*step + (i or rows[row0 +
    i])]``; vectors ``V[v + columns[k] + j]``; the result ``out[o + i*stride + j]`` for i < m <= MR, j < n <=
    NV*lanes; ``start``.
    """
    if not JIT:
        return functools.partial(_in_python, unit)

    @intrinsic
    def tile(typingctx, k_count, S, s, step, rows, row0, V, v, columns, out, o, stride, m, n, start, bias, b):
        n64 = types.int64
        signature = types.void(n64, S, n64, n64, rows, n64, V, n64, columns, out, n64, n64, n64, n64, n64, bias, n64)

        def codegen(context, builder, sig, args):
            _Emit(context, builder, sig.args, args, MR, NV, unit).whole()
            return context.get_dummy_value()

        return signature, codegen

    return tile


class _Emit:
    """Writes one tile's instructions."""

    def __init__(self, context, builder, kinds, args, MR, NV, unit):
        self.b, self.MR, self.NV, self.unit = builder, MR, NV, unit
        (self.k_count, S, s, self.step, rows, row0, V, v, columns, out, o,
         self.stride, self.m, self.n, self.start, bias, bias0) = args  # fmt: skip

        def pointer(position, array, offset):
            return array_pointer(context, builder, kinds[position], array, offset)

        self.S, self.V, self.out = pointer(1, S, s), pointer(6, V, v), pointer(9, out, o)
        self.rows, self.columns = pointer(4, rows, row0), pointer(8, columns, i64(0))
        self.bias = pointer(15, bias, bias0)
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
            return i64(i) if masks is None else b.select(b.icmp_signed("<", i64(i), last_row), i64(i), last_row)

        def at(pointer, j):
            return vector_pointer(b, pointer, self.vector, j)

        outs = [b.gep(self.out, [b.mul(self.stride, row(i))]) for i in range(MR)]
        first = [value for i in range(MR) for value in self.initial(row(i), outs[i], mask)]
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

    def initial(self, i, out, mask):
        """What row i's sums start from."""
        b = self.b
        makers = {
            ZERO: lambda: [zeros(self.vector)] * self.NV,
            BIAS: lambda: [spread(b, b.load(b.gep(self.bias, [i])), self.lanes)] * self.NV,
            ADD: lambda: [load(b, vector_pointer(b, out, self.vector, j), mask[j]) for j in range(self.NV)],
        }
        blocks = {case: b.append_basic_block("start") for case in makers}
        done = b.append_basic_block("started")
        switch = b.switch(self.start, blocks[ZERO])
        line = {}
        for case, make in makers.items():
            if case != ZERO:
                switch.add_case(i64(case), blocks[case])
            b.position_at_end(blocks[case])
            line[case] = make()
            b.branch(done)
        b.position_at_end(done)
        phis = [b.phi(self.vector) for _ in range(self.NV)]
        for j, phi in enumerate(phis):
            for case, block in blocks.items():
                phi.add_incoming(line[case][j], block)
        return phis


def _dots_in_python(NR, length, S, s, stride, V, v, columns, c, sums, q, m, n):
    lanes = VECTOR_BYTES // sums.itemsize
    for i in range(m):
        for j in range(n):
            at = q + (i * NR + j) * lanes
            for p in range(length):
                sums[at + p % lanes] += S[s + i * stride + p] * V[v + columns[c + j] + p]


def make_dots(MR: int, NR: int):
    """A tile whose lanes run along the sum, for results with fewer columns than a vector has lanes:

        sums[i, j, :] += S[s + i*stride + p] * V[v + columns[c + j] + p]      p < length, lane by lane

    MR x NR running sums, a vector each, which the caller adds up across lanes at the very end (:func:`add_lanes`).
    Fewer rows and columns (m, n) repeat the last one; what lies beyond ``length`` is not read.
    """
    if not JIT:
        return functools.partial(_dots_in_python, NR)

    @intrinsic
    def dots(typingctx, length, S, s, stride, V, v, columns, c, sums, q, m, n):
        def codegen(context, b, sig, args):
            length, S, s, stride, V, v, columns, c, sums, q, m, n = args
            S, V = array_pointer(context, b, sig.args[1], S, s), array_pointer(context, b, sig.args[4], V, v)
            columns = array_pointer(context, b, sig.args[6], columns, c)
            sums = array_pointer(context, b, sig.args[8], sums, q)
            vector = vector_type(sums.type.pointee)
            lanes = vector.count

            def up_to(i, count):
                last = b.sub(count, i64(1))
                return b.select(b.icmp_signed("<", i64(i), last), i64(i), last)

            left = [b.gep(S, [b.mul(up_to(i, m), stride)]) for i in range(MR)]
            right = [b.gep(V, [b.load(b.gep(columns, [up_to(j, n)]))]) for j in range(NR)]
            places = [vector_pointer(b, sums, vector, k) for k in range(MR * NR)]

            def step(mask=None):
                def body(k, totals):
                    p = b.mul(k, i64(lanes)) if mask is None else k
                    ys = [load(b, vector_pointer(b, b.gep(pointer, [p]), vector), mask) for pointer in right]
                    new = []
                    for i in range(MR):
                        x = load(b, vector_pointer(b, b.gep(left[i], [p]), vector), mask)
                        new += [multiply_add(b, x, ys[j], totals[i * NR + j]) for j in range(NR)]
                    return new

                return body

            whole = b.sdiv(length, i64(lanes))
            totals = loop(b, whole, [load(b, place) for place in places], step())
            done = b.mul(whole, i64(lanes))
            totals = step(lanes_between(b, i64(0), b.sub(length, done), lanes))(done, totals)
            for total, place in zip(totals, places, strict=True):
                store(b, total, place)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(n64, S, n64, n64, V, n64, columns, n64, sums, n64, n64, n64), codegen

    return dots


@jit
def add_lanes(sums, q):
    """The sum of one vector of running sums, lane after lane."""
    total = sums[q]
    for lane in range(1, VECTOR_BYTES // sums.itemsize):
        total += sums[q + lane]
    return total


(WIDE_ROWS, WIDE_VECTORS), (SLIM_ROWS, SLIM_VECTORS) = TILES
_wide_unit, _wide_rows = make_tile(*TILES[0], unit=True), make_tile(*TILES[0], unit=False)
_slim_unit, _slim_rows = make_tile(*TILES[1], unit=True), make_tile(*TILES[1], unit=False)
_wide_unit_1, _wide_rows_1 = make_tile(WIDE_ROWS, 1, unit=True), make_tile(WIDE_ROWS, 1, unit=False)
_slim_unit_1, _slim_rows_1 = make_tile(SLIM_ROWS, 1, unit=True), make_tile(SLIM_ROWS, 1, unit=False)

dots = make_dots(SLIM_ROWS, SLIM_VECTORS)


def best_rows(n: int) -> int:
    """The number of rows a tile should have to cut n rows with the least waste."""
    return min((WIDE_ROWS, SLIM_ROWS), key=lambda rows: (-(-n // rows) * rows, -rows))


@jit
def panel_unit(MR, k_count, S, s, step, V, v, columns, out, o, stride, m, n, start, bias, b):
    """A row of tiles: m <= MR rows and any number n of columns, with the scalars S[s + k*step + i]."""
    lanes = VECTOR_BYTES // out.itemsize
    j = 0
    if MR == WIDE_ROWS:
        while n - j > lanes:
            width = min(n - j, WIDE_VECTORS * lanes)
            _wide_unit(k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _wide_unit_1(
                k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b
            )
    else:
        while n - j > lanes:
            width = min(n - j, SLIM_VECTORS * lanes)
            _slim_unit(k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _slim_unit_1(
                k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b
            )


@jit
def panel_rows(MR, k_count, S, s, step, rows, row0, V, v, columns, out, o, stride, m, n, start, bias, b):
    """A row of tiles: m <= MR rows and any number n of columns, with the scalars S[s + rows[row0 + i] + k*step]."""
    lanes = VECTOR_BYTES // out.itemsize
    j = 0
    if MR == WIDE_ROWS:
        while n - j > lanes:
            width = min(n - j, WIDE_VECTORS * lanes)
            _wide_rows(k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _wide_rows_1(
                k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b
            )
    else:
        while n - j > lanes:
            width = min(n - j, SLIM_VECTORS * lanes)
            _slim_rows(k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _slim_rows_1(
                k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b
            )
