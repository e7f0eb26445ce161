"""Losses for classes, and what all losses share: how wrong a prediction is, as one number to minimize.

For classes that is the negative log-likelihood of the right one. On top of ``log_softmax`` it is called
cross-entropy, and its gradient in the scores is as plain as can be: softmax(x) - onehot(target).
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..autograd import Function, is_grad_enabled
from ..caller import warn
from ..tensor import Tensor, wrap
from .compare import where
from .elementwise import add, div, mul, neg
from .softmax import log_softmax, log_softmax_gx
from .types import one_device, same_type


class NLLLoss(Function):
    """loss[n, l] = -scale[n, l] * x[n, target[n, l], l], with scale = the target's weight; "sum" adds them up, and
    "mean" divides that by the sum of the scales;  gx is :class:`ToTargets`. The shapes are those of :func:`nll_loss`;
    inside, x is ``(N, C, L)`` and target ``(N, L)``."""

    materialize_grads = False  # only the first output has a gradient

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> tuple:
        loss, scale, total = _loss_and_scale(x.array, target, weight, ignore_index, reduction)
        ctx.shape, ctx.reduction = x.array.shape, reduction
        ctx.save_for_backward(target, scale, total)
        ctx.mark_non_differentiable(scale)
        return loss, scale

    @staticmethod
    def backward(ctx: Any, gloss: Tensor, _: Any) -> tuple:
        return ToTargets.apply(gloss, *ctx.saved_tensors, ctx.shape, ctx.reduction), None, None, None, None


class ToTargets(Function):
    """gx = -scale * gloss at the target, 0 elsewhere, divided by the sum of the scales (``total``) for "mean";  its
    adjoint picks at the targets again."""

    @staticmethod
    def forward(
        ctx: Any, gloss: Tensor, target: Tensor, scale: Tensor, total: Tensor | None, shape: tuple, reduction: str
    ) -> Tensor:
        ctx.reduction = reduction
        ctx.save_for_backward(target, scale, total)
        backend, (N, C, length), g = kernels.of(gloss.array), _sizes(shape), gloss.array
        if total is not None:
            g = backend.div(g, total.array)
        g = _viewed(g, (N, length)) if reduction == "none" else backend.broadcast_to(g, (N, length))
        gx = backend.nll_loss_gx(g, _viewed(target.array, (N, length)), _viewed(scale.array, (N, length)), C)
        return wrap(backend.view(gx, shape))

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> tuple:
        target, scale, total = ctx.saved_tensors
        safe = mul(target, (scale != 0).long())  # an ignored target may be any number
        picked, _ = NLLLoss.apply(ggx, safe, None, -1, "none")
        ggloss = mul(picked, scale)
        if ctx.reduction != "none":
            ggloss = ggloss.sum()
        return ggloss if total is None else div(ggloss, total), None, None, None, None, None


class CrossEntropy(Function):
    """The loss of :class:`NLLLoss` for logp = log softmax(x), and logp;  gx is the gradient of log softmax for what
    :class:`ToTargets` makes of gloss, which is scale * (softmax(x) - onehot(target)), and for glogp."""

    materialize_grads = False  # mostly only the loss is used
    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> tuple:
        ctx.axis, ctx.reduction, backend = min(x.array.ndim - 1, 1), reduction, kernels.of(x.array)
        total = None
        if reduction == "none":
            logp = wrap(backend.log_softmax(x.array, ctx.axis))
            loss, scale, _ = _loss_and_scale(logp.array, target, weight, ignore_index, reduction)
        else:
            N, C, length = _sizes(x.array.shape)
            w, mean = None if weight is None else weight.array, reduction == "mean"
            scores, targets = _viewed(x.array, (N, C, length)), _viewed(target.array, (N, length))
            one, logps, scales, sum_of_scales = backend.cross_entropy(scores, targets, w, ignore_index, mean)
            loss, logp = wrap(one), wrap(backend.view(logps, x.array.shape))
            scale, total = wrap(backend.view(scales, target.array.shape)), wrap(sum_of_scales) if mean else None
        ctx.save_for_backward(logp, target, scale, total)
        return loss, logp

    @staticmethod
    def backward(ctx: Any, gloss: Any, glogp: Any) -> tuple:
        logp, target, scale, total = ctx.saved_tensors
        if glogp is None and ctx.reduction != "none" and not is_grad_enabled():
            backend, (N, C, length) = kernels.of(gloss.array), _sizes(logp.array.shape)
            logps = backend.view(logp.array, (N, C, length))
            targets, scales = (_viewed(t.array, (N, length)) for t in (target, scale))
            gx = backend.cross_entropy_gx(gloss.array, logps, targets, scales, None if total is None else total.array)
            return wrap(backend.view(gx, logp.array.shape)), None, None, None, None
        if gloss is not None:
            g = ToTargets.apply(gloss, target, scale, total, logp.array.shape, ctx.reduction)
            glogp = g if glogp is None else add(g, glogp)
        return log_softmax_gx(glogp, logp, ctx.axis), None, None, None, None


def _loss_and_scale(
    x: Any, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> tuple[Tensor, Tensor, Tensor | None]:
    """The loss of :class:`NLLLoss`, the scales, and for "mean" their sum."""
    backend, (N, C, length), t = kernels.of(x), _sizes(x.shape), target.array
    w = None if weight is None else weight.array
    loss, scale = backend.nll_loss(_viewed(x, (N, C, length)), _viewed(t, (N, length)), w, ignore_index)
    total = None
    if reduction == "none":
        loss = backend.view(loss, t.shape)
    else:
        loss = backend.sum(loss, (0, 1), False)
        if reduction == "mean":
            total = wrap(backend.sum(scale, (0, 1), False))
            loss = backend.div(loss, total.array)
    return wrap(loss), wrap(backend.view(scale, t.shape)), total


def _sizes(shape: tuple) -> tuple[int, int, int]:
    """(N, C, L) of an input (C,), (N, C) or (N, C, d1, ...): L is all that follows the classes."""
    return (1, shape[0], 1) if len(shape) == 1 else (shape[0], shape[1], math.prod(shape[2:]))


def _viewed(array: Any, shape: tuple) -> Any:
    """The elements of an array in another shape, copied only where no view is possible."""
    backend = kernels.of(array)
    view = backend.view(array, shape)
    return backend.view(backend.copy(array), shape) if view is None else view


def named_reduction(reduction: str, size_average: bool | None, reduce: bool | None, name: str) -> str:
    """``reduction``, or what its old form, two flags, says, with a warning.

    Raises:
        ValueError: an unknown reduction.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warn(
            f"size_average and reduce args will be deprecated, please use reduction={reduction!r} instead.",
        )
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{name}: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """``loss``, its sum or its mean."""
    return loss if reduction == "none" else loss.sum() if reduction == "sum" else loss.mean()


def _check_classes(input: Tensor, target: Tensor, weight: Tensor | None, name: str) -> None:
    """Check an input (C,), (N, C) or (N, C, ...) with class indices as target.

    Raises:
        RuntimeError: shapes or types that do not fit.
        ValueError: another number of targets than of samples.
    """
    x, t = input.array.shape, target.array.shape
    if len(x) > 1 and t and t[0] != x[0]:
        raise ValueError(f"{name}: input {tuple(x)} has {x[0]} samples, but target {tuple(t)} is for {t[0]}")
    if not x or (t != x[:1] + x[2:] if len(x) > 1 else t != ()):
        want = (x[:1] + x[2:] if len(x) > 1 else ()) if x else "one fewer axis"
        if x == t and name == "cross_entropy":
            raise RuntimeError(
                f"cross_entropy: a target of the shape of input, {tuple(x)}, holds probabilities and must be floating "
                f"point, got {target.dtype}; class indices have shape {want} (one_hot.argmax(1))"
            )
        raise RuntimeError(f"{name}: for input of shape {tuple(x)} target must have shape {want}, got {tuple(t)}")
    if (target.array.dtype.kind, target.array.dtype.itemsize) not in (("i", 8), ("u", 1)):
        raise RuntimeError(f"{name}: target must hold class indices (int64 or uint8), got {target.dtype}")
    C = x[0] if len(x) == 1 else x[1]
    if weight is not None and weight.array.shape != (C,):
        raise RuntimeError(
            f"{name}: weight must have one value per class, shape ({C},), got {tuple(weight.array.shape)}"
        )


def _check_ignored(ignore_index: Any, name: str) -> None:
    if not hasattr(ignore_index, "__index__"):
        raise TypeError(f"{name}: ignore_index must be an int, got {ignore_index!r}")


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood: ``-weight[t] * input[n, t]`` for each target t.

    Args:
        input: log-probabilities, ``(N, C)``, ``(C,)`` or ``(N, C, d1, ...)``.
        target: class indices, int64 ``(N,)``, ``()`` or ``(N, d1, ...)``.
        weight: one a class, ``(C,)``.
        ignore_index: targets of this value count for nothing.
        size_average, reduce: the old form of ``reduction``.
        reduction: ``"mean"`` (the sum over the sum of the weights used), ``"sum"`` or ``"none"``.

    Raises:
        IndexError: a target that is neither a class nor ``ignore_index``.
        RuntimeError: shapes or types that do not fit.
        TypeError: an ``ignore_index`` that is no int.
        ValueError: another number of targets than of samples, or an unknown reduction.
    """
    reduction = named_reduction(reduction, size_average, reduce, "nll_loss")
    _check_ignored(ignore_index, "nll_loss")
    same_type("nll_loss", input=input, weight=weight)
    one_device("nll_loss", input=input, target=target)
    _check_classes(input, target, weight, "nll_loss")
    if target.array.dtype.itemsize != 8:
        target = target.long()
    return NLLLoss.apply(input, target, weight, ignore_index, reduction)[0]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy between scores and classes: ``nll_loss(log_softmax(input, 1), target)``.

    Args:
        input: scores ("logits"), ``(N, C)``, ``(C,)`` or ``(N, C, d1, ...)``.
        target: class indices as in :func:`nll_loss`, or class probabilities of the shape of ``input``.
        weight, size_average, ignore_index, reduce, reduction: as in :func:`nll_loss`.
        label_smoothing: in [0, 1]: this share of the target is spread evenly over all classes (Szegedy et al. 2016).

    Raises:
        IndexError, RuntimeError, TypeError, ValueError: as :func:`nll_loss`.
        RuntimeError: also for a ``label_smoothing`` outside [0, 1].
    """
    reduction = named_reduction(reduction, size_average, reduce, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"cross_entropy: label_smoothing must be in [0, 1], got {label_smoothing}")
    _check_ignored(ignore_index, "cross_entropy")
    one_device("cross_entropy", input=input, target=target)
    axis = 0 if input.array.ndim == 1 else 1
    if target.array.dtype.kind == "f":
        same_type("cross_entropy", input=input)
        return _soft_cross_entropy(input, target, weight, axis, reduction, label_smoothing)
    same_type("cross_entropy", input=input, weight=weight)
    _check_classes(input, target, weight, "cross_entropy")
    if target.array.dtype.itemsize != 8:
        target = target.long()
    loss, logp = CrossEntropy.apply(input, target, weight, ignore_index, reduction)
    if not label_smoothing:
        return loss
    C = input.array.shape[axis]
    shape = [1] * input.array.ndim
    shape[axis] = C
    counts = target != ignore_index
    used = counts.to(input.dtype)
    smooth = where(counts, neg((logp if weight is None else mul(logp, weight.reshape(shape))).sum(axis)), 0.0)
    if reduction == "mean":
        safe = mul(target, used.long())
        smooth = div(smooth.sum(), used.sum() if weight is None else mul(weight[safe], used).sum())
    else:
        smooth = reduced(smooth, reduction)
    return add(mul(loss, 1 - label_smoothing), mul(smooth, label_smoothing / C))


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, axis: int, reduction: str, smoothing: float
) -> Tensor:
    """Targets that are probabilities: -sum over the classes of weight * target * log_softmax(input)."""
    if target.array.shape != input.array.shape:
        kind = ValueError if target.array.shape[:1] != input.array.shape[:1] else RuntimeError
        raise kind(
            f"cross_entropy: probabilities as target must have input's shape {tuple(input.array.shape)}, "
            f"got {tuple(target.array.shape)}"
        )
    C = input.array.shape[axis]
    if weight is not None and weight.array.shape != (C,):
        raise RuntimeError(
            f"cross_entropy: weight must have one value per class, shape ({C},), got {tuple(weight.array.shape)}"
        )
    if smoothing:
        target = add(mul(target, 1 - smoothing), smoothing / C)
    products = mul(log_softmax(input, axis), target)
    if weight is not None:
        shape = [1] * input.array.ndim
        shape[axis] = C
        products = mul(products, weight.reshape(shape))
    loss = neg(products.sum(axis))
    return div(loss.sum(), loss.numel() if C else 0) if reduction == "mean" else reduced(loss, reduction)
