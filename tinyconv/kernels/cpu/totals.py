"""Sums, products and maxima over rows of numbers, in vectors: what an ordinary loop does well only where rows are long.

A channel of a batch of images is N short rows (49 pixels, 64, 100) with gaps between them. The compiler's vectorized
loop over such a row spends most of its time on what is left over at the end, and a maximum that must let NaN through
it does not vectorize at all. Here a row is some blocks of UNROLL vectors and one block with masks; the masks are made
once for all rows. The vectors of a block are added up as they are, then in float64, so the error of a sum does not grow
with its length; the lanes are added up at the end, as a tree.
"""

from __future__ import annotations

import math

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

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
    shuffle,
    size_of,
    splat,
    spread,
    store,
    vector_pointer,
    vector_type,
    zeros,
)

UNROLL = 4


def widen(b, value):
    """A vector of floats or doubles as doubles."""
    kind = ir.VectorType(ir.DoubleType(), value.type.count)
    return value if value.type == kind else b.fpext(value, kind)


def fold(b, vector, combine):
    """All lanes as one number: upper half with lower half, again and again."""
    while (half := vector.type.count // 2) > 0:
        upper = shuffle(b, vector, vector, range(half, 2 * half))
        vector = combine(shuffle(b, vector, vector, range(half)), upper)
    return b.extract_element(vector, ir.Constant(ir.IntType(32), 0))


def tree(parts, combine):
    """Neighbours combined, and their results, until one is left."""
    while len(parts) > 1:
        parts = [combine(p, q) for p, q in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def narrow(b, value, vector):
    """A vector of doubles as the type ``vector``."""
    return value if value.type == vector else b.fptrunc(value, vector)


if JIT:

    def _over_rows(b, pointers, stride, rows, n, state, step):
        """Let ``state = step(vectors, masks, state)`` see all rows, UNROLL vectors at once: ``vectors[q]`` are the q-th
        ones from each of ``pointers``, ``masks[q]`` the lanes that count (None: all)."""
        vector = vector_type(pointers[0].type.pointee)
        lanes = vector.count
        blocks = b.sdiv(b.sub(n, i64(1)), i64(UNROLL * lanes))
        rest = b.sub(n, b.mul(blocks, i64(UNROLL * lanes)))
        some = [lanes_between(b, i64(0), b.sub(rest, i64(q * lanes)), lanes) for q in range(UNROLL)]

        # What comes AHEAD is in this row, or as far into the next one.
        ahead = at_most(b, i64(AHEAD // size_of(vector.element)), n)
        last, beyond = b.sub(n, ahead), b.add(b.sub(stride, n), ahead)

        def block(start, k, masks, state):
            offset = b.mul(k, i64(UNROLL * lanes))
            coming = b.select(b.icmp_signed("<", offset, last), ahead, beyond)
            at = [b.gep(p, [b.add(start, offset)]) for p in pointers]
            for p in at:
                for q in range(UNROLL):
                    prefetch(b, b.gep(p, [b.add(coming, i64(q * lanes))]))
            vectors = [[load(b, vector_pointer(b, p, vector, q), mask) for p in at] for q, mask in enumerate(masks)]
            return step(vectors, masks, state)

        def row(r, state):
            start = b.mul(r, stride)
            state = loop(b, blocks, state, lambda k, state: block(start, k, [None] * UNROLL, state))
            return block(start, blocks, some, state)

        return loop(b, rows, state, row)

    def _sums(b, pointers, stride, rows, n, terms, count):
        """``count`` sums over all elements of what ``terms(values, mask)`` makes of them: vectors are added up by fours
        as they are, and what comes of it in doubles."""
        zero = zeros(ir.VectorType(ir.DoubleType(), vector_type(pointers[0].type.pointee).count))

        def step(vectors, masks, state):
            made = [terms(values, mask) for values, mask in zip(vectors, masks, strict=True)]
            fours = [tree(list(parts), b.fadd) for parts in zip(*made, strict=True)]
            return [b.fadd(total, widen(b, four)) for total, four in zip(state, fours, strict=True)]

        totals = _over_rows(b, pointers, stride, rows, n, [zero] * count, step)
        return [fold(b, total, b.fadd) for total in totals]

    @intrinsic
    def sum_rows(typingctx, x, start, stride, rows, n):
        """The sum of ``x[start + r*stride + k]`` over r < rows, k < n, as a float64."""

        def codegen(context, b, signature, args):
            x, start, stride, rows, n = args
            pointer = array_pointer(context, b, signature.args[0], x, start)
            return _sums(b, [pointer], stride, rows, n, lambda values, mask: values, 1)[0]

        return types.float64(x, *[types.int64] * 4), codegen

    @intrinsic
    def product(typingctx, x, start, n):
        """The product of ``x[start + k]`` over k < n, as a float64: all of it is multiplied in float64, where what is
        on the way can be larger or smaller than a float32."""

        def codegen(context, b, signature, args):
            x, start, n = args
            pointer = array_pointer(context, b, signature.args[0], x, start)
            vector = vector_type(pointer.type.pointee)
            one = splat(vector, 1.0)

            def step(vectors, masks, state):
                values = [values[0] if mask is None else b.select(mask, values[0], one)
                          for values, mask in zip(vectors, masks, strict=True)]  # fmt: skip
                return [b.fmul(total, widen(b, value)) for total, value in zip(state, values, strict=True)]

            ones = splat(ir.VectorType(ir.DoubleType(), vector.count), 1.0)
            totals = _over_rows(b, [pointer], n, i64(1), n, [ones] * UNROLL, step)
            return fold(b, tree(totals, b.fmul), b.fmul)

        return types.float64(x, types.int64, types.int64), codegen

    @intrinsic
    def sum_columns(typingctx, totals, x, start, stride, rows, n):
        """``totals[k]``, a float64, is the sum of ``x[start + r*stride + k]`` over r < rows, for every k < n."""

        def codegen(context, b, signature, args):
            totals, x, start, stride, rows, n = args
            out = array_pointer(context, b, signature.args[0], totals, i64(0))
            data = array_pointer(context, b, signature.args[1], x, start)
            vector = vector_type(data.type.pointee)
            wide = ir.VectorType(ir.DoubleType(), vector.count)

            def columns(j, state):
                first = b.mul(j, i64(2 * vector.count))
                here = b.gep(data, [first])
                left = [b.sub(b.sub(n, first), i64(q * vector.count)) for q in range(2)]
                masks = [lanes_between(b, i64(0), count, vector.count) for count in left]

                def row(r, sums):
                    at = b.gep(here, [b.mul(r, stride)])
                    values = [load(b, vector_pointer(b, at, vector, q), masks[q]) for q in range(2)]
                    return [b.fadd(total, widen(b, value)) for total, value in zip(sums, values, strict=True)]

                for q, total in enumerate(loop(b, rows, [zeros(wide)] * 2, row)):
                    place = b.gep(out, [b.add(first, i64(q * vector.count))])
                    store(b, total, b.bitcast(place, wide.as_pointer()), masks[q])
                return state

            loop(b, b.sdiv(b.add(n, i64(2 * vector.count - 1)), i64(2 * vector.count)), [], columns)
            return context.get_dummy_value()

        return types.void(totals, x, *[types.int64] * 4), codegen

    @intrinsic
    def sum_squares(typingctx, x, start, stride, rows, n, m):
        """The sum of ``(x - m)**2`` over the same elements."""

        def codegen(context, b, signature, args):
            x, start, stride, rows, n, m = args
            pointer = array_pointer(context, b, signature.args[0], x, start)
            vector = vector_type(pointer.type.pointee)
            shift = spread(b, m, vector.count)

            def terms(values, mask):
                centred = b.fsub(values[0], shift)
                centred = centred if mask is None else b.select(mask, centred, zeros(vector))
                return [b.fmul(centred, centred)]

            return _sums(b, [pointer], stride, rows, n, terms, 1)[0]

        return types.float64(x, *[types.int64] * 4, x.dtype), codegen

    @intrinsic
    def sum_products(typingctx, g, x, start, stride, rows, n, m):
        """The sums of ``g`` and of ``g * (x - m)`` over the same elements of both."""

        def codegen(context, b, signature, args):
            g, x, start, stride, rows, n, m = args
            pointers = [array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((g, x))]
            shift = spread(b, m, vector_type(pointers[0].type.pointee).count)

            def terms(values, mask):  # where the mask is off, g is 0
                return [values[0], b.fmul(values[0], b.fsub(values[1], shift))]

            sums = _sums(b, pointers, stride, rows, n, terms, 2)
            return context.make_tuple(b, signature.return_type, sums)

        return types.UniTuple(types.float64, 2)(g, x, *[types.int64] * 4, x.dtype), codegen

    @intrinsic
    def centre_rows(typingctx, out, g, x, start, stride, rows, n, scale, shift, m, slope):
        """``out = scale * (g - shift - (x - m) * slope)`` for the same elements of all three, in their type."""

        def codegen(context, b, signature, args):
            (out, g, x, start, stride, rows, n), numbers = args[:7], args[7:]
            to, *pointers = [array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((out, g, x))]
            vector = vector_type(to.type.pointee)
            scale, shift, m, slope = [spread(b, number, vector.count) for number in numbers]

            def step(vectors, masks, state):
                for q, ((g, x), mask) in enumerate(zip(vectors, masks, strict=True)):
                    value = b.fsub(b.fsub(g, shift), b.fmul(b.fsub(x, m), slope))
                    store(b, b.fmul(scale, value), vector_pointer(b, state[0], vector, q), mask)
                return [b.gep(state[0], [i64(UNROLL * vector.count)])]

            def row(r, state):
                _over_rows(b, [b.gep(p, [b.mul(r, stride)]) for p in pointers], stride, i64(1), n,
                           [b.gep(to, [b.mul(r, stride)])], step)  # fmt: skip
                return state

            loop(b, rows, [], row)
            return context.get_dummy_value()

        return types.void(out, g, x, *[types.int64] * 4, *[x.dtype] * 4), codegen

    def _extreme(relation, neutral):
        @intrinsic
        def extreme(typingctx, x, start, n):
            """The maximum, or the minimum, of ``x[start + k]`` over k < n; NaN if one is NaN; of none an infinity.

            A comparison with NaN holds for neither side, so one instruction compares and picks; whether there was a NaN
            is asked of two vectors at once, and noted apart."""

            def codegen(context, b, signature, args):
                x, start, n = args
                pointer = array_pointer(context, b, signature.args[0], x, start)
                vector = vector_type(pointer.type.pointee)
                nothing = splat(vector, neutral)

                def better(best, value):
                    return b.select(b.fcmp_ordered(relation, value, best), value, best)

                def step(vectors, masks, state):
                    *bests, unordered = state
                    values = [values[0] for values in vectors]
                    for q, mask in enumerate(masks):
                        values[q] = values[q] if mask is None else b.select(mask, values[q], nothing)
                    for first, second in zip(values[::2], values[1::2], strict=True):
                        unordered = b.select(b.fcmp_unordered("uno", first, second), nan, unordered)
                    return [*[better(best, value) for best, value in zip(bests, values, strict=True)], unordered]

                nan = splat(vector, float("nan"))
                *bests, unordered = _over_rows(b, [pointer], n, i64(1), n, [nothing] * UNROLL + [zeros(vector)], step)
                best, sum_ = fold(b, tree(bests, better), better), fold(b, unordered, b.fadd)
                return b.select(b.fcmp_unordered("uno", sum_, sum_), sum_, best)

            return x.dtype(x, types.int64, types.int64), codegen

        return extreme

else:

    def _elements(x, start, stride, rows, n):
        return [float(x[start + r * stride + k]) for r in range(rows) for k in range(n)]

    def sum_rows(x, start, stride, rows, n):
        """The sum of ``x[start + r*stride + k]`` over r < rows, k < n, as a float64."""
        return sum(_elements(x, start, stride, rows, n), 0.0)

    def product(x, start, n):
        """The product of ``x[start + k]`` over k < n, as a float64."""
        return math.prod(x[start : start + n].tolist(), start=1.0)

    def sum_columns(totals, x, start, stride, rows, n):
        """``totals[k]``, a float64, is the sum of ``x[start + r*stride + k]`` over r < rows, for every k < n."""
        for k in range(n):
            totals[k] = sum([float(x[start + r * stride + k]) for r in range(rows)], 0.0)

    def sum_squares(x, start, stride, rows, n, m):
        """The sum of ``(x - m)**2`` over the same elements."""
        return sum([(value - m) ** 2 for value in _elements(x, start, stride, rows, n)], 0.0)

    def sum_products(g, x, start, stride, rows, n, m):
        """The sums of ``g`` and of ``g * (x - m)`` over the same elements of both."""
        pairs = list(zip(_elements(g, start, stride, rows, n), _elements(x, start, stride, rows, n), strict=True))
        return sum([a for a, _ in pairs], 0.0), sum([a * (value - m) for a, value in pairs], 0.0)

    def centre_rows(out, g, x, start, stride, rows, n, scale, shift, m, slope):
        """``out = scale * (g - shift - (x - m) * slope)`` for the same elements of all three, in their type."""
        for first in [start + r * stride for r in range(rows)]:
            row = slice(first, first + n)
            out[row] = scale * (g[row] - shift - (x[row] - m) * slope)

    def _extreme(relation, neutral):
        def extreme(x, start, n):
            best = x.dtype.type(neutral)
            for value in x[start : start + n]:
                if (value > best if relation == ">" else value < best) or value != value:
                    best = value
            return best

        return extreme


largest, smallest = _extreme(">", float("-inf")), _extreme("<", float("inf"))
