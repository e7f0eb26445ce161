"""The register tile: the one inner loop that matrix products and convolutions share.

    out[i, j] (+)= sum over k of  S[row(i) + k*step] * V[column(k) + j]        for i < MR, j < NV * lanes

The MR x NV vectors of the result stay in registers for the whole sum. Each step k loads NV vectors of V and broadcasts MR
scalars of S, and does MR*NV fused multiply-adds with them: few loads for much arithmetic. Where the vectors come from is
up to a table, ``column(k)``: for a matrix product it walks down the rows of the right-hand matrix, for a convolution it
visits the taps of the kernel in a padded image, and no im2col buffer exists (*implicit GEMM*). The scalars are S[s + k*step
+ i] (``tile_unit``: packed weights, or a transposed matrix) or S[rows[i] + k*step] (``tile_rows``: MR pointers).

Numba's own vectorizer does not keep such a tile in registers, so the loop is written in LLVM's instructions. A tile at the
border has fewer rows or columns: it runs the same loop with masked loads and stores, so nothing outside is ever touched.
Under ``NUMBA_DISABLE_JIT=1`` the five lines of :func:`_in_python` stand in for it.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compile import JIT, jit
from .target import TILES, VECTOR_BYTES

ZERO, BIAS, ADD = 0, 1, 2  # what a sum starts from: nothing, bias[i], or what is in out

_I32, _I64 = ir.IntType(32), ir.IntType(64)


def _in_python(unit, k_count, S, s, step, rows, row0, V, v, columns, out, o, stride, m, n, start, bias, b):
    for i in range(m):
        first = s + i if unit else s + rows[row0 + i]
        total = out[o + i * stride :][:n] if start == ADD else np.full(n, bias[b + i] if start == BIAS else 0, out.dtype)
        for k in range(k_count):
            total = total + S[first + k * step] * V[v + columns[k] :][:n]
        out[o + i * stride :][:n] = total


def make_tile(MR: int, NV: int, unit: bool):
    """A tile as a function for use in kernels, for float32 and float64 alike.

    Its arguments, with 1-D arrays and element offsets: ``k_count`` steps; scalars ``S[s + k*step + (i or rows[row0 + i])]``;
    vectors ``V[v + columns[k] + j]``; the result ``out[o + i*stride + j]`` for i < m <= MR, j < n <= NV*lanes; ``start``.
    """
    if not JIT:

        def tile(*arguments):
            _in_python(unit, *arguments)

        return tile

    @intrinsic
    def tile(typingctx, k_count, S, s, step, rows, row0, V, v, columns, out, o, stride, m, n, start, bias, b):
        i64 = types.int64
        signature = types.void(i64, S, i64, i64, rows, i64, V, i64, columns, out, i64, i64, i64, i64, i64, bias, i64)

        def codegen(context, builder, sig, args):
            _Emit(context, builder, sig.args, args, MR, NV, unit).whole()
            return context.get_dummy_value()

        return signature, codegen

    return tile


class _Emit:
    """Writes one tile's instructions."""

    def __init__(self, context, builder, kinds, args, MR, NV, unit):
        self.b, self.MR, self.NV, self.unit = builder, MR, NV, unit
        (self.k_count, S, s, self.step, rows, row0, V, v, columns, out, o, self.stride, self.m, self.n, self.start, bias,
         bias0) = args  # fmt: skip

        def pointer(position, array, offset):
            data = context.make_array(kinds[position])(context, builder, array).data
            return builder.gep(data, [offset])

        self.S, self.V, self.out = pointer(1, S, s), pointer(6, V, v), pointer(9, out, o)
        self.rows, self.columns = pointer(4, rows, row0), pointer(8, columns, ir.Constant(_I64, 0))
        self.bias = pointer(15, bias, bias0)
        scalar = self.out.type.pointee
        self.lanes = VECTOR_BYTES // (4 if isinstance(scalar, ir.FloatType) else 8)
        self.name = f"v{self.lanes}f{8 * VECTOR_BYTES // self.lanes}"
        self.vector = ir.VectorType(scalar, self.lanes)
        self.mask = ir.VectorType(ir.IntType(1), self.lanes)
        self.zero = ir.Constant(self.vector, [0.0] * self.lanes)

    def whole(self):
        b, full_columns = self.b, ir.Constant(_I64, self.NV * self.lanes)
        full = b.and_(b.icmp_signed("==", self.m, ir.Constant(_I64, self.MR)), b.icmp_signed("==", self.n, full_columns))
        with b.if_else(full, likely=True) as (inside, border):
            with inside:
                self.body(None)
            with border:
                lane = ir.Constant(ir.VectorType(_I64, self.lanes), list(range(self.lanes)))
                masks = []
                for j in range(self.NV):
                    left = b.sub(self.n, ir.Constant(_I64, j * self.lanes))
                    masks.append(b.icmp_signed("<", lane, self.spread(left)))
                self.body(masks)

    def spread(self, scalar):
        """A scalar in every lane."""
        b, kind = self.b, ir.VectorType(scalar.type, self.lanes)
        one = b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(_I32, 0))
        return b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_I32, self.lanes), [0] * self.lanes))

    def at(self, pointer, j):
        """The j-th vector from a pointer to scalars."""
        return self.b.bitcast(self.b.gep(pointer, [ir.Constant(_I64, j * self.lanes)]), self.vector.as_pointer())

    def load(self, pointer, mask):
        b, align = self.b, self.vector.element
        if mask is None:
            return b.load(pointer, align=4 if isinstance(align, ir.FloatType) else 8)
        kind = ir.FunctionType(self.vector, [self.vector.as_pointer(), _I32, self.mask, self.vector])
        function = cgutils.get_or_insert_function(b.module, kind, f"llvm.masked.load.{self.name}.p0")
        return b.call(function, [pointer, ir.Constant(_I32, 4), mask, self.zero])

    def store(self, value, pointer, mask):
        b = self.b
        if mask is None:
            b.store(value, pointer, align=4 if isinstance(self.vector.element, ir.FloatType) else 8)
            return
        kind = ir.FunctionType(ir.VoidType(), [self.vector, self.vector.as_pointer(), _I32, self.mask])
        function = cgutils.get_or_insert_function(b.module, kind, f"llvm.masked.store.{self.name}.p0")
        b.call(function, [value, pointer, ir.Constant(_I32, 4), mask])

    def body(self, masks):
        """The tile's start, loop and end; with ``masks`` (one a column of vectors) only m rows are read and written."""
        b, MR, NV = self.b, self.MR, self.NV
        column_mask = masks or [None] * NV
        last_row = b.sub(self.m, ir.Constant(_I64, 1))

        def row(i):  # a row beyond the m-th repeats the last: computed, but not stored
            i = ir.Constant(_I64, i)
            return i if masks is None else b.select(b.icmp_signed("<", i, last_row), i, last_row)

        outs = [b.gep(self.out, [b.mul(self.stride, row(i))]) for i in range(MR)]
        start = [self.initial(row(i), outs[i], column_mask) for i in range(MR)]
        if self.unit:
            scalars = [b.gep(self.S, [row(i)]) for i in range(MR)]
        else:
            scalars = [b.gep(self.S, [b.load(b.gep(self.rows, [row(i)]))]) for i in range(MR)]

        kind = ir.FunctionType(self.vector, [self.vector] * 3)
        fma = cgutils.get_or_insert_function(b.module, kind, f"llvm.fma.{self.name}")

        def step(k, sums):
            base = b.gep(self.V, [b.load(b.gep(self.columns, [k]))])
            vectors = [self.load(self.at(base, j), column_mask[j]) for j in range(NV)]
            offset = b.mul(k, self.step)
            new = []
            for i in range(MR):
                scalar = self.spread(b.load(b.gep(scalars[i], [offset])))
                new += [b.call(fma, [scalar, vectors[j], sums[i * NV + j]]) for j in range(NV)]
            return new

        sums = self.loop([v for line in start for v in line], step)
        for i in range(MR):
            def put(i=i):
                for j in range(NV):
                    self.store(sums[i * NV + j], self.at(outs[i], j), column_mask[j])

            if masks is None:
                put()
            else:
                with b.if_then(b.icmp_signed("<", ir.Constant(_I64, i), self.m)):
                    put()

    def initial(self, i, out, column_mask):
        """What row i's sums start from."""
        b = self.b
        cases = [b.append_basic_block("start") for _ in range(3)]
        done = b.append_basic_block("started")
        switch = b.switch(self.start, cases[ZERO])
        switch.add_case(ir.Constant(_I64, BIAS), cases[BIAS])
        switch.add_case(ir.Constant(_I64, ADD), cases[ADD])
        values = {}
        for case in (ZERO, BIAS, ADD):
            b.position_at_end(cases[case])
            if case == ZERO:
                values[case] = [self.zero] * self.NV
            elif case == BIAS:
                values[case] = [self.spread(b.load(b.gep(self.bias, [i])))] * self.NV
            else:
                values[case] = [self.load(self.at(out, j), column_mask[j]) for j in range(self.NV)]
            cases[case] = b.block
            b.branch(done)
        b.position_at_end(done)
        line = []
        for j in range(self.NV):
            phi = b.phi(self.vector)
            for case in (ZERO, BIAS, ADD):
                phi.add_incoming(values[case][j], cases[case])
            line.append(phi)
        return line

    def loop(self, state, step):
        """``for k in range(k_count): state = step(k, state)``, with the state in registers."""
        b = self.b
        before, head, after = b.block, b.append_basic_block("k"), b.append_basic_block("end")
        nothing = b.icmp_signed("<=", self.k_count, ir.Constant(_I64, 0))
        b.cbranch(nothing, after, head)
        b.position_at_end(head)
        k = b.phi(_I64)
        k.add_incoming(ir.Constant(_I64, 0), before)
        phis = []
        for value in state:
            phi = b.phi(value.type)
            phi.add_incoming(value, before)
            phis.append(phi)
        new = step(k, phis)
        following = b.add(k, ir.Constant(_I64, 1))
        k.add_incoming(following, b.block)
        for phi, value in zip(phis, new):
            phi.add_incoming(value, b.block)
        last = b.block
        b.cbranch(b.icmp_signed("<", following, self.k_count), head, after)
        b.position_at_end(after)
        results = []
        for value, initial in zip(new, state):
            phi = b.phi(value.type)
            phi.add_incoming(initial, before)
            phi.add_incoming(value, last)
            results.append(phi)
        return results


(WIDE_ROWS, WIDE_VECTORS), (SLIM_ROWS, SLIM_VECTORS) = TILES
_wide_unit, _wide_rows = make_tile(*TILES[0], unit=True), make_tile(*TILES[0], unit=False)
_slim_unit, _slim_rows = make_tile(*TILES[1], unit=True), make_tile(*TILES[1], unit=False)
_wide_unit_1, _wide_rows_1 = make_tile(WIDE_ROWS, 1, unit=True), make_tile(WIDE_ROWS, 1, unit=False)
_slim_unit_1, _slim_rows_1 = make_tile(SLIM_ROWS, 1, unit=True), make_tile(SLIM_ROWS, 1, unit=False)


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
            _wide_unit_1(k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b)
    else:
        while n - j > lanes:
            width = min(n - j, SLIM_VECTORS * lanes)
            _slim_unit(k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _slim_unit_1(k_count, S, s, step, columns, 0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b)


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
            _wide_rows_1(k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b)
    else:
        while n - j > lanes:
            width = min(n - j, SLIM_VECTORS * lanes)
            _slim_rows(k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, width, start, bias, b)
            j += width
        if j < n:
            _slim_rows_1(k_count, S, s, step, rows, row0, V, v + j, columns, out, o + j, stride, m, n - j, start, bias, b)
