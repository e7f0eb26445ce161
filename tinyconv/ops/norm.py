"""Batch normalization (Ioffe & Szegedy 2015).

Each channel is shifted and scaled to mean 0 and variance 1 over the batch, then scaled by w and shifted by b:

    xh = (x - mean) * rstd,   rstd = 1 / sqrt(var + eps),   y = xh * w + b            (algorithm 1 of the paper)

mean and var depend on x, so the gradient has three terms; with M values a channel,

    gx = w * rstd * (gy - mean(gy) - xh * mean(gy * xh)),   gw = sum(gy * xh),   gb = sum(gy).

One kernel computes these. When the backward pass is itself recorded (``create_graph``), the same formula is written
out in tensor operations instead, and the engine differentiates those.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor
from .elementwise import div, sqrt
from .types import same_type


class BatchNorm(Function):
    """x is (N, C, L); the statistics are those of x."""

    materialize_grads = False  # only the first output has a gradient

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor, eps: float) -> tuple:
        backend = kernels.of(x.array)
        mean, var = backend.batch_norm_stats(x.array)
        rstd = Tensor(backend.div(1.0, backend.sqrt(backend.add(var, eps))))
        mean, var = Tensor(mean), Tensor(var)
        ctx.eps = eps
        ctx.save_for_backward(x, w, mean, rstd)
        ctx.mark_non_differentiable(mean, var)
        return Tensor(backend.batch_norm(x.array, mean.array, rstd.array, w.array, b.array)), mean, var

    @staticmethod
    def backward(ctx: Any, gy: Tensor, *_: Any) -> tuple:
        x, w, mean, rstd = ctx.saved_tensors
        if not is_grad_enabled():
            gx, gw, gb = kernels.of(x.array).batch_norm_gx(gy.array, x.array, mean.array, rstd.array, w.array)
            return Tensor(gx), Tensor(gw), Tensor(gb), None
        axes = (0, 2)
        centred = x - x.mean(axes, keepdim=True)
        rstd = div(1.0, sqrt((centred * centred).mean(axes, keepdim=True) + ctx.eps))
        xh = centred * rstd
        gx = rstd * w.reshape(-1, 1) * (gy - gy.mean(axes, keepdim=True) - xh * (gy * xh).mean(axes, keepdim=True))
        return gx, (gy * xh).sum(axes), gy.sum(axes), None


class Normalize(Function):
    """y = (x - mean) * rstd * w + b with given statistics, which get no gradient (evaluation mode)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, rstd: Tensor, w: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(x, mean, rstd, w)
        return Tensor(kernels.of(x.array).batch_norm(x.array, mean.array, rstd.array, w.array, b.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, mean, rstd, w = ctx.saved_tensors
        m, r = mean.reshape(-1, 1), rstd.reshape(-1, 1)
        need = ctx.needs_input_grad
        gx = gy * (r * w.reshape(-1, 1)) if need[0] else None
        gw = (gy * ((x - m) * r)).sum((0, 2)) if need[3] else None
        gb = gy.sum((0, 2)) if need[4] else None
        return gx, None, None, gw, gb


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalization over all axes but the channels'.

    Args:
        input: ``(N, C, ...)``.
        running_mean, running_var: ``(C,)``: in training, moved towards the batch's mean and (unbiased) variance by
            ``momentum``, in place; otherwise used in their stead. None: the batch's statistics always.
        weight, bias: ``(C,)``, or None for 1 and 0.
        training: normalize by the batch's statistics.
        momentum: share of the new value in the running one.
        eps: added to the variance.

    Returns:
        As ``input``.

    Raises:
        RuntimeError: statistics, weight or bias that are not ``(C,)``; evaluation without running statistics.
        ValueError: training on one value a channel.
    """
    same_type("batch_norm", input=input, weight=weight, bias=bias)
    shape = input.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm: expected input of shape (N, C, ...), got {tuple(shape)}")
    C, length = shape[1], 1
    for n in shape[2:]:
        length *= n
    for name, value in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if value is not None and value.array.shape != (C,):
            raise RuntimeError(f"batch_norm: {name} must have shape ({C},), got {tuple(value.array.shape)}")
    if training and shape[0] * length == 1:
        raise ValueError(
            f"batch_norm: expected more than 1 value per channel when training, got input of shape {tuple(shape)}"
        )
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("batch_norm: running_mean and running_var must be given in evaluation mode")
    x = input.reshape(shape[0], C, length)
    w = input.new_ones((C,)) if weight is None else weight
    b = input.new_zeros((C,)) if bias is None else bias
    backend = kernels.of(input.array)
    if not training:
        assert running_mean is not None and running_var is not None
        rstd = Tensor(backend.div(1.0, backend.sqrt(backend.add(running_var.array, eps))))
        return Normalize.apply(x, running_mean.detach(), rstd, w, b).reshape(shape)
    y, mean, var = BatchNorm.apply(x, w, b, eps)
    count = shape[0] * length
    if count:
        for running, new, factor in ((running_mean, mean, 1.0), (running_var, var, count / (count - 1))):
            if running is not None:
                backend.mul_(running.array, 1 - momentum)
                backend.add_(running.array, new.array, momentum * factor)
                running._bump()
    return y.reshape(shape)
