"""The tiles of convolutions, for vectors with an image in each lane (``lanes.py``).

    image_tile    out[i, p, :] = w[0, i] + sum over k of w[rows[k], i] * x[taps[k] + places[p]]
                  (or with output channels in the lanes: w[rows[k], i, :] times one number of x)
    window_tile   the same at the four pixels of a window, of which max(0, the largest) is kept
    image_dots    sums[j, i] += sum over p and lanes of gy[p, i, :] * x[taps[j] + places[p]]
    window_dots   the same, where only the largest of a window's four pixels has a gy

They keep all their sums in registers (``target.py``). ``image_tile`` loads a vector for each position and broadcasts a
weight for each row (or the other way round); ``image_dots`` holds its rows of gy and loads a vector for each tap, and
adds across lanes once, at its end. Where a tile has fewer positions or taps than it could, it repeats the last one.
"""

from __future__ import annotations

import functools

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from ..formulas import NOBODY
from .arrays import lanes_of
from .compile import JIT
from .vectors import (
    added_up,
    array_pointer,
    at_most,
    i64,
    in_order,
    load,
    loop,
    multiply_add,
    spread,
    store,
    vector_pointer,
    vector_type,
    winner_of,
    zeros,
)

if JIT:

    def make_image_tile(MR: int, NP: int, channels: bool = False):
        """MR outputs at NP positions, the weights of a step side by side:

            out[o + i*row + to[p]] = w[q + i] + sum over k of w[q + rows[k] + i] * x[taps[k] + places[p]]

        for i < MR, first <= k < first + steps and p0 <= p < min(p0 + NP, last + 1); all offsets count elements. With
        ``add``, the sum is added to what is there. An x is a vector of images, a w one number; with ``channels``, w[i]
        is the i-th vector of them, for LANES outputs, and an x one number.
        """

        @intrinsic
        def image_tile(typingctx, steps, first, w, q, rows, x, taps, places, to, p0, last, out, o, row, add):
            def codegen(context, b, signature, args):
                to, p0, last, out, o, row, add = args[8:]
                to, out = (
                    array_pointer(context, b, signature.args[k], *of) for k, *of in ((8, to, i64(0)), (11, out, o))
                )
                positions = [at_most(b, b.add(p0, i64(p)), last) for p in range(NP)]
                sums = _sums(context, b, signature.args, args, MR, positions, out, channels)
                lines = [b.gep(out, [b.mul(row, i64(i))]) for i in range(MR)]
                goals = [b.load(b.gep(to, [p])) for p in positions]
                places = [vector_pointer(b, b.gep(line, [goal]), sums[0].type) for line in lines for goal in goals]
                with b.if_else(b.icmp_signed("!=", add, i64(0))) as (more, fresh):
                    with more:  # all loads before all stores: the last position may be there several times
                        totals = [b.fadd(value, load(b, place)) for value, place in zip(sums, places, strict=True)]
                        for value, place in zip(totals, places, strict=True):
                            store(b, value, place)
                    with fresh:
                        for value, place in zip(sums, places, strict=True):
                            store(b, value, place)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(n64, n64, w, n64, rows, x, taps, places, to, n64, n64, out, n64, n64, n64), codegen

        return image_tile

    def make_window_tile(MR: int):
        """MR outputs at the positions 4p to 4p + 3, which are the pixels of window p, row by row: what
        :func:`make_image_tile` says, of which the largest, or 0 if that is more, goes to

            out[o + i*row + to[p]],  and which of the four it is, or NOBODY, to the same place of ``codes``.

        The first of equals wins, and NaN over numbers.
        """

        @intrinsic
        def window_tile(typingctx, steps, first, w, q, rows, x, taps, places, to, p, out, codes, o, row):
            def codegen(context, b, signature, args):
                to, p, out, codes, o, row = args[8:]
                kinds = signature.args
                to, out, codes = (
                    array_pointer(context, b, kinds[k], *of)
                    for k, *of in ((8, to, i64(0)), (10, out, o), (11, codes, o))
                )
                positions = [b.add(b.mul(p, i64(4)), i64(k)) for k in range(4)]
                sums = _sums(context, b, kinds, args, MR, positions, out)
                zero, goal = zeros(sums[0].type), b.load(b.gep(to, [p]))
                nobody = spread(b, ir.Constant(ir.IntType(8), NOBODY), zero.type.count)
                for i in range(MR):
                    best, winner = winner_of(b, sums[4 * i : 4 * i + 4])
                    kept, place = b.fcmp_unordered(">", best, zero), b.add(goal, b.mul(row, i64(i)))
                    store(b, b.select(kept, best, zero), vector_pointer(b, b.gep(out, [place]), zero.type))
                    store(b, b.select(kept, winner, nobody), vector_pointer(b, b.gep(codes, [place]), nobody.type))
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(n64, n64, w, n64, rows, x, taps, places, to, n64, out, codes, n64, n64), codegen

        return window_tile

    def _sums(context, b, kinds, args, MR, positions, out, channels=False):
        """The loop of both tiles, whose first eight arguments are alike: the sums of MR rows, each at all positions."""
        steps, first, w, q, rows, x, taps, places = args[:8]
        w, x = (array_pointer(context, b, kinds[k], *of) for k, *of in ((2, w, q), (5, x, i64(0))))
        rows, taps = (array_pointer(context, b, kinds[4], table, first) for table in (rows, taps))
        places = array_pointer(context, b, kinds[7], places, i64(0))
        vector, NP = vector_type(out.type.pointee), len(positions)
        offsets = [b.load(b.gep(places, [p])) for p in positions]

        def weights(row):
            line = b.gep(w, [row])
            return [spread(b, b.load(b.gep(line, [i64(i)])), vector.count) for i in range(MR)]

        def step(k, sums):
            base = b.gep(x, [b.load(b.gep(taps, [k]))])
            xs = [load(b, vector_pointer(b, b.gep(base, [offset]), vector)) for offset in offsets]
            new = []
            for i, weight in enumerate(weights(b.load(b.gep(rows, [k])))):
                new += [multiply_add(b, weight, xs[p], sums[i * NP + p]) for p in range(NP)]
            return new

        def vectors(row):
            line = b.gep(w, [row])
            return [load(b, vector_pointer(b, line, vector, i)) for i in range(MR)]

        def step_of_channels(k, sums):
            ws, tap = vectors(b.load(b.gep(rows, [k]))), b.load(b.gep(taps, [k]))
            new = []
            for p, pixel in enumerate(pixels):
                in_order(b)  # or the compiler loads all numbers before it multiplies, and has no registers for them
                number = spread(b, b.load(b.gep(pixel, [tap])), vector.count)
                new += [multiply_add(b, number, ws[i], sums[p * MR + i]) for i in range(MR)]
            return new

        if channels:
            pixels = [b.gep(x, [offset]) for offset in offsets]
            sums = loop(b, steps, vectors(i64(0)) * NP, step_of_channels)
            return [sums[p * MR + i] for i in range(MR) for p in range(NP)]
        return loop(b, steps, [bias for bias in weights(i64(0)) for _ in range(NP)], step)

    def make_image_dots(MR: int, NT: int):
        """MR rows of gy against NT taps, summed over positions and lanes:

            sums[q + j*MR + i] += sum over p < count and lanes n of
                                  gy[g + (p*MR + i)*LANES + n] * x[taps[min(j0 + j, last)] + places[p] + n]

        ``sums`` has room for MR*NT numbers, rounded up to whole vectors.
        """

        @intrinsic
        def image_dots(typingctx, count, gy, g, x, taps, j0, last, places, sums, q):
            def codegen(context, b, signature, args):
                count, gy, g, x, taps, j0, last, places, sums, q = args
                kinds = signature.args
                gy, places = (array_pointer(context, b, kinds[k], *of) for k, *of in ((1, gy, g), (7, places, i64(0))))
                dots = _Dots(context, b, kinds, (x, taps, j0, last, sums, q), (3, 4, 8), MR, NT)

                def step(p, totals):
                    line = b.gep(gy, [b.mul(p, i64(MR * dots.vector.count))])
                    rows = [load(b, vector_pointer(b, line, dots.vector, i)) for i in range(MR)]
                    return dots.more(totals, rows, b.load(b.gep(places, [p])))

                dots.run(count, step)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(n64, gy, n64, x, taps, n64, n64, places, sums, n64), codegen

        return image_dots

    def make_window_dots(MR: int, NT: int):
        """What :func:`make_image_dots` says, over windows of which gy reaches one pixel only, the one that ``codes``
        says:

        sums[q + j*MR + i] += sum over p < count, k < 4 and lanes n where codes[g + (p*MR + i)*LANES + n] is k, of
                              gy[g + (p*MR + i)*LANES + n] * x[taps[min(j0 + j, last)] + places[4*p + k] + n]
        """

        @intrinsic
        def window_dots(typingctx, count, gy, codes, g, x, taps, j0, last, places, sums, q):
            def codegen(context, b, signature, args):
                count, gy, codes, g, x, taps, j0, last, places, sums, q = args
                kinds = signature.args
                gy, codes, places = (
                    array_pointer(context, b, kinds[k], *of)
                    for k, *of in ((1, gy, g), (2, codes, g), (8, places, i64(0)))
                )
                dots = _Dots(context, b, kinds, (x, taps, j0, last, sums, q), (4, 5, 9), MR, NT)
                lanes = dots.vector.count
                code, none = ir.VectorType(ir.IntType(8), lanes), zeros(dots.vector)

                def step(p, totals):
                    at = b.mul(p, i64(MR * lanes))
                    values, winners = (
                        [load(b, vector_pointer(b, b.gep(table, [at]), kind, i)) for i in range(MR)]
                        for table, kind in ((gy, dots.vector), (codes, code))
                    )
                    for k in range(4):
                        mine = spread(b, ir.Constant(ir.IntType(8), k), lanes)
                        won = [b.icmp_signed("==", winner, mine) for winner in winners]
                        rows = [b.select(pair[0], pair[1], none) for pair in zip(won, values, strict=True)]
                        totals = dots.more(totals, rows, b.load(b.gep(places, [b.add(b.mul(p, i64(4)), i64(k))])))
                    return totals

                dots.run(count, step)
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(n64, gy, codes, n64, x, taps, n64, n64, places, sums, n64), codegen

        return window_dots

    class _Dots:
        """What the two have in common: products of rows with all taps, and their sums."""

        def __init__(self, context, b, kinds, args, positions, MR, NT):
            x, taps, j0, last, sums, q = args
            offsets = i64(0), i64(0), q
            x, taps, self.sums = (
                array_pointer(context, b, kinds[k], table, offset)
                for k, table, offset in zip(positions, (x, taps, sums), offsets, strict=True)
            )
            self.b, self.MR, self.NT, self.vector = b, MR, NT, vector_type(x.type.pointee)
            self.columns = [b.gep(x, [b.load(b.gep(taps, [at_most(b, b.add(j0, i64(j)), last)]))]) for j in range(NT)]

        def more(self, totals, rows, place):
            """The totals with the products of ``rows`` and all taps at a place."""
            new = []
            for j, column in enumerate(self.columns):
                value = load(self.b, vector_pointer(self.b, self.b.gep(column, [place]), self.vector))
                new += [multiply_add(self.b, row, value, totals[j * self.MR + i]) for i, row in enumerate(rows)]
            return new

        def run(self, count, step):
            """All steps, then each total added up."""
            b, lanes = self.b, self.vector.count
            totals = loop(b, count, [zeros(self.vector)] * (self.MR * self.NT), step)
            totals += [zeros(self.vector)] * (-len(totals) % lanes)
            for k in range(0, len(totals), lanes):
                place = vector_pointer(b, b.gep(self.sums, [i64(k)]), self.vector)
                store(b, b.fadd(load(b, place), added_up(b, totals[k : k + lanes])), place)

else:

    def _sum_in_python(steps, first, w, q, rows, x, taps, place, lanes, i, channels=False):
        ws, xs = (lanes, 1) if channels else (1, lanes)  # how many numbers each reads
        total = np.zeros(lanes, x.dtype) + w[q + i * ws :][:ws]
        for k in range(first, first + steps):
            total = total + w[q + rows[k] + i * ws :][:ws] * x[taps[k] + place :][:xs]
        return total

    def _tile_in_python(MR, NP, channels, steps, first, w, q, rows, x, taps, places, to, p0, last, out, o, row, add):
        lanes = lanes_of(out)
        for p in range(p0, min(p0 + NP, last + 1)):
            for i in range(MR):
                total = _sum_in_python(steps, first, w, q, rows, x, taps, places[p], lanes, i, channels)
                goal = out[o + i * row + to[p] :][:lanes]
                goal[:] = goal + total if add else total

    def _window_in_python(MR, steps, first, w, q, rows, x, taps, places, to, p, out, codes, o, row):
        lanes = lanes_of(out)
        for i in range(MR):
            four = [_sum_in_python(steps, first, w, q, rows, x, taps, places[4 * p + k], lanes, i) for k in range(4)]
            for n in range(lanes):
                winner = 0
                for k in (1, 2, 3):
                    if formulas.wins(four[k][n], four[winner][n]):
                        winner = k
                cut = four[winner][n] <= 0
                out[o + i * row + to[p] + n] = 0 if cut else four[winner][n]
                codes[o + i * row + to[p] + n] = NOBODY if cut else winner

    def _dots_in_python(MR, NT, count, gy, g, x, taps, j0, last, places, sums, q):
        lanes = lanes_of(sums)
        for i in range(MR):
            for j in range(NT):
                tap = taps[min(j0 + j, last)]
                for p in range(count):
                    row = gy[g + (p * MR + i) * lanes :][:lanes]
                    sums[q + j * MR + i] += (row * x[tap + places[p] :][:lanes]).sum()

    def _window_dots_in_python(MR, NT, count, gy, codes, g, x, taps, j0, last, places, sums, q):
        lanes = lanes_of(sums)
        spread = np.zeros(4 * count * MR * lanes, sums.dtype)
        for p in range(count):
            for k in range(4):
                at, to = g + p * MR * lanes, (4 * p + k) * MR * lanes
                for n in range(MR * lanes):
                    spread[to + n] = gy[at + n] if codes[at + n] == k else 0
        _dots_in_python(MR, NT, 4 * count, spread, 0, x, taps, j0, last, places, sums, q)

    def make_image_tile(MR: int, NP: int, channels: bool = False):
        """MR outputs, or vectors of them, at NP positions."""
        return functools.partial(_tile_in_python, MR, NP, channels)

    def make_window_tile(MR: int):
        """MR outputs at the pixels of a window."""
        return functools.partial(_window_in_python, MR)

    def make_image_dots(MR: int, NT: int):
        """MR rows of gy against NT taps."""
        return functools.partial(_dots_in_python, MR, NT)

    def make_window_dots(MR: int, NT: int):
        """MR rows of windows' winners against NT taps."""
        return functools.partial(_window_dots_in_python, MR, NT)
