"""Arithmetic and the elementary functions, element by element.

Two tensors of different shapes are *broadcast*: sizes are compared from the last axis on, and a size of 1 (or a missing
axis) is repeated to match. Repeating a value is a fork, and gradients add up at forks, so the gradient of a broadcast
input is summed over the axes along which it was repeated: the engine does so wherever a gradient has the broadcast form
of its input's shape (:func:`~tinyconv.ops.reduce.sum_to`).

==========  ===============  =============================================
operation   y                gradients
==========  ===============  =============================================
add         a + b            ga = gy,                gb = gy
sub         a - b            ga = gy,                gb = -gy
mul         a * b            ga = gy * b,            gb = gy * a
div         a / b            ga = gy / b,            gb = -gy * a / b**2
pow         a ** b           ga = gy * b * a**(b-1), gb = gy * y * log(a)
neg, abs    -x, \\|x\\|        gx = -gy,  gy * sign(x)
exp, log    e**x, ln x       gx = gy * y,  gy / x
sqrt        x ** 1/2         gx = gy / (2 y)
==========  ===============  =============================================
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor
from .compare import eq, ge, gt, logical_and, logical_not, lt, where
from .types import arrays, floating, operands

# ------------------------------------------------------------------------------------------------------- arithmetic


class Add(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, x, y = arrays(a, b)
        return Tensor(backend.add(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy, gy


class Sub(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, x, y = arrays(a, b)
        return Tensor(backend.sub(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy, neg(gy) if ctx.needs_input_grad[1] else None


class _Product(Function):
    """Shared by Mul, Div and Pow: each operand is saved only if the other's gradient needs it."""

    a: Any = None  # an operand that is a number
    b: Any = None

    def keep(self, a: Any, b: Any, keep_a: bool, keep_b: bool, y: Tensor | None = None) -> None:
        if not isinstance(a, Tensor):
            self.a, keep_a = a, False
        if not isinstance(b, Tensor):
            self.b, keep_b = b, False
        self.save_for_backward(a if keep_a else None, b if keep_b else None, y)

    def kept(self) -> tuple:
        a, b, y = self.saved_tensors
        return (self.a if a is None else a), (self.b if b is None else b), y


class Mul(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        need = ctx.needs_input_grad
        ctx.keep(a, b, keep_a=need[1], keep_b=need[0])
        backend, x, y = arrays(a, b)
        return Tensor(backend.mul(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return Mul.apply(gy, b) if need[0] else None, Mul.apply(gy, a) if need[1] else None


class Div(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        ctx.keep(a, b, keep_a=ctx.needs_input_grad[1], keep_b=True)
        backend, x, y = arrays(a, b)
        return Tensor(backend.div(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return div(gy, b) if need[0] else None, neg(div(div(mul(gy, a), b), b)) if need[1] else None


class Pow(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, p, q = arrays(a, b)
        y = Tensor(backend.pow(p, q))
        ctx.keep(a, b, keep_a=True, keep_b=True, y=y if ctx.needs_input_grad[1] else None)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, y), need = ctx.kept(), ctx.needs_input_grad
        ga = gb = None
        if need[0]:
            if isinstance(b, Tensor):
                ga = where(eq(b, 0), 0.0, mul(gy, mul(b, pow(a, sub(b, 1)))))
            else:
                ga = mul(gy, 0) if b == 0 else mul(gy, mul(pow(a, b - 1), b))
        if need[1]:
            base = a if isinstance(a, Tensor) else b.new_full((), a)
            zero = logical_and(eq(base, 0), ge(b, 0))  # d(0**b)/db is 0 for b >= 0, where log(0) would make it NaN
            gb = where(zero, 0.0, mul(gy, mul(y, log(base))))
        return ga, gb


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input + alpha * other``, broadcast.

    Args:
        input, other: tensors of any shapes that broadcast; one of them may be a number.
        alpha: a number.

    Returns:
        A tensor of the broadcast shape; its dtype follows :func:`tinyconv.promote_types`.

    Raises:
        RuntimeError: the shapes do not broadcast.
        TypeError: an operand is neither tensor nor number.
    """
    return Add.apply(*operands(input, other if alpha == 1 else mul(other, alpha), "add"))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input - alpha * other``, broadcast; as :func:`add`."""
    return Sub.apply(*operands(input, other if alpha == 1 else mul(other, alpha), "sub"))


def mul(input: Any, other: Any) -> Tensor:
    """``input * other``, element by element; as :func:`add`."""
    return Mul.apply(*operands(input, other, "mul"))


def div(input: Any, other: Any) -> Tensor:
    """``input / other``; integers are divided as the default float type. Otherwise as :func:`add`."""
    a, b = operands(input, other, "div")
    return Div.apply(floating(a), floating(b))


def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``; as :func:`add`.

    Raises:
        RuntimeError: integers to a negative integer power.
    """
    a, b = operands(input, exponent, "pow")
    if isinstance(b, int) and b < 0 and isinstance(a, Tensor) and a.array.dtype.kind in "iu":
        raise RuntimeError(f"pow: integers to negative integer powers are not allowed, got exponent {b}")
    return Pow.apply(a, b)


def rsub(input: Tensor, other: Any) -> Tensor:
    """``other - input``."""
    return sub(other, input)


def rdiv(input: Tensor, other: Any) -> Tensor:
    """``other / input``."""
    return div(other, input)


def rpow(input: Tensor, other: Any) -> Tensor:
    """``other ** input``."""
    return pow(other, input)


class Maximum(Function):
    """y = max(a, b): the gradient goes to the larger; equals share it half and half, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return Tensor(kernels.of(a.array).maximum(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        return _to_winner(gy, a, b, gt)


class Minimum(Function):
    """y = min(a, b): the gradient goes to the smaller; equals share it half and half, as in PyTorch."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return Tensor(kernels.of(a.array).minimum(a.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b = ctx.saved_tensors
        return _to_winner(gy, a, b, lt)


def _to_winner(gy: Tensor, a: Tensor, b: Tensor, beats: Any) -> tuple:
    half = where(eq(a, b), mul(gy, 0.5), 0)
    return add(half, where(beats(a, b), gy, 0)), add(half, where(beats(b, a), gy, 0))


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of two tensors, element by element (NaN if either is); broadcast as in :func:`add`."""
    return Maximum.apply(*operands(input, other, "maximum"))


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of two tensors, element by element (NaN if either is); broadcast as in :func:`add`."""
    return Minimum.apply(*operands(input, other, "minimum"))


def invert(input: Tensor) -> Tensor:
    """``~input``: not, of bools; all bits turned, of integers (``-input - 1``).

    Raises:
        TypeError: ``input`` is floating point.
    """
    kind = input.array.dtype.kind
    if kind == "f":
        raise TypeError(f"~ expects a bool or integer tensor, got {input.dtype}")
    return logical_not(input) if kind == "b" else sub(neg(input), 1)


# ---------------------------------------------------------------------------------------------- functions of one tensor


class Neg(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return Tensor(kernels.of(x.array).neg(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return neg(gy)


class Abs(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return Tensor(kernels.of(x.array).abs(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, sign(ctx.saved_tensors[0]))


class Exp(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = Tensor(kernels.of(x.array).exp(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, ctx.saved_tensors[0])


class Log(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return Tensor(kernels.of(x.array).log(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return div(gy, ctx.saved_tensors[0])


class Sqrt(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = Tensor(kernels.of(x.array).sqrt(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return div(gy, mul(ctx.saved_tensors[0], 2))


def neg(input: Tensor) -> Tensor:
    """``-input``."""
    return Neg.apply(input)


def abs(input: Tensor) -> Tensor:
    """``|input|``; its gradient at 0 is 0."""
    return Abs.apply(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element; its gradient is 0 everywhere, so it is not recorded."""
    return Tensor(kernels.of(input.array).sign(input.array))


def exp(input: Tensor) -> Tensor:
    """``e ** input``."""
    return Exp.apply(floating(input))


def log(input: Tensor) -> Tensor:
    """Natural logarithm: -inf at 0, NaN below."""
    return Log.apply(floating(input))


def sqrt(input: Tensor) -> Tensor:
    """Square root: NaN below 0."""
    return Sqrt.apply(floating(input))
