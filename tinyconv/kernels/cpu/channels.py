"""Passes over the channels of images (N, C, L): sums of each, and formulas with numbers of each.

A channel is N planes with gaps between them. Read channel after channel, small planes (49 pixels, 64, 100) cost more
than their arithmetic: each is a jump, and where the gaps are a power of two, all of them fall into the same few places
of the cache. So some neighbouring channels are gone through at once, in the order of memory, each with its own sums in
memory; and what comes next in that order is fetched, AHEAD bytes of it in all. A plane is some blocks of UNROLL vectors
and one with masks; the masks are made once. The vectors of a block are added up as they are, then in float64, so the
error of a sum does not grow with its length.

Results too large to be found in a cache later are *streamed*: whole vectors that go to memory by themselves. An
ordinary store to a line that is not in the cache has to fetch it first, and then puts out what is still needed.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .arrays import lanes_of
from .compile import JIT
from .target import VECTOR_BYTES
from .totals import UNROLL, fold, tree, widen
from .vectors import (
    AHEAD,
    array_pointer,
    at_most,
    i64,
    lanes_between,
    load,
    loop,
    multiply_add,
    prefetch,
    size_of,
    spread,
    store,
    stream,
    vector_pointer,
    vector_type,
    zeros,
)

FAR = 8  # images ahead at most: of small planes with gaps of a power of two the cache has room for a few


if JIT:

    def _over_planes(b, pointers, images, channels, C, L, begin, step, end, backwards=False):
        """For each of some channels of each image: ``state = begin(channel)``, ``state = step(vectors, masks, place,
        state)`` for its plane, UNROLL vectors at once, ``end(channel, state)``. ``vectors[q]`` are the q-th ones from
        each of ``pointers``, ``masks[q]`` the lanes that count (None: all), ``place`` says which element is first;
        ``backwards``: from the last image to the first."""
        vector = vector_type(pointers[0].type.pointee)
        lanes, ahead = vector.count, i64(AHEAD // len(pointers) // size_of(vector.element))
        whole = b.sdiv(L, i64(UNROLL * lanes))
        rest = b.sub(L, b.mul(whole, i64(UNROLL * lanes)))
        some = [lanes_between(b, i64(0), b.sub(rest, i64(q * lanes)), lanes) for q in range(UNROLL)]
        # What comes AHEAD is among these channels of this image, or of the next one, or of one further on.
        stride, run = b.mul(C, L), b.mul(channels, L)
        onward = b.neg(stride) if backwards else stride
        near = b.icmp_signed("<", ahead, run)
        skipped = b.sdiv(ahead, b.select(b.icmp_signed(">", run, i64(0)), run, i64(1)))
        further = b.mul(onward, at_most(b, skipped, i64(FAR)))
        last = b.select(near, b.sub(run, ahead), i64(0))
        beyond = b.select(near, b.sub(b.add(ahead, onward), run), further)

        def image(k, _):
            n = b.sub(b.sub(images, i64(1)), k) if backwards else k

            def channel(c, _):
                column = b.mul(c, L)
                start = b.add(b.mul(n, stride), column)

                def block(k, masks, state):
                    offset = b.mul(k, i64(UNROLL * lanes))
                    coming = b.select(b.icmp_signed("<", b.add(column, offset), last), ahead, beyond)
                    place = b.add(start, offset)
                    for p in pointers:
                        for q in range(UNROLL):
                            prefetch(b, b.gep(p, [b.add(b.add(place, coming), i64(q * lanes))]))
                    vectors = [
                        [load(b, vector_pointer(b, b.gep(p, [place]), vector, q), mask) for p in pointers]
                        for q, mask in enumerate(masks)
                    ]
                    return step(vectors, masks, place, state)

                state = loop(b, whole, begin(c), lambda k, state: block(k, [None] * UNROLL, state))
                left = b.select(b.icmp_signed(">", rest, i64(0)), i64(1), i64(0))
                end(c, loop(b, left, state, lambda k, state: block(whole, some, state)))
                return []

            return loop(b, channels, [], channel)

        loop(b, images, [], image)

    def _sums(b, totals, pointers, shift, images, channels, C, L, terms, count):
        """Add to ``count`` sums of each channel, ``totals[channel, term, lane]`` in float64, what ``terms(values, mask,
        shift)`` makes of its elements, where ``shift`` is the channel's number of that array."""
        vector = vector_type(pointers[0].type.pointee)
        wide = ir.VectorType(ir.DoubleType(), vector.count)

        def sums_of(c):
            return [
                b.bitcast(b.gep(totals, [b.mul(b.add(b.mul(c, i64(count)), i64(t)), i64(vector.count))]),
                          wide.as_pointer()) for t in range(count)
            ]  # fmt: skip

        def begin(c):
            middle = zeros(vector) if shift is None else spread(b, b.load(b.gep(shift, [c])), vector.count)
            return [middle, *[load(b, at) for at in sums_of(c)]]

        def step(vectors, masks, place, state):
            middle, *sums = state
            made = [terms(values, mask, middle) for values, mask in zip(vectors, masks, strict=True)]
            fours = [tree(list(parts), b.fadd) for parts in zip(*made, strict=True)]
            return [middle, *[b.fadd(total, widen(b, four)) for total, four in zip(sums, fours, strict=True)]]

        def end(c, state):
            for at, total in zip(sums_of(c), state[1:], strict=True):
                store(b, total, at)

        _over_planes(b, pointers, images, channels, C, L, begin, step, end)

    def _map(b, out, pointers, images, channels, C, L, streamed, numbers, formula):
        """``out = formula(values, numbers(channel))`` for all elements. Of what was read just before, to add it up, the
        last images are in the cache: they come first."""
        vector = vector_type(out.type.pointee)

        def over(put):
            def step(vectors, masks, place, state):
                for q, (values, mask) in enumerate(zip(vectors, masks, strict=True)):
                    put(b, formula(values, state), vector_pointer(b, b.gep(out, [place]), vector, q), mask)
                return state

            def begin(c):
                return [spread(b, number, vector.count) for number in numbers(c)]

            _over_planes(b, pointers, images, channels, C, L, begin, step, lambda c, state: None, backwards=True)

        bytes_ = b.or_(b.ptrtoint(out, ir.IntType(64)), b.mul(L, i64(size_of(vector.element))))
        aligned = b.icmp_signed("==", b.and_(bytes_, i64(VECTOR_BYTES - 1)), i64(0))
        with b.if_else(b.and_(streamed, aligned)) as (past, into):
            with past:
                over(stream)
                b.fence("seq_cst")  # what was streamed is seen by other threads before what is stored from here on
            with into:
                over(store)

    @intrinsic
    def channel_sums(typingctx, totals, x, start, images, channels, C, L):
        """Add to ``totals[c, lane]`` the elements of each of some channels: ``x[start + n*C*L + c*L + k]`` for n <
        images, c < channels, k < L."""

        def codegen(context, b, signature, args):
            totals, x, start, *sizes = args
            totals = array_pointer(context, b, signature.args[0], totals, i64(0))
            x = array_pointer(context, b, signature.args[1], x, start)
            _sums(b, totals, [x], None, *sizes, lambda values, mask, _: values, 1)
            return context.get_dummy_value()

        return types.void(totals, x, *[types.int64] * 5), codegen

    @intrinsic
    def total(typingctx, totals, at, like):
        """The sum of ``totals[at:]`` over as many lanes as a vector of the type of ``like`` has."""

        def codegen(context, b, signature, args):
            pointer = array_pointer(context, b, signature.args[0], *args[:2])
            wide = ir.VectorType(ir.DoubleType(), VECTOR_BYTES // (like.dtype.bitwidth // 8))
            return fold(b, load(b, b.bitcast(pointer, wide.as_pointer())), b.fadd)

        return types.float64(totals, types.int64, like), codegen

    @intrinsic
    def channel_moments(typingctx, totals, x, start, images, channels, C, L, origin):
        """Add to ``totals[c, 0, lane]`` the distances of channel c's elements from ``origin[c]``, and to
        ``totals[c, 1, lane]`` their squares."""

        def codegen(context, b, signature, args):
            _, x, start, *sizes, _ = args
            totals, origin = (array_pointer(context, b, signature.args[i], args[i], i64(0)) for i in (0, 7))
            x = array_pointer(context, b, signature.args[1], x, start)

            def terms(values, mask, middle):
                distance = b.fsub(values[0], middle)
                distance = distance if mask is None else b.select(mask, distance, zeros(distance.type))
                return [distance, b.fmul(distance, distance)]

            _sums(b, totals, [x], origin, *sizes, terms, 2)
            return context.get_dummy_value()

        return types.void(totals, x, *[types.int64] * 5, origin), codegen

    @intrinsic
    def channel_products(typingctx, totals, g, x, start, images, channels, C, L, mean):
        """Add to ``totals[c, 0, lane]`` channel c's elements of ``g``, and to ``totals[c, 1, lane]`` those of
        ``g * (x - mean[c])``."""

        def codegen(context, b, signature, args):
            _, g, x, start, *sizes, _ = args
            totals, mean = (array_pointer(context, b, signature.args[i], args[i], i64(0)) for i in (0, 8))
            pointers = [array_pointer(context, b, signature.args[i], a, start) for i, a in ((1, g), (2, x))]

            def terms(values, mask, middle):  # where the mask is off, g is 0
                return [values[0], b.fmul(values[0], b.fsub(values[1], middle))]

            _sums(b, totals, pointers, mean, *sizes, terms, 2)
            return context.get_dummy_value()

        return types.void(totals, g, x, *[types.int64] * 5, mean), codegen

    @intrinsic
    def normalize_channels(typingctx, y, x, start, images, channels, C, L, streamed, mean, rstd, w, bias):
        """``y = (x - mean[c]) * (rstd[c] * w[c]) + bias[c]`` for the same elements of both."""

        def codegen(context, b, signature, args):
            y, x, start, *sizes, streamed, mean, rstd, w, bias = args
            y, x = (array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((y, x)))
            mean, rstd, w, bias = (
                array_pointer(context, b, signature.args[8 + i], a, i64(0)) for i, a in enumerate((mean, rstd, w, bias))
            )

            def numbers(c):
                m, r, s, t = (b.load(b.gep(a, [c])) for a in (mean, rstd, w, bias))
                return m, b.fmul(r, s), t

            def formula(values, numbers):
                m, scale, t = numbers
                return multiply_add(b, b.fsub(values[0], m), scale, t)

            _map(b, y, [x], *sizes, streamed, numbers, formula)
            return context.get_dummy_value()

        return types.void(y, x, *[types.int64] * 5, types.boolean, mean, rstd, w, bias), codegen

    @intrinsic
    def centre_channels(typingctx, gx, g, x, start, images, channels, C, L, streamed, scale, shift, mean, slope):
        """``gx = scale[c] * (g - shift[c] - (x - mean[c]) * slope[c])`` for the same elements of all three."""

        def codegen(context, b, signature, args):
            gx, g, x, start, *sizes, streamed, scale, shift, mean, slope = args
            gx, g, x = (array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((gx, g, x)))
            arrays = [
                array_pointer(context, b, signature.args[9 + i], a, i64(0))
                for i, a in enumerate((scale, shift, mean, slope))
            ]

            def formula(values, numbers):
                scale, shift, m, slope = numbers
                value = b.fsub(b.fsub(values[0], shift), b.fmul(b.fsub(values[1], m), slope))
                return b.fmul(scale, value)

            _map(b, gx, [g, x], *sizes, streamed, lambda c: [b.load(b.gep(a, [c])) for a in arrays], formula)
            return context.get_dummy_value()

        return types.void(gx, g, x, *[types.int64] * 5, types.boolean, scale, shift, mean, slope), codegen

else:

    def _planes(start, images, channels, C, L):
        """Each channel, and where its elements in each image are."""
        for n in range(images):
            for c in range(channels):
                yield c, slice(start + (n * C + c) * L, start + (n * C + c + 1) * L)

    def channel_sums(totals, x, start, images, channels, C, L):
        """Add to ``totals[c, 0]`` the elements of each of some channels."""
        for c, part in _planes(start, images, channels, C, L):
            totals[c * lanes_of(x)] += x[part].sum(dtype=float)

    def total(totals, at, like):
        """The sum of ``totals[at:]`` over as many lanes as a vector of the type of ``like`` has."""
        return totals[at : at + lanes_of(like)].sum()

    def channel_moments(totals, x, start, images, channels, C, L, origin):
        """Add to ``totals[c, 0, 0]`` the distances from ``origin[c]``, and to ``totals[c, 1, 0]`` their squares."""
        for c, part in _planes(start, images, channels, C, L):
            totals[2 * c * lanes_of(x)] += (x[part] - origin[c]).sum(dtype=float)
            totals[(2 * c + 1) * lanes_of(x)] += ((x[part] - origin[c]) ** 2).sum(dtype=float)

    def channel_products(totals, g, x, start, images, channels, C, L, mean):
        """Add to ``totals[c, 0, 0]`` the elements of ``g``, and to ``totals[c, 1, 0]`` of ``g * (x - mean[c])``."""
        for c, part in _planes(start, images, channels, C, L):
            totals[2 * c * lanes_of(x)] += g[part].sum(dtype=float)
            totals[(2 * c + 1) * lanes_of(x)] += (g[part] * (x[part] - mean[c])).sum(dtype=float)

    def normalize_channels(y, x, start, images, channels, C, L, streamed, mean, rstd, w, bias):
        """``y = (x - mean[c]) * (rstd[c] * w[c]) + bias[c]`` for the same elements of both."""
        for c, part in _planes(start, images, channels, C, L):
            y[part] = (x[part] - mean[c]) * (rstd[c] * w[c]) + bias[c]

    def centre_channels(gx, g, x, start, images, channels, C, L, streamed, scale, shift, mean, slope):
        """``gx = scale[c] * (g - shift[c] - (x - mean[c]) * slope[c])`` for the same elements of all three."""
        for c, part in _planes(start, images, channels, C, L):
            gx[part] = scale[c] * (g[part] - shift[c] - (x[part] - mean[c]) * slope[c])
