"""Pooling over 2 x 2 windows, stride 2: the pooling of nearly every network.

Here such a window is called a *block*: no pixel lies in two. Rows are taken in pairs, and the even and the odd lanes of
a row are taken apart, so a vector of blocks sees a vector of pixels at each of the four corners. An ordinary loop
cannot be made to do this at all. Several planes are one loop, so that the masks of rows of up to two vectors are made
once.

Masked loads are for the last planes of an array only. Elsewhere vectors are read whole, whatever may lie beyond the end
of the row: masked loads do not set off the processor's prefetching, and from memory that makes them three times slower.
Even so two rows at once, seven lines of the cache and then a jump, are too much for it. So what will be read is fetched
ahead, and so is what will be written: of a line that is not in the cache the rest has to come.
"""

from __future__ import annotations

import itertools

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .totals import narrow, widen
from .vectors import (
    array_pointer,
    at_most,
    i64,
    lanes_between,
    load,
    loop,
    over_columns,
    prefetch_ahead,
    shuffle,
    splat,
    spread,
    store,
    vector_pointer,
    vector_type,
    winner_of,
    zeros,
)


def over_blocks(b, planes, readable, W, OH, OW, lanes, block, end=None):
    """``block(p, i, j, mask, masks, unmasked)`` for every vector of windows (i, j), (i, j + 1), ... of each
    plane p; an odd last column of pixels takes part.

    Args:
        planes: how many there are.
        readable: how many of them have memory behind them that can be read: the first ones, as a rule all but the
            last. There loads need no mask.
        W, OH, OW: columns of pixels, rows and columns of windows.
        lanes: of a vector.
        block: writes the instructions. It gets the numbers of plane, row and column; the mask of the windows and
            those of the vectors of pixels above, and below, them (None: all lanes); and, in Python, whether loads
            may go ``unmasked``.
        end: ``end(p)`` comes after each plane.

    Rows of up to two vectors have their masks made once for all planes.
    """

    def masks(j, parts):
        pixels = b.sub(W, b.mul(j, i64(2)))
        halves = [lanes_between(b, i64(0), b.sub(pixels, i64(q * lanes)), lanes) for q in range(parts)]
        return lanes_between(b, i64(0), b.sub(OW, j), lanes), halves

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
        rows(i64(0), readable, lambda p, i: block(p, i, i64(0), *known, True))

    def long():
        whole = b.sdiv(W, i64(2 * lanes))
        start = b.mul(whole, i64(lanes))

        def row(p, i):
            over_columns(b, start, lanes, lambda j: block(p, i, j, None, [None] * 2, True))
            with b.if_then(b.icmp_signed("<", b.mul(start, i64(2)), W)):
                block(p, i, start, *masks(start, 2), True)

        rows(i64(0), readable, row)

    with b.if_else(b.icmp_signed("<=", W, i64(lanes))) as (one, more):
        with one:
            short(1)
        with more, b.if_else(b.icmp_signed("<", W, i64(2 * lanes))) as (two, many):
            with two:
                short(2)
            with many:
                long()
    half = b.sdiv(b.add(W, i64(1)), i64(2))
    rows(readable, planes, lambda p, i: over_columns(b, half, lanes, lambda j: block(p, i, j, *masks(j, 2), False)))


def readable_planes(context, b, kind, array, start, size, planes, after):
    """How many of the ``planes`` of ``size`` elements from ``start`` on have at least ``after`` more elements of
    the array behind them."""
    total = context.make_array(kind)(context, b, array).nitems
    left = b.sub(total, b.add(start, i64(after) if isinstance(after, int) else after))
    left, size = (b.select(b.icmp_signed(">", n, i64(low)), n, i64(low)) for n, low in ((left, 0), (size, 1)))
    some = b.sdiv(left, size)
    return at_most(b, some, planes)


def load_or_zero(b, pointer, mask, unmasked):
    """A vector, 0 where the mask is off."""
    if mask is None or not unmasked:
        return load(b, pointer, mask)
    return b.select(mask, load(b, pointer), zeros(pointer.type.pointee))


def _corner(b, plane, W, i, j, row):
    """Where row 0 or 1 of the 2 x 2 window (i, j) begins."""
    return b.gep(plane, [b.add(b.mul(b.add(b.mul(i, i64(2)), i64(row)), W), b.mul(j, i64(2)))])


def _two_rows(b, plane, W, i, j, vector, masks, unmasked):
    """The vectors of pixels above and below in a vector of 2 x 2 windows (where there are none, anything)."""
    for row in range(2):
        line = _corner(b, plane, W, i, j, row)
        prefetch_ahead(b, line, vector, len(masks))
        yield [load(b, vector_pointer(b, line, vector, q), None if unmasked else mask) for q, mask in enumerate(masks)]


def _four(b, plane, W, i, j, vector, masks, unmasked):
    """The upper left, upper right, lower left and lower right pixels of these windows."""
    return [
        shuffle(b, values[0], values[-1], range(k, 2 * vector.count, 2))
        for values in _two_rows(b, plane, W, i, j, vector, masks, unmasked)
        for k in range(2)
    ]


def spread_out(b, four, plane, W, i, j, masks, both=None):
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
            over_columns(b, W, vector.count, zero)

    return end


if JIT:

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

            def block(p, i, j, mask, masks, unmasked):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                best, winner = winner_of(b, _four(b, plane, W, i, j, vector, masks, unmasked))
                place = b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)
                store(b, best, vector_pointer(b, b.gep(out, [place]), vector), mask)
                store(b, winner, vector_pointer(b, b.gep(codes, [place]), code), mask)

            readable = readable_planes(context, b, signature.args[3], x, start, b.mul(H, W), planes, 2 * vector.count)
            over_blocks(b, planes, readable, W, OH, OW, vector.count, block)
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

            def block(p, i, j, mask, masks, unmasked):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                place = b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)
                g = load_or_zero(b, vector_pointer(b, b.gep(data, [place]), vector), mask, unmasked)
                winner = load(b, vector_pointer(b, b.gep(codes, [place]), code), None if unmasked else mask)
                won = [b.icmp_signed("==", winner, splat(code, k)) for k in range(4)]
                spread_out(b, [b.select(w, g, zeros(vector)) for w in won], plane, W, i, j, masks)

            readable = readable_planes(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, vector.count)
            end = _last_row(b, pixels, H, W, OH, vector)
            over_blocks(b, planes, readable, W, OH, OW, vector.count, block, end)
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

            def block(p, i, j, mask, masks, unmasked):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                above, below = _two_rows(b, plane, W, i, j, vector, masks, unmasked)
                pairs = [b.fadd(widen(b, upper), widen(b, lower)) for upper, lower in zip(above, below, strict=True)]
                left, right = (shuffle(b, pairs[0], pairs[-1], range(k, 2 * vector.count, 2)) for k in range(2))
                mean = b.fmul(b.fadd(left, right), factor)
                place = b.gep(out, [b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)])
                store(b, narrow(b, mean, vector), vector_pointer(b, place, vector), mask)

            readable = readable_planes(context, b, signature.args[2], x, start, b.mul(H, W), planes, 2 * vector.count)
            over_blocks(b, planes, readable, W, OH, OW, vector.count, block)
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

            def block(p, i, j, mask, masks, unmasked):
                plane = b.gep(pixels, [b.mul(p, b.mul(H, W))])
                place = b.gep(data, [b.add(b.mul(b.add(b.mul(p, OH), i), OW), j)])
                quarter = b.fmul(load_or_zero(b, vector_pointer(b, place, vector), mask, unmasked), factor)
                spread_out(b, [quarter] * 4, plane, W, i, j, masks)

            readable = readable_planes(context, b, signature.args[5], gy, at, b.mul(OH, OW), planes, vector.count)
            end = _last_row(b, pixels, H, W, OH, vector)
            over_blocks(b, planes, readable, W, OH, OW, vector.count, block, end)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, *[n64] * 4, gy, *[n64] * 3, types.float64), codegen

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
