"""Softmax: scores to probabilities, p_i = exp(x_i) / sum_j exp(x_j), and its logarithm.

log p is what a loss needs, and computing it directly as ``x - m - log(sum(exp(x - m)))`` with m = max(x) neither
overflows nor loses the small probabilities.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor
from .convert import cast
from .elementwise import exp, mul, sub
from .shape import dim_of, max_1
from .types import floating


class LogSoftmax(Function):
    """y = log softmax(x);  gx = gy - exp(y) * sum(gy)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        y = Tensor(kernels.of(x.array).log_softmax(x.array, axis))
        ctx.axis = axis
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return log_softmax_gx(gy, ctx.saved_tensors[0], ctx.axis), None


def log_softmax_gx(gy: Tensor, y: Tensor, axis: int) -> Tensor:
    """``gy - exp(y) * sum(gy)``, with ``y`` the output of ``log_softmax``."""
    if not is_grad_enabled():
        return Tensor(kernels.of(gy.array).log_softmax_gx(gy.array, y.array, axis))
    return sub(gy, mul(exp(y), gy.sum(axis, keepdim=True)))


class Softmax(Function):
    """y = softmax(x);  gx = y * (gy - sum(gy * y))."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        y = Tensor(kernels.of(x.array).softmax(x.array, axis))
        ctx.axis = axis
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (y,) = ctx.saved_tensors
        if not is_grad_enabled():
            return Tensor(kernels.of(gy.array).softmax_gx(gy.array, y.array, ctx.axis)), None
        return mul(y, sub(gy, mul(gy, y).sum(ctx.axis, keepdim=True))), None


def _prepared(x: Tensor, dim: int | None, dtype: dtypes.dtype | None, name: str) -> tuple[Tensor, int]:
    if dim is None:
        raise TypeError(f"{name}: dim must be given (the axis along which the probabilities sum to 1)")
    x = floating(x) if dtype is None else cast(x, dtype.numpy)
    return x, dim_of(dim, max_1(x.array.ndim), name)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Tensor:
    """The logarithm of :func:`softmax`, computed without overflow or loss.

    Args:
        input: scores, any shape.
        dim: the axis along which ``exp`` of the result sums to 1.
        dtype: cast to this type first.
    """
    x, axis = _prepared(input, dim, dtype, "log_softmax")
    return LogSoftmax.apply(x, axis) if x.array.ndim else sub(x, x)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """Scores to probabilities along ``dim``; arguments as :func:`log_softmax`."""
    x, axis = _prepared(input, dim, dtype, "softmax")
    return Softmax.apply(x, axis) if x.array.ndim else exp(sub(x, x))
