"""The parts of a floating-point number: sign, fraction and exponent, read off its bits.

IEEE 754 writes a number as ``sign | exponent + bias | fraction``, from the highest bit to the lowest. Seen as an
integer, the bits of a positive number grow with it, so the next larger number is the next integer.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd import Function
from ..tensor import Tensor
from . import return_types
from .compare import eq, gt, isfinite, lt, ne, where
from .convert import cast
from .elementwise import abs, add, div, floor_divide, mul, neg, pow, sub
from .logic import bitwise_and, bitwise_left_shift, bitwise_right_shift, logical_and
from .shape import view
from .types import expect, floating_operands, operands

# By bytes per element: the integers of that size, and how many bits the fraction has.
FORMATS = {2: (dtypes.int16, 10), 4: (dtypes.int32, 23), 8: (dtypes.int64, 52)}


def _bits(x: Tensor) -> Tensor:
    """The bits of a floating-point tensor as integers, without history."""
    return view(x.detach(), FORMATS[x.array.dtype.itemsize][0])


def _bias(dtype: Any) -> int:
    """What is added to the exponent so that it is written without a sign."""
    return (1 << (8 * dtype.itemsize - 2 - FORMATS[dtype.itemsize][1])) - 1


def signbit(input: Tensor) -> Tensor:
    """Whether the sign is a minus, also that of -0.0 and of NaN: bools."""
    expect("signbit", input=input)
    if input.array.dtype.kind == "f":
        return lt(_bits(input), 0)
    return lt(input.detach(), 0)


def copysign(input: Tensor, other: Any) -> Tensor:
    """``abs(input)`` with the signs of ``other`` (a tensor, or a number); broadcast as in :func:`add`. The gradient is
    the one of ``abs``, with the sign put on."""
    a, b = floating_operands(input, other, "copysign")
    magnitude = abs(a)
    return where(signbit(b if isinstance(b, Tensor) else magnitude.new_full((), b)), neg(magnitude), magnitude)


class NextAfter(Function):
    """y = the neighbour of a on the way to b, among the numbers of their type;  ga = gy, gb = 0."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.shapes = a.array.shape, b.array.shape
        integer, _ = FORMATS[a.array.dtype.itemsize]
        bits, lowest = _bits(a), -(1 << 8 * integer.itemsize - 1)  # the bits of -0.0
        stepped = where(eq(gt(b, a), gt(a, 0)), add(bits, 1), sub(bits, 1))  # away from 0 the bits grow
        smallest = add(where(lt(b, 0), bits.new_full((), lowest), bits.new_zeros(())), 1)
        moved = view(cast(where(eq(a, 0), smallest, stepped), integer.numpy), a.dtype)
        return where(logical_and(eq(a, a), eq(b, b)), where(eq(a, b), b, moved), add(a, b))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.shapes
        return gy.sum_to_size(a), gy.new_zeros(b)


def nextafter(input: Tensor, other: Tensor) -> Tensor:
    """The neighbour of ``input`` among the numbers of its type on the way to ``other`` (that itself, if they are
    equal); broadcast as in :func:`add`."""
    expect("nextafter", input=input, other=other)
    a, b = operands(input, other, "nextafter")
    expect("nextafter", "f", input=a, other=b)
    return NextAfter.apply(a, b)


def _times_power(x: Tensor, exponent: Tensor) -> Tensor:
    """``x * 2**exponent``, exactly, for exponents that need not have a power of their own: in two steps."""
    integer, fraction = FORMATS[x.array.dtype.itemsize]
    half = floor_divide(exponent, 2)
    for part in (half, sub(exponent, half)):
        power = bitwise_left_shift(cast(add(part, _bias(x.array.dtype)), integer.numpy), fraction)
        x = mul(x, view(power, x.dtype))
    return x


def frexp(input: Tensor) -> Any:
    """(mantissa, exponent) with ``input = mantissa * 2**exponent`` and ``0.5 <= |mantissa| < 1``; 0, NaN and infinity
    are their own mantissas.

    Args:
        input: floating point.

    Returns:
        The mantissas, in the type of ``input``, and the exponents as int32.
    """
    expect("frexp", "f", input=input)
    dtype = input.array.dtype
    _, fraction = FORMATS[dtype.itemsize]
    bias = _bias(dtype)
    scaled = mul(input.detach(), 2.0 ** (fraction + 1))  # subnormal numbers become normal
    ordinary = ne(_exponent_bits(input), 0)
    exponent = where(ordinary, _exponent_bits(input), sub(_exponent_bits(scaled), fraction + 1))
    exponent = where(logical_and(isfinite(input), ne(input, 0)), sub(exponent, bias - 1), 0)
    mantissa = _times_power(input, neg(exponent))
    return return_types.frexp(mantissa, cast(exponent, dtypes.int32.numpy))


def _exponent_bits(x: Tensor) -> Tensor:
    """The exponent plus the bias, as int64."""
    _, fraction = FORMATS[x.array.dtype.itemsize]
    return cast(bitwise_and(bitwise_right_shift(_bits(x), fraction), 2 * _bias(x.array.dtype) + 1), dtypes.int64.numpy)


def ldexp(input: Tensor, other: Tensor) -> Tensor:
    """``input * 2**other``; broadcast as in :func:`add`."""
    expect("ldexp", input=input, other=other)
    return mul(input, pow(2.0, other))


# ------------------------------------------------------------------------------------------------------ common divisors


def gcd(input: Tensor, other: Tensor) -> Tensor:
    """The greatest common divisor, by Euclid's algorithm; of 0 and 0 it is 0. Broadcast as in :func:`add`."""
    expect("gcd", input=input, other=other)
    a, b = operands(input, other, "gcd")
    expect("gcd", "iu", input=a, other=b)
    a, b = add(a, mul(b, 0)), add(b, mul(a, 0))  # both in the common shape
    while bool(ne(b, 0).any()):
        going_on = ne(b, 0)
        rest = a % where(going_on, b, 1)
        a, b = where(going_on, b, a), where(going_on, rest, b)
    return abs(a)


def lcm(input: Tensor, other: Tensor) -> Tensor:
    """The least common multiple: ``|input * other| / gcd``, and 0 where one is 0. Broadcast as in :func:`add`."""
    divisor = gcd(input, other)
    return abs(mul(div(input, where(eq(divisor, 0), 1, divisor), rounding_mode="trunc"), other))
