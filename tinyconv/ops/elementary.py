"""The elementary functions of one number, element by element, and what is made of them: one row each.

A row says what the function is called, what it is, and its gradient, as a formula in gy and in x or y, whichever makes
it simpler: ``(tan x)' = 1 + y**2``. Integers and bools are taken as the default float type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .compare import clamp, eq, ge, le, where
from .elementwise import abs, div, mul, sub
from .logic import logical_and
from .types import arrays, expect, floating, floating_operands, operands


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = wrap(kernels.of(x.array).exp(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, ctx.saved_tensors[0])


class Log(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return wrap(kernels.of(x.array).log(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return div(gy, ctx.saved_tensors[0])


class Sqrt(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = wrap(kernels.of(x.array).sqrt(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return div(gy, mul(ctx.saved_tensors[0], 2))


def exp(input: Tensor) -> Tensor:
    """``e ** input``."""
    return Exp.apply(floating(input, "exp"))


def log(input: Tensor) -> Tensor:
    """Natural logarithm: -inf at 0, NaN below."""
    return Log.apply(floating(input, "log"))


def sqrt(input: Tensor) -> Tensor:
    """Square root: NaN below 0."""
    return Sqrt.apply(floating(input, "sqrt"))


def rsqrt(input: Tensor) -> Tensor:
    """``1 / sqrt(input)``: infinity at 0, NaN below."""
    return div(1, sqrt(input))


# -------------------------------------------------------------------------------------------------------- one row each

Formula = Callable[[Tensor], Tensor]
GRADIENTS: dict[str, tuple[bool, Callable]] = {}  # name: whether it is a formula in x (else in y), and the formula


class Elementary(Function):
    """y = f(x) for a function f with a row below;  gx as it says there."""

    function: str

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: str) -> Tensor:
        y = wrap(kernels.of(x.array).unary(x.array, function))
        ctx.function = function
        ctx.save_for_backward(x if GRADIENTS[function][0] else y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return GRADIENTS[ctx.function][1](gy, ctx.saved_tensors[0]), None

    def operation(self) -> str:
        return self.function.capitalize()


def _row(name: str, meaning: str, of_x: Callable | None = None, of_y: Callable | None = None) -> Formula:
    GRADIENTS[name] = (True, of_x) if of_x else (False, of_y)  # type: ignore[assignment]

    def function(input: Tensor) -> Tensor:
        return Elementary.apply(floating(input, name), name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = meaning
    return function


sin: Formula = _row("sin", "Sine, of radians.", lambda gy, x: gy * cos(x))
cos: Formula = _row("cos", "Cosine, of radians.", lambda gy, x: -gy * sin(x))
tan: Formula = _row("tan", "Tangent, of radians.", of_y=lambda gy, y: gy * (1 + y * y))
asin: Formula = _row("asin", "The angle in [-pi/2, pi/2] whose sine is ``input``.", lambda gy, x: gy * rsqrt(1 - x * x))
acos: Formula = _row("acos", "The angle in [0, pi] whose cosine is ``input``.", lambda gy, x: -gy * rsqrt(1 - x * x))
atan: Formula = _row("atan", "The angle in (-pi/2, pi/2) whose tangent is ``input``.", lambda gy, x: gy / (1 + x * x))
sinh: Formula = _row("sinh", "Hyperbolic sine, ``(e**x - e**-x) / 2``.", lambda gy, x: gy * cosh(x))
cosh: Formula = _row("cosh", "Hyperbolic cosine, ``(e**x + e**-x) / 2``.", lambda gy, x: gy * sinh(x))
asinh: Formula = _row("asinh", "The inverse of sinh.", lambda gy, x: gy * rsqrt(x * x + 1))
acosh: Formula = _row("acosh", "The inverse of cosh, NaN below 1.", lambda gy, x: gy * rsqrt(x * x - 1))
atanh: Formula = _row("atanh", "The inverse of tanh, NaN outside of [-1, 1].", lambda gy, x: gy / (1 - x * x))
exp2: Formula = _row("exp2", "``2 ** input``.", of_y=lambda gy, y: gy * y * math.log(2))
expm1: Formula = _row("expm1", "``e**input - 1``, exact also near 0.", of_y=lambda gy, y: gy * (y + 1))
log2: Formula = _row("log2", "Logarithm to base 2.", lambda gy, x: gy / (x * math.log(2)))
log10: Formula = _row("log10", "Logarithm to base 10.", lambda gy, x: gy / (x * math.log(10)))
log1p: Formula = _row("log1p", "``log(1 + input)``, exact also near 0.", lambda gy, x: gy / (x + 1))
erf: Formula = _row("erf", "The error function, 2/sqrt(pi) times the integral of ``e**-t**2`` from 0 to ``input``.",
           lambda gy, x: gy * exp(-x * x) * (2 / math.sqrt(math.pi)))  # fmt: skip
erfc: Formula = _row("erfc", "``1 - erf(input)``, exact also for large ``input``.",
            lambda gy, x: gy * exp(-x * x) * (-2 / math.sqrt(math.pi)))  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- rounding


def _rounding(name: str, meaning: str) -> Formula:
    row = _row(name, "", of_y=lambda gy, y: gy.new_zeros(gy.array.shape))

    def function(input: Tensor) -> Tensor:
        expect(name, "iuf", input=input)
        return row(input) if input.array.dtype.kind == "f" else input.clone()

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{meaning} Steps, whose gradient is 0. Integers stay as they are."
    return function


floor = _rounding("floor", "The next whole number below.")
ceil = _rounding("ceil", "The next whole number above.")
trunc = _rounding("trunc", "The next whole number towards zero.")
_round = _rounding("round", "")


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number with ``decimals`` decimals (tens, hundreds, ... if negative); halves to the even neighbour.
    Steps, whose gradient is 0. Integers stay as they are."""
    if not decimals:
        return _round(input)
    expect("round", "f", input=input)
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    return div(_round(mul(input, scale)), scale) if decimals > 0 else mul(_round(div(input, scale)), scale)


def frac(input: Tensor) -> Tensor:
    """What ``trunc`` takes away: ``input - trunc(input)``."""
    expect("frac", "f", input=input)
    return sub(input, trunc(input))


# --------------------------------------------------------------------------------------------------------- made of them


class Atan2(Function):
    """y = the angle of the point (x: b, y: a);  ga = gy * b / (a**2 + b**2), gb = -gy * a / (a**2 + b**2)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        backend, y, x = arrays(a, b)
        return wrap(backend.binary(y, x, "atan2"))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        square = a * a + b * b
        scaled = where(eq(square, 0), 0, gy / where(eq(square, 0), 1, square))  # the origin has no angle
        return scaled * b, -scaled * a


class Hypot(Function):
    """y = sqrt(a**2 + b**2), without overflow;  ga = gy * a / y, gb = gy * b / y."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        backend, p, q = arrays(a, b)
        y = wrap(backend.binary(p, q, "hypot"))
        ctx.save_for_backward(a, b, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b, y = ctx.saved_tensors
        return gy * (a / y), gy * (b / y)


class LogAddExp(Function):
    """y = log(e**a + e**b);  ga = gy * sigmoid(a - b), gb = gy * sigmoid(b - a)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        larger = a.maximum(b)
        return where(eq(a, b), a + math.log(2), larger + log1p(exp(-(a - b).abs())))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        return gy * (a - b).sigmoid(), gy * (b - a).sigmoid()


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle in [-pi, pi] of the point with x = ``other`` and y = ``input``; broadcast as in :func:`add`."""
    expect("atan2", input=input, other=other)
    return Atan2.apply(*floating_operands(input, other, "atan2"))


def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input**2 + other**2)`` without overflow; broadcast as in :func:`add`."""
    expect("hypot", input=input, other=other)
    a, b = operands(input, other, "hypot")
    expect("hypot", "f", input=a, other=b)
    return Hypot.apply(a, b)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(e**input + e**other)`` without overflow; broadcast as in :func:`add`."""
    expect("logaddexp", input=input, other=other)
    a, b = operands(input, other, "logaddexp")
    expect("logaddexp", "f", input=a, other=b)
    return LogAddExp.apply(a, b)


def logaddexp2(input: Tensor, other: Tensor) -> Tensor:
    """``log2(2**input + 2**other)`` without overflow; broadcast as in :func:`add`."""
    expect("logaddexp2", input=input, other=other)
    a, b = operands(input, other, "logaddexp2")
    expect("logaddexp2", "f", input=a, other=b)
    return div(logaddexp(mul(a, math.log(2)), mul(b, math.log(2))), math.log(2))


def xlogy(input: Any, other: Any) -> Tensor:
    """``input * log(other)``, and 0 where ``input`` is 0 (except where ``other`` is NaN); broadcast as in :func:`add`.
    One of the two may be a number."""
    a, b = floating_operands(input, other, "xlogy")
    if not isinstance(b, Tensor):
        b = a.new_full((), b)
    nothing = logical_and(eq(a, 0) if isinstance(a, Tensor) else eq(b.new_full((), a), 0), le(b, 0))
    return mul(a, log(where(nothing, 1, b)))


class Logit(Function):
    """y = log(p / (1 - p));  gp = gy / (p * (1 - p)), infinite at 0 and 1, NaN outside of [0, 1]."""

    @staticmethod
    def forward(ctx: Any, p: Tensor) -> Tensor:
        ctx.save_for_backward(p)
        return log(div(p, sub(1, p)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        (p,) = ctx.saved_tensors
        slope = div(gy, mul(abs(p), sub(1, p)))  # abs: -0 is 0
        return where(logical_and(ge(p, 0), le(p, 1)), slope, math.nan)


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(p / (1 - p))``, the inverse of the logistic function: NaN outside of [0, 1], or, with ``eps``, of p clamped
    to ``[eps, 1 - eps]``."""
    p = floating(input, "logit")
    return Logit.apply(p if eps is None else clamp(p, eps, 1 - eps))


def sinc(input: Tensor) -> Tensor:
    """``sin(pi * input) / (pi * input)``, and 1 at 0."""
    angle = mul(floating(input, "sinc"), math.pi)
    middle = eq(angle, 0)
    angle = where(middle, 1, angle)
    return where(middle, 1, div(sin(angle), angle))


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians."""
    return mul(floating(input, "deg2rad"), math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees."""
    return mul(floating(input, "rad2deg"), 180 / math.pi)


def float_power(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent`` in float64."""
    a, b = (o.double() if isinstance(o, Tensor) else o for o in (input, exponent))
    return a**b
