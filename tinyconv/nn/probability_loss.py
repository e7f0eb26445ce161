"""Losses for probabilities and distributions as modules. The formulas stand in ``ops/probability_loss.py``."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .loss import _Loss, _WeightedLoss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "GaussianNLLLoss", "KLDivLoss", "PoissonNLLLoss"]


class BCELoss(_WeightedLoss):
    """Binary cross-entropy of probabilities: ``-(target * log(input) + (1 - target) * log(1 - input))``, averaged.

    Args:
        weight: factors that broadcast.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Probabilities and targets in [0, 1], of one shape."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """:class:`BCELoss` of ``sigmoid(input)``, without overflow for any input.

    Args:
        weight: factors that broadcast.
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".
        pos_weight: factors for the positive terms; they broadcast.

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Scores (logits) and targets in [0, 1], of one shape."""
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """The Kullback-Leibler divergence ``target * (log(target) - input)``.

    Args:
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean" (over all elements), "batchmean" (the divergence), "sum" or "none".
        log_target: whether targets are logarithms.

    Raises:
        ValueError: an unknown reduction.
    """

    also = ("batchmean",)

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Log-probabilities and probabilities."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class GaussianNLLLoss(_Loss):
    """The negative log-likelihood under a Gaussian: ``(log(var) + (input - target)**2 / var) / 2``.

    Args:
        full: add the constant ``log(2 pi) / 2``.
        eps: smaller variances count as this.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ):
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        """Means, targets and variances."""
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class PoissonNLLLoss(_Loss):
    """The negative log-likelihood of counts under a Poisson distribution, up to a constant of the target.

    Args:
        log_input: whether inputs are the logarithms of rates.
        full: add Stirling's approximation of ``log(target!)``.
        size_average, reduce: the old form of ``reduction``.
        eps: keeps the logarithm finite, without ``log_input``.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Rates, or their logarithms, and counts."""
        return F.poisson_nll_loss(
            input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )
