"""Up and down again: cyclic rates, and the one cycle of "super-convergence"."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, for_each_group, memory_of, set_lr

__all__ = ["CyclicLR", "OneCycleLR"]


class _WithMomentum(LRScheduler):
    """What both cycles share: as the rate rises the momentum (or Adam's beta1) falls."""

    cycle_momentum: bool
    use_beta1: bool

    def _start_momentum(self, base_momentum: Any, max_momentum: Any, fresh: bool) -> None:
        """Note the bounds of the momentum and begin at the upper one."""
        optimizer = self.optimizer
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        self.base_momentums = for_each_group("base_momentum", optimizer, base_momentum)
        self.max_momentums = for_each_group("max_momentum", optimizer, max_momentum)
        if not fresh:
            return
        for low, high, group in zip(self.base_momentums, self.max_momentums, optimizer.param_groups, strict=True):
            self._set_momentum(group, high)
            group["max_momentum"], group["base_momentum"] = high, low

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """``base_lr + (max_lr - base_lr) * height * scale``, where height rises from 0 to 1 in ``step_size_up`` steps and
    falls to 0 again in ``step_size_down`` (Smith, "Cyclical learning rates for training neural networks", WACV 2017).

    scale is 1 in mode "triangular", ``1 / 2**(cycle - 1)`` in "triangular2" (cycles are counted from 1), ``gamma**t``
    in "exp_range", and with ``scale_fn`` what it says. The momentum is ``max_momentum - (max_momentum -
    base_momentum) * height * scale``.

    Args:
        optimizer: whose groups' ``lr`` to change.
        base_lr: the lower bound, one for all groups or a list.
        max_lr: the upper bound, likewise.
        step_size_up: steps of the rising half.
        step_size_down: steps of the falling half; as many by default.
        mode: "triangular", "triangular2" or "exp_range".
        gamma: for "exp_range".
        scale_fn: a function of the cycle or of t; ``mode`` is ignored then.
        scale_mode: "cycle" or "iterations": what ``scale_fn`` is a function of.
        cycle_momentum: let the momentum (or Adam's beta1) fall as the rate rises.
        base_momentum: its lower bound.
        max_momentum: its upper bound.
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: an unknown mode, a list that is not as long as the groups, or an optimizer without momentum and
            beta1 with ``cycle_momentum``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ):
        base_lrs = for_each_group("base_lr", optimizer, base_lr)
        self.max_lrs = for_each_group("max_lr", optimizer, max_lr)
        self.optimizer = optimizer
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"mode is invalid and scale_fn is None (got mode={mode!r})")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn = scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_lr(group, lr)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(base_momentum, max_momentum, fresh=last_epoch == -1)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """The height of the peak, by the number of the cycle or of the step."""
        if self._scale_fn is not None:
            return self._scale_fn(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[Any]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in bounds:
                self._set_momentum(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer. A plain ``scale_fn`` is not saved (None); of an object the attributes
        are."""
        return {**super().state_dict(), "_scale_fn": memory_of(self._scale_fn)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave, with this scheduler's own ``scale_fn``."""
        if state_dict["_scale_fn"] is not None:
            self._scale_fn.__dict__.update(state_dict["_scale_fn"])
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_scale_fn"})


class OneCycleLR(_WithMomentum):
    """One cycle for the whole training: from ``max_lr / div_factor`` up to ``max_lr`` in ``pct_start`` of the steps,
    then down to the first rate ``/ final_div_factor``; the momentum goes the other way (Smith and Topin,
    "Super-convergence", 2018).

    From a to b, at a share s of the phase, the rate is ``b + (a - b) * (1 + cos(pi * s)) / 2``, or on a straight line.
    ``step()`` goes after every batch.

    Args:
        optimizer: whose groups' ``lr`` to change.
        max_lr: the peak, one for all groups or a list.
        total_steps: the number of steps; or give ``epochs`` and ``steps_per_epoch``.
        epochs, steps_per_epoch: their product is the number of steps.
        pct_start: the share of the steps that rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: let the momentum (or Adam's beta1) fall as the rate rises.
        base_momentum, max_momentum: its bounds.
        div_factor, final_div_factor: see above.
        three_phase: fall as steeply as it rose, then a third phase, down to the smallest rate.
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: no number of steps, or what is none; ``pct_start`` is no float in [0, 1]; an unknown strategy; an
            optimizer without momentum and beta1 with ``cycle_momentum``; on ``step()``, more steps than there are.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        max_lrs = for_each_group("max_lr", optimizer, max_lr)
        self.optimizer = optimizer
        if total_steps is not None:
            self.total_steps = _positive("total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            self.total_steps = _positive("epochs", epochs) * _positive("steps_per_epoch", steps_per_epoch)
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self.anneal_strategy = anneal_strategy
        # (last step, rates from and to, momenta from and to), by the names under which the groups keep them
        peak = float(pct_start * self.total_steps) - 1
        self._phases = [(peak, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            self._phases += [
                (float(2 * pct_start * self.total_steps) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                (self.total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"),
            ]
        else:
            self._phases += [(self.total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(base_momentum, max_momentum, fresh=last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def get_lr(self) -> list[Any]:
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"Tried to step {t} times. The specified number of total steps is {self.total_steps}")
        first, phase = 0.0, self._phases[0]
        for following in self._phases[1:]:
            if t > phase[0]:
                first, phase = phase[0], following
        last, lr_from, lr_to, momentum_from, momentum_to = phase
        share = (t - first) / (last - first)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(group, self._between(group[momentum_from], group[momentum_to], share))
        return [self._between(group[lr_from], group[lr_to], share) for group in self.optimizer.param_groups]


def _positive(name: str, value: Any) -> int:
    if not isinstance(value, int) or value <= 0:
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value
