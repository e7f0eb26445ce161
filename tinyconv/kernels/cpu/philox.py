"""Random words, a vector of counters at a time: ``formulas.random_words`` for many counters in a row.

The compiler does not see that a product of two numbers below 2**32 is one instruction of a vector unit, so the ten
rounds are written in vectors of 64-bit integers here. Two vectors of counters run side by side, because each round has
to wait for the multiplications of the one before.
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
SIDE_BY_SIDE = 2
COUNTERS = LANES * SIDE_BY_SIDE  # of one call

if JIT:

    def _rounds(b, counter, k0, k1):
        """Philox4x32-10 as in ``formulas``, for a vector of counters: four vectors of words."""
        vector = counter.type

        def constant(number):
            return ir.Constant(vector, [int(number)] * vector.count)

        word, half = constant(formulas.WORD), constant(32)
        c0, c1, c2, c3 = b.and_(counter, word), b.lshr(counter, half), constant(0), constant(0)
        for _ in range(10):
            p0, p1 = b.mul(c0, constant(formulas.PHILOX_M0)), b.mul(c2, constant(formulas.PHILOX_M1))
            c0, c2 = b.xor(b.xor(b.lshr(p1, half), c1), k0), b.xor(b.xor(b.lshr(p0, half), c3), k1)
            c1, c3 = b.and_(p1, word), b.and_(p0, word)
            k0 = b.and_(b.add(k0, constant(formulas.PHILOX_W0)), word)
            k1 = b.and_(b.add(k1, constant(formulas.PHILOX_W1)), word)
        return c0, c1, c2, c3

    @intrinsic
    def random_block(typingctx, words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""

        def codegen(context, b, signature, args):
            words, at, seed, counter = args
            out = array_pointer(context, b, signature.args[0], words, at)
            vector = ir.VectorType(ir.IntType(64), LANES)
            k0 = spread(b, b.and_(seed, i64(int(formulas.WORD))), LANES)
            k1 = spread(b, b.lshr(seed, i64(32)), LANES)
            for q in range(SIDE_BY_SIDE):
                steps = ir.Constant(vector, list(range(q * LANES, (q + 1) * LANES)))
                c0, c1, c2, c3 = _rounds(b, b.add(spread(b, counter, LANES), steps), k0, k1)
                half = ir.Constant(vector, [32] * LANES)
                pairs = b.or_(c0, b.shl(c1, half)), b.or_(c2, b.shl(c3, half))
                mix = [lane // 2 + lane % 2 * LANES for lane in range(2 * LANES)]
                for part in range(2):
                    place = b.gep(out, [i64((2 * q + part) * 2 * LANES)])
                    value = shuffle(b, *pairs, mix[part * LANES : (part + 1) * LANES])
                    value = b.bitcast(value, ir.VectorType(ir.IntType(32), 2 * LANES))
                    store(b, value, b.bitcast(place, value.type.as_pointer()))
            return context.get_dummy_value()

        return types.void(words, types.int64, types.uint64, types.uint64), codegen

else:

    def random_block(words, at, seed, counter):
        """The words of COUNTERS counters from ``counter`` on, in order, to words[at:] (uint32)."""
        for q in range(COUNTERS):
            number = type(counter)((int(counter) + q) % 2**64)
            words[at + 4 * q : at + 4 * q + 4] = formulas.random_words(seed, number)
