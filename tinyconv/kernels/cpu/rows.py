"""Copying a row of an image into a row of scratch memory, with zeros where the image ends.

At LeNet's sizes rows are 10 to 28 pixels long and a loop spends more time starting than copying. This copies whole vectors
with a mask: the lanes outside [low, high) read nothing and become zero. Whole vectors are also written, so up to a vector
too much at the end: rows are written in order, the next one overwrites it, and the scratch memory has a margin.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .compile import JIT
from .target import VECTOR_BYTES

MARGIN = VECTOR_BYTES  # elements of scratch memory beyond the last row (enough for either type)

_I32, _I64 = ir.IntType(32), ir.IntType(64)

if JIT:

    @intrinsic
    def copy_row(typingctx, target, t, source, s, low, high, width):
        """``target[t + j] = source[s + j]`` for low <= j < high, 0 for the other j < width."""

        def codegen(context, b, signature, args):
            target, t, source, s, low, high, width = args
            out = b.gep(context.make_array(signature.args[0])(context, b, target).data, [t])
            data = b.gep(context.make_array(signature.args[2])(context, b, source).data, [s])
            scalar = out.type.pointee
            size = 4 if isinstance(scalar, ir.FloatType) else 8
            lanes = VECTOR_BYTES // size
            vector, mask = ir.VectorType(scalar, lanes), ir.VectorType(ir.IntType(1), lanes)
            integers = ir.VectorType(_I32, lanes)
            places = ir.Constant(integers, list(range(lanes)))
            kind = ir.FunctionType(vector, [vector.as_pointer(), _I32, mask, vector])
            load = cgutils.get_or_insert_function(b.module, kind, f"llvm.masked.load.v{lanes}f{size * 8}.p0")

            def spread(value):
                value = b.trunc(value, _I32)
                one = b.insert_element(ir.Constant(integers, ir.Undefined), value, ir.Constant(_I32, 0))
                return b.shuffle_vector(one, ir.Constant(integers, ir.Undefined), ir.Constant(integers, [0] * lanes))

            with cgutils.for_range_slice(b, ir.Constant(_I64, 0), width, ir.Constant(_I64, lanes)) as (j, _):
                inside = b.and_(
                    b.icmp_signed(">=", places, spread(b.sub(low, j))), b.icmp_signed("<", places, spread(b.sub(high, j)))
                )
                address = b.bitcast(b.gep(data, [j]), vector.as_pointer())
                value = b.call(load, [address, ir.Constant(_I32, size), inside, ir.Constant(vector, [0.0] * lanes)])
                b.store(value, b.bitcast(b.gep(out, [j]), vector.as_pointer()), align=size)
            return context.get_dummy_value()

        i64 = types.int64
        return types.void(target, i64, source, i64, i64, i64, i64), codegen

else:

    def copy_row(target, t, source, s, low, high, width):
        """``target[t + j] = source[s + j]`` for low <= j < high, 0 for the other j < width."""
        for j in range(width):
            target[t + j] = source[s + j] if low <= j < high else 0
