"""Losses as modules: how far an output is from its target, in one number (with ``reduction="none"``, one a sample)."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["CrossEntropyLoss", "MSELoss", "NLLLoss"]


class _Loss(Module):
    """``reduction`` is "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean"):
        super().__init__()
        if reduction not in ("none", "mean", "sum"):
            raise ValueError(f"{reduction} is not a valid value for reduction: expected 'none', 'mean' or 'sum'")
        self.reduction = reduction


class MSELoss(_Loss):
    """The squared difference ``(input - target)**2``, averaged.

    Args:
        reduction: "mean", "sum" or "none" (the shape of the input).

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(self, *, reduction: str = "mean"):
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Both of one shape, floating point."""
        return F.mse_loss(input, target, reduction=self.reduction)


class NLLLoss(_Loss):
    """The negative log-likelihood of the true class: ``-weight[target] * input[n, target]``, averaged by weight.

    Args:
        weight: ``(C,)``, how much each class counts; None: all alike.
        ignore_index: a target that counts for nothing.
        reduction: "mean" (divided by the sum of the weights), "sum" or "none" (the shape of the target).

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(self, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"):
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Log-probabilities ``(N, C, ...)`` or ``(C,)``, and int64 targets ``(N, ...)`` or ``()``."""
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """:class:`NLLLoss` of the log-softmax of raw scores (logits).

    Args:
        weight: ``(C,)``, how much each class counts; None: all alike.
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
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ):
        super().__init__(reduction)
        self.register_buffer("weight", weight)
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
