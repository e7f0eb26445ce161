"""Windows that slide over the rows of an image, a vector of them at a time.

With stride 1 the pixels that neighbouring windows see at one tap are neighbours themselves: one load. With stride 2
they are every second pixel: two loads, of which a shuffle picks the even lanes. Where a tap falls outside the row a
mask leaves it out. The gradient of an average gathers instead of scattering: for a vector of pixels of one row, what
each of the windows above them gives is loaded and added, so no two lanes ever write to one place. With stride 2 the
even and the odd pixels have different windows; they are summed apart and shuffled together at the end.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .totals import narrow, widen
from .vectors import (
    array_pointer,
    i64,
    lanes_between,
    load,
    loop,
    over_columns,
    shuffle,
    splat,
    spread,
    store,
    vector_pointer,
    vector_type,
    wins,
    zeros,
)

if JIT:

    def _tap(b, row, vector, column, W, stride):
        """Pixels ``column + stride*l`` of a row for each lane l, and the mask of those in the row (0 elsewhere)."""
        lanes, low, high = vector.count, b.sub(i64(0), column), b.sub(W, column)
        start = b.gep(row, [column])
        if stride == 1:
            mask = lanes_between(b, low, high, lanes)
            return load(b, vector_pointer(b, start, vector), mask), mask
        parts = [
            load(
                b,
                vector_pointer(b, start, vector, q),
                lanes_between(b, b.sub(low, i64(q * lanes)), b.sub(high, i64(q * lanes)), lanes),
            )
            for q in range(2)
        ]
        half = [b.ashr(b.add(bound, i64(1)), i64(1)) for bound in (low, high)]
        return shuffle(b, *parts, range(0, 2 * lanes, 2)), lanes_between(b, *half, lanes)

    def _over_taps(b, rows, KW, DW, row, step, j, PW, W, vector, stride, state, tap):
        """``state = tap(kh, kw, pixels, mask, state)`` for the taps of the windows from column j on: ``rows`` rows from
        the pointer ``row``, ``step`` apart."""

        def line(kh, state):
            here = b.gep(row, [b.mul(kh, step)])

            def pixel(kw, state):
                column = b.add(b.sub(b.mul(j, i64(stride)), PW), b.mul(kw, DW))
                return tap(kh, kw, *_tap(b, here, vector, column, W, stride), state)

            return loop(b, KW, state, pixel)

        return loop(b, rows, state, line)

    def _max_windows(stride):
        @intrinsic
        def max_windows(typingctx, y, where, at, OW, x, start, step, rows, first, KW, DW, PW, W):
            """A row of OW maxima to y[at:], and which tap each is to where[at:]. The windows' first row that lies in
            the image begins at x[start] and is their tap number ``first``; ``rows`` of them do, ``step`` apart."""

            def codegen(context, b, signature, args):
                y, where, at, OW, x, start, step, rows, first, KW, DW, PW, W = args
                out = array_pointer(context, b, signature.args[0], y, at)
                codes = array_pointer(context, b, signature.args[1], where, at)
                row = array_pointer(context, b, signature.args[4], x, start)
                vector = vector_type(out.type.pointee)
                lanes = vector.count
                code = ir.VectorType(codes.type.pointee, lanes)
                seen = ir.Constant(ir.VectorType(ir.IntType(1), lanes), [False] * lanes)

                def windows(j):
                    def tap(kh, kw, pixels, mask, state):
                        best, winner, seen = state
                        better = b.and_(mask, b.or_(wins(b, pixels, best), b.not_(seen)))
                        number = b.add(first, b.add(b.mul(kh, KW), kw))
                        number = b.trunc(number, code.element)
                        return [
                            b.select(better, pixels, best),
                            b.select(better, spread(b, number, lanes), winner),
                            b.or_(seen, mask),
                        ]

                    state = [splat(vector, float("-inf")), zeros(code), seen]
                    best, winner, _ = _over_taps(b, rows, KW, DW, row, step, j, PW, W, vector, stride, state, tap)
                    mask = lanes_between(b, i64(0), b.sub(OW, j), lanes)
                    store(b, best, vector_pointer(b, b.gep(out, [j]), vector), mask)
                    store(b, winner, vector_pointer(b, b.gep(codes, [j]), code), mask)

                over_columns(b, OW, lanes, windows)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(y, where, n64, n64, x, *[n64] * 8), codegen

        return max_windows

    def _average_windows(stride):
        @intrinsic
        def average_windows(typingctx, y, at, OW, x, start, step, rows, KW, PW, W, height, widths):
            """A row of OW window sums, added up in float64, over ``height * widths[j]``, to y[at:]. Other arguments as
            in ``max_windows``."""

            def codegen(context, b, signature, args):
                y, at, OW, x, start, step, rows, KW, PW, W, height, widths = args
                out = array_pointer(context, b, signature.args[0], y, at)
                row = array_pointer(context, b, signature.args[3], x, start)
                counts = array_pointer(context, b, signature.args[11], widths, i64(0))
                vector = vector_type(out.type.pointee)
                wide = ir.VectorType(ir.DoubleType(), vector.count)

                def windows(j):
                    def tap(kh, kw, pixels, mask, state):
                        return [b.fadd(state[0], widen(b, pixels))]

                    (total,) = _over_taps(b, rows, KW, i64(1), row, step, j, PW, W, vector, stride, [zeros(wide)], tap)
                    mask = lanes_between(b, i64(0), b.sub(OW, j), vector.count)
                    width = load(b, b.bitcast(b.gep(counts, [j]), wide.as_pointer()), mask)
                    total = b.fdiv(total, b.fmul(width, spread(b, height, vector.count)))
                    store(b, narrow(b, total, vector), vector_pointer(b, b.gep(out, [j]), vector), mask)

                over_columns(b, OW, vector.count, windows)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(y, n64, n64, x, *[n64] * 6, types.float64, widths), codegen

        return average_windows

    def _add_to_windows(stride):
        @intrinsic
        def add_to_windows(typingctx, gx, start, W, gy, at, rows, OW, KW, PW):
            """The adjoint of window sums for one row of pixels, gx[start:] (W of them): each is the sum of gy over the
            windows that it lies in, those of ``rows`` rows of OW from gy[at] on."""

            def codegen(context, b, signature, args):
                gx, start, W, gy, at, rows, OW, KW, PW = args
                line = array_pointer(context, b, signature.args[0], gx, start)
                g = array_pointer(context, b, signature.args[3], gy, at)
                vector = vector_type(g.type.pointee)
                lanes = vector.count

                def pixels(q):  # stride*(q + l) + r, in lane l of sum r
                    sums = []
                    for r in range(stride):
                        # Their window at tap kw is j = q + l + (r + PW - kw)/stride: every ``stride``-th kw has one.
                        offset = b.add(PW, i64(r))
                        first = b.and_(offset, i64(stride - 1))
                        taps = b.sdiv(b.sub(b.add(KW, i64(stride - 1)), first), i64(stride))
                        last = b.add(q, b.sdiv(b.sub(offset, first), i64(stride)))

                        def row(i, state, taps=taps, last=last):
                            here = b.gep(g, [b.mul(i, OW)])

                            def tap(k, state):
                                j = b.sub(last, k)
                                mask = lanes_between(b, b.sub(i64(0), j), b.sub(OW, j), lanes)
                                return [b.fadd(state[0], load(b, vector_pointer(b, b.gep(here, [j]), vector), mask))]

                            return loop(b, taps, state, tap)

                        sums += loop(b, rows, [zeros(vector)], row)
                    start = b.mul(q, i64(stride))
                    if stride == 2:
                        mix = [lane // 2 + lane % 2 * lanes for lane in range(2 * lanes)]
                        sums = [shuffle(b, *sums, mix[:lanes]), shuffle(b, *sums, mix[lanes:])]
                    for part, total in enumerate(sums):
                        mask = lanes_between(b, i64(0), b.sub(W, b.add(start, i64(part * lanes))), lanes)
                        store(b, total, vector_pointer(b, b.gep(line, [start]), vector, part), mask)

                over_columns(b, b.sdiv(b.add(W, i64(stride - 1)), i64(stride)), lanes, pixels)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(gx, n64, n64, gy, *[n64] * 5), codegen

        return add_to_windows

else:

    def _max_windows(stride):
        def max_windows(y, where, at, OW, x, start, step, rows, first, KW, DW, PW, W):
            for j in range(OW):
                best, winner, seen = y.dtype.type(-float("inf")), 0, False
                for kh in range(rows):
                    for kw in range(KW):
                        w = j * stride - PW + kw * DW
                        if 0 <= w < W and (not seen or formulas.wins(x[start + kh * step + w], best)):
                            best, winner, seen = x[start + kh * step + w], first + kh * KW + kw, True
                y[at + j], where[at + j] = best, winner

        return max_windows

    def _average_windows(stride):
        def average_windows(y, at, OW, x, start, step, rows, KW, PW, W, height, widths):
            for j in range(OW):
                low, high = max(j * stride - PW, 0), min(j * stride - PW + KW, W)
                total = sum([float(x[start + kh * step + w]) for kh in range(rows) for w in range(low, high)], 0.0)
                y[at + j] = total / (height * widths[j])

        return average_windows

    def _add_to_windows(stride):
        def add_to_windows(gx, start, W, gy, at, rows, OW, KW, PW):
            gx[start : start + W] = 0
            for i in range(rows):
                for j in range(OW):
                    for w in range(max(j * stride - PW, 0), min(j * stride - PW + KW, W)):
                        gx[start + w] += gy[at + i * OW + j]

        return add_to_windows


max_windows_1, max_windows_2 = _max_windows(1), _max_windows(2)
average_windows_1, average_windows_2 = _average_windows(1), _average_windows(2)
add_to_windows_1, add_to_windows_2 = _add_to_windows(1), _add_to_windows(2)
