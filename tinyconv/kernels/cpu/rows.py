"""Rows of an image as vectors: copying them with zeros where the image ends, pooling them in pairs, turning them.

At LeNet's sizes rows are 10 to 28 pixels long, and an ordinary loop spends more time starting and ending than
working. Here a row is one or two vectors with a mask, and a whole plane is one loop. What an ordinary loop cannot be
made to do at all is to take the even and the odd lanes of a vector apart, which is what pooling over pairs of columns
comes down to.

Copied rows are written in whole vectors, up to one too much at the end: rows are written in order, so the next one
overwrites it, and the memory must have MARGIN elements after the last.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compile import JIT
from .target import VECTOR_BYTES
from .vectors import (
    array_pointer,
    i64,
    lanes_between,
    load,
    loop,
    shuffle,
    store,
    vector_pointer,
    vector_type,
    zeros,
)

MARGIN = VECTOR_BYTES  # enough for either type

if JIT:

    def _copy_rows(every):
        """``target[t + r*width + j] = source[s + r*stride + j*every]`` for low <= j < high, 0 for the other j <
        width."""

        @intrinsic
        def copy_rows(typingctx, target, t, source, s, stride, rows, low, high, width):
            def codegen(context, b, signature, args):
                target, t, source, s, stride, rows, low, high, width = args
                to = array_pointer(context, b, signature.args[0], target, t)
                data = array_pointer(context, b, signature.args[2], source, s)
                vector = vector_type(to.type.pointee)
                lanes = vector.count

                def masks(j):
                    """For the vectors of input that make the vector of output at column j."""
                    first, last = (b.mul(b.sub(bound, j), i64(every)) for bound in (low, high))
                    return [
                        lanes_between(b, b.sub(first, i64(q * lanes)), b.sub(last, i64(q * lanes + every - 1)), lanes)
                        for q in range(every)
                    ]

                def move(r, j, mask):
                    start = b.gep(data, [b.add(b.mul(r, stride), b.mul(j, i64(every)))])
                    parts = [load(b, vector_pointer(b, start, vector, q), mask[q]) for q in range(every)]
                    value = parts[0] if every == 1 else shuffle(b, *parts, range(0, 2 * lanes, 2))
                    end = b.gep(to, [b.add(b.mul(r, width), j)])
                    store(b, value, vector_pointer(b, end, vector))

                def plane(vectors):
                    """All rows; with one or two vectors a row the masks are made once."""
                    known = [masks(i64(q * lanes)) for q in range(vectors)]

                    def row(r, state):
                        for q in range(vectors):
                            move(r, i64(q * lanes), known[q])
                        return state

                    loop(b, rows, [], row)

                with b.if_else(b.icmp_signed("<=", width, i64(lanes))) as (one, more):
                    with one:
                        plane(1)
                    with more, b.if_else(b.icmp_signed("<=", width, i64(2 * lanes))) as (two, many):
                        with two:
                            plane(2)
                        with many, cgutils.for_range(b, rows) as row:
                            columns = cgutils.for_range_slice(b, i64(0), width, i64(lanes))
                            with columns as (j, _):
                                move(row.index, j, masks(j))
                return context.get_dummy_value()

            n64 = types.int64
            return types.void(target, n64, source, n64, n64, n64, n64, n64, n64), codegen

        return copy_rows

    copy_rows, copy_every_second = _copy_rows(1), _copy_rows(2)

    def _pairs(b, pointer, vector, n):
        """Even and odd lanes of the 2n numbers at ``pointer``: two vectors."""
        lanes = vector.count
        twice = b.mul(n, i64(2))
        parts = [
            load(
                b, vector_pointer(b, pointer, vector, q), lanes_between(b, i64(0), b.sub(twice, i64(q * lanes)), lanes)
            )
            for q in range(2)
        ]
        return shuffle(b, *parts, range(0, 2 * lanes, 2)), shuffle(b, *parts, range(1, 2 * lanes, 2))

    @intrinsic
    def max_of_pairs(typingctx, y, where, at, x, start, stride, n):
        """For j < n (at most a vector): the maximum of x[start + 2j], x[start + 2j + 1] and the two a ``stride``
        further, to y[at + j], and which of the four it is to where[at + j]. The first of equals wins; NaN wins over
        numbers."""

        def codegen(context, b, signature, args):
            y, where, at, x, start, stride, n = args
            out = array_pointer(context, b, signature.args[0], y, at)
            codes = array_pointer(context, b, signature.args[1], where, at)
            data = array_pointer(context, b, signature.args[3], x, start)
            vector = vector_type(out.type.pointee)
            code = ir.VectorType(ir.IntType(8), vector.count)
            four = [*_pairs(b, data, vector, n), *_pairs(b, b.gep(data, [stride]), vector, n)]
            best, winner = four[0], zeros(code)
            for k in (1, 2, 3):
                value = four[k]
                first_nan = b.and_(b.fcmp_unordered("uno", value, value), b.fcmp_ordered("ord", best, best))
                better = b.or_(b.fcmp_ordered(">", value, best), first_nan)
                best = b.select(better, value, best)
                winner = b.select(better, ir.Constant(code, [k] * vector.count), winner)
            mask = lanes_between(b, i64(0), n, vector.count)
            store(b, best, vector_pointer(b, out, vector), mask)
            store(b, winner, vector_pointer(b, codes, code), mask)
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(y, where, n64, x, n64, n64, n64), codegen

    @intrinsic
    def to_pairs(typingctx, gx, start, stride, gy, where, at, n):
        """The adjoint of ``max_of_pairs``: gy[at + j] to the one of four pixels of gx that won, 0 to the other
        three."""

        def codegen(context, b, signature, args):
            gx, start, stride, gy, where, at, n = args
            out = array_pointer(context, b, signature.args[0], gx, start)
            data = array_pointer(context, b, signature.args[3], gy, at)
            codes = array_pointer(context, b, signature.args[4], where, at)
            vector = vector_type(out.type.pointee)
            lanes = vector.count
            code = ir.VectorType(ir.IntType(8), lanes)
            mask = lanes_between(b, i64(0), n, lanes)
            g = load(b, vector_pointer(b, data, vector), mask)
            winner = load(b, vector_pointer(b, codes, code), mask)
            mix = [lane // 2 + lane % 2 * lanes for lane in range(2 * lanes)]  # even, odd, even, odd, ...
            for row in range(2):
                even, odd = (
                    b.select(b.icmp_signed("==", winner, ir.Constant(code, [2 * row + k] * lanes)), g, zeros(vector))
                    for k in range(2)
                )
                line = out if row == 0 else b.gep(out, [stride])
                for q in range(2):
                    half = lanes_between(b, i64(0), b.sub(b.mul(n, i64(2)), i64(q * lanes)), lanes)
                    store(
                        b,
                        shuffle(b, even, odd, mix[q * lanes : (q + 1) * lanes]),
                        vector_pointer(b, line, vector, q),
                        half,
                    )
            return context.get_dummy_value()

        n64 = types.int64
        return types.void(gx, n64, n64, gy, where, n64, n64), codegen

else:

    def copy_rows(target, t, source, s, stride, rows, low, high, width, every=1):
        """``target[t + r*width + j] = source[s + r*stride + j*every]`` for low <= j < high, 0 for the other j <
        width."""
        for r in range(rows):
            for j in range(width):
                target[t + r * width + j] = source[s + r * stride + j * every] if low <= j < high else 0

    def copy_every_second(*args):
        """``copy_rows`` of every second column."""
        copy_rows(*args, 2)

    def max_of_pairs(y, where, at, x, start, stride, n):
        """The maxima of n blocks of 2 x 2."""
        for j in range(n):
            four = [x[start + 2 * j + k] for k in (0, 1, stride, stride + 1)]
            winner = 0
            for k in (1, 2, 3):
                if four[k] > four[winner] or (four[k] != four[k] and four[winner] == four[winner]):
                    winner = k
            y[at + j], where[at + j] = four[winner], winner

    def to_pairs(gx, start, stride, gy, where, at, n):
        """The adjoint of ``max_of_pairs``."""
        for j in range(n):
            for k, place in enumerate((0, 1, stride, stride + 1)):
                gx[start + 2 * j + place] = gy[at + j] if where[at + j] == k else 0
