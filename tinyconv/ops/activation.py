"""Nonlinearities, element by element.

============  ===========================================  =========================
operation     y                                            gradient
============  ===========================================  =========================
relu          max(x, 0)                                    gx = 0 where y <= 0, else gy
sigmoid       1/(1 + e**-x)                                gx = gy * y * (1 - y)
tanh          tanh x                                       gx = gy * (1 - y**2)
softplus      log(1 + e**x)                                gx = gy * sigmoid(x)
logsigmoid    -softplus(-x)                                gx = gy * sigmoid(-x)
gelu          x * P(Z < x), Z standard normal              the product rule's
silu, mish    x * sigmoid(x), x * tanh(softplus(x))        the product rule's
elu           x where x > 0, else alpha * (e**x - 1)       the piece's
leaky_relu    x where x > 0, else slope * x                the piece's
hardtanh, ..  straight pieces                              the piece's, 0 at the bends
============  ===========================================  =========================

Most are written as what they are, in operations that know their own gradients.
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..autograd import Deferred, Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .compare import clamp, ge, gt, le, lt, where
from .elementary import erf, exp, expm1, log1p
from .elementwise import abs, add, div, mul, neg, sub
from .inplace import change, in_place
from .random import rand_like
from .shape import dim_of
from .types import expect, floating


class TanhGx(Function):
    """gx = gy * (1 - y**2);  its gradients: ggy = g * (1 - y**2), gy' = g * gy * (-2 y)."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(gy, y)
        return wrap(kernels.of(gy.array).tanh_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        gy, y = ctx.saved_tensors
        return TanhGx.apply(g, y), mul(mul(g, gy), mul(y, -2))


class Tanh(Function):
    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = wrap(kernels.of(x.array).tanh(x.array))
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
        return wrap(kernels.of(gy.array).sigmoid_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        gy, y = ctx.saved_tensors
        return SigmoidGx.apply(g, y), mul(mul(g, gy), sub(1, mul(y, 2)))


class Sigmoid(Function):
    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = wrap(kernels.of(x.array).sigmoid(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return SigmoidGx.apply(gy, ctx.saved_tensors[0])


class ReLUGx(Function):
    """gx = 0 where y <= 0, else gy (also at NaN): linear in gy; its slope in y is 0 wherever there is one."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        return wrap(kernels.of(gy.array).relu_gx(gy.array, y.array))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple:
        return ReLUGx.apply(g, ctx.saved_tensors[0]), None


class ReLU(Function):
    fresh_gradients = True
    takes_deferred = True

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = wrap(kernels.of(x.array).relu(x.array))
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Any) -> Any:
        (y,) = ctx.saved_tensors
        return gy.of_relu(y) if isinstance(gy, Deferred) else ReLUGx.apply(gy, y)


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, in (-1, 1)."""
    return Tanh.apply(floating(input, "tanh"))


def sigmoid(input: Tensor) -> Tensor:
    """The logistic function ``1 / (1 + e**-input)``, in (0, 1)."""
    return Sigmoid.apply(floating(input, "sigmoid"))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)`` (Nair & Hinton 2010). The gradient at 0 is 0; NaN stays NaN.

    Args:
        input: any shape.
        inplace: write the result into ``input`` and return that.
    """
    if inplace:
        return input.relu_()
    expect("relu", "iuf", input=input)
    return ReLU.apply(input)


# ------------------------------------------------------------------------------------------------------ straight pieces


class Activation(Function):
    """y = f(x), with up to two numbers, in one pass; so is gx. When the backward pass is itself recorded, gx is written
    out in tensor operations (``gradient``), and the engine differentiates those."""

    fresh_gradients = True
    function: str  # the kernel's name for it

    @classmethod
    def of(cls, x: Tensor, a: float = 0.0, b: float = 0.0) -> Tensor:
        """f(x)."""
        return cls.apply(x, cls.function, a, b)

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: str, a: float, b: float) -> Tensor:
        ctx.arguments = function, a, b
        ctx.save_for_backward(x)
        return wrap(kernels.of(x.array).activation(x.array, function, a, b))

    @classmethod
    def backward(cls, ctx: Any, gy: Tensor) -> tuple:
        (x,) = ctx.saved_tensors
        if is_grad_enabled():
            return cls.gradient(gy, x, *ctx.arguments[1:]), None, None, None
        return wrap(kernels.of(x.array).activation_gx(gy.array, x.array, *ctx.arguments)), None, None, None

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        """gx."""
        raise NotImplementedError


class LeakyReLU(Activation):
    """y = x where x > 0, else a * x;  gx = gy, or a * gy, likewise."""

    function = "leaky_relu"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        return where(gt(x, 0), gy, mul(gy, a))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``negative_slope * input`` (Maas et al. 2013). The slope at 0 is
    ``negative_slope``."""
    if inplace:
        return change(input, "leaky_relu_", leaky_relu, negative_slope)
    expect("leaky_relu", "f", input=input)
    return LeakyReLU.of(input, negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky ReLU whose slope is learned (He et al. 2015): ``input`` where it is positive, else ``weight * input``.

    Args:
        input: ``(N, C, ...)``, or any shape.
        weight: one slope for all, or ``(C,)``, one for each channel.

    Raises:
        RuntimeError: ``weight`` has neither 1 nor C elements, or another type than ``input``.
    """
    expect("prelu", "f", input=input, weight=weight)
    if input.array.dtype != weight.array.dtype:
        raise RuntimeError(f"prelu: input is {input.dtype}, weight is {weight.dtype}")
    ndim, count = input.array.ndim, weight.numel()
    channels = input.array.shape[1] if ndim > 1 else 1
    if weight.array.ndim > 1 or count not in (1, channels):
        raise RuntimeError(
            f"prelu: weight must have 1 element or one for each of {channels} channels, "
            f"got shape {tuple(weight.array.shape)} for input {tuple(input.array.shape)}"
        )
    slope = weight.reshape((1, count) + (1,) * (ndim - 2)) if ndim > 1 else weight.reshape((1,) * ndim)
    positive = gt(input, 0)
    return where(positive, input, mul(where(positive, 0.0, input), slope))


def rrelu(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Leaky ReLU with a random slope for each element (Xu et al. 2015): uniform in ``[lower, upper)`` in training, else
    the mean of the two.

    Raises:
        RuntimeError: ``lower > upper``.
    """
    if inplace:
        return change(input, "rrelu_", rrelu, lower, upper, training)
    expect("rrelu", "f", input=input)
    if lower > upper:
        raise RuntimeError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    slope = add(mul(rand_like(input), upper - lower), lower) if training else (lower + upper) / 2
    return where(gt(input, 0), input, mul(input, slope))


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``input`` where it is above ``threshold``, else ``value``; NaN stays NaN."""
    if inplace:
        return threshold_(input, threshold, value)
    expect("threshold", "iuf", input=input)
    return where(le(input, threshold), value if input.array.dtype.kind == "f" else int(value), input)


class Hardtanh(Activation):
    """y = min(max(x, a), b);  gx = gy, but 0 where ``x <= a`` or ``x >= b``."""

    function = "hardtanh"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        return where(le(x, a), 0.0, where(ge(x, b), 0.0, gy))


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` brought into ``[min_val, max_val]``; as :func:`clamp`, but the gradient at both ends is 0.

    Raises:
        ValueError: ``min_val > max_val``.
    """
    if inplace:
        return change(input, "hardtanh_", hardtanh, min_val, max_val)
    expect("hardtanh", "iuf", input=input)
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val must not be above max_val, got {min_val} and {max_val}")
    if input.array.dtype.kind == "u" and (min_val < 0 or max_val < 0):
        raise RuntimeError(f"hardtanh: {input.dtype} has no negative numbers for the limits {min_val} and {max_val}")
    if input.array.dtype.kind != "f":
        return clamp(input, int(min_val), int(max_val))
    return Hardtanh.of(input, min_val, max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(input, 0), 6)`` (Krizhevsky 2010); the gradient at 0 and 6 is 0."""
    return hardtanh(input, 0.0, 6.0, inplace)


class Hardsigmoid(Activation):
    """y = min(max(x + 3, 0), 6) / 6;  gx = gy / 6 where ``-3 < x < 3``, else 0."""

    function = "hardsigmoid"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        return where(gt(x, -3), where(lt(x, 3), div(gy, 6), 0.0), 0.0)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``relu6(input + 3) / 6``: a logistic function of straight pieces."""
    if inplace:
        return change(input, "hardsigmoid_", hardsigmoid)
    expect("hardsigmoid", "f", input=input)
    return Hardsigmoid.of(input)


class Hardswish(Activation):
    """y = x * min(max(x + 3, 0), 6) / 6;  gx = gy * (x/3 + 1/2) where ``-3 < x < 3``, 0 below, gy above."""

    function = "hardswish"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        return where(le(x, -3), 0.0, where(lt(x, 3), mul(gy, add(div(x, 3), 0.5)), gy))


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * relu6(input + 3) / 6`` (Howard et al. 2019)."""
    if inplace:
        return change(input, "hardswish_", hardswish)
    expect("hardswish", "f", input=input)
    return Hardswish.of(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input``, but 0 in ``[-lambd, lambd]``."""
    expect("hardshrink", "f", input=input)
    return where(le(abs(input), lambd), 0.0, input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``input`` moved by ``lambd`` towards 0, and 0 in ``[-lambd, lambd]``.

    Raises:
        RuntimeError: ``lambd`` is negative.
    """
    expect("softshrink", "f", input=input)
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd must not be negative, got {lambd}")
    moved = where(lt(input, 0), add(input, lambd), sub(input, lambd))
    return where(le(abs(input), lambd), 0.0, moved)


# --------------------------------------------------------------------------------------------------------------- curves


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (e**input - 1)`` (Clevert et al. 2016)."""
    if inplace:
        return change(input, "elu_", elu, alpha)
    expect("elu", "f", input=input)
    return _elu(input, alpha)


def _elu(x: Tensor, alpha: float, scale: float = 1.0) -> Tensor:
    """``x`` where it is positive, else ``alpha * (e**(x / scale) - 1)``. (Where that is not taken it must not overflow,
    or 0 times infinity would make the gradient NaN: so the exponent stays below 0.)"""
    bent = clamp(x, max=0)
    return where(le(x, 0), mul(expm1(bent if scale == 1 else div(bent, scale)), alpha), x)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``input`` where it is positive, else ``alpha * (e**(input / alpha) - 1)``, smooth for every alpha (Barron 2017).

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    if inplace:
        return change(input, "celu_", celu, alpha)
    expect("celu", "f", input=input)
    if alpha == 0:
        raise RuntimeError("celu: alpha must not be 0")
    return _elu(input, alpha, alpha)


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``scale * elu(input, alpha)``, with the two constants for which mean 0 and variance 1 stay what they are
    (Klambauer et al. 2017)."""
    if inplace:
        return change(input, "selu_", selu)
    expect("selu", "f", input=input)
    return mul(_elu(input, SELU_ALPHA), SELU_SCALE)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + e**(beta * input)) / beta``, a smooth ReLU; ``input`` itself where ``beta * input > threshold``."""
    expect("softplus", "f", input=input)
    x = input if beta == 1 else mul(input, beta)
    straight = gt(x, threshold)
    y = log1p(exp(where(straight, 0, x)))
    return where(straight, input, y if beta == 1 else div(y, beta))


class LogSigmoid(Function):
    """y = log(1 / (1 + e**-x)) = min(x, 0) - log(1 + e**-|x|);  gx = gy * sigmoid(-x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return sub(clamp(x, max=0), log1p(exp(neg(abs(x)))))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, sigmoid(neg(ctx.saved_tensors[0])))


def logsigmoid(input: Tensor) -> Tensor:
    """The logarithm of :func:`sigmoid`, without over- or underflow."""
    expect("logsigmoid", "f", input=input)
    return LogSigmoid.apply(input)


class Gelu(Activation):
    """y = x * P(Z < x);  gx = gy * (P(Z < x) + x * p(x)), with p the density of Z."""

    function = "gelu"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        below = mul(add(erf(mul(x, math.sqrt(0.5))), 1), 0.5)
        return mul(gy, add(below, mul(x, mul(exp(mul(mul(x, x), -0.5)), 1 / math.sqrt(2 * math.pi)))))


class GeluTanh(Activation):
    """y = x * s, s = sigmoid(u), u = sqrt(8/pi) * (x + 0.044715 x**3);  gx = gy * (s + x * s * (1 - s) * u')."""

    function = "gelu_tanh"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        c, square = math.sqrt(8 / math.pi), mul(x, x)
        s = sigmoid(mul(mul(x, add(mul(square, 0.044715), 1)), c))
        slope = mul(add(mul(square, 3 * 0.044715), 1), c)
        return mul(gy, add(s, mul(mul(x, slope), mul(s, sub(1, s)))))


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``input * P(Z < input)`` for a standard normal Z (Hendrycks & Gimpel 2016): ``x/2 * (1 + erf(x / sqrt(2)))``.

    Args:
        input: any shape.
        approximate: ``"none"``, or ``"tanh"`` for ``x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 * x**3)))``.

    Raises:
        RuntimeError: another ``approximate``.
    """
    expect("gelu", "f", input=input)
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    return (Gelu if approximate == "none" else GeluTanh).of(input)


class SiLU(Activation):
    """y = x * s, s = sigmoid(x);  gx = gy * s * (1 + x * (1 - s))."""

    function = "silu"

    @staticmethod
    def gradient(gy: Tensor, x: Tensor, a: float, b: float) -> Tensor:
        s = sigmoid(x)
        return mul(gy, mul(s, add(mul(x, sub(1, s)), 1)))


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * sigmoid(input)``, also called swish (Elfwing et al. 2017)."""
    if inplace:
        return change(input, "silu_", silu)
    expect("silu", "f", input=input)
    return SiLU.of(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``input * tanh(softplus(input))`` (Misra 2019)."""
    if inplace:
        return change(input, "mish_", mish)
    expect("mish", "f", input=input)
    return mul(input, tanh(softplus(input)))


def softsign(input: Tensor) -> Tensor:
    """``input / (1 + |input|)``."""
    x = floating(input, "softsign")
    return div(x, add(abs(x), 1))


def tanhshrink(input: Tensor) -> Tensor:
    """``input - tanh(input)``."""
    return sub(input, tanh(input))


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """``a * sigmoid(b)``, with a and b the two halves of ``input`` along ``dim`` (Dauphin et al. 2017).

    Raises:
        RuntimeError: the size along ``dim`` is odd, or there are no dimensions.
    """
    expect("glu", "f", input=input)
    if not input.array.ndim:
        raise RuntimeError("glu: a tensor without dimensions has no halves")
    axis, shape = dim_of(dim, input.array.ndim, "glu"), input.array.shape
    if shape[axis] % 2:
        raise RuntimeError(f"glu: the size along dim {dim} must be even, input has shape {tuple(shape)}")
    before, half = (slice(None),) * axis, shape[axis] // 2
    return mul(input[(*before, slice(half))], sigmoid(input[(*before, slice(half, None))]))


relu_ = in_place(relu)
celu_, elu_, hardtanh_, leaky_relu_, rrelu_, selu_, threshold_ = (
    in_place(function, composed=True) for function in (celu, elu, hardtanh, leaky_relu, rrelu, selu, threshold)
)
