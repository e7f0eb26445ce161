"""Losses that are content with a margin: zero once what belongs together is closer, or scored higher, by enough."""

from __future__ import annotations

from collections.abc import Callable

from ..tensor import Tensor
from .activation import logsigmoid, relu
from .compare import clamp_min, ge, gt, minimum, where
from .cumulative import cumprod
from .distance import pairwise_distance
from .elementary import sqrt
from .elementwise import add, div, mul, neg, sub
from .embedding import one_hot
from .gather import gather, scatter_add
from .logic import logical_and, logical_not
from .loss import named_reduction, reduced
from .reduce import sum
from .shape import unsqueeze
from .types import broadcast_shape, expect, operands, same_type


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target * (input1 - input2) + margin)``: with target 1 the first should be larger, with -1 the second.

    Args:
        input1, input2, target: of one number of dimensions, shapes that broadcast.
        margin: by how much.
        size_average, reduce: the old form of ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: different numbers of dimensions.
        ValueError: an unknown reduction.
    """
    name = "margin_ranking_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    if not input1.array.ndim == input2.array.ndim == target.array.ndim:
        raise RuntimeError(
            f"{name}: all input tensors should have the same number of dimensions, got shapes "
            f"{tuple(input1.shape)}, {tuple(input2.shape)}, {tuple(target.shape)}"
        )
    return reduced(clamp_min(add(mul(neg(target), sub(input1, input2)), margin), 0), reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1: for distances of alike and unlike.

    Args:
        input, target: shapes that broadcast.
        margin: how far apart the unlike should be.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.
    """
    name = "hinge_embedding_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    operands(input, target, name)
    apart = where(target == 1, 0.0, clamp_min(sub(margin, input), 0))
    return reduced(add(apart, where(target == -1, 0.0, input)), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target * input))`` for targets 1 and -1, without overflow for any input.

    Args:
        input: any shape.
        target: in a shape that broadcasts to that.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.
    """
    name = "soft_margin_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    same_type(name, input=input)
    if broadcast_shape(input.array.shape, target.array.shape, name) != input.array.shape:
        raise RuntimeError(f"{name}: target {tuple(target.shape)} does not broadcast to input {tuple(input.shape)}")
    return reduced(neg(logsigmoid(mul(input, target))), reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """For each sample, the sum of ``max(0, 1 - x[j] + x[i])`` over its classes j and the other classes i, divided by C.

    Args:
        input: scores x, ``(N, C)`` or ``(C,)``.
        target: int64, of the same shape: a sample's classes, behind them -1 and anything.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.

    Raises:
        RuntimeError: shapes or types that do not fit, or a class out of range.
    """
    name = "multilabel_margin_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    shape = tuple(input.array.shape)
    if len(shape) not in (1, 2) or tuple(target.array.shape) != shape:
        raise RuntimeError(f"{name}: expected both (N, C) or (C,), got {shape} and {tuple(target.array.shape)}")
    same_type(name, input=input)
    expect(name, "i", target=target)
    C = shape[-1]
    x, t = input.reshape(-1, C), target.reshape(-1, C)
    listed = gt(cumprod(ge(t, 0).long(), 1), 0)  # up to the first -1
    t = where(listed, t, 0)
    its = gt(scatter_add(t.new_zeros(t.array.shape), 1, t, listed.long()), 0)
    apart = relu(sub(unsqueeze(x, 1), sub(unsqueeze(gather(x, 1, t), 2), 1)))  # (N, j, i)
    counts = logical_and(unsqueeze(listed, 2), logical_not(unsqueeze(its, 1)))
    loss = div(sum(where(counts, apart, 0.0), (1, 2)), C)
    return reduced(loss if len(shape) == 2 else loss.squeeze(0), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """For each sample, over the classes other than the target t: ``mean of max(0, margin - x[t] + x[j])**p``, where the
    mean divides by all C classes (Crammer & Singer 2001).

    Args:
        input: scores, ``(N, C)`` or ``(C,)``.
        target: classes, int64 ``(N,)`` or ``()``.
        p: 1 or 2.
        margin: by how much the right score should be larger.
        weight: ``(C,)``, how much each target class counts.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.

    Raises:
        ValueError: another p, or a weight that is not 1-D.
        RuntimeError: shapes that do not fit.
    """
    name = "multi_margin_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    if p not in (1, 2):
        raise ValueError(f"{name}: only p == 1 and p == 2 are supported, got {p}")
    if weight is not None and weight.array.ndim != 1:
        raise ValueError(f"{name}: weight must be one-dimensional, got shape {tuple(weight.shape)}")
    same_type(name, input=input, weight=weight)
    single = input.array.ndim == 1
    x = input.unsqueeze(0) if single else input
    t = target.reshape(-1)
    if x.array.ndim != 2 or target.array.ndim > 1 or t.numel() != x.array.shape[0]:
        raise RuntimeError(f"{name}: inconsistent target {tuple(target.shape)} for input {tuple(input.shape)}")
    C = x.array.shape[1]
    short = add(sub(x, gather(x, 1, t.unsqueeze(1))), margin)
    counts = logical_and(short > 0, one_hot(t, C) == 0)
    short = where(counts, short, 0.0)
    terms = short if p == 1 else mul(short, short)
    if weight is not None:
        terms = mul(terms, weight[t].unsqueeze(1))
    loss = div(terms.sum(1), C)
    return reduced(loss.squeeze(0) if single and target.array.ndim == 0 else loss, reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of each class by itself, averaged over the classes (the last axis).

    Args:
        input: scores, ``(..., C)``.
        target: 0 or 1, likewise.
        weight: ``(C,)``.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.
    """
    name = "multilabel_soft_margin_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    operands(input, target, name)
    loss = neg(add(mul(target, logsigmoid(input)), mul(sub(1, target), logsigmoid(neg(input)))))
    if weight is not None:
        loss = mul(loss, weight)
    return reduced(div(loss.sum(input.array.ndim - 1), input.array.shape[-1]), reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos(input1, input2) - margin)`` where it is -1.

    Args:
        input1, input2: ``(N, D)`` or ``(D,)``.
        target: 1 or -1, ``(N,)`` or ``()``.
        margin: how alike the unlike may be.
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.

    Raises:
        RuntimeError: shapes that do not fit.
    """
    name = "cosine_embedding_loss"
    reduction = named_reduction(reduction, size_average, reduce, name)
    n = target.array.ndim
    if n > 1 or not input1.array.ndim == input2.array.ndim == n + 1:
        raise RuntimeError(
            f"{name}: expected inputs (N, D) with target (N,), or (D,) with (), got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(target.shape)}"
        )
    eps = 1e-12
    lengths = sqrt(mul(add(mul(input1, input1).sum(-1), eps), add(mul(input2, input2).sum(-1), eps)))
    cosine = div(mul(input1, input2).sum(-1), lengths)
    alike = where(target == 1, sub(1, cosine), 0.0)
    return reduced(add(alike, where(target == -1, clamp_min(sub(cosine, margin), 0), 0.0)), reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` (Schroff et al. 2015).

    Args:
        anchor, positive, negative: ``(N, D)`` or ``(D,)``.
        margin: by how much the negative should be farther away.
        p, eps: of the distance, :func:`pairwise_distance`.
        swap: use d(positive, negative) where that is smaller than d(anchor, negative) (Balntas et al. 2016).
        size_average, reduce, reduction: as in :func:`margin_ranking_loss`.

    Raises:
        ValueError: a margin that is not positive; an unknown reduction.
        RuntimeError: different numbers of dimensions.
    """
    reduction = named_reduction(reduction, size_average, reduce, "triplet_margin_loss")

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    return _triplet(anchor, positive, negative, distance, margin, swap, reduction, "triplet_margin_loss")


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with any distance (default: :func:`pairwise_distance`)."""
    name = "triplet_margin_with_distance_loss"
    reduction = named_reduction(reduction, None, None, name)
    return _triplet(anchor, positive, negative, distance_function or pairwise_distance, margin, swap, reduction, name)


def _triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
    name: str,
) -> Tensor:
    if margin <= 0:
        raise ValueError(f"{name}: margin must be greater than 0, got {margin}")
    if not anchor.array.ndim == positive.array.ndim == negative.array.ndim:
        raise RuntimeError(
            f"{name}: anchor, positive and negative must have the same number of dimensions, got shapes "
            f"{tuple(anchor.shape)}, {tuple(positive.shape)}, {tuple(negative.shape)}"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(sub(add(near, margin), far), 0), reduction)
