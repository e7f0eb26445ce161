"""Functions of one or two numbers that a GPU has instructions or a library for. The others are in ``formulas.py``.

Each is plain Python that the compiler and the simulator read alike; a kernel takes one as its constant ``F``.
"""

from __future__ import annotations

import math

import numpy as np

from .language import int64, uint8


def add(x, y):
    return x + y


def sub(x, y):
    return x - y


def mul(x, y):
    return x * y


def div(x, y):
    return x / y


def power(x, y):
    return x**y


def maximum(x, y):
    return x if x > y or x != x else y  # x != x: NaN wins


def minimum(x, y):
    return x if x < y or x != x else y


def eq(x, y):
    return uint8(1) if x == y else uint8(0)


def ne(x, y):
    return uint8(1) if x != y else uint8(0)


def lt(x, y):
    return uint8(1) if x < y else uint8(0)


def le(x, y):
    return uint8(1) if x <= y else uint8(0)


def gt(x, y):
    return uint8(1) if x > y else uint8(0)


def ge(x, y):
    return uint8(1) if x >= y else uint8(0)


def neg(x):
    return -x


def absolute(x):
    return abs(x)


def sign(x):
    one, zero = type(x)(1), type(x)(0)
    return one if x > zero else -one if x < zero else zero


def log(x):
    return math.log(x)


def sqrt(x):
    return math.sqrt(x)


def tanh(x):
    return math.tanh(x)


def acos(x):
    return math.acos(x)


def acosh(x):
    return math.acosh(x)


def asin(x):
    return math.asin(x)


def asinh(x):
    return math.asinh(x)


def atan(x):
    return math.atan(x)


def atanh(x):
    return math.atanh(x)


def ceil(x):
    whole = trunc(x)
    return whole + type(x)(1) if whole < x else whole


def cos(x):
    return math.cos(x)


def cosh(x):
    return math.cosh(x)


def erf(x):
    return math.erf(x)


def erfc(x):
    return math.erfc(x)


def exp2(x):
    return math.exp2(x)


def expm1(x):
    return math.expm1(x)


def floor(x):
    whole = trunc(x)
    return whole - type(x)(1) if whole > x else whole


def log10(x):
    return math.log10(x)


def log1p(x):
    return math.log1p(x)


def log2(x):
    return math.log2(x)


def round_even(x):
    """Halves to the even neighbour: adding so much that no digits are left behind the point rounds, and subtracting it
    again leaves the integer."""
    large, size = _all_whole(x), abs(x)
    return math.copysign((size + large) - large, x) if size < large else x


def sin(x):
    return math.sin(x)


def sinh(x):
    return math.sinh(x)


def tan(x):
    return math.tan(x)


def trunc(x):
    return math.copysign(type(x)(int64(x)), x) if abs(x) < _all_whole(x) else x


def _all_whole(x):
    """From here on a float has no digits behind the point."""
    return type(x)(8388608) if isinstance(x, np.float32) else type(x)(4503599627370496)


def atan2(x, y):
    return math.atan2(x, y)


def hypot(x, y):
    return math.hypot(x, y)


def bitwise_and(x, y):
    return x & y


def bitwise_or(x, y):
    return x | y


def bitwise_xor(x, y):
    return x ^ y


def floor_divide(x, y):
    return x // y


def remainder_of(x, y):
    return x % y


def fmod(x, y):
    return math.fmod(x, y)


def integer_fmod(x, y):
    r = x % y  # with the sign of y
    return r - y if r != 0 and (x < 0) != (y < 0) else r


def integer_power(x, y):
    result = type(x)(1)
    while y > 0:
        if y % 2 == 1:
            result *= x
        x *= x
        y //= 2
    return result


def left_shift(x, y):
    return int64(x) << int64(y) if 0 <= int64(y) < 64 else 0


def right_shift(x, y):
    return int64(x) >> int64(y) if 0 <= int64(y) < 64 else (-1 if x < 0 else 0)
