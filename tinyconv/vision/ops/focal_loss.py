"""The focal loss (Lin et al., "Focal loss for dense object detection", ICCV 2017)."""

from __future__ import annotations

from ...nn import functional as F
from ...tensor import Tensor

__all__ = ["sigmoid_focal_loss"]


def sigmoid_focal_loss(
    inputs: Tensor, targets: Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Tensor:
    """Binary cross-entropy in which what is right already counts for less: ``-a_t * (1 - p_t)**gamma * log(p_t)`` with
    ``p_t`` the probability of what is true.

    Args:
        inputs: scores (logits), of any shape.
        targets: 0 or 1, of the same shape.
        alpha: the weight of targets that are 1, those that are 0 have ``1 - alpha``; negative: no weights.
        gamma: how much less.
        reduction: "none", "mean" or "sum".

    Raises:
        ValueError: another reduction, or an alpha over 1.
    """
    if not (0 <= alpha <= 1) and alpha != -1:
        raise ValueError(f"sigmoid_focal_loss: alpha must be in [0, 1], or -1 for no weights, got {alpha}")
    p = inputs.sigmoid()
    right = p * targets + (1 - p) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    if reduction == "none":
        return loss
    if reduction not in ("mean", "sum"):
        raise ValueError(f"sigmoid_focal_loss: reduction must be 'none', 'mean' or 'sum', got {reduction!r}")
    return loss.mean() if reduction == "mean" else loss.sum()
