"""Schedules of the learning rate. ``scheduler.step()`` goes after the epoch's (or the batch's) ``optimizer.step()``.

As in PyTorch a schedule is *chainable*: each step computes the new rate from the present one, so that several
schedules on one optimizer multiply. The closed formula stands in each class's docstring; with base the rate at the
start, t the number of steps taken and no other schedule, the rate is exactly that, but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from .optimizer import Optimizer

__all__ = ["CosineAnnealingLR", "LRScheduler", "LambdaLR", "LinearLR", "StepLR"]


class LRScheduler:
    """Base class. A subclass defines ``get_lr()``, the rates of the groups at step ``self.last_epoch``.

    Args:
        optimizer: whose groups' ``lr`` to change.
        last_epoch: the number of steps already taken; -1 for a new start.

    Attributes:
        base_lrs: each group's rate at the start.
        last_epoch: t, the number of steps taken.

    Raises:
        TypeError: ``optimizer`` is no Optimizer.
        KeyError: resuming (``last_epoch >= 0``) with an optimizer that does not know its ``initial_lr``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    f"last_epoch >= 0 (got {last_epoch}): load the optimizer's state first, or leave last_epoch at -1"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The groups' rates at step ``last_epoch``, computed from the present ones."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The groups' rates as the last step set them."""
        return self._last_lr

    def step(self) -> None:
        """Take one step: set the groups' next rates."""
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = self._present()

    def _present(self) -> list[float]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave (the rates themselves are in the optimizer's state)."""
        self.__dict__.update(state_dict)


class LambdaLR(LRScheduler):
    """``base * lr_lambda(t)``.

    Args:
        optimizer: whose groups' ``lr`` to change.
        lr_lambda: a function of t, or one for each group.
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: not as many functions as groups.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ):
        n = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * n if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [base * factor(self.last_epoch) for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer. Functions are not saved (None); of callable objects the attributes are."""
        kept = [None if isinstance(f, FunctionType) else f.__dict__.copy() for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave, with this scheduler's own functions."""
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})


class StepLR(LRScheduler):
    """``base * gamma ** (t // step_size)``: multiplied by ``gamma`` after every ``step_size`` steps.

    Args:
        optimizer: whose groups' ``lr`` to change.
        step_size: how many steps a rate lasts.
        gamma: the factor.
        last_epoch: the number of steps already taken; -1 for a new start.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1):
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._present()
        return [lr * self.gamma for lr in self._present()]


class LinearLR(LRScheduler):
    """``base * (start_factor + (end_factor - start_factor) * min(t, total_iters) / total_iters)``: a warm-up.

    Args:
        optimizer: whose groups' ``lr`` to change.
        start_factor: the factor at first, in (0, 1].
        end_factor: the factor in the end, in [0, 1].
        total_iters: the number of steps from one to the other.
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: a factor out of its range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1 "
                f"(got {start_factor})"
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError(f"Ending multiplicative factor expected to be between 0 and 1 (got {end_factor})")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._present()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._present()
        # factor(t) / factor(t - 1)
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / before) for lr in self._present()]


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

    def get_lr(self) -> list[float]:
        t, period, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return self._present()
        if (t - 1 - period) % (2 * period) == 0:  # the rate before was eta_min: no factor leads out of there
            return [
                lr + (base - low) * (1 - math.cos(math.pi / period)) / 2
                for lr, base in zip(self._present(), self.base_lrs, strict=True)
            ]
        factor = (1 + math.cos(math.pi * t / period)) / (1 + math.cos(math.pi * (t - 1) / period))
        return [factor * (lr - low) + low for lr in self._present()]
