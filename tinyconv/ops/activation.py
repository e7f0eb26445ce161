"""Nonlinearities, element by element.

==========  ===============  ======================
operation   y                gradient
==========  ===============  ======================
relu        max(x, 0)        gx = gy where y > 0
sigmoid     1/(1 + e**-x)    gx = gy * y * (1 - y)
tanh        tanh x           gx = gy * (1 - y**2)
==========  ===============  ======================
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor
from .elementwise import mul, sub
from .types import floating


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


def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, in (-1, 1)."""
    return Tanh.apply(floating(input))


def sigmoid(input: Tensor) -> Tensor:
    """The logistic function ``1 / (1 + e**-input)``, in (0, 1)."""
    return Sigmoid.apply(floating(input))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(input, 0)`` (Nair & Hinton 2010). The gradient at 0 is 0; NaN stays NaN.

    Args:
        input: any shape.
        inplace: write the result into ``input`` and return that.
    """
    return input.relu_() if inplace else ReLU.apply(input)
