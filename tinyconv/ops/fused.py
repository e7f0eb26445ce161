"""Several operations in one pass over memory, where networks have them in a row again and again.

A convolution, ReLU and the maximum of 2 x 2 windows: since ReLU never decreases, the largest of four is the same
before and after it, so ``y = relu(max_pool2d(conv2d(x, w, b), 2))``, on a quarter of the pixels, which are still in the
cache. A linear layer and ReLU need one pass for the same reason. :class:`~tinyconv.nn.Sequential` finds such layers by
itself.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .activation import ReLU, ReLUGx
from .conv import Conv2dGw, Conv2dGx, conv2d, conv2d_arguments
from .logic import bitwise_and
from .matmul import linear_gradients, of_rows
from .pool import WINDOWS_2X2, ToWinners, Winners, max_pool2d
from .reduce import Sum
from .windows import count_windows


class LinearReLU(Function):
    """y = relu(x w^T + b);  gz = gy, unless y <= 0, and from there as in a linear layer."""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
        need = ctx.needs_input_grad
        y = wrap(kernels.of(x.array).linear_relu(x.array, w.array, None if b is None else b.array))
        ctx.save_for_backward(x if need[1] else None, w if need[0] else None, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, w, y = ctx.saved_tensors
        return linear_gradients(gy, x, w, ctx.needs_input_grad[2], y)


def linear_relu(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``relu(linear(input, weight, bias))``, with the arguments of :func:`~tinyconv.nn.functional.linear` (a weight of
    two axes).

    Returns:
        ``(..., out_features)``.

    Raises:
        RuntimeError: as that does.
    """
    return of_rows(LinearReLU, input, weight, bias)


class Conv2dReLUMaxPool2d(Function):
    """z = conv(x, w) + b, y = relu(max of each window of z);  gz = each gy, unless y <= 0, sent to its winner, and from
    there as in a convolution."""

    materialize_grads = False  # only the first output has a gradient
    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, geometry: tuple) -> tuple:
        need = ctx.needs_input_grad
        ctx.geometry = geometry
        ctx.input_size, ctx.kernel_size = x.array.shape[2:], w.array.shape[2:]
        bias = None if b is None else b.array
        y, where = kernels.of(x.array).conv2d_relu_max_pool2d(x.array, w.array, bias, *geometry)
        y, where = wrap(y), wrap(where)
        ctx.save_for_backward(x if need[1] else None, w if need[0] else None, y, where)
        return y, where

    @staticmethod
    def backward(ctx: Any, gy: Tensor, _: Any) -> tuple:
        x, w, y, where = ctx.saved_tensors
        need, gb = ctx.needs_input_grad, None
        if is_grad_enabled():  # a gradient that is to be differentiated again: one operation after the other
            size = count_windows(ctx.input_size, ctx.kernel_size, *ctx.geometry[:3])
            gy = ReLUGx.apply(gy, y)
            gz = ToWinners.apply(gy, bitwise_and(where, 3), size, WINDOWS_2X2)
            gx = None if w is None else Conv2dGx.apply(gz, w, ctx.input_size, *ctx.geometry)
            gw = None if x is None else Conv2dGw.apply(gz, x, ctx.kernel_size, *ctx.geometry)
            gb = Sum.apply(gy, (0, 2, 3), False) if need[2] else None
            return gx, gw, gb, None
        gx, gw, gb = Winners(gy, where).of_conv2d(x, w, ctx.input_size, ctx.kernel_size, ctx.geometry)
        if need[2] and x is None:
            gb = Sum.apply(ReLUGx.apply(gy, y), (0, 2, 3), False)
        return gx, gw, gb if need[2] else None, None


def conv2d_relu_max_pool2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """``max_pool2d(relu(conv2d(...)), 2)``, with the arguments of :func:`~tinyconv.nn.functional.conv2d`.

    Returns:
        ``(N, O, OH // 2, OW // 2)``, where the convolution has size OH x OW.

    Raises:
        RuntimeError, TypeError: as those do.
    """
    x, options, size, single = conv2d_arguments(input, weight, bias, stride, padding, dilation, groups)
    if single or min(size) < 2:
        return max_pool2d(ReLU.apply(conv2d(input, weight, bias, stride, padding, dilation, groups)), 2)
    return Conv2dReLUMaxPool2d.apply(x, weight, bias, options)[0]
