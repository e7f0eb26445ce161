"""The LLVM instructions that this folder's intrinsics are written in: vectors, masks, loops.

``b`` is an LLVM IR builder throughout. A *mask* says which lanes take part: masked loads read nothing from the others
and make them zero, masked stores leave them alone.
"""

from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils

from .target import VECTOR_BYTES

I32, I64 = ir.IntType(32), ir.IntType(64)
AHEAD = 8192  # bytes from what is needed now to what is fetched: the processor itself looks no further than a page


def i64(value):
    """An int as a constant."""
    return ir.Constant(I64, value)


def size_of(scalar):
    """Bytes of a float or double."""
    return 4 if isinstance(scalar, ir.FloatType) else 8 if isinstance(scalar, ir.DoubleType) else scalar.width // 8


def vector_type(scalar):
    """The widest vector of floats or doubles."""
    return ir.VectorType(scalar, VECTOR_BYTES // size_of(scalar))


def zeros(vector):
    """A vector of zeros."""
    zero = 0 if isinstance(vector.element, ir.IntType) else 0.0
    return ir.Constant(vector, [zero] * vector.count)


def array_pointer(context, b, kind, array, offset):
    """The address of an element of a NumPy array (of Numba type ``kind``)."""
    return b.gep(context.make_array(kind)(context, b, array).data, [offset])


def vector_pointer(b, pointer, vector, j=0):
    """The address of the j-th vector from a pointer to scalars."""
    return b.bitcast(b.gep(pointer, [i64(j * vector.count)]), vector.as_pointer())


def spread(b, scalar, lanes):
    """A scalar in every lane."""
    kind = ir.VectorType(scalar.type, lanes)
    one = b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
    return shuffle(b, one, one, [0] * lanes)


def shuffle(b, first, second, picks):
    """Lanes picked from two vectors (the second's are numbered on)."""
    return b.shuffle_vector(first, second, ir.Constant(ir.VectorType(I32, len(picks)), list(picks)))


def interleave(b, first, second):
    """The lower halves of two vectors interleaved, and the upper halves."""
    lanes = first.type.count
    picks = [lane // 2 + lane % 2 * lanes for lane in range(lanes)]
    return shuffle(b, first, second, picks), shuffle(b, first, second, [pick + lanes // 2 for pick in picks])


def added_up(b, vectors):
    """The sum over the lanes of each of LANES vectors, as one vector: halves are added while they are interleaved."""
    while len(vectors) > 1:
        half = len(vectors) // 2
        vectors = [b.fadd(*interleave(b, vectors[i], vectors[i + half])) for i in range(half)]
    return vectors[0]


def at_most(b, i, last):
    """``min(i, last)`` of two ints."""
    return b.select(b.icmp_signed("<", i, last), i, last)


def lanes_between(b, low, high, lanes):
    """The mask of the lanes low <= i < high (ints of 64 bits)."""
    places = ir.Constant(ir.VectorType(I32, lanes), list(range(lanes)))
    low, high = (spread(b, b.trunc(bound, I32), lanes) for bound in (low, high))
    return b.and_(b.icmp_signed(">=", places, low), b.icmp_signed("<", places, high))


def _intrinsic_name(operation, vector):
    letter = "i" if isinstance(vector.element, ir.IntType) else "f"
    return f"llvm.{operation}.v{vector.count}{letter}{8 * size_of(vector.element)}"


def load(b, pointer, mask=None):
    """A vector from memory that need not be aligned to more than its elements."""
    vector = pointer.type.pointee
    size = size_of(vector.element)
    if mask is None:
        return b.load(pointer, align=size)
    kind = ir.FunctionType(vector, [pointer.type, I32, mask.type, vector])
    function = cgutils.get_or_insert_function(b.module, kind, _intrinsic_name("masked.load", vector) + ".p0")
    return b.call(function, [pointer, ir.Constant(I32, size), mask, zeros(vector)])


def store(b, value, pointer, mask=None):
    """A vector to memory."""
    vector = value.type
    size = size_of(vector.element)
    if mask is None:
        b.store(value, pointer, align=size)
        return
    kind = ir.FunctionType(ir.VoidType(), [vector, pointer.type, I32, mask.type])
    function = cgutils.get_or_insert_function(b.module, kind, _intrinsic_name("masked.store", vector) + ".p0")
    b.call(function, [value, pointer, ir.Constant(I32, size), mask])


def stream(b, value, pointer, mask=None):
    """A vector to memory that is aligned to it, past the caches; with a mask, an ordinary store."""
    if mask is not None:
        store(b, value, pointer, mask)
        return
    one = b.module.add_metadata([ir.Constant(I32, 1)])
    b.store(value, pointer, align=VECTOR_BYTES).set_metadata("nontemporal", one)


def prefetch(b, pointer):
    """Let a line of memory begin to come into the cache; nothing waits for it, and it need not exist."""
    kind = ir.FunctionType(ir.VoidType(), [pointer.type, I32, I32, I32])
    read, often, data = (ir.Constant(I32, option) for option in (0, 3, 1))
    b.call(cgutils.get_or_insert_function(b.module, kind, "llvm.prefetch.p0"), [pointer, read, often, data])


def prefetch_ahead(b, pointer, vector, count):
    """Let ``count`` vectors AHEAD of a pointer begin to come into the cache."""
    for q in range(count):
        prefetch(b, b.gep(pointer, [i64(AHEAD // size_of(vector.element) + q * vector.count)]))


def in_order(b):
    """Nothing, but no load or store moves across it: an empty piece of assembly that may have changed all memory."""
    b.call(ir.InlineAsm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", side_effect=True), [])


def multiply_add(b, x, y, z):
    """``x * y + z``, rounded once where the machine has an instruction for it."""
    kind = ir.FunctionType(z.type, [z.type] * 3)
    return b.call(cgutils.get_or_insert_function(b.module, kind, _intrinsic_name("fmuladd", z.type)), [x, y, z])


def splat(vector, number):
    """A constant in every lane."""
    return ir.Constant(vector, [number] * vector.count)


def wins(b, value, best):
    """Whether ``value``, met later, replaces ``best`` as a maximum: if it is larger, or the first NaN."""
    return b.and_(b.fcmp_unordered(">", value, best), b.fcmp_ordered("ord", best, best))


def winner_of(b, values):
    """Lane by lane the largest of some vectors, and which of them it is (int8). The first of equals wins, and NaN over
    numbers."""
    code = ir.VectorType(ir.IntType(8), values[0].type.count)
    best, winner = values[0], zeros(code)
    for k, value in enumerate(values[1:], 1):
        better = wins(b, value, best)
        best = b.select(better, value, best)
        winner = b.select(better, splat(code, k), winner)
    return best, winner


def loop(b, count, state, step):
    """``for k in range(count): state = step(k, state)``, with the state in registers; returns the last state."""
    before, head, after = b.block, b.append_basic_block("k"), b.append_basic_block("end")
    b.cbranch(b.icmp_signed("<=", count, i64(0)), after, head)
    b.position_at_end(head)
    k = b.phi(I64)
    k.add_incoming(i64(0), before)
    phis = [b.phi(value.type) for value in state]
    for phi, value in zip(phis, state, strict=True):
        phi.add_incoming(value, before)
    new = step(k, phis)
    following, last = b.add(k, i64(1)), b.block
    k.add_incoming(following, last)
    for phi, value in zip(phis, new, strict=True):
        phi.add_incoming(value, last)
    b.cbranch(b.icmp_signed("<", following, count), head, after)
    b.position_at_end(after)
    results = [b.phi(value.type) for value in state]
    for result, initial, value in zip(results, state, new, strict=True):
        result.add_incoming(initial, before)
        result.add_incoming(value, last)
    return results


def over_columns(b, n, lanes, do):
    """``do(j)`` for the first column j of every vector of n columns, which has so many ``lanes``."""

    def step(k, state):
        do(b.mul(k, i64(lanes)))
        return state

    loop(b, b.sdiv(b.add(n, i64(lanes - 1)), i64(lanes)), [], step)
