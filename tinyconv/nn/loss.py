"""Losses for classes as modules: how far an output is from its target, in one number (with ``reduction="none"``, one a
sample)."""

from __future__ import annotations

from ..ops.loss import named_reduction
from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["CrossEntropyLoss", "NLLLoss"]


class _Loss(Module):
    """``reduction`` is "mean", "sum" or "none", or a name that a loss has beside them."""

    also: tuple[str, ...] = ()

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"):
        super().__init__()
        old = size_average is not None or reduce is not None
        if old or reduction not in self.also:
            reduction = named_reduction(reduction, size_average, reduce, type(self).__name__)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with factors: ``weight``, a buffer."""

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class NLLLoss(_WeightedLoss):
    """The negative log-likelihood of the true class: ``-weight[target] * input[n, target]``, averaged by weight.

    Args:
        weight: ``(C,)``, how much each class counts; None: all alike.
        size_average, reduce: the old form of ``reduction``.
        ignore_index: a target that counts for nothing.
        reduction: "mean" (divided by the sum of the weights), "sum" or "none" (the shape of the target).

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Log-probabilities ``(N, C, ...)`` or ``(C,)``, and int64 targets ``(N, ...)`` or ``()``."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    """:class:`NLLLoss` of the log-softmax of raw scores (logits).

    Args:
        weight: ``(C,)``, how much each class counts; None: all alike.
        size_average, reduce: the old form of ``reduction``.
        ignore_index: a target that counts for nothing.
        reduction: "mean" (divided by the sum of the weights), "sum" or "none" (the shape of the target).
        label_smoothing: in [0, 1], how much of the target is spread over all classes alike (Szegedy et al.,
            "Rethinking the Inception Architecture for Computer Vision", CVPR 2016).

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Scores ``(N, C, ...)`` or ``(C,)``; targets are classes, int64 ``(N, ...)`` or ``()``, or probabilities in
        the input's shape."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
