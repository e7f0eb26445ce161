"""Vectors with an image in each lane: turning pixels into lanes and back, and the two tiles that work on them.

With a pixel of LANES images side by side in one vector, a convolution needs no shuffles and no masks: a tap is a
displacement by whole vectors, whatever the stride, the dilation or the width of a row, and each weight is one scalar
for all lanes. What it costs is a transposition in and one out, a few percent of the arithmetic.

    to_lanes      target[places[q] + n] = source[where[n] + q]                       n < LANES, q < count
    from_lanes    target[where[n] + q] = source[q*LANES + n]
    to_winners    the pixel of window p that won = g[p, :], the other three 0
    kept_sum      sum over p and lanes of g[p*step, :], without the windows where nobody won
    image_tile    out[i, p, :] = w[0, i] + sum over k of w[rows[k], i] * x[taps[k] + places[p]]
                  (or with output channels in the lanes: w[rows[k], i, :] times one number of x)
    window_tile   the same at the four pixels of a window, of which max(0, the largest) is kept
    image_dots    sums[j, i] += sum over p and lanes of gy[p, i, :] * x[taps[j] + places[p]]
    window_dots   the same, where only the largest of a window's four pixels has a gy

The tiles keep all their sums in registers (``target.py``). ``image_tile`` loads a vector for each position and
broadcasts a weight for each row (or the other way round); ``image_dots`` holds its rows of gy and loads a vector for
each tap, and adds across lanes once, at its end. Where a tile has fewer positions or taps than it could, it repeats the
last one.
"""

from __future__ import annotations

import functools

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .. import formulas
from ..formulas import NOBODY
from .arrays import lanes_of
from .compile import JIT
from .target import VECTOR_BYTES
from .vectors import (
    array_pointer,
    i64,
    in_order,
    lanes_between,
    load,
    loop,
    multiply_add,
    shuffle,
    spread,
    store,
    vector_pointer,
    vector_type,
    winner_of,
    zeros,
)


def _interleave(b, first, second):
    """The lower halves of two vectors interleaved, and the upper halves."""
    lanes = first.type.count
    picks = [lane // 2 + lane % 2 * lanes for lane in range(lanes)]
    return shuffle(b, first, second, picks), shuffle(b, first, second, [pick + lanes // 2 for pick in picks])


def _transposed(b, rows):
    """A square of numbers, one vector a row, transposed: bit by bit, rows and columns exchange their numbers' bits."""
    lanes, bit = len(rows), 1
    while bit < lanes:
        straight = [c if not c & bit else lanes + c - bit for c in range(lanes)]
        crossed = [c + bit if not c & bit else lanes + c for c in range(lanes)]
        pairs = {i: (rows[i & ~bit], rows[i | bit]) for i in range(lanes)}
        rows = [shuffle(b, *pairs[i], crossed if i & bit else straight) for i in range(lanes)]
        bit *= 2
    return rows


def _added_up(b, vectors):
    """The sum over the lanes of each of LANES vectors, as one vector: halves are added while they are interleaved."""
    while len(vectors) > 1:
        half = len(vectors) // 2
        vectors = [b.fadd(*_interleave(b, vectors[i], vectors[i + half])) for i in range(half)]
    return vectors[0]


def _vector_like(scalar, like):
    """A vector of ``scalar`` with as many lanes as one of the array type ``like`` has."""
    return ir.VectorType(scalar, VECTOR_BYTES // (like.dtype.bitwidth // 8))


def _at_most(b, i, last):
    return b.select(b.icmp_signed("<", i, last), i, last)


if JIT:

    @intrinsic
    def to_lanes(typingctx, target, t, places, source, s, where, count, like):
        """``target[t + places[q] + n] = source[s + where[n] + q]`` for q < count, n < LANES; 0 where where[n] < 0.
        There are as many lanes as a vector of the type of ``like`` has."""

        def codegen(context, b, signature, args):
            target, t, places, source, s, where, count, _ = args
            out = array_pointer(context, b, signature.args[0], target, t)
            data = array_pointer(context, b, signature.args[3], source, s)
            places, where = (array_pointer(context, b, signature.args[2], table, i64(0)) for table in (places, where))
            vector = _vector_like(out.type.pointee, signature.args[7])
            lanes = vector.count
            offsets = [b.load(b.gep(where, [i64(n)])) for n in range(lanes)]
            there = [b.icmp_signed(">=", offset, i64(0)) for offset in offsets]
            starts = [b.gep(data, [b.select(*pair, i64(0))]) for pair in zip(there, offsets, strict=True)]
            whole = b.select(functools.reduce(b.and_, there), b.sdiv(count, i64(lanes)), i64(0))

            def pixels(q, masks):
                rows = [vector_pointer(b, b.gep(start, [q]), vector) for start in starts]
                return _transposed(b, [load(b, row, mask) for row, mask in zip(rows, masks, strict=True)])

            def put(pixel, q):
                store(b, pixel, vector_pointer(b, b.gep(out, [b.load(b.gep(places, [q]))]), vector))

            def block(k, state):
                q = b.mul(k, i64(lanes))
                for i, pixel in enumerate(pixels(q, [None] * lanes)):
                    put(pixel, b.add(q, i64(i)))
                return state

            loop(b, whole, [], block)
            rest = cgutils.for_range_slice(b, b.mul(whole, i64(lanes)), count, i64(lanes))
            with rest as (q, _):
                left = b.sub(count, q)
                ends = [b.select(lane_there, left, i64(0)) for lane_there in there]
                masks = [lanes_between(b, i64(0), end, lanes) for end in ends]
                for i, pixel in enumerate(pixels(q, masks)):
                    with b.if_then(b.icmp_signed("<", i64(i), left)):
                        put(pixel, b.add(q, i64(i)))
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(target, n64, places, source, n64, where, n64, like), codegen

    @intrinsic
    def from_lanes(typingctx, target, t, where, counts, source, s, count, like):
        """``target[t + where[n] + q] = source[s + q*LANES + n]`` for q < min(counts[n], count). There are as many lanes
        as a vector of the type of ``like`` has."""

        def codegen(context, b, signature, args):
            target, t, where, counts, source, s, count, _ = args
            out = array_pointer(context, b, signature.args[0], target, t)
            data = array_pointer(context, b, signature.args[4], source, s)
            where, counts = (array_pointer(context, b, signature.args[2], table, i64(0)) for table in (where, counts))
            vector = _vector_like(out.type.pointee, signature.args[7])
            lanes = vector.count
            starts = [b.gep(out, [b.load(b.gep(where, [i64(n)]))]) for n in range(lanes)]
            ends = [b.load(b.gep(counts, [i64(n)])) for n in range(lanes)]
            whole = b.sdiv(functools.reduce(lambda x, y: _at_most(b, x, y), ends, count), i64(lanes))
            last = b.sub(count, i64(1))

            def turn(q, pixels, masks):
                rows = [load(b, vector_pointer(b, b.gep(data, [b.mul(p, i64(lanes))]), vector)) for p in pixels]
                for start, row, mask in zip(starts, _transposed(b, rows), masks, strict=True):
                    store(b, row, vector_pointer(b, b.gep(start, [q]), vector), mask)

            def block(k, state):
                q = b.mul(k, i64(lanes))
                turn(q, [b.add(q, i64(i)) for i in range(lanes)], [None] * lanes)
                return state

            loop(b, whole, [], block)
            rest = cgutils.for_range_slice(b, b.mul(whole, i64(lanes)), count, i64(lanes))
            with rest as (q, _):
                masks = [lanes_between(b, i64(0), b.sub(_at_most(b, end, count), q), lanes) for end in ends]
                turn(q, [_at_most(b, b.add(q, i64(i)), last) for i in range(lanes)], masks)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(target, n64, where, counts, source, n64, n64, like), codegen

    @intrinsic
    def to_winners(typingctx, target, t, pixel, row, g, codes, s, count):
        """The adjoint of picking winners, for one row of windows: for p < count, pixels 2p and 2p + 1 of row 0 or 1 of
        the windows, ``pixel`` elements apart in target, become g[s + p*LANES + n] if they won, else 0."""

        def codegen(context, b, signature, args):
            target, t, pixel, row, g, codes, s, count = args
            out = array_pointer(context, b, signature.args[0], target, t)
            g = array_pointer(context, b, signature.args[4], g, s)
            codes = array_pointer(context, b, signature.args[5], codes, s)
            vector = vector_type(out.type.pointee)
            code = ir.VectorType(ir.IntType(8), vector.count)
            first = b.trunc(b.mul(row, i64(2)), ir.IntType(8))
            mine = [spread(b, b.add(first, ir.Constant(ir.IntType(8), k)), vector.count) for k in (0, 1)]

            def window(p, state):
                at = b.mul(p, i64(vector.count))
                value = load(b, vector_pointer(b, b.gep(g, [at]), vector))
                winner = load(b, vector_pointer(b, b.gep(codes, [at]), code))
                for k in (0, 1):
                    place = b.gep(out, [b.mul(b.add(b.mul(p, i64(2)), i64(k)), pixel)])
                    won = b.icmp_signed("==", winner, mine[k])
                    store(b, b.select(won, value, zeros(vector)), vector_pointer(b, place, vector))
                return state

            loop(b, count, [], window)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(target, n64, n64, n64, g, codes, n64, n64), codegen

    @intrinsic
    def kept_sum(typingctx, g, codes, s, step, count):
        """The sum of g over all lanes of the ``count`` windows at s + p*step, without those whose code is NOBODY."""

        def codegen(context, b, signature, args):
            g, codes, s, step, count = args
            g, codes = (array_pointer(context, b, signature.args[k], table, s) for k, table in ((0, g), (1, codes)))
            vector = vector_type(g.type.pointee)
            nobody = spread(b, ir.Constant(ir.IntType(8), NOBODY), vector.count)

            def window(p, sums):
                at = b.mul(p, step)
                value = load(b, vector_pointer(b, b.gep(g, [at]), vector))
                code = load(b, vector_pointer(b, b.gep(codes, [at]), nobody.type))
                return [b.fadd(sums[0], b.select(b.icmp_signed("==", code, nobody), zeros(vector), value))]

            (total,) = loop(b, count, [zeros(vector)], window)
            totals = _added_up(b, [total] + [zeros(vector)] * (vector.count - 1))
            return b.extract_element(totals, ir.Constant(ir.IntType(32), 0))

        n64 = types.int64
        return g.dtype(g, codes, n64, n64, n64), codegen

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
                positions = [_at_most(b, b.add(p0, i64(p)), last) for p in range(NP)]
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
        """The same over windows, of which gy reaches one pixel only, the one that ``codes`` says:

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
            self.columns = [b.gep(x, [b.load(b.gep(taps, [_at_most(b, b.add(j0, i64(j)), last)]))]) for j in range(NT)]

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
                store(b, b.fadd(load(b, place), _added_up(b, totals[k : k + lanes])), place)

else:

    def to_lanes(target, t, places, source, s, where, count, like):
        """``target[t + places[q] + n] = source[s + where[n] + q]`` for q < count, n < LANES; 0 where where[n] < 0."""
        for q in range(count):
            for n in range(lanes_of(like)):
                target[t + places[q] + n] = source[s + where[n] + q] if where[n] >= 0 else 0

    def from_lanes(target, t, where, counts, source, s, count, like):
        """``target[t + where[n] + q] = source[s + q*LANES + n]`` for q < min(counts[n], count)."""
        lanes = lanes_of(like)
        for n in range(lanes):
            for q in range(min(counts[n], count)):
                target[t + where[n] + q] = source[s + q * lanes + n]

    def to_winners(target, t, pixel, row, g, codes, s, count):
        """The adjoint of picking winners, for one row of windows."""
        lanes = lanes_of(g)
        for p in range(count):
            for k in (0, 1):
                for n in range(lanes):
                    at = s + p * lanes + n
                    target[t + (2 * p + k) * pixel + n] = g[at] if codes[at] == 2 * row + k else 0

    def kept_sum(g, codes, s, step, count):
        """The sum of g over windows, without those where nobody won."""
        total = g.dtype.type(0)
        for p in range(s, s + count * step, step):
            for at in range(p, p + lanes_of(g)):
                total += g[at] if codes[at] != NOBODY else 0
        return total

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
