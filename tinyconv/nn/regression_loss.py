"""Losses for numbers as modules: how far an output is from its target. The formulas stand in
``ops/regression_loss.py``."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .loss import _Loss

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss"]


class MSELoss(_Loss):
    """The squared difference ``(input - target)**2``, averaged.

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
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """The absolute difference ``|input - target|``, averaged.

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
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """The absolute difference, but a parabola where it is below ``beta`` (Girshick, "Fast R-CNN", ICCV 2015).

    Args:
        size_average, reduce: the old form of ``reduction``.
        reduction: "mean", "sum" or "none".
        beta: where the parabola ends.

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Both of one shape."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """A parabola where the difference is at most ``delta``, a straight line beyond (Huber, "Robust estimation of a
    location parameter", 1964).

    Args:
        reduction: "mean", "sum" or "none".
        delta: where the line begins.

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ):
        super().__init__(None, None, reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Both of one shape."""
        return F.huber_loss(input, target, self.reduction, self.delta)
