"""Losses with a margin as modules. The formulas stand in ``ops/margin_loss.py``."""

from __future__ import annotations

from collections.abc import Callable

from ..tensor import Tensor
from . import functional as F
from .distance import PairwiseDistance
from .loss import _Loss, _WeightedLoss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class CosineEmbeddingLoss(_Loss):
    """``1 - cos(input1, input2)`` where the target is 1, ``max(0, cos(input1, input2) - margin)`` where it is -1.

    Args:
        margin: how alike the unlike may be.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """``(N, D)`` twice and ``(N,)``, or ``(D,)`` twice and ``()``."""
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1: for distances of alike and unlike.

    Args:
        margin: how far apart the unlike should be.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Distances, and targets 1 or -1."""
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    """``max(0, -target * (input1 - input2) + margin)``: with target 1 the first should be larger, with -1 the second.

    Args:
        margin: by how much.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """All of one shape."""
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """For each sample, the sum of ``max(0, 1 - x[j] + x[i])`` over its classes j and the other classes i, divided by C.

    Args:
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Scores ``(N, C)`` or ``(C,)``, and int64 of the same shape: a sample's classes, behind them -1."""
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Binary cross-entropy of each class by itself, averaged over the classes.

    Args:
        weight: ``(C,)``, how much each class counts.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Scores and targets 0 or 1, ``(..., C)``."""
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """The mean over the other classes j of ``max(0, margin - x[target] + x[j])**p``.

    Args:
        p: 1 or 2.
        margin: by how much the right score should be larger.
        weight: ``(C,)``, how much each target class counts.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another p, a weight that is not 1-D, or an unknown reduction.
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError(f"only p == 1 and p == 2 supported, got {p}")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"weight must be one-dimensional, got shape {tuple(weight.shape)}")
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Scores ``(N, C)`` or ``(C,)``, and classes, int64 ``(N,)`` or ``()``."""
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class SoftMarginLoss(_Loss):
    """``log(1 + exp(-target * input))`` for targets 1 and -1, averaged.

    Args:
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Both of one shape."""
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` (Schroff et al., "FaceNet", CVPR 2015).

    Args:
        margin: by how much the negative should be farther away.
        p, eps: of the distance, :class:`PairwiseDistance`.
        swap: use d(positive, negative) where that is smaller than d(anchor, negative).
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: a margin that is not positive, or an unknown reduction.
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """``(N, D)`` each, or ``(D,)``."""
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(_Loss):
    """Like :class:`TripletMarginLoss`, with any distance.

    Args:
        distance_function: of two tensors (default: :func:`~tinyconv.nn.functional.pairwise_distance`).
        margin: by how much the negative should be farther away.
        swap: use d(positive, negative) where that is smaller than d(anchor, negative).
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: a margin that is not positive, or an unknown reduction.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ):
        super().__init__(None, None, reduction)
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """``(N, D)`` each, or ``(D,)``."""
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )
