"""Losses for probabilities and distributions: the negative logarithm of what a prediction gave to what happened.

Of a coin with probability p that is ``-(t log p + (1 - t) log(1 - p))``. With p = sigmoid(x) it is best computed from x
itself, where neither logarithm can overflow: ``(1 - t) x - log sigmoid(x)``.
"""

from __future__ import annotations

import math
from typing import Any

from ..autograd import Function, no_grad
from ..caller import warn
from ..tensor import Tensor
from .activation import logsigmoid
from .compare import clamp_min, where
from .convert import cast
from .elementary import exp, log, log1p, xlogy
from .elementwise import add, div, mul, neg, sub
from .loss import named_reduction, reduced
from .types import broadcast_shape, number, one_device, operands, same_type


class BinaryCrossEntropy(Function):
    """y = -(t * log x + (1 - t) * log(1 - x)), logarithms no smaller than -100;  gx = gy (x - t) / (x (1 - x)), the
    denominator no smaller than 1e-12, gt = gy (log(1 - x) - log x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, t: Tensor) -> Tensor:
        ctx.save_for_backward(x, t)
        yes, no = clamp_min(log(x), -100), clamp_min(log1p(neg(x)), -100)
        return sub(mul(sub(t, 1), no), mul(t, yes))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, t = ctx.saved_tensors
        need = ctx.needs_input_grad
        gx = div(mul(gy, sub(x, t)), clamp_min(mul(sub(1, x), x), 1e-12)) if need[0] else None
        return gx, mul(gy, sub(log1p(neg(x)), log(x))) if need[1] else None


def _same_size(input: Tensor, target: Tensor, name: str) -> None:
    if input.array.shape != target.array.shape:
        raise ValueError(
            f"{name}: target must have the shape of input, got {tuple(target.shape)} and {tuple(input.shape)}"
        )


def _scaled(loss: Tensor, weight: Tensor | None, reduction: str, name: str) -> Tensor:
    """``loss``, times a weight that is taken in its type, reduced."""
    if weight is not None:
        one_device(name, input=loss, weight=weight)
        weight = cast(weight, loss.array.dtype)
        if broadcast_shape(loss.array.shape, weight.array.shape, name) != loss.array.shape:
            raise RuntimeError(f"{name}: weight {tuple(weight.shape)} does not broadcast to {tuple(loss.shape)}")
        loss = mul(loss, weight)
    return reduced(loss, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target * log(input) + (1 - target) * log(1 - input))``, with logarithms no smaller than -100.

    Args:
        input: probabilities, any shape.
        target: of the same shape, in [0, 1].
        weight: factors that broadcast.
        size_average, reduce: the old form of ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: shapes that differ, or an unknown reduction.
        RuntimeError: an input and a target of different types, or not within [0, 1].
    """
    name = "binary_cross_entropy"
    reduction = named_reduction(reduction, size_average, reduce, name)
    _same_size(input, target, name)
    same_type(name, input=input, target=target)
    for argument, value in (("input", input.detach()), ("target", target.detach())):
        if value.numel() and not (float(value.min()) >= 0 and float(value.max()) <= 1):
            raise RuntimeError(f"{name}: all elements of {argument} should be between 0 and 1")
    return _scaled(BinaryCrossEntropy.apply(input, target), weight, reduction, name)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """:func:`binary_cross_entropy` of ``sigmoid(input)``, without overflow for any input.

    Args:
        input: scores ("logits"), any shape.
        target, weight, size_average, reduce, reduction: as there.
        pos_weight: factors for the positive terms, ``target * log(sigmoid(input))``; they broadcast.

    Returns:
        In the type of ``target``.

    Raises:
        ValueError: shapes that differ, or an unknown reduction.
    """
    name = "binary_cross_entropy_with_logits"
    reduction = named_reduction(reduction, size_average, reduce, name)
    _same_size(input, target, name)
    operands(input, target, name)
    same_type(name, target=target)
    positive = logsigmoid(input)
    if pos_weight is not None:
        positive = mul(positive, add(mul(sub(pos_weight, 1), target), 1))
    loss = sub(mul(sub(1, target), input), positive)
    return _scaled(cast(loss, target.array.dtype), weight, reduction, name)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence's terms, ``target * (log(target) - input)``; 0 where the target is 0.

    Args:
        input: log-probabilities.
        target: probabilities (log-probabilities, with ``log_target``) in a shape that broadcasts.
        size_average, reduce: the old form of ``reduction``.
        reduction: ``"batchmean"`` (the sum over the first axis' size: the divergence), ``"mean"`` (over all elements),
            ``"sum"`` or ``"none"``.
        log_target: whether ``target`` holds logarithms.

    Raises:
        ValueError: an unknown reduction.
    """
    if reduction == "mean" and size_average is None and reduce is None:
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
        )
    by_batch = reduction == "batchmean"
    reduction = named_reduction("sum" if by_batch else reduction, size_average, reduce, "kl_div")
    operands(input, target, "kl_div")
    same_type("kl_div", input=input)
    same_type("kl_div", target=target)
    loss = mul(exp(target), sub(target, input)) if log_target else sub(xlogy(target, target), mul(target, input))
    loss = reduced(loss, reduction)
    return div(loss, input.array.shape[0]) if by_batch and input.array.ndim else loss


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Tensor | float, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """The negative log-likelihood of ``target`` under a Gaussian of mean ``input``: ``(log(var) + (input - target)**2 /
    var) / 2``.

    Args:
        input: means.
        target: in a shape that broadcasts.
        var: variances: of input's shape, or with its last axis missing, or with one axis of size 1; or one number.
        full: add the constant ``log(2 pi) / 2``.
        eps: smaller variances count as this (their gradient does not notice).
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: a negative variance, or variances of another shape; an unknown reduction.
    """
    name = "gaussian_nll_loss"
    var = var if isinstance(var, Tensor) else mul(input.new_ones(input.array.shape), number(var, f"{name}: var"))
    same_type(name, var=var)
    if var.numel() and float(var.detach().min()) < 0:
        raise ValueError(f"{name}: var has negative entries, the smallest is {float(var.detach().min())}")
    x, v = tuple(input.array.shape), tuple(var.array.shape)
    if v != x:
        if v == x[:-1]:
            var = var.unsqueeze(-1)
        elif len(v) != len(x) or sum([n for n, m in zip(v, x) if n != m]) != 1:
            raise ValueError(f"{name}: var is of incorrect size {v} for input {x}")
    reduction = named_reduction(reduction, None, None, name)
    var = var.clone()
    with no_grad():
        var.copy_(clamp_min(var, eps))
    d = sub(input, target)
    loss = mul(add(log(var), div(mul(d, d), var)), 0.5)
    return reduced(add(loss, 0.5 * math.log(2 * math.pi)) if full else loss, reduction)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts under a Poisson distribution, up to a constant of the target.

    Args:
        input: the logarithm of the rate: ``exp(input) - target * input``; or, without ``log_input``, the rate itself:
            ``input - target * log(input + eps)``.
        target: counts, in a shape that broadcasts.
        log_input: see above.
        full: add Stirling's approximation of ``log(target!)`` where the target is above 1.
        size_average, reduce: the old form of ``reduction``.
        eps: keeps the logarithm finite.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: an unknown reduction.
    """
    name = "poisson_nll_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    operands(input, target, name)
    loss = sub(exp(input), mul(target, input)) if log_input else sub(input, mul(target, log(add(input, eps))))
    if full:
        large = target > 1
        t = where(large, target, 1.0)
        stirling = add(sub(mul(t, log(t)), t), mul(log(mul(t, 2 * math.pi)), 0.5))
        loss = add(loss, where(large, stirling, 0.0))
    return reduced(loss, reduction)
