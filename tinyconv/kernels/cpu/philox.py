"""Random words, a vector of counters at a time: ``formulas.random_words`` for many counters in a row.

The compiler does not see that a product of two numbers below 2**32 is one instruction of a vector unit, so the ten
rounds are written in vectors of 64-bit integers here. That instruction looks at the lower half of a lane only, so what
a round leaves in the upper halves need not be cleared: a round is two multiplications, two shifts, two exclusive ors of
three. Some vectors of counters run side by side, because each round has to wait for the multiplications of the one
before. Dropout is here too: its words are used as they are made, and never stored; each serves two elements.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .target import VECTOR_BYTES
from .totals import tree
from .vectors import (
    array_pointer,
    i64,
    load,
    prefetch_ahead,
    shuffle,
    spread,
    store,
    vector_pointer,
    vector_type,
    zeros,
)

LANES = VECTOR_BYTES // 8
SIDE_BY_SIDE = 4
COUNTERS = LANES * SIDE_BY_SIDE  # of one call
HALF_WORDS = 8 * COUNTERS  # of one call: each decides about one element of dropout

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
    def drop_block(typingctx, y, x, start, top, scale, seed, counter):
        """``y = x * scale`` where the random half-word is larger than ``top`` (uint16), else 0, for the HALF_WORDS
        elements from ``start`` on, which belong to the COUNTERS from ``counter`` on, all with the same upper half.
        Returns whether a half-word equals ``top``: then it decides nothing."""

        def codegen(context, b, signature, args):
            y, x, start, top, scale, seed, counter = args
            y, x = (array_pointer(context, b, signature.args[i], a, start) for i, a in enumerate((y, x)))
            vector, halves = ir.VectorType(x.type.pointee, 4 * LANES), ir.VectorType(ir.IntType(16), 4 * LANES)
            tops, scales = spread(b, top, vector.count), spread(b, scale, vector.count)
            upper = spread(b, b.lshr(counter, i64(32)), LANES)
            line = vector_type(x.type.pointee)
            for array in (x, y):
                prefetch_ahead(b, array, line, HALF_WORDS // line.count)
            undecided = []
            for q, words in enumerate(_block(b, seed, counter, upper)):
                words = b.bitcast(words, halves)
                scaled = b.fmul(load(b, vector_pointer(b, x, vector, q)), scales)
                kept = b.select(b.icmp_unsigned(">", words, tops), scaled, zeros(vector))
                store(b, kept, vector_pointer(b, y, vector, q))
                undecided.append(b.icmp_unsigned("==", words, tops))
            some = b.bitcast(tree(undecided, b.or_), ir.IntType(4 * LANES))
            return b.icmp_unsigned("!=", some, ir.Constant(some.type, 0))

        n64, u64 = types.int64, types.uint64
        return types.boolean(y, x, n64, types.uint16, x.dtype, u64, u64), codegen

else:

    def random_block(words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""
        for q in range(COUNTERS):
            number = type(counter)((int(counter) + q) % 2**64)
            words[at + 4 * q : at + 4 * q + 4] = formulas.random_words(seed, number)

    def drop_block(y, x, start, top, scale, seed, counter):
        """``y = x * scale`` where the half-word is larger than ``top``, else 0; returns whether one equals it."""
        words = np.empty(4 * COUNTERS, np.uint32)
        random_block(words, 0, seed, counter)
        part, halves = slice(start, start + HALF_WORDS), words.view(np.uint16)
        y[part] = np.where(halves > top, x[part] * scale, 0)
        return (halves == top).any()
