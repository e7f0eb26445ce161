"""Random words, a vector of counters at a time: ``formulas.random_words`` for many counters in a row.

The compiler does not see that a product of two numbers below 2**32 is one instruction of a vector unit, so the ten
rounds are written in vectors of 64-bit integers here. That instruction looks at the lower half of a lane only, so what
a round leaves in the upper halves need not be cleared: a round is two multiplications, two shifts, two exclusive ors of
three. Some vectors of counters run side by side, because each round has to wait for the multiplications of the one
before. Dropout is here too: its words are used as they are made, and never stored.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .target import VECTOR_BYTES
from .vectors import array_pointer, i64, load, loop, prefetch_ahead, shuffle, spread, store, vector_pointer, zeros

LANES = VECTOR_BYTES // 8
SIDE_BY_SIDE = 4
COUNTERS = LANES * SIDE_BY_SIDE  # of one call

if JIT:

    def _rounds(b, counters, upper, keys):
        """Philox4x32-10 as in ``formulas``, for vectors of counters: for each four vectors of words, in the lower half
        of each lane (the upper holds anything). They take turns: the processor looks ahead less far than one of them is
        long."""
        vector = counters[0].type

        def constant(number):
            return ir.Constant(vector, [int(number)] * vector.count)

        def product(c, factor):
            return b.mul(b.and_(c, constant(formulas.WORD)), constant(factor))

        half = constant(32)
        state = [(c, b.lshr(c, half) if upper is None else upper, constant(0), constant(0)) for c in counters]
        for k0, k1 in keys:
            products = [(product(c0, formulas.PHILOX_M0), product(c2, formulas.PHILOX_M1)) for c0, _, c2, _ in state]
            halves = [(b.lshr(p0, half), b.lshr(p1, half)) for p0, p1 in products]
            state = [
                (b.xor(b.xor(u1, c1), k0), p1, b.xor(b.xor(u0, c3), k1), p0)
                for (_, c1, _, c3), (p0, p1), (u0, u1) in zip(state, products, halves, strict=True)
            ]
        return state

    def _block(b, seed, counter, upper=None):
        """The words of COUNTERS counters from ``counter`` on, in order, as vectors; ``upper`` is the counters' upper
        half, where they have the same: then the first two rounds have little to do."""
        vector = ir.VectorType(ir.IntType(64), LANES)
        k0, k1, keys = seed, b.lshr(seed, i64(32)), []
        for _ in range(10):
            keys.append([spread(b, k, LANES) for k in (k0, k1)])
            k0, k1 = b.add(k0, i64(int(formulas.PHILOX_W0))), b.add(k1, i64(int(formulas.PHILOX_W1)))
        halves = ir.VectorType(ir.IntType(32), 2 * LANES)
        fours = range(0, 2 * LANES, 4)
        even, odd = ([k + pick for k in fours for pick in (q, q + 2, q + 2 * LANES, q + 2 + 2 * LANES)] for q in (0, 1))
        # Of two neighbouring lanes the shuffles bring one into the first result, one into the second.
        order = [lane // 2 + lane % 2 * (LANES // 2) for lane in range(LANES)]
        start = spread(b, counter, LANES)
        counters = [
            b.add(start, ir.Constant(vector, [q * LANES + place for place in order])) for q in range(SIDE_BY_SIDE)
        ]
        for words in _rounds(b, counters, upper, keys):
            words = [b.bitcast(c, halves) for c in words]
            pairs = [shuffle(b, *words[k : k + 2], even) for k in (0, 2)]
            yield from [shuffle(b, *pairs, half) for half in (even, odd)]

    @intrinsic
    def random_block(typingctx, words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""

        def codegen(context, b, signature, args):
            words, at, seed, counter = args
            out = array_pointer(context, b, signature.args[0], words, at)
            for q, values in enumerate(_block(b, seed, counter)):
                store(b, values, vector_pointer(b, out, values.type, q))
            return context.get_dummy_value()

        return types.void(words, types.int64, types.uint64, types.uint64), codegen

    @intrinsic
    def drop_blocks(typingctx, y, x, start, blocks, limit, scale, seed, counter):
        """``y = x * scale`` where the random word is at least ``limit``, else 0, for the elements from ``start`` on
        that belong to so many times COUNTERS counters from ``counter`` on, all with the same upper half."""

        def codegen(context, b, signature, args):
            y, x, start, blocks, limit, scale, seed, counter = args
            y, x = (array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((y, x)))
            vector = ir.VectorType(x.type.pointee, 2 * LANES)
            limits, scales = spread(b, limit, vector.count), spread(b, scale, vector.count)

            upper = spread(b, b.lshr(counter, i64(32)), LANES)

            def block(k, state):
                first = b.mul(k, i64(4 * COUNTERS))
                here, there = (b.gep(a, [first]) for a in (x, y))
                prefetch_ahead(b, here, vector, 2 * SIDE_BY_SIDE)
                prefetch_ahead(b, there, vector, 2 * SIDE_BY_SIDE)
                for q, words in enumerate(_block(b, seed, b.add(counter, b.mul(k, i64(COUNTERS))), upper)):
                    scaled = b.fmul(load(b, vector_pointer(b, here, vector, q)), scales)
                    kept = b.select(b.icmp_unsigned(">=", words, limits), scaled, zeros(vector))
                    store(b, kept, vector_pointer(b, there, vector, q))
                return state

            loop(b, blocks, [], block)
            return context.get_dummy_value()

        n64, u64 = types.int64, types.uint64
        return types.void(y, x, n64, n64, types.uint32, x.dtype, u64, u64), codegen

else:

    def random_block(words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""
        for q in range(COUNTERS):
            number = type(counter)((int(counter) + q) % 2**64)
            words[at + 4 * q : at + 4 * q + 4] = formulas.random_words(seed, number)

    def drop_blocks(y, x, start, blocks, limit, scale, seed, counter):
        """``y = x * scale`` where the random word is at least ``limit``, else 0."""
        words = np.empty(4 * COUNTERS, np.uint32)
        for k in range(blocks):
            random_block(words, 0, seed, counter + np.uint64(k * COUNTERS))
            part = slice(start + k * words.size, start + (k + 1) * words.size)
            y[part] = np.where(words >= limit, x[part] * scale, 0)
