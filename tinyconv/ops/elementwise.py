"""Arithmetic, element by element.

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
remainder   a - b * q        ga = gy,                gb = -gy * q, with q = floor(a / b)
fmod        a - b * q        ga = gy,                gb = -gy * q, with q = trunc(a / b)
neg, abs    -x, \\|x\\|        gx = -gy,  gy * sign(x)
==========  ===============  =============================================
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .compare import eq, ge, lt, where
from .logic import logical_and
from .types import arrays, expect, floating_operands, operands

# ------------------------------------------------------------------------------------------------------- arithmetic


class Add(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, x, y = arrays(a, b)
        return wrap(backend.add(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy, gy


class Sub(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, x, y = arrays(a, b)
        return wrap(backend.sub(x, y))

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
        if any(need):
            ctx.keep(a, b, keep_a=need[1], keep_b=need[0])
        backend, x, y = arrays(a, b)
        return wrap(backend.mul(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return Mul.apply(gy, b) if need[0] else None, Mul.apply(gy, a) if need[1] else None


class Div(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        ctx.keep(a, b, keep_a=ctx.needs_input_grad[1], keep_b=True)
        backend, x, y = arrays(a, b)
        return wrap(backend.div(x, y))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return div(gy, b) if need[0] else None, neg(div(div(mul(gy, a), b), b)) if need[1] else None


class Pow(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        backend, p, q = arrays(a, b)
        y = wrap(backend.pow(p, q))
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
                ga = gy.new_zeros(gy.array.shape) if b == 0 else mul(gy, mul(pow(a, b - 1), b))
        if need[1]:
            base = a if isinstance(a, Tensor) else b.new_full((), a)
            zero = logical_and(eq(base, 0), ge(b, 0))  # d(0**b)/db is 0 for b >= 0, where log(0) would make it NaN
            gb = where(zero, 0.0, mul(gy, mul(y, base.log())))
        return ga, gb


def add(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input + alpha * other``, broadcast.

    Args:
        input, other: tensors of any shapes that broadcast; one of them may be a number.
        alpha: a number.

    Returns:
        A tensor of the broadcast shape; its dtype follows :func:`tinyconv.promote_types`.

    Raises:
        RuntimeError: the shapes do not broadcast, or ``alpha`` is a float where both operands are integers.
        TypeError: an operand is neither tensor nor number.
    """
    return Add.apply(*operands(input, other if alpha == 1 else _scaled(input, other, alpha, "add"), "add"))


def _scaled(input: Any, other: Any, alpha: Any, name: str) -> Any:
    if isinstance(alpha, float) and _kind(input) in "biu" and _kind(other) in "biu":
        raise RuntimeError(f"{name}: alpha must be an integer where both operands are, got {alpha}")
    if _is_bool(input) and _is_bool(other):
        alpha = bool(alpha)  # bools stay bools
    return mul(other, alpha) if isinstance(other, Tensor) else other * alpha


def _kind(x: Any) -> str:
    """b, i, u or f: the kind of a tensor's elements, or of a number."""
    return x.array.dtype.kind if isinstance(x, Tensor) else "f" if isinstance(x, float) else "i"


def _is_bool(x: Any) -> bool:
    return x.array.dtype.kind == "b" if isinstance(x, Tensor) else isinstance(x, bool)


def _types(*operands: Any) -> str:
    return " and ".join([str(o.dtype if isinstance(o, Tensor) else o) for o in operands])


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Tensor:
    """``input - alpha * other``, broadcast; as :func:`add`."""
    if _is_bool(input) or _is_bool(other):
        raise RuntimeError(
            f"sub: bools cannot be subtracted, got {_types(input, other)} (~ inverts a mask, ^ compares two)"
        )
    return Sub.apply(*operands(input, other if alpha == 1 else _scaled(input, other, alpha, "sub"), "sub"))


def mul(input: Any, other: Any) -> Tensor:
    """``input * other``, element by element; as :func:`add`."""
    return Mul.apply(*operands(input, other, "mul"))


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; integers are divided as the default float type. Otherwise as :func:`add`.

    Args:
        input, other: as :func:`add`.
        rounding_mode: None, or which whole number the quotient becomes: ``"floor"`` the next below (as ``//``),
            ``"trunc"`` the next towards zero. Integers then stay integers, and the gradients are 0.

    Raises:
        RuntimeError: an unknown rounding mode, or integers divided by 0.
    """
    if rounding_mode is not None:
        if rounding_mode not in ("floor", "trunc"):
            raise RuntimeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")
        return RoundedDiv.apply(*_divisible(input, other, "div"), rounding_mode)
    return Div.apply(*floating_operands(input, other, "div"))


class RoundedDiv(Function):
    """y = floor(a / b), or towards zero: steps, whose slope is 0."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, rounding_mode: str) -> Tensor:
        backend, x, y = arrays(a, b)
        if rounding_mode == "floor":
            return wrap(backend.binary(x, y, "floor_divide"))
        if "f" in (_kind(a), _kind(b)):
            return div(a, b).trunc()
        return wrap(backend.binary(backend.sub(x, backend.binary(x, y, "fmod")), y, "floor_divide"))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> list:
        return [gy.new_zeros(gy.array.shape) if needed else None for needed in ctx.needs_input_grad]


class Remainder(_Product):
    """y = a - b * q, with the quotient q rounded down (or towards zero, for ``fmod``);  ga = gy, gb = -gy * q."""

    @staticmethod
    def forward(ctx: Any, a: Any, b: Any, function: str) -> Tensor:
        need = ctx.needs_input_grad
        ctx.keep(a, b, keep_a=need[1], keep_b=need[1])
        ctx.function = function
        backend, x, y = arrays(a, b)
        return wrap(backend.binary(x, y, function))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        a, b, _ = ctx.kept()
        if not ctx.needs_input_grad[1]:
            return gy, None, None
        q = div(a, b, rounding_mode="floor" if ctx.function == "remainder" else "trunc")
        return gy, neg(mul(gy, q)), None


def _divisible(input: Any, other: Any, name: str) -> tuple[Any, Any]:
    """Two operands that can be divided with a rest."""
    a, b = operands(input, other, name)
    kind = _kind(a if isinstance(a, Tensor) else b)
    if kind == "b":
        raise RuntimeError(f"{name}: expected integers or floats, got {_types(input, other)}")
    if kind != "f" and bool(eq(b, 0).any() if isinstance(b, Tensor) else b == 0):
        raise RuntimeError(f"{name}: integers cannot be divided by 0")
    return a, b


def floor_divide(input: Any, other: Any) -> Tensor:
    """``input // other``: the quotient rounded down. Integers stay integers, floats floats; the gradients are 0.

    Raises:
        RuntimeError: integers divided by 0, or bools.
    """
    return RoundedDiv.apply(*_divisible(input, other, "floor_divide"), "floor")


def remainder(input: Any, other: Any) -> Tensor:
    """``input % other``: what ``input // other`` leaves, with the sign of ``other``; as :func:`floor_divide`."""
    return Remainder.apply(*_divisible(input, other, "remainder"), "remainder")


def fmod(input: Tensor, other: Any) -> Tensor:
    """What division towards zero leaves, with the sign of ``input`` (C's ``fmod``); as :func:`floor_divide`."""
    expect("fmod", input=input)
    return Remainder.apply(*_divisible(input, other, "fmod"), "fmod")


def pow(input: Any, exponent: Any) -> Tensor:
    """``input ** exponent``; as :func:`add`. An integer to a negative power is 0, up to 1 and -1.

    Raises:
        RuntimeError: integers to a power that is a negative number, or bools to the power of bools.
    """
    a, b = operands(input, exponent, "pow")
    kind = _kind(a if isinstance(a, Tensor) else b)
    if kind == "b":
        raise RuntimeError(f"pow: expected integers or floats, got {_types(input, exponent)}")
    if kind == "i" and isinstance(b, Tensor):
        return _integer_power(a, b)
    if kind in "iu" and not isinstance(b, Tensor) and exponent < 0:
        raise RuntimeError(f"pow: integers to negative integer powers are not allowed, got exponent {exponent}")
    return Pow.apply(a, b)


def _integer_power(a: Any, b: Tensor) -> Tensor:
    """Integers to integer powers: of the negative ones only those of 1 and -1 are integers."""
    if not isinstance(a, Tensor):
        a = b.new_full((), a)
    inverse = where(eq(a, 1), 1, where(eq(a, -1), sub(1, mul(remainder(b, 2), 2)), 0))
    return where(lt(b, 0), inverse, Pow.apply(a, where(lt(b, 0), 0, b)))


def square(input: Tensor) -> Tensor:
    """``input ** 2``."""
    return pow(input, 2)


def reciprocal(input: Tensor) -> Tensor:
    """``1 / input``."""
    return div(1, input)


class Lerp(Function):
    """y = a + w * (b - a);  ga = gy * (1 - w), gb = gy * w, gw = gy * (b - a)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, w: Any) -> Tensor:
        need_w = ctx.needs_input_grad[2]
        ctx.weight = None if isinstance(w, Tensor) else w
        ctx.save_for_backward(a if need_w else None, b if need_w else None, w if isinstance(w, Tensor) else None)
        step = sub(b, a)
        near_a, near_b = add(a, mul(step, w)), sub(b, mul(step, 1 - w))
        if isinstance(w, Tensor):
            return where(lt(abs(w), 0.5), near_a, near_b)
        return near_a if -0.5 < w < 0.5 else near_b

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, w), need = ctx.saved_tensors, ctx.needs_input_grad
        w = ctx.weight if w is None else w
        return (
            mul(gy, 1 - w) if need[0] else None,
            mul(gy, w) if need[1] else None,
            mul(gy, sub(b, a)) if need[2] else None,
        )


def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``: from ``input`` (weight 0) to ``end`` (weight 1), both reached exactly.

    Args:
        input, end: tensors of one floating type that broadcast.
        weight: a number or a tensor.
    """
    expect("lerp", "f", input=input, end=end)
    if input.array.dtype != end.array.dtype:
        raise RuntimeError(f"lerp: input is {input.dtype}, end is {end.dtype}")
    if isinstance(weight, Tensor) and weight.array.dtype != input.array.dtype:
        raise RuntimeError(f"lerp: input is {input.dtype}, weight is {weight.dtype}")
    return Lerp.apply(input, end, weight)


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``, broadcast. Of integers ``value`` is an integer, too: a fraction is cut
    off."""
    expect("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    if "f" not in map(_kind, (input, tensor1, tensor2)):
        value = int(value)
    return add(input, mul(tensor1, tensor2), alpha=value)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``, broadcast.

    Raises:
        RuntimeError: ``tensor1`` and ``tensor2`` are both integers.
    """
    expect("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if _kind(tensor1) != "f" and _kind(tensor2) != "f":
        which = _types(tensor1, tensor2)
        raise RuntimeError(f"addcdiv: one of tensor1 and tensor2 must be floating point, got {which}")
    return add(input, div(tensor1, tensor2), alpha=value)


def rsub(input: Tensor, other: Any) -> Tensor:
    """``other - input``."""
    return sub(other, input)


def rdiv(input: Tensor, other: Any) -> Tensor:
    """``other / input``."""
    return div(other, input)


def rpow(input: Tensor, other: Any) -> Tensor:
    """``other ** input``."""
    return pow(other, input)


def rfloor_divide(input: Tensor, other: Any) -> Tensor:
    """``other // input``."""
    return floor_divide(other, input)


def rremainder(input: Tensor, other: Any) -> Tensor:
    """``other % input``."""
    return remainder(other, input)


# -------------------------------------------------------------------------------------------------------------- signs


class Neg(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return wrap(kernels.of(x.array).neg(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return neg(gy)


class Abs(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return wrap(kernels.of(x.array).abs(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, sign(ctx.saved_tensors[0]))


class Sign(Function):
    """y = -1, 0 or 1 by the sign of x: steps, whose slope is 0 (and is taken to be 0 at 0)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return wrap(kernels.of(x.array).sign(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return gy.new_zeros(gy.array.shape)


def neg(input: Tensor) -> Tensor:
    """``-input`` (not of bools: ``~mask``)."""
    expect("neg", input=input)
    if _is_bool(input):
        raise RuntimeError("neg: bools cannot be negated (~ inverts a mask)")
    return Neg.apply(input)


def positive(input: Tensor) -> Tensor:
    """``+input``: ``input`` itself (not of bools)."""
    expect("positive", "iuf", input=input)
    return input


def abs(input: Tensor) -> Tensor:
    """``|input|``; its gradient at 0 is 0."""
    expect("abs", "iuf", input=input)
    return Abs.apply(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign of each element, 0 for NaN; the gradient is 0. Bools stay as they are."""
    expect("sign", input=input)
    return input.clone() if _kind(input) == "b" else Sign.apply(input)
