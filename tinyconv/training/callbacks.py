"""Callback: what the loop tells to whoever listens, and the callbacks that change how a training goes.

Those that only write something down are in ``logs.py``, ``progress.py`` and ``checkpoint.py``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..nn.utils import clip_grad_norm_, clip_grad_value_

if TYPE_CHECKING:
    from .state import TrainingState

__all__ = ["Callback", "ClipGradients", "EarlyStopping", "is_better", "monitored"]


class Callback:
    """Base class: override what you want to hear of.

    An exception ends the training there and then; the state is one that a checkpoint can resume from.
    """

    def on_begin(self, state: TrainingState) -> None:
        """The training begins, or goes on."""

    def on_gradients(self, state: TrainingState) -> None:
        """The gradients are known and the optimizer has not used them yet; ``state.batch_loss`` is the loss."""

    def on_step(self, state: TrainingState) -> None:
        """The optimizer has taken a step, and ``state`` counts it."""

    def on_test_step(self, state: TrainingState) -> None:
        """A batch of the test that follows each epoch is done."""

    def on_epoch(self, state: TrainingState) -> None:
        """An epoch and its test are done; ``state.history[-1]`` tells how it went."""

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        """The training is over: done (``error`` is None) or ended by an exception. Called in reverse order, once for
        each callback whose ``on_begin`` was called."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint must hold of this callback, for a resumed training to end as an uninterrupted one."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""


def monitored(state: TrainingState, monitor: str) -> float:
    """The last epoch's value of a column of the history.

    Raises:
        ValueError: there is no such column.
    """
    row = state.history[-1]
    if monitor not in row:
        raise ValueError(f"monitor must be one of {[key for key in row if key != 'epoch']}, got {monitor!r}")
    return float(row[monitor])


def is_better(value: float, best: float | None, mode: str, min_delta: float = 0.0) -> bool:
    """Whether ``value`` improves on ``best`` (None: nothing yet) by more than ``min_delta``. NaN never does."""
    if mode not in ("min", "max"):
        raise ValueError(f"mode must be 'min' or 'max', got {mode!r}")
    if math.isnan(value) or best is None:
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta


class EarlyStopping(Callback):
    """Ends the training when a number has not got better for some epochs.

    Args:
        monitor: a column of the history.
        patience: so many epochs in a row without improvement, and the training ends.
        mode: "min" if smaller is better; by default "max" for an accuracy, else "min".
        min_delta: by how much a value must be better to count.
        restore_best: at the end of the training, put back the weights and buffers of the best epoch.

    Attributes:
        best, best_epoch: the best value so far, and which epoch's (from 1) it is.
        stopped_epoch: the epoch after which it ended the training, or None.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        mode: str | None = None,
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience must be at least 1, got {patience}")
        self.mode = mode or ("max" if "accuracy" in monitor else "min")
        is_better(0.0, None, self.mode)
        self.best: float | None = None
        self.best_epoch: int | None = None
        self.stopped_epoch: int | None = None
        self._weights: dict[str, Any] | None = None

    def on_epoch(self, state: TrainingState) -> None:
        value = monitored(state, self.monitor)
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch = value, state.epoch
            if self.restore_best:
                self._weights = {name: x.detach().clone() for name, x in state.model.state_dict().items()}
        elif state.epoch - (self.best_epoch or 0) >= self.patience:
            self.stopped_epoch, state.stopped = state.epoch, True

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        if error is None and self._weights is not None:
            state.model.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "stopped_epoch": self.stopped_epoch,
            "weights": self._weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.best_epoch = state_dict["best"], state_dict["best_epoch"]
        self.stopped_epoch, self._weights = state_dict["stopped_epoch"], state_dict["weights"]


class ClipGradients(Callback):
    """Shortens gradients that are too long before the optimizer uses them: see :mod:`tinyconv.nn.utils.clip_grad`.

    Args:
        max_norm: the largest 2-norm of all gradients together.
        max_value: the largest absolute value of a single component.

    Raises:
        ValueError: neither of them, or not above 0.
    """

    def __init__(self, max_norm: float | None = None, max_value: float | None = None) -> None:
        if max_norm is None and max_value is None:
            raise ValueError("ClipGradients: give max_norm or max_value")
        for name, value in (("max_norm", max_norm), ("max_value", max_value)):
            if value is not None and not value > 0:
                raise ValueError(f"ClipGradients: {name} must be above 0, got {value}")
        self.max_norm, self.max_value = max_norm, max_value

    def on_gradients(self, state: TrainingState) -> None:
        if self.max_value is not None:
            clip_grad_value_(state.model.parameters(), self.max_value)
        if self.max_norm is not None:
            clip_grad_norm_(state.model.parameters(), self.max_norm)
