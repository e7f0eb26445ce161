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
tanh        tanh x           gx = gy * (1 - y**2)
sigmoid     1/(1 + e**-x)    gx = gy * y * (1 - y)
relu        max(x, 0)        gx = gy where y > 0
==========  ===============  =============================================
"""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor

# ------------------------------------------------------------------------------------------- which type, which shape


def broadcast_shape(a: tuple, b: tuple, name: str) -> tuple:
    """The shape that ``a`` and ``b`` broadcast to.

    Raises:
        RuntimeError: they do not: it names both, and the axis.
    """
    if a == b:
        return a
    n = max(len(a), len(b))
    out = []
    for axis, (p, q) in enumerate(zip((1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b))):
        if p != q and p != 1 and q != 1:
            raise RuntimeError(
                f"{name}: shapes {tuple(a)} and {tuple(b)} cannot be broadcast: counted from the end, dimension "
                f"{axis - n} is {p} in one and {q} in the other, and neither is 1"
            )
        out.append(q if p == 1 else p)
    return tuple(out)


def _result_dtype(a: Tensor, b: Tensor) -> Any:
    """PyTorch's rule: a 0-d tensor counts only if it is of a higher kind (bool < int < float)."""
    x, y = a.array, b.array
    rank = "biuf".index
    if x.ndim == 0 < y.ndim and rank(x.dtype.kind) <= rank(y.dtype.kind) + (y.dtype.kind == "i"):
        return y.dtype
    if y.ndim == 0 < x.ndim and rank(y.dtype.kind) <= rank(x.dtype.kind) + (x.dtype.kind == "i"):
        return x.dtype
    return dtypes.promote_numpy(x.dtype, y.dtype)


def _with_number(x: Tensor, number: Any) -> Tensor:
    """``x`` in the type in which it meets a Python number: a float lifts integers to the default float type."""
    kind = x.array.dtype.kind
    if isinstance(number, float) and kind != "f":
        return cast(x, dtypes.as_numpy(None))
    if kind == "b" and not isinstance(number, bool):
        return cast(x, dtypes.int64.numpy)
    return x


def operands(a: Any, b: Any, name: str, shapes: bool = True) -> tuple[Any, Any]:
    """Two operands brought to one element type and checked to broadcast. A Python number stays a number.

    Raises:
        TypeError: an operand is neither a tensor nor a number.
        RuntimeError: the tensors are on different devices, or their shapes do not broadcast.
    """
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        x, y = a.array, b.array
        if x.dtype is not y.dtype and x.dtype != y.dtype:
            dtype = _result_dtype(a, b)
            a, b = cast(a, dtype), cast(b, dtype)
        if type(x) is not type(y):
            raise RuntimeError(f"{name}: expected both tensors on one device, got {a.device} and {b.device}")
        if shapes and x.shape != y.shape:
            broadcast_shape(x.shape, y.shape, name)
        return a, b
    for operand in (a, b):
        if isinstance(operand, np.ndarray):
            dtypes.of(operand.dtype)
            a, b = (Tensor(o) if isinstance(o, np.ndarray) else o for o in (a, b))
            return operands(a, b, name, shapes)
        if not isinstance(operand, (Tensor, Number)) or isinstance(operand, complex):
            raise TypeError(f"{name}: expected a tensor or a number, got {type(operand).__name__}")
    a, b = _plain(a), _plain(b)
    return (_with_number(a, b), b) if isinstance(a, Tensor) else (a, _with_number(b, a))


def same_type(name: str, **tensors: Tensor | None) -> None:
    """Check that tensors are of one floating type and on one device (None is skipped).

    Raises:
        TypeError: something else than a tensor.
        RuntimeError: types or devices differ, or are not floating point.
    """
    first: Tensor | None = None
    for argument, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: {argument} must be a tensor, got {type(tensor).__name__}")
        array = tensor.array
        if first is None:
            first, first_name, dtype, array_class = tensor, argument, array.dtype, type(array)
            if dtype.kind != "f":
                raise RuntimeError(f"{name}: {argument} must be floating point, got {tensor.dtype}")
        elif array.dtype is not dtype and array.dtype != dtype:
            raise RuntimeError(f"{name}: {first_name} is {first.dtype}, {argument} is {tensor.dtype}")
        elif type(array) is not array_class:
            raise RuntimeError(f"{name}: {first_name} is on {first.device}, {argument} on {tensor.device}")


def _plain(number: Any) -> Any:
    """A NumPy scalar as a Python number (which takes the tensor's type, where a NumPy scalar would insist on its
    own)."""
    return number.item() if isinstance(number, np.generic) else number


def values(*operands: Any) -> list:
    """The arrays of tensors; numbers as they are."""
    return [o.array if isinstance(o, Tensor) else o for o in operands]


def _backend(a: Any, b: Any) -> Any:
    return kernels.of(a.array if isinstance(a, Tensor) else b.array)


class _Cast(Function):
    """y = x in another element type; the gradient is cast back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: Any) -> Tensor:
        ctx.dtype = x.array.dtype
        return Tensor(kernels.of(x.array).cast(x.array, dtype))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return cast(gy, ctx.dtype), None

    def name(self) -> str:
        return "Cast"


def cast(x: Tensor, dtype: Any) -> Tensor:
    """``x`` with elements of a NumPy ``dtype``: ``x`` itself if they already are."""
    return x if x.array.dtype == dtype else _Cast.apply(x, dtype)


# ------------------------------------------------------------------------------------------------------- arithmetic


class Add(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        return Tensor(_backend(a, b).add(*values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy, gy


class Sub(Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        return Tensor(_backend(a, b).sub(*values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy, neg(gy) if ctx.needs_input_grad[1] else None


class _Product(Function):
    """Shared by Mul, Div and Pow: each operand is saved only if the other's gradient needs it."""

    def keep(self, a: Any, b: Any, keep_a: bool, keep_b: bool, y: Tensor | None = None) -> None:
        self.a, self.b = (None if isinstance(o, Tensor) else o for o in (a, b))
        self.save_for_backward(
            a if keep_a and isinstance(a, Tensor) else None, b if keep_b and isinstance(b, Tensor) else None, y
        )

    def kept(self) -> tuple:
        a, b, y = self.saved_tensors
        return (self.a if a is None else a), (self.b if b is None else b), y


class Mul(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        ctx.keep(a, b, keep_a=ctx.needs_input_grad[1], keep_b=ctx.needs_input_grad[0])
        return Tensor(_backend(a, b).mul(*values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return mul(gy, b) if need[0] else None, mul(gy, a) if need[1] else None


class Div(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        ctx.keep(a, b, keep_a=ctx.needs_input_grad[1], keep_b=True)
        return Tensor(_backend(a, b).div(*values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (a, b, _), need = ctx.kept(), ctx.needs_input_grad
        return div(gy, b) if need[0] else None, neg(div(div(mul(gy, a), b), b)) if need[1] else None


class Pow(_Product):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Tensor:
        y = Tensor(_backend(a, b).pow(*values(a, b)))
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


def _floating(x: Any) -> Any:
    return cast(x, dtypes.as_numpy(None)) if isinstance(x, Tensor) and x.array.dtype.kind != "f" else x


def div(input: Any, other: Any) -> Tensor:
    """``input / other``; integers are divided as the default float type. Otherwise as :func:`add`."""
    a, b = operands(input, other, "div")
    return Div.apply(_floating(a), _floating(b))


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


# ------------------------------------------------------------------------------------------- comparison and selection


def _comparison(relation: str, word: str) -> Any:
    def compare(input: Any, other: Any) -> Tensor:
        a, b = operands(input, other, word)
        return Tensor(_backend(a, b).compare(*values(a, b), relation))

    compare.__name__ = compare.__qualname__ = word
    compare.__doc__ = (
        f"``input {relation} other``, element by element: a bool tensor of the broadcast shape. NaN equals nothing."
    )
    return compare


eq, ne = _comparison("==", "eq"), _comparison("!=", "ne")
lt, le = _comparison("<", "lt"), _comparison("<=", "le")
gt, ge = _comparison(">", "gt"), _comparison(">=", "ge")


def logical_not(input: Tensor) -> Tensor:
    """bool: whether each element is zero."""
    return Tensor(kernels.of(input.array).logical_not(input.array))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether both elements are non-zero."""
    return mul(ne(input, 0), ne(other, 0))


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether either element is non-zero."""
    return maximum(ne(input, 0), ne(other, 0))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """bool: whether just one of the two elements is non-zero."""
    return ne(ne(input, 0), ne(other, 0))


def invert(input: Tensor) -> Tensor:
    """``~input``: not, of bools; all bits turned, of integers (``-input - 1``).

    Raises:
        TypeError: ``input`` is floating point.
    """
    kind = input.array.dtype.kind
    if kind == "f":
        raise TypeError(f"~ expects a bool or integer tensor, got {input.dtype}")
    return logical_not(input) if kind == "b" else sub(neg(input), 1)


def _of_masks(operation: Any, symbol: str) -> Any:
    def operator(input: Tensor, other: Any) -> Tensor:
        for operand in (input, other):
            if not isinstance(operand, bool) and not (isinstance(operand, Tensor) and operand.array.dtype.kind == "b"):
                raise TypeError(f"{symbol} combines bool tensors, such as (x > 0) {symbol} (x < 1)")
        return operation(input, other if isinstance(other, Tensor) else input.new_full((), other))

    operator.__name__ = operator.__qualname__ = {"&": "and", "|": "or", "^": "xor"}[symbol]
    operator.__doc__ = f"``input {symbol} other`` of bool tensors (a TypeError for others), element by element."
    return operator


mask_and, mask_or, mask_xor = _of_masks(logical_and, "&"), _of_masks(logical_or, "|"), _of_masks(logical_xor, "^")


class Where(Function):
    @staticmethod
    def forward(ctx: Any, condition: Tensor, a: Any, b: Any) -> Tensor:
        ctx.save_for_backward(condition)
        return Tensor(kernels.of(condition.array).where(condition.array, *values(a, b)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (condition,), need = ctx.saved_tensors, ctx.needs_input_grad
        return None, where(condition, gy, 0) if need[1] else None, where(condition, 0, gy) if need[2] else None


def where(condition: Tensor, input: Any, other: Any) -> Tensor:
    """``input`` where the bool tensor ``condition`` holds, ``other`` elsewhere; all three broadcast.

    Raises:
        TypeError: ``condition`` is not bool.
    """
    if not isinstance(condition, Tensor) or condition.array.dtype.kind != "b":
        raise TypeError(
            f"where: condition must be a bool tensor, got {getattr(condition, 'dtype', type(condition).__name__)}"
        )
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        kind = float if isinstance(input, float) or isinstance(other, float) else dtypes.int64
        input = condition.new_full((), input, dtype=dtypes.of(dtypes.as_numpy(kind)))
    a, b = operands(input, other, "where")
    for operand in (a, b):
        if isinstance(operand, Tensor):
            broadcast_shape(condition.array.shape, operand.array.shape, "where")
    return Where.apply(condition, a, b)


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


class TanhGx(Function):
    """gx = gy * (1 - y**2);  its gradients: ggy = g * (1 - y**2), gy' = g * gy * (-2 y)."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(gy, y)
        return Tensor(kernels.of(gy.array).tanh_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        gy, y = ctx.saved_tensors
        return TanhGx.apply(g, y), mul(mul(g, gy), mul(y, -2))


class Tanh(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = Tensor(kernels.of(x.array).tanh(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return TanhGx.apply(gy, ctx.saved_tensors[0])


class SigmoidGx(Function):
    """gx = gy * y * (1 - y);  its gradients: ggy = g * y * (1 - y), gy' = g * gy * (1 - 2 y)."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(gy, y)
        return Tensor(kernels.of(gy.array).sigmoid_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        gy, y = ctx.saved_tensors
        return SigmoidGx.apply(g, y), mul(mul(g, gy), sub(1, mul(y, 2)))


class Sigmoid(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = Tensor(kernels.of(x.array).sigmoid(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return SigmoidGx.apply(gy, ctx.saved_tensors[0])


class ReLUGx(Function):
    """gx = gy where y > 0: linear in gy; its slope in y is 0 wherever there is one."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        return Tensor(kernels.of(gy.array).relu_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        return ReLUGx.apply(g, ctx.saved_tensors[0]), None


class ReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = Tensor(kernels.of(x.array).relu(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return ReLUGx.apply(gy, ctx.saved_tensors[0])


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
    return Exp.apply(_floating(input))


def log(input: Tensor) -> Tensor:
    """Natural logarithm: -inf at 0, NaN below."""
    return Log.apply(_floating(input))


def sqrt(input: Tensor) -> Tensor:
    """Square root: NaN below 0."""
    return Sqrt.apply(_floating(input))


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, in (-1, 1)."""
    return Tanh.apply(_floating(input))


def sigmoid(input: Tensor) -> Tensor:
    """The logistic function ``1 / (1 + e**-input)``, in (0, 1)."""
    return Sigmoid.apply(_floating(input))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)`` (Nair & Hinton 2010). The gradient at 0 is 0; NaN stays NaN.

    Args:
        input: any shape.
        inplace: write the result into ``input`` and return that.
    """
    return input.relu_() if inplace else ReLU.apply(input)
