"""Vectors with an image in each lane: turning pixels into lanes, and back.

With a pixel of LANES images side by side in one vector, a convolution needs no shuffles and no masks: a tap is a
displacement by whole vectors, whatever the stride, the dilation or the width of a row, and each weight is one scalar
for all lanes. What it costs is a transposition in and one out, a few percent of the arithmetic. Which pixel won a
window of max-pooling (``where`` in the contract, ``winners`` in kernels), turned into lanes, is its *code*.

    to_lanes      target[places[q] + n] = source[starts[n] + q]                       n < LANES, q < count
    from_lanes    target[starts[n] + q] = source[q*LANES + n]
    to_winners    the pixel of window p that won = g[p, :], the other three 0
    kept_sum      sum over p and lanes of g[p*step, :], without the windows where nobody won
"""

from __future__ import annotations

import functools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ..formulas import NOBODY
from .arrays import lanes_of
from .compile import JIT
from .target import VECTOR_BYTES
from .vectors import (
    added_up,
    array_pointer,
    at_most,
    i64,
    lanes_between,
    load,
    loop,
    shuffle,
    spread,
    store,
    vector_pointer,
    vector_type,
    zeros,
)


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


def _vector_like(scalar, like):
    """A vector of ``scalar`` with as many lanes as one of the array type ``like`` has."""
    return ir.VectorType(scalar, VECTOR_BYTES // (like.dtype.bitwidth // 8))


if JIT:

    @intrinsic
    def to_lanes(typingctx, target, t, places, source, s, starts, count, like):
        """``target[t + places[q] + n] = source[s + starts[n] + q]`` for q < count, n < LANES; 0 where starts[n] < 0.
        There are as many lanes as a vector of the type of ``like`` has."""

        def codegen(context, b, signature, args):
            target, t, places, source, s, starts, count, _ = args
            out = array_pointer(context, b, signature.args[0], target, t)
            data = array_pointer(context, b, signature.args[3], source, s)
            places, starts = (array_pointer(context, b, signature.args[2], table, i64(0)) for table in (places, starts))
            vector = _vector_like(out.type.pointee, signature.args[7])
            lanes = vector.count
            offsets = [b.load(b.gep(starts, [i64(n)])) for n in range(lanes)]
            there = [b.icmp_signed(">=", offset, i64(0)) for offset in offsets]
            pointers = [b.gep(data, [b.select(*pair, i64(0))]) for pair in zip(there, offsets, strict=True)]
            whole = b.select(functools.reduce(b.and_, there), b.sdiv(count, i64(lanes)), i64(0))

            def pixels(q, masks):
                rows = [vector_pointer(b, b.gep(pointer, [q]), vector) for pointer in pointers]
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
        return types.void(target, n64, places, source, n64, starts, n64, like), codegen

    @intrinsic
    def from_lanes(typingctx, target, t, starts, counts, source, s, count, like):
        """``target[t + starts[n] + q] = source[s + q*LANES + n]`` for q < min(counts[n], count). There are as many
        lanes as a vector of the type of ``like`` has."""

        def codegen(context, b, signature, args):
            target, t, starts, counts, source, s, count, _ = args
            out = array_pointer(context, b, signature.args[0], target, t)
            data = array_pointer(context, b, signature.args[4], source, s)
            starts, counts = (array_pointer(context, b, signature.args[2], table, i64(0)) for table in (starts, counts))
            vector = _vector_like(out.type.pointee, signature.args[7])
            lanes = vector.count
            pointers = [b.gep(out, [b.load(b.gep(starts, [i64(n)]))]) for n in range(lanes)]
            ends = [b.load(b.gep(counts, [i64(n)])) for n in range(lanes)]
            whole = b.sdiv(functools.reduce(lambda x, y: at_most(b, x, y), ends, count), i64(lanes))
            last = b.sub(count, i64(1))

            def turn(q, pixels, masks):
                rows = [load(b, vector_pointer(b, b.gep(data, [b.mul(p, i64(lanes))]), vector)) for p in pixels]
                for pointer, row, mask in zip(pointers, _transposed(b, rows), masks, strict=True):
                    store(b, row, vector_pointer(b, b.gep(pointer, [q]), vector), mask)

            def block(k, state):
                q = b.mul(k, i64(lanes))
                turn(q, [b.add(q, i64(i)) for i in range(lanes)], [None] * lanes)
                return state

            loop(b, whole, [], block)
            rest = cgutils.for_range_slice(b, b.mul(whole, i64(lanes)), count, i64(lanes))
            with rest as (q, _):
                masks = [lanes_between(b, i64(0), b.sub(at_most(b, end, count), q), lanes) for end in ends]
                turn(q, [at_most(b, b.add(q, i64(i)), last) for i in range(lanes)], masks)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(target, n64, starts, counts, source, n64, n64, like), codegen

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
            totals = added_up(b, [total] + [zeros(vector)] * (vector.count - 1))
            return b.extract_element(totals, ir.Constant(ir.IntType(32), 0))

        n64 = types.int64
        return g.dtype(g, codes, n64, n64, n64), codegen

else:

    def to_lanes(target, t, places, source, s, starts, count, like):
        """``target[t + places[q] + n] = source[s + starts[n] + q]`` for q < count, n < LANES; 0 where starts[n] < 0."""
        for q in range(count):
            for n in range(lanes_of(like)):
                target[t + places[q] + n] = source[s + starts[n] + q] if starts[n] >= 0 else 0

    def from_lanes(target, t, starts, counts, source, s, count, like):
        """``target[t + starts[n] + q] = source[s + q*LANES + n]`` for q < min(counts[n], count)."""
        lanes = lanes_of(like)
        for n in range(lanes):
            for q in range(min(counts[n], count)):
                target[t + starts[n] + q] = source[s + q * lanes + n]

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
