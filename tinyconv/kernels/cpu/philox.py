"""Random words, a vector of counters at a time: ``formulas.random_words`` for many counters in a row.

The compiler does not see that a product of two numbers below 2**32 is one instruction of a vector unit, so the ten
rounds are written in vectors of 64-bit integers here. That instruction looks at the lower half of a lane only, so what
a round leaves in the upper halves need not be cleared: a round is two multiplications, two shifts, two exclusive ors of
three. Some vectors of counters run side by side, because each round has to wait for the multiplications of the one
before.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .. import formulas
from .compile import JIT
from .target import VECTOR_BYTES
from .vectors import array_pointer, i64, shuffle, spread, store

LANES = VECTOR_BYTES // 8
SIDE_BY_SIDE = 4
COUNTERS = LANES * SIDE_BY_SIDE  # of one call

if JIT:

    def _rounds(b, counters, keys):
        """Philox4x32-10 as in ``formulas``, for vectors of counters: for each four vectors of words, in the lower half
        of each lane (the upper holds anything). They take turns: the processor looks ahead less far than one of them is
        long."""
        vector = counters[0].type

        def constant(number):
            return ir.Constant(vector, [int(number)] * vector.count)

        def product(c, factor):
            return b.mul(b.and_(c, constant(formulas.WORD)), constant(factor))

        half = constant(32)
        state = [(c, b.lshr(c, half), constant(0), constant(0)) for c in counters]
        for k0, k1 in keys:
            products = [(product(c0, formulas.PHILOX_M0), product(c2, formulas.PHILOX_M1)) for c0, _, c2, _ in state]
            upper = [(b.lshr(p0, half), b.lshr(p1, half)) for p0, p1 in products]
            state = [
                (b.xor(b.xor(u1, c1), k0), p1, b.xor(b.xor(u0, c3), k1), p0)
                for (_, c1, _, c3), (p0, p1), (u0, u1) in zip(state, products, upper, strict=True)
            ]
        return state

    @intrinsic
    def random_block(typingctx, words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""

        def codegen(context, b, signature, args):
            words, at, seed, counter = args
            out = array_pointer(context, b, signature.args[0], words, at)
            vector = ir.VectorType(ir.IntType(64), LANES)
            k0, k1, keys = seed, b.lshr(seed, i64(32)), []
            for _ in range(10):
                keys.append([spread(b, k, LANES) for k in (k0, k1)])
                k0, k1 = b.add(k0, i64(int(formulas.PHILOX_W0))), b.add(k1, i64(int(formulas.PHILOX_W1)))
            halves = ir.VectorType(ir.IntType(32), 2 * LANES)
            lower = [lane // 2 * 2 + lane % 2 * 2 * LANES for lane in range(2 * LANES)]
            pairs_of = [[2 * (lane // 4 + part * LANES // 2) + lane % 2 + lane // 2 % 2 * 2 * LANES
                         for lane in range(2 * LANES)] for part in range(2)]  # fmt: skip
            start = spread(b, counter, LANES)
            counters = [
                b.add(start, ir.Constant(vector, list(range(q * LANES, (q + 1) * LANES)))) for q in range(SIDE_BY_SIDE)
            ]
            for q, words in enumerate(_rounds(b, counters, keys)):
                words = [b.bitcast(c, halves) for c in words]
                pairs = [shuffle(b, *words[k : k + 2], lower) for k in (0, 2)]
                for part, mix in enumerate(pairs_of):
                    place = b.gep(out, [i64((2 * q + part) * 2 * LANES)])
                    store(b, shuffle(b, *pairs, mix), b.bitcast(place, halves.as_pointer()))
            return context.get_dummy_value()

        return types.void(words, types.int64, types.uint64, types.uint64), codegen

else:

    def random_block(words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""
        for q in range(COUNTERS):
            number = type(counter)((int(counter) + q) % 2**64)
            words[at + 4 * q : at + 4 * q + 4] = formulas.random_words(seed, number)
