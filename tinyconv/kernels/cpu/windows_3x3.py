"""Maxima of 3 x 3 windows, stride 2, padding 1: the first pooling of a ResNet.

The middle of each window lies on an even row and an even column. So, as in ``blocks.py``, rows are taken in pairs and
the even and the odd lanes of a row apart: a vector of windows sees a vector of even pixels, one of odd pixels, and the
odd pixels before them. What wins in three neighbours of an odd row is found once, for the windows above and below it.

A plane is gone through in *bands* of BAND rows of windows, and a band in *strips*: a strip is a vector of neighbouring
windows, from the band's first row down to its last. So the winners of an odd row stay in registers until the windows
below have used them. What a later band reads and writes is fetched meanwhile, in the order of memory.

That NaN wins over numbers costs a comparison and a mask for every pixel of a window. So windows are first done without,
but notice any NaN, which takes one comparison for two vectors; then all is done again.
"""

from __future__ import annotations

import itertools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .. import formulas
from .blocks import load_or_zero, over_blocks, readable_planes, spread_out
from .compile import JIT
from .vectors import (
    AHEAD,
    array_pointer,
    at_most,
    i64,
    lanes_between,
    load,
    loop,
    prefetch,
    prefetch_ahead,
    shuffle,
    size_of,
    splat,
    spread,
    store,
    vector_pointer,
    vector_type,
    wins,
    zeros,
)

BAND = 4  # rows of windows that are gone through strip by strip: what they see stays in the nearest cache

if JIT:

    def _inside(context, b, kind, array, start, size, after):
        """Whether an array has ``after`` elements after the ``size`` from ``start`` on."""
        total = context.make_array(kind)(context, b, array).nitems
        return b.icmp_signed("<=", b.add(b.add(start, size), i64(after)), total)

    def _max_windows_3x3(replaces):
        @intrinsic
        def max_windows_3x3(typingctx, y, where, at, x, start, H, W, OH, OW):
            """The maxima of a plane's 3 x 3 windows (stride 2, padding 1) to y[at:], and which of the nine each is to
            where[at:]: one that ``replaces`` all before it. Returns whether no NaN was seen."""

            def codegen(context, b, signature, args):
                y, where, at, x, start, H, W, OH, OW = args
                out = array_pointer(context, b, signature.args[0], y, at)
                codes = array_pointer(context, b, signature.args[1], where, at)
                plane = array_pointer(context, b, signature.args[3], x, start)
                vector = vector_type(out.type.pointee)
                lanes = vector.count
                code = ir.VectorType(ir.IntType(8), lanes)
                # Zero, but the compiler does not know: constants it would load from memory every time.
                zero = b.trunc(b.lshr(W, i64(63)), code.element)
                number = {k: spread(b, b.add(zero, ir.Constant(code.element, k)), lanes) for k in (1, 2, 3, 6)}
                strips = b.sdiv(b.add(OW, i64(lanes - 1)), i64(lanes))
                single = b.icmp_signed("<=", strips, i64(1))  # then all rows are one band
                height, beyond = b.select(single, OH, i64(BAND)), b.select(single, i64(0), i64(BAND))

                def fetch(top, j, k):
                    """What a later band reads and writes, in the order of memory, not of strips."""
                    row, part = b.add(top, beyond), b.add(b.mul(b.sdiv(j, i64(lanes)), height), k)
                    pixels = b.mul(part, at_most(b, b.mul(W, i64(2)), i64(4 * lanes)))
                    prefetch_ahead(b, b.gep(plane, [b.add(b.mul(row, b.mul(W, i64(2))), pixels)]), vector, 4)
                    windows = b.add(
                        b.mul(part, at_most(b, OW, i64(lanes))), i64(AHEAD // (4 * size_of(vector.element)))
                    )
                    prefetch(b, b.gep(out, [b.add(b.mul(row, OW), windows)]))

                def better(best, winner, value, tap):
                    larger = replaces(b, value, best)
                    return b.select(larger, value, best), b.select(larger, tap, winner)

                def down(top, count, j, whole, unmasked, ordered):
                    """The windows of a strip, a vector of columns, in ``count`` rows. Each row of pixels is gone
                    through once, and what wins in three neighbours of an odd row is kept for the windows below."""
                    column = b.mul(j, i64(2))
                    pixels = b.sub(W, column)
                    inner = b.icmp_signed(">", j, i64(0))
                    # In place of padding stands the pixel beside it, with its number: the second of equals never wins.
                    left = b.select(inner, i64(-1), i64(0))
                    first = b.select(inner, zeros(code), ir.Constant(code, [1] + [0] * (lanes - 1)))
                    right = None if whole else lanes_between(b, i64(0), b.ashr(pixels, i64(1)), lanes)
                    mask = None if whole else lanes_between(b, i64(0), b.sub(OW, j), lanes)
                    bounds = [b.sub(pixels, i64(q * lanes)) for q in range(2)]
                    masks = [None if unmasked else lanes_between(b, i64(0), bound, lanes) for bound in bounds]

                    def across(h):
                        """The largest of three neighbours in a row, which of them it is, and where no NaN is."""
                        line = b.gep(plane, [b.add(b.mul(h, W), column)])
                        here = [load(b, vector_pointer(b, line, vector, q), masks[q]) for q in range(2)]
                        even, odd = (shuffle(b, *here, range(k, 2 * lanes, 2)) for k in range(2))
                        beside = spread(b, b.load(b.gep(line, [left])), lanes)
                        before = shuffle(b, beside, odd, range(lanes - 1, 2 * lanes - 1))
                        best, tap = better(before, first, even, number[1])
                        after = odd if whole else b.select(right, odd, splat(vector, float("-inf")))
                        return *better(best, tap, after, number[2]), b.fcmp_ordered("ord", *here)

                    def row(k, state):
                        best, winner, ordered = state
                        i = b.add(top, k)
                        fetch(top, j, k)
                        value, tap, here = across(b.mul(i, i64(2)))
                        best, winner = better(best, winner, value, b.add(tap, number[3]))
                        below = at_most(b, b.add(b.mul(i, i64(2)), i64(1)), b.sub(H, i64(1)))  # or the same row again
                        value, tap, there = across(below)
                        best, winner = better(best, winner, value, b.add(tap, number[6]))
                        place = b.add(b.mul(i, OW), j)
                        store(b, best, vector_pointer(b, b.gep(out, [place]), vector), mask)
                        store(b, winner, vector_pointer(b, b.gep(codes, [place]), code), mask)
                        return [value, tap, b.and_(ordered, b.and_(here, there))]

                    outer = b.icmp_signed("==", top, i64(0))  # above is padding: again what stands beside it
                    value, tap, _ = across(b.select(outer, i64(0), b.sub(b.mul(top, i64(2)), i64(1))))
                    tap = b.select(outer, b.add(tap, number[3]), tap)
                    return loop(b, count, [value, tap, ordered], row)[2:]

                def bands(unmasked):
                    """All windows; whether no NaN was seen."""
                    whole = b.sdiv(W, i64(2 * lanes)) if unmasked else i64(0)

                    def band(k, ordered):
                        top = b.mul(k, height)
                        count = at_most(b, b.sub(OH, top), height)

                        def strips_from(first, last, full, ordered):
                            def strip(k, state):
                                return down(top, count, b.mul(b.add(first, k), i64(lanes)), full, unmasked, *state)

                            return loop(b, b.sub(last, first), ordered, strip)

                        ordered = strips_from(i64(0), whole, True, ordered) if unmasked else ordered
                        return strips_from(whole, strips, False, ordered)

                    several = b.sdiv(b.add(OH, i64(BAND - 1)), i64(BAND))
                    every, bits = splat(ir.VectorType(ir.IntType(1), lanes), True), ir.IntType(lanes)
                    (ordered,) = loop(b, b.select(single, i64(1), several), [every], band)
                    return b.icmp_signed("==", b.bitcast(ordered, bits), ir.Constant(bits, -1))

                numbers_only = cgutils.alloca_once(b, ir.IntType(1))
                inside = _inside(context, b, signature.args[3], x, start, b.mul(H, W), 2 * lanes)
                with b.if_else(inside, likely=True) as (usual, edge):
                    with usual:
                        b.store(bands(True), numbers_only)
                    with edge:
                        b.store(bands(False), numbers_only)
                return b.load(numbers_only)

            n64 = types.int64
            return types.boolean(y, where, n64, x, *[n64] * 5), codegen

        return max_windows_3x3

    @intrinsic
    def to_windows_3x3(typingctx, gx, start, planes, H, W, gy, where, at, OH, OW):
        """The adjoint of ``max_windows_3x3``: each pixel's sum of gy[at:] over the windows that it won."""

        def codegen(context, b, signature, args):
            gx, start, planes, H, W, gy, where, at, OH, OW = args
            pixels = array_pointer(context, b, signature.args[0], gx, start)
            data = array_pointer(context, b, signature.args[5], gy, at)
            codes = array_pointer(context, b, signature.args[6], where, at)
            vector = vector_type(pixels.type.pointee)
            lanes = vector.count
            code = ir.VectorType(ir.IntType(8), lanes)

            def block(p, i, j, mask, masks, unmasked):
                plane, first = b.gep(pixels, [b.mul(p, b.mul(H, W))]), b.mul(p, b.mul(OH, OW))
                prefetch_ahead(b, b.gep(data, [b.add(first, b.add(b.mul(i, OW), j))]), vector, 1)
                windows = {}  # below (or beside) and right of them
                for below in range(2):
                    for right in range(2):
                        ends = b.add(j, i64(right))
                        if below:
                            ends = b.select(b.icmp_signed("<", b.add(i, i64(1)), OH), ends, OW)
                        some = lanes_between(b, i64(0), b.sub(OW, ends), lanes)
                        place = b.add(first, b.add(b.mul(b.add(i, i64(below)), OW), b.add(j, i64(right))))
                        windows[below, right] = (
                            load_or_zero(b, vector_pointer(b, b.gep(data, [place]), vector), some, unmasked),
                            load(b, vector_pointer(b, b.gep(codes, [place]), code), None if unmasked else some),
                        )

                def total(*taps):
                    """The sum over the windows (below, right) whose winner is their tap ``number``."""
                    result = zeros(vector)
                    for below, right, number in taps:
                        g, winner = windows[below, right]
                        won = b.icmp_signed("==", winner, splat(code, number))
                        result = b.select(won, b.fadd(result, g), result)
                    return result

                four = [
                    total((0, 0, 4)),
                    total((0, 0, 5), (0, 1, 3)),
                    total((0, 0, 7), (1, 0, 1)),
                    total((0, 0, 8), (0, 1, 6), (1, 0, 2), (1, 1, 0)),
                ]
                spread_out(b, four, plane, W, i, j, masks, b.icmp_signed("<", b.add(b.mul(i, i64(2)), i64(1)), H))

            after = b.add(OW, i64(lanes + 1))
            readable = readable_planes(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, after)
            over_blocks(b, planes, readable, W, OH, OW, lanes, block)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, *[n64] * 4, gy, where, *[n64] * 3), codegen

else:

    def _max_windows_3x3(_):
        def max_windows_3x3(y, where, at, x, start, H, W, OH, OW):
            """The maxima of a plane's 3 x 3 windows; with NaN, too."""
            for i in range(OH):
                for j in range(OW):
                    taps = [(k, 2 * i + k // 3 - 1, 2 * j + k % 3 - 1) for k in range(9)]
                    taps = [(k, x[start + h * W + w]) for k, h, w in taps if 0 <= h < H and 0 <= w < W]
                    winner, best = taps[0]
                    for k, value in taps:
                        if formulas.wins(value, best):
                            winner, best = k, value
                    y[at + i * OW + j], where[at + i * OW + j] = best, winner
            return True

        return max_windows_3x3

    def to_windows_3x3(gx, start, planes, H, W, gy, where, at, OH, OW):
        """The adjoint of ``max_windows_3x3``."""
        gx[start : start + planes * H * W] = 0
        for p, i, j in itertools.product(range(planes), range(OH), range(OW)):
            window = (p * OH + i) * OW + j
            winner = int(where[at + window])
            h, w = 2 * i + winner // 3 - 1, 2 * j + winner % 3 - 1
            if 0 <= h < H and 0 <= w < W:
                gx[start + (p * H + h) * W + w] += gy[at + window]


# Where there are numbers only, and where NaN wins over them.
max_windows_3x3 = _max_windows_3x3(lambda b, value, best: b.fcmp_ordered(">", value, best))
max_windows_3x3_nan = _max_windows_3x3(wins)
