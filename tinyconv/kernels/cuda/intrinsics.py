"""What ``language.py`` becomes when numba-cuda compiles a kernel: a few instructions each, in LLVM's notation."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from llvmlite import ir
from numba import cuda
from numba.cuda import cgutils, nvvmutils, types
from numba.cuda.core.errors import RequireLiteralValue
from numba.cuda.extending import intrinsic

from . import language

I32, I64, FLOAT = ir.IntType(32), ir.IntType(64), ir.FloatType()
_SHARED = 3  # LLVM's number for the address space of a block


def _pointer_to(count: Any, dtype: Any) -> Any:
    if not isinstance(count, types.IntegerLiteral):
        raise RequireLiteralValue("shared(count, dtype), local(count, dtype): count must be known at compilation")
    return types.CPointer(dtype.dtype)(count, dtype)


@intrinsic
def shared(typingctx, count, dtype):
    signature = _pointer_to(count, dtype)

    def codegen(context, builder, signature, args):
        element = context.get_data_type(signature.return_type.dtype)
        array = ir.ArrayType(element, count.literal_value)
        memory = cgutils.add_global_variable(builder.module, array, "shared", _SHARED)
        memory.align, memory.linkage, memory.initializer = 16, "internal", ir.Constant(array, ir.Undefined)
        return builder.addrspacecast(builder.bitcast(memory, element.as_pointer(_SHARED)), element.as_pointer(0))

    return signature, codegen


@intrinsic
def local(typingctx, count, dtype):
    signature = _pointer_to(count, dtype)

    def codegen(context, builder, signature, args):
        element = context.get_data_type(signature.return_type.dtype)
        memory = cgutils.alloca_once(builder, ir.ArrayType(element, count.literal_value))
        memory.align = 16
        return builder.bitcast(memory, element.as_pointer())

    return signature, codegen


@intrinsic
def pointer_at(typingctx, address, dtype):
    signature = types.CPointer(dtype.dtype)(address, dtype)

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_data_type(signature.return_type.dtype).as_pointer())

    return signature, codegen


def _four(context, builder, signature, args):
    """The address of ``x[i]`` as that of four numbers."""
    place = builder.gep(args[0], [context.cast(builder, args[1], signature.args[1], types.int64)])
    four = ir.VectorType(context.get_data_type(signature.args[0].dtype), 4)
    return builder.bitcast(place, four.as_pointer()), four


@intrinsic
def load4(typingctx, x, i):
    signature = types.UniTuple(x.dtype, 4)(x, i)

    def codegen(context, builder, signature, args):
        place, _ = _four(context, builder, signature, args)
        numbers = builder.load(place)
        numbers.align = 4 * context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        parts = [builder.extract_element(numbers, I32(k)) for k in range(4)]
        return context.make_tuple(builder, signature.return_type, parts)

    return signature, codegen


@intrinsic
def store4(typingctx, x, i, a, b, c, d):
    signature = types.void(x, i, x.dtype, x.dtype, x.dtype, x.dtype)

    def codegen(context, builder, signature, args):
        place, four = _four(context, builder, signature, args)
        numbers = ir.Constant(four, ir.Undefined)
        for k in range(4):
            numbers = builder.insert_element(numbers, args[2 + k], I32(k))
        builder.store(numbers, place).align = 4 * context.get_abi_sizeof(four.element)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def store_any(typingctx, x, i, value):
    signature = types.void(x, i, x.dtype)

    def codegen(context, builder, signature, args):
        place = builder.gep(args[0], [context.cast(builder, args[1], signature.args[1], types.int64)])
        builder.store(args[2], place)
        return context.get_dummy_value()

    return signature, codegen


_ADD = {"float": nvvmutils.declare_atomic_add_float32, "double": nvvmutils.declare_atomic_add_float64}


def _atomic(operation: str) -> Any:
    def make(typingctx, x, i, value):
        signature = x.dtype(x, i, x.dtype)

        def codegen(context, builder, signature, args):
            place = builder.gep(args[0], [context.cast(builder, args[1], signature.args[1], types.int64)])
            if isinstance(signature.return_type, types.Float):  # NVVM has a function, not an instruction, for floats
                return builder.call(_ADD[str(args[2].type)](builder.module), (place, args[2]))
            return builder.atomic_rmw(operation, place, args[2], "monotonic")

        return signature, codegen

    return intrinsic(make)


atomic_add, atomic_max = _atomic("add"), _atomic("max")


def _unsigned(instruction: str) -> Any:
    def make(typingctx, a, b):
        def codegen(context, builder, signature, args):
            narrow = [context.cast(builder, v, ty, types.uint32) for v, ty in zip(args, signature.args, strict=True)]
            return builder.zext(getattr(builder, instruction)(*narrow), I64)

        return types.int64(a, b), codegen

    return intrinsic(make)


quotient = _unsigned("udiv")
remainder = _unsigned("urem")


@intrinsic
def tf32(typingctx, x):
    def codegen(context, builder, signature, args):
        rounded = ir.InlineAsm(ir.FunctionType(I32, [FLOAT]), "cvt.rna.tf32.f32 $0, $1;", "=r,f")
        return builder.bitcast(builder.call(rounded, args), FLOAT)

    return types.float32(types.float32), codegen


@intrinsic
def multiply_add_16x8x8(typingctx, a0, a1, a2, a3, b0, b1, c0, c1, c2, c3):
    signature = types.UniTuple(types.float32, 4)(*[types.float32] * 10)

    def codegen(context, builder, signature, args):
        operands = [builder.bitcast(x, I32) for x in args[:6]]
        four = ir.LiteralStructType([FLOAT] * 4)
        product = ir.InlineAsm(
            ir.FunctionType(four, [I32] * 6 + [FLOAT] * 4),
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
            "{$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};",
            "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f",
            side_effect=True,  # the threads of a warp do it together: it is not to be moved into a branch
        )
        results = builder.call(product, [*operands, *args[6:]])
        return context.make_tuple(builder, signature.return_type, [builder.extract_value(results, k) for k in range(4)])

    return signature, codegen


def dialect() -> dict[Any, Any]:
    """What each name of the language is for the compiler, by what it is in ``language.py``."""
    here = globals()
    functions = {function: here[name] for name, function in language.NAMES.items()}
    return {**functions, language.cuda: cuda, math: math, np: _numpy()}


def _numpy() -> ModuleType:
    """NumPy's types, and its functions of one number, which the compiler knows under ``math``'s names."""
    module = ModuleType("numpy")
    for kind in (np.float32, np.float64, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64):
        setattr(module, kind.__name__, kind)
    for name in ("cos", "exp", "isinf", "isnan", "log", "sin", "sqrt", "tanh"):
        setattr(module, name, getattr(math, name))
    return module
