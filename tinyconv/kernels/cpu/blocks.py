"""The two poolings of nearly every network, some planes at a time: 2 x 2 windows, stride 2, and 3 x 3 windows, stride
2, padding 1.

Either window has its corner, or its middle, on an even row and an even column. So rows are taken in pairs, and the even
and the odd lanes of a row are taken apart: a vector of windows sees a vector of even pixels, one of odd pixels, and
the 3 x 3 window also the odd pixels before them. An ordinary loop cannot be made to do this at all. Several
planes are one loop, so that the masks of rows of up to two vectors are made once.

That NaN wins over numbers costs a comparison and a mask for every pixel of a window. So 3 x 3 windows are
first done without, but notice any NaN, which takes one comparison for two vectors; then all is done again.

Masked loads are for the last planes of an array only. Elsewhere vectors are read whole, whatever may lie
beyond the end of the row: masked loads do not set off the processor's prefetching, and from memory that makes them
three times slower. Even so two rows at once, seven lines of the cache and then a jump, are too much for it, so what
will be read is fetched ahead, and so is what will be written: of a line that is not in the cache the rest has to come.
"""

from __future__ import annotations

import itertools

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .totals import narrow, widen
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
    winner_of,
    wins,
    zeros,
)

BAND = 4  # rows of 3 x 3 windows that are gone through strip by strip: what they see stays in the nearest cache


def columns(b, n, lanes, do):
    """``do(j)`` for the first column j of every vector of n columns."""

    def step(k, state):
        do(b.mul(k, i64(lanes)))
        return state

    loop(b, b.sdiv(b.add(n, i64(lanes - 1)), i64(lanes)), [], step)


if JIT:

    def _over_blocks(b, planes, plain, W, OH, OW, lanes, block, end=None):
        """``block(p, i, j, parts, mask, masks, plain)`` for every vector of windows (i, j), (i, j + 1), ... of each
        plane p: ``mask`` is theirs, ``masks`` those of the ``parts`` vectors of pixels above and below (None: all
        lanes). An odd last column of pixels takes part. After each of the first ``plain`` planes there is memory to
        read, so loads need no mask. Rows of up to two vectors have their masks made once for all planes. ``end(p)``
        comes after a plane."""

        def masks(j, parts):
            pixels = b.sub(W, b.mul(j, i64(2)))
            halves = [lanes_between(b, i64(0), b.sub(pixels, i64(q * lanes)), lanes) for q in range(parts)]
            return parts, lanes_between(b, i64(0), b.sub(OW, j), lanes), halves

        def rows(first, last, do):
            def row(i, state):
                do(state[0], i)
                return state

            def plane(k, state):
                loop(b, OH, [b.add(first, k)], row)
                if end is not None:
                    end(b.add(first, k))
                return state

            loop(b, b.sub(last, first), [], plane)

        def short(parts):
            known = masks(i64(0), parts)
            rows(i64(0), plain, lambda p, i: block(p, i, i64(0), *known, True))

        def long():
            whole = b.sdiv(W, i64(2 * lanes))
            start = b.mul(whole, i64(lanes))

            def row(p, i):
                columns(b, start, lanes, lambda j: block(p, i, j, 2, None, [None] * 2, True))
                with b.if_then(b.icmp_signed("<", b.mul(start, i64(2)), W)):
                    block(p, i, start, *masks(start, 2), True)

            rows(i64(0), plain, row)

        with b.if_else(b.icmp_signed("<=", W, i64(lanes))) as (one, more):
            with one:
                short(1)
            with more, b.if_else(b.icmp_signed("<", W, i64(2 * lanes))) as (two, many):
                with two:
                    short(2)
                with many:
                    long()
        half = b.sdiv(b.add(W, i64(1)), i64(2))
        rows(plain, planes, lambda p, i: columns(b, half, lanes, lambda j: block(p, i, j, *masks(j, 2), False)))

    def _plain(context, b, kind, array, start, size, planes, after):
        """After how many of the planes of ``size`` elements from ``start`` on an array has ``after`` more at least."""
        total = context.make_array(kind)(context, b, array).nitems
        left = b.sub(total, b.add(start, i64(after) if isinstance(after, int) else after))
        left, size = (b.select(b.icmp_signed(">", n, i64(low)), n, i64(low)) for n, low in ((left, 0), (size, 1)))
        some = b.sdiv(left, size)
        return at_most(b, some, planes)

    def _inside(context, b, kind, array, start, size, after):
        """Whether an array has ``after`` elements after the ``size`` from ``start`` on."""
        total = context.make_array(kind)(context, b, array).nitems
        return b.icmp_signed("<=", b.add(b.add(start, size), i64(after)), total)

    def _load(b, pointer, mask, plain):
        """A vector, 0 where the mask is off."""
        if mask is None or not plain:
            return load(b, pointer, mask)
        return b.select(mask, load(b, pointer), zeros(pointer.type.pointee))

    def _corner(b, plane, W, i, j, row):
        """Where row 0 or 1 of the 2 x 2 window (i, j) begins."""
        return b.gep(plane, [b.add(b.mul(b.add(b.mul(i, i64(2)), i64(row)), W), b.mul(j, i64(2)))])

    def _two_rows(b, plane, W, i, j, vector, masks, plain):
        """The vectors of pixels above and below in a vector of 2 x 2 windows (where there are none, anything)."""
        for row in range(2):
            line = _corner(b, plane, W, i, j, row)
            prefetch_ahead(b, line, vector, len(masks))
            yield [load(b, vector_pointer(b, line, vector, q), None if plain else mask) for q, mask in enumerate(masks)]

    def _four(b, plane, W, i, j, vector, masks, plain):
        """The upper left, upper right, lower left and lower right pixels of these windows."""
        return [
            shuffle(b, values[0], values[-1], range(k, 2 * vector.count, 2))
            for values in _two_rows(b, plane, W, i, j, vector, masks, plain)
            for k in range(2)
        ]

    def _spread_out(b, four, plane, W, i, j, masks, both=None):
        """The adjoint of ``_four``: writes them, the lower row only if ``both`` (None: always)."""
        lanes = four[0].type.count
        mix = [lane // 2 + lane % 2 * lanes for lane in range(2 * lanes)]  # even, odd, even, odd, ...
        for row in range(2):
            line = _corner(b, plane, W, i, j, row)
            prefetch_ahead(b, line, four[0].type, len(masks))
            for q, mask in enumerate(masks):
                if row == 1 and both is not None:
                    every = ir.VectorType(ir.IntType(1), lanes)
                    mask = b.select(both, splat(every, True) if mask is None else mask, splat(every, False))
                value = shuffle(b, *four[2 * row : 2 * row + 2], mix[q * lanes : (q + 1) * lanes])
                store(b, value, vector_pointer(b, line, four[0].type, q), mask)

    def _last_row(b, pixels, H, W, OH, vector):
        """What makes the last row of a plane of odd height 0, for it is in no window."""

        def end(p):
            line = b.gep(pixels, [b.mul(b.add(b.mul(p, H), b.mul(OH, i64(2))), W)])

            def zero(j):
                mask = lanes_between(b, i64(0), b.sub(W, j), vector.count)
                store(b, zeros(vector), vector_pointer(b, b.gep(line, [j]), vector), mask)

            with b.if_then(b.icmp_signed(">", H, b.mul(OH, i64(2)))):
                columns(b, W, vector.count, zero)

        return end

    @intrinsic
    def max_blocks(typingctx, y, where, at, x, start, planes, H, W, OH, OW):
        """The maxima of some planes' 2 x 2 blocks to y[at:], and which of the four each is to where[at:]. The first of
        equals wins; NaN wins over numbers."""

        def codegen(context, b, signature, args):
            y, where, at, x, start, planes, H, W, OH, OW = args
            out = array_pointer(context, b, signature.args[0], y, at)
            codes = array_pointer(context, b, signature.args[1], where, at)
            pixels = array_pointer(context, b, signature.args[3], x, start)
            vector = vector_type(out.type.pointee)
            code = ir.VectorType(ir.IntType(8), vector.count)

            def block(p, i, j, parts, mask, masks, plain):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                best, winner = winner_of(b, _four(b, plane, W, i, j, vector, masks, plain))
                place = b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)
                store(b, best, vector_pointer(b, b.gep(out, [place]), vector), mask)
                store(b, winner, vector_pointer(b, b.gep(codes, [place]), code), mask)

            plain = _plain(context, b, signature.args[3], x, start, b.mul(H, W), planes, 2 * vector.count)
            _over_blocks(b, planes, plain, W, OH, OW, vector.count, block)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(y, where, n64, x, *[n64] * 6), codegen

    @intrinsic
    def to_blocks(typingctx, gx, start, planes, H, W, gy, where, at, OH, OW):
        """The adjoint of ``max_blocks``: gy[at:] to the one of four pixels of gx that won, 0 to the other three (and to
        an odd last row or column)."""

        def codegen(context, b, signature, args):
            gx, start, planes, H, W, gy, where, at, OH, OW = args
            pixels = array_pointer(context, b, signature.args[0], gx, start)
            data = array_pointer(context, b, signature.args[5], gy, at)
            codes = array_pointer(context, b, signature.args[6], where, at)
            vector = vector_type(pixels.type.pointee)
            code = ir.VectorType(ir.IntType(8), vector.count)

            def block(p, i, j, parts, mask, masks, plain):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                place = b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)
                g = _load(b, vector_pointer(b, b.gep(data, [place]), vector), mask, plain)
                winner = load(b, vector_pointer(b, b.gep(codes, [place]), code), None if plain else mask)
                won = [b.icmp_signed("==", winner, splat(code, k)) for k in range(4)]
                _spread_out(b, [b.select(w, g, zeros(vector)) for w in won], plane, W, i, j, masks)

            plain = _plain(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, vector.count)
            end = _last_row(b, pixels, H, W, OH, vector)
            _over_blocks(b, planes, plain, W, OH, OW, vector.count, block, end)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, *[n64] * 4, gy, where, *[n64] * 3), codegen

    @intrinsic
    def average_blocks(typingctx, y, at, x, start, planes, H, W, OH, OW, share):
        """The sums of some planes' 2 x 2 blocks, added up in float64, times ``share``, a power of two, to y[at:]."""

        def codegen(context, b, signature, args):
            y, at, x, start, planes, H, W, OH, OW, share = args
            out = array_pointer(context, b, signature.args[0], y, at)
            pixels = array_pointer(context, b, signature.args[2], x, start)
            vector = vector_type(out.type.pointee)
            factor = spread(b, share, vector.count)

            def block(p, i, j, parts, mask, masks, plain):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                above, below = _two_rows(b, plane, W, i, j, vector, masks, plain)
                pairs = [b.fadd(widen(b, upper), widen(b, lower)) for upper, lower in zip(above, below, strict=True)]
                left, right = (shuffle(b, pairs[0], pairs[-1], range(k, 2 * vector.count, 2)) for k in range(2))
                mean = b.fmul(b.fadd(left, right), factor)
                place = b.gep(out, [b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)])
                store(b, narrow(b, mean, vector), vector_pointer(b, place, vector), mask)

            plain = _plain(context, b, signature.args[2], x, start, b.mul(H, W), planes, 2 * vector.count)
            _over_blocks(b, planes, plain, W, OH, OW, vector.count, block)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(y, n64, x, *[n64] * 6, types.float64), codegen

    @intrinsic
    def share_blocks(typingctx, gx, start, planes, H, W, gy, at, OH, OW, share):
        """The adjoint of ``average_blocks``: each of gy[at:] times ``share``, a power of two, to the four pixels of
        its block."""

        def codegen(context, b, signature, args):
            gx, start, planes, H, W, gy, at, OH, OW, share = args
            pixels = array_pointer(context, b, signature.args[0], gx, start)
            data = array_pointer(context, b, signature.args[5], gy, at)
            vector = vector_type(pixels.type.pointee)
            factor = narrow(b, spread(b, share, vector.count), vector)

            def block(p, i, j, parts, mask, masks, plain):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                place = b.gep(data, [b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)])
                quarter = b.fmul(_load(b, vector_pointer(b, place, vector), mask, plain), factor)
                _spread_out(b, [quarter] * 4, plane, W, i, j, masks)

            plain = _plain(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, vector.count)
            end = _last_row(b, pixels, H, W, OH, vector)
            _over_blocks(b, planes, plain, W, OH, OW, vector.count, block, end)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, *[n64] * 4, gy, *[n64] * 3, types.float64), codegen

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

                def down(top, count, j, whole, plain, ordered):
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
                    masks = [None if plain else lanes_between(b, i64(0), bound, lanes) for bound in bounds]

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

                def bands(plain):
                    """All windows; whether no NaN was seen."""
                    whole = b.sdiv(W, i64(2 * lanes)) if plain else i64(0)

                    def band(k, ordered):
                        top = b.mul(k, height)
                        count = at_most(b, b.sub(OH, top), height)

                        def strips_from(first, last, full, ordered):
                            def strip(k, state):
                                return down(top, count, b.mul(b.add(first, k), i64(lanes)), full, plain, *state)

                            return loop(b, b.sub(last, first), ordered, strip)

                        ordered = strips_from(i64(0), whole, True, ordered) if plain else ordered
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

            def block(p, i, j, parts, mask, masks, plain):
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
                            _load(b, vector_pointer(b, b.gep(data, [place]), vector), some, plain),
                            load(b, vector_pointer(b, b.gep(codes, [place]), code), None if plain else some),
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
                _spread_out(b, four, plane, W, i, j, masks, b.icmp_signed("<", b.add(b.mul(i, i64(2)), i64(1)), H))

            after = b.add(OW, i64(lanes + 1))
            plain = _plain(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, after)
            _over_blocks(b, planes, plain, W, OH, OW, lanes, block)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, *[n64] * 4, gy, where, *[n64] * 3), codegen

else:

    def _blocks(planes, H, W, OH, OW):
        """The number of each window, and how far its first pixel is."""
        for p, i, j in itertools.product(range(planes), range(OH), range(OW)):
            yield (p * OH + i) * OW + j, (p * H + 2 * i) * W + 2 * j

    def max_blocks(y, where, at, x, start, planes, H, W, OH, OW):
        """The maxima of some planes' 2 x 2 blocks."""
        for window, corner in _blocks(planes, H, W, OH, OW):
            four = [x[start + corner + k] for k in (0, 1, W, W + 1)]
            winner = 0
            for k in (1, 2, 3):
                winner = k if formulas.wins(four[k], four[winner]) else winner
            y[at + window], where[at + window] = four[winner], winner

    def to_blocks(gx, start, planes, H, W, gy, where, at, OH, OW):
        """The adjoint of ``max_blocks``."""
        gx[start : start + planes * H * W] = 0
        for window, corner in _blocks(planes, H, W, OH, OW):
            winner = int(where[at + window])
            gx[start + corner + winner // 2 * W + winner % 2] = gy[at + window]

    def average_blocks(y, at, x, start, planes, H, W, OH, OW, share):
        """The sums of some planes' 2 x 2 blocks times ``share``."""
        for window, corner in _blocks(planes, H, W, OH, OW):
            y[at + window] = sum([float(x[start + corner + k]) for k in (0, 1, W, W + 1)]) * share

    def share_blocks(gx, start, planes, H, W, gy, at, OH, OW, share):
        """The adjoint of ``average_blocks``."""
        gx[start : start + planes * H * W] = 0
        for window, corner in _blocks(planes, H, W, OH, OW):
            for k in (0, 1, W, W + 1):
                gx[start + corner + k] = gy[at + window] * share

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
