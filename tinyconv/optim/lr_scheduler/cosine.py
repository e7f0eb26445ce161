"""Half a cosine down: once (and up again), or with warm restarts."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """``eta_min + (base - eta_min) * (1 + cos(pi * t / T_max)) / 2``: half a cosine down in ``T_max`` steps, then up
    again (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, without the
    restarts).

    Args:
        optimizer: whose groups' ``lr`` to change.
        T_max: the number of steps from the largest rate to the smallest.
        eta_min: the smallest rate.
        last_epoch: the number of steps already taken; -1 for a new start.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1):
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        t, period, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return self._present()
        if self._step_count == 1 and t > 0:  # the first step after a jump
            return self._get_closed_form_lr()
        if (t - 1 - period) % (2 * period) == 0:  # the rate before was eta_min: no factor leads out of there
            return [
                lr + (base - low) * (1 - math.cos(math.pi / period)) / 2
                for lr, base in zip(self._present(), self.base_lrs, strict=True)
            ]
        factor = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
        return [factor * (lr - low) + low for lr in self._present()]

    def _get_closed_form_lr(self) -> list[Any]:
        share = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [self.eta_min + (base - self.eta_min) * share / 2 for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """``eta_min + (base - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2``: half a cosine down in ``T_i`` steps, then from
    the top again (Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5).

    Args:
        optimizer: whose groups' ``lr`` to change.
        T_0: the number of steps of the first period.
        T_mult: by how much each period is longer than the one before.
        eta_min: the smallest rate.
        last_epoch: the number of steps already taken; -1 for a new start.

    Attributes:
        T_cur, T_i: steps since the last restart, and steps between two restarts.

    Raises:
        ValueError: ``T_0`` or ``T_mult`` is no positive int, or ``eta_min`` no number.
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1):
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        share = 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [self.eta_min + (base - self.eta_min) * share / 2 for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Take one step, or jump to ``epoch``, which may be a fraction: ``step(epoch + batch / batches)``.

        Raises:
            ValueError: a negative ``epoch``.
        """
        if epoch is not None and epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._set(self.get_lr())

    def _jump(self, epoch: float) -> None:
        """Find the period of ``epoch``. Period n begins at ``T_0 + T_0 T_mult + ... = T_0 (T_mult**n - 1) / (T_mult -
        1)``."""
        first, factor = self.T_0, self.T_mult
        if factor == 1:
            self.T_cur, self.T_i = epoch % first, first
            return
        n = int(math.log(epoch / first * (factor - 1) + 1, factor)) if epoch >= first else 0
        self.T_cur = epoch - first * (factor**n - 1) / (factor - 1)
        self.T_i = first * factor**n
