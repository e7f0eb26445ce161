"""Losses for numbers: functions of the difference ``d = input - target``.

==================  =====================================================  ================================
squared             d**2                                                   punishes outliers most
absolute            |d|                                                    the median instead of the mean
smooth absolute     d**2 / (2 beta) where |d| < beta, else |d| - beta/2    like |d|, but smooth at 0
Huber               d**2 / 2 where |d| <= delta, else delta (|d| -         the same times beta
                    delta/2)
==================  =====================================================  ================================
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..autograd import Function
from ..caller import warn
from ..tensor import Tensor, wrap
from .compare import clamp, clamp_max
from .convert import cast
from .elementwise import abs, div, mul, neg, sub
from .loss import named_reduction, reduced
from .types import expect, operands, same_type


def _difference(input: Tensor, target: Tensor, name: str, bools: bool = True) -> Tensor:
    """``input - target``, with a warning if one of them is repeated to fit the other. ``bools`` count as 0 and 1.

    Raises:
        TypeError: something else than tensors.
        RuntimeError: the shapes do not broadcast, or neither is floating point.
    """
    expect(name, input=input, target=target)
    operands(input, target, name)
    x, t = input.array, target.array
    if x.shape != t.shape:
        warn(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        )
    if x.dtype.kind != "f" and t.dtype.kind != "f" and name != "l1_loss":
        raise RuntimeError(f"{name}: expected floating point, got {input.dtype} and {target.dtype}")
    if bools:
        input, target = (cast(a, b.array.dtype) if a.array.dtype.kind == "b" else a
                         for a, b in ((input, target), (target, input)))  # fmt: skip
    return sub(input, target)


def _are_alike(input: Any, target: Any) -> bool:
    """Whether two tensors need neither be cast nor broadcast, and are floating point, but no float16, whose sums
    overflow."""
    if not isinstance(input, Tensor) or not isinstance(target, Tensor):
        return False
    x, t = input.array, target.array
    return type(x) is type(t) and x.dtype == t.dtype and x.dtype.char in "fd" and x.shape == t.shape


def _weighted(loss: Tensor, input: Tensor, weight: Tensor | None, reduction: str, by_weight: bool = True) -> Tensor:
    """``loss`` times ``weight``, reduced; the mean is over the sum of the weights, or over the elements.

    Raises:
        ValueError: ``weight`` has not the shape of ``input``.
    """
    if weight is None:
        return reduced(loss, reduction)
    if weight.array.shape != input.array.shape:
        raise ValueError(
            f"Weights and input must have the same size, got {tuple(weight.shape)} and {tuple(input.shape)}."
        )
    loss = mul(loss, weight)
    return div(loss.sum(), weight.sum()) if reduction == "mean" and by_weight else reduced(loss, reduction)


class MseLoss(Function):
    """y = mean (or sum) of (x - t)**2;  gx = gy * 2 (x - t) / n,  gt = -gx."""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, t: Tensor, reduction: str) -> Tensor:
        ctx.save_for_backward(x, t)
        backend, n = kernels.of(x.array), math.prod(x.array.shape) if reduction == "mean" else 1
        d, ctx.factor = backend.sub(x.array, t.array), 2 / max(n, 1)
        y = backend.sum(backend.mul(d, d), tuple(range(x.array.ndim)), False)
        return wrap(y if n == 1 else backend.div(y, n))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, t = ctx.saved_tensors
        gx = mul(sub(x, t), mul(gy, ctx.factor))
        need = ctx.needs_input_grad
        return gx if need[0] else None, neg(gx) if need[1] else None, None


class Huber(Function):
    """y = d**2 / 2 up to |d| = delta, a straight line beyond: with ``m = min(|d|, delta)``, ``m (|d| - m/2)``;
    gd = gy * d, which stays within [-delta, delta]."""

    @staticmethod
    def forward(ctx: Any, d: Tensor, delta: float) -> Tensor:
        ctx.delta = delta
        ctx.save_for_backward(d)
        size = abs(d)
        near = clamp_max(size, delta)
        return mul(near, sub(size, mul(near, 0.5)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (d,) = ctx.saved_tensors
        return mul(gy, clamp(d, -ctx.delta, ctx.delta)), None


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Squared error ``(input - target)**2``, averaged over all elements (or summed, or as it is).

    Args:
        input, target: tensors of one shape; others that broadcast are taken with a warning.
        size_average, reduce: the old form of ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: factors for the squared errors, by whose sum the mean divides.

    Raises:
        RuntimeError: shapes that do not broadcast, or integers.
        ValueError: an unknown reduction, or a weight of another shape.
    """
    reduction = named_reduction(reduction, size_average, reduce, "mse_loss")
    if reduction != "none" and weight is None and _are_alike(input, target):
        return MseLoss.apply(input, target, reduction)
    d = _difference(input, target, "mse_loss")
    return _weighted(mul(d, d), input, weight, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Absolute error ``|input - target|``; arguments and errors as :func:`mse_loss`, but integers have a sum."""
    reduction = named_reduction(reduction, size_average, reduce, "l1_loss")
    return _weighted(abs(_difference(input, target, "l1_loss", bools=False)), input, weight, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """:func:`l1_loss`, but a parabola where it is below ``beta`` (Girshick 2015); the other arguments as there.

    Raises:
        RuntimeError: a negative ``beta``.
    """
    reduction = named_reduction(reduction, size_average, reduce, "smooth_l1_loss")
    d = _difference(input, target, "smooth_l1_loss", bools=beta != 0)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return reduced(abs(d), reduction)
    return reduced(div(Huber.apply(d, beta), beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """A parabola up to ``delta``, a straight line beyond it (Huber 1964).

    Args:
        input, target, reduction: as in :func:`mse_loss`.
        delta: where the line begins.
        weight: factors for the errors; the mean divides by the number of elements.

    Returns:
        In the type of ``input``.

    Raises:
        RuntimeError: ``delta`` is not positive.
    """
    reduction = named_reduction(reduction, None, None, "huber_loss")
    same_type("huber_loss", input=input)
    d = _difference(input, target, "huber_loss")
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    loss = cast(Huber.apply(d, delta), input.array.dtype)
    return _weighted(loss, input, weight, reduction, by_weight=False)
