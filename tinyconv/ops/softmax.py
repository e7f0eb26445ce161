"""Softmax: scores to probabilities, p_i = exp(x_i) / sum_j exp(x_j), and its logarithm.

log p is what a loss needs, and computing it directly as ``x - m - log(sum(exp(x - m)))`` with m = max(x) neither
overflows nor loses the small probabilities.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, is_grad_enabled
from ..caller import warn
from ..tensor import Tensor, wrap
from .compare import eq
from .convert import cast
from .creation import arange
from .elementary import exp, log
from .elementwise import add, div, mul, neg, sub
from .random import rand_like
from .shape import dim_of, max_1
from .types import expect


class LogSoftmax(Function):
    """y = log softmax(x);  gx = gy - exp(y) * sum(gy)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        y = wrap(kernels.of(x.array).log_softmax(x.array, axis))
        ctx.axis = axis
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return log_softmax_gx(gy, ctx.saved_tensors[0], ctx.axis), None


def log_softmax_gx(gy: Tensor, y: Tensor, axis: int) -> Tensor:
    """``gy - exp(y) * sum(gy)``, with ``y`` the output of ``log_softmax``."""
    if not is_grad_enabled():
        return wrap(kernels.of(gy.array).log_softmax_gx(gy.array, y.array, axis))
    return sub(gy, mul(exp(y), gy.sum(axis, keepdim=True)))


class Softmax(Function):
    """y = softmax(x);  gx = y * (gy - sum(gy * y))."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        y = wrap(kernels.of(x.array).softmax(x.array, axis))
        ctx.axis = axis
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (y,) = ctx.saved_tensors
        if not is_grad_enabled():
            return wrap(kernels.of(gy.array).softmax_gx(gy.array, y.array, ctx.axis)), None
        return mul(y, sub(gy, mul(gy, y).sum(ctx.axis, keepdim=True))), None


def _prepared(x: Tensor, dim: int | None, dtype: dtypes.dtype | None, name: str) -> tuple[Tensor, int]:
    if dim is None:
        dim = 0 if x.array.ndim in (0, 1, 3) else 1
        warn(f"{name}: implicit choice of dim is deprecated; say dim={dim}, along which the probabilities sum to 1")
    if dtype is not None:
        x = cast(x, dtype.numpy)
    axis = dim_of(dim, max_1(x.array.ndim), name)
    expect(name, "f", input=x)
    return x, axis


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None
) -> Tensor:
    """The logarithm of :func:`softmax`, computed without overflow or loss.

    Args:
        input: scores, any shape.
        dim: the axis along which ``exp`` of the result sums to 1. (None is deprecated: 0 of one or three axes, else
            1, with a warning.)
        dtype: cast to this type first.
    """
    x, axis = _prepared(input, dim, dtype, "log_softmax")
    return LogSoftmax.apply(x, axis) if x.array.ndim else sub(x, x)


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """Scores to probabilities along ``dim``; arguments as :func:`log_softmax`."""
    x, axis = _prepared(input, dim, dtype, "softmax")
    return Softmax.apply(x, axis) if x.array.ndim else exp(sub(x, x))


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: dtypes.dtype | None = None) -> Tensor:
    """``softmax(-input)``: the smallest score gets the highest probability; arguments as :func:`log_softmax`."""
    return softmax(neg(input), dim, _stacklevel, dtype)


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample from the categorical distribution of ``logits`` that has a gradient (Jang et al. 2017; Maddison et al.
    2017): ``softmax((logits + g) / tau)``, with g from the Gumbel distribution.

    Args:
        logits: scores, any shape.
        tau: the temperature: the lower, the nearer to a one-hot vector.
        hard: return the one-hot vector itself; the gradient is that of the softmax.
        eps: not used (as in PyTorch).
        dim: the axis of the classes.
    """
    exponential = neg(log(sub(1, rand_like(logits.detach()))))
    y = softmax(div(sub(logits, log(exponential)), tau), dim)
    if not hard:
        return y
    if not y.array.ndim:  # one class, which is drawn
        return add(sub(1, y.detach()), y)
    axis = dim_of(dim, y.array.ndim, "gumbel_softmax")
    classes = arange(y.array.shape[axis], device=y.device).reshape([-1] + [1] * (y.array.ndim - axis - 1))
    drawn = eq(classes, y.detach().argmax(axis, keepdim=True))
    return add(sub(cast(drawn, y.array.dtype), y.detach()), y)
