"""The CTC loss as a module. The formula stands in ``ops/ctc.py``."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .loss import _Loss

__all__ = ["CTCLoss"]


class CTCLoss(_Loss):
    """Connectionist temporal classification (Graves et al., ICML 2006): the loss of a sequence of labels where nobody
    says which step of a longer input is which label.

    Args:
        blank: the label that stands for none.
        reduction: "none"; "sum"; "mean": each loss is divided by its target's length, and then their mean is taken.
        zero_infinity: 0 instead of infinity where the input is too short for the target.

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False):
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        """Logarithms of probabilities ``(T, N, C)``, labels ``(N, S)``, and how long each sequence of both is."""
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
