"""Lower the rate when a metric has stopped getting better."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, for_each_group, set_lr

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by ``factor`` after ``patience`` steps without a better metric; ``step`` takes the metric.

    Args:
        optimizer: whose groups' ``lr`` to change.
        mode: "min" if a smaller metric is better (a loss), "max" if a larger one is (an accuracy).
        factor: below 1.
        patience: how many steps without improvement are borne: the rate falls at the next.
        threshold: by how much a metric must be better to count.
        threshold_mode: "rel": by this share of the best so far; "abs": by this much.
        cooldown: steps after a reduction in which nothing is counted.
        min_lr: never below this, one for all groups or a list.
        eps: a change smaller than this is not made.
        verbose: accepted for the sake of older programs; without effect (``get_last_lr()`` tells the rate).

    Attributes:
        best: the best metric so far.
        num_bad_epochs: steps since.

    Raises:
        ValueError: ``factor`` is not below 1, an unknown mode, a list that is not as long as the groups.
        TypeError: ``optimizer`` is no Optimizer.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
        *,
        verbose: bool = False,
    ):
        if factor >= 1.0:
            raise ValueError(f"Factor should be < 1.0 (got {factor})")
        if mode not in ("min", "max"):
            raise ValueError(f"mode {mode} is unknown!")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold mode {threshold_mode} is unknown!")
        self.min_lrs = for_each_group("min_lr", optimizer, min_lr)
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = self._present()
        self._reset()

    def _reset(self) -> None:
        self.best = math.inf if self.mode == "min" else -math.inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take one step.

        Args:
            metrics: this step's metric, a number or a one-element Tensor.
            epoch: accepted for PyTorch's sake; only noted.
        """
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._present()

    def _reduce(self) -> None:
        for group, low in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, low)
            if old - new > self.eps:
                set_lr(group, new)

    @property
    def in_cooldown(self) -> bool:
        return self.cooldown_counter > 0

    def is_better(self, a: float, best: float) -> bool:
        """Whether metric ``a`` improves on ``best``. NaN does not."""
        sign = -1 if self.mode == "min" else 1
        if self.threshold_mode == "abs":
            return sign * a > sign * (best + sign * self.threshold)
        return sign * a > sign * (best * (1.0 + sign * self.threshold))
