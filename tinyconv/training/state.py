"""TrainingState: what is trained, and where the training stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..nn import Module
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from ..random import default_generator
from ..tensor import Tensor
from .callbacks import Callback
from .metrics import Mean

__all__ = ["Metrics", "TrainingState"]

Metrics = Mapping[str, Callable[[Tensor, Tensor], Tensor]]


@dataclass
class TrainingState:
    """What is trained, and where the training stands.

    Attributes:
        model, optimizer: what is trained, and by which rule.
        scheduler: the learning rate's schedule, or None.
        epochs: how many there shall be.
        schedule: "epoch" or "step": when the schedule goes on.
        accumulate: batches per step.
        metrics: see :func:`tinyconv.training.fit`.
        callbacks: told of every step and epoch, in this order.
        val_name: what the history calls the samples that are tested on after each epoch.
        epoch: how many are done.
        step: the steps done in the epoch under way.
        loss, means: means over the epoch under way; their ``count`` is the number of samples seen in it.
        lr: the learning rate of this epoch's first step.
        seconds: how long the steps of this epoch took.
        history: a dict for each epoch; see :func:`tinyconv.training.fit`.
        stopped: whether a callback has ended the training early.
        batch, batch_loss: the last batch, and the mean loss over it; for callbacks, not kept in checkpoints.

    Raises:
        ValueError: arguments that make no sense.
    """

    model: Module
    optimizer: Optimizer
    scheduler: LRScheduler | None
    epochs: int
    schedule: str = "epoch"
    accumulate: int = 1
    metrics: Metrics | None = None
    callbacks: Sequence[Callback] = ()
    val_name: str = "val"
    epoch: int = 0
    step: int = 0
    loss: Mean = field(default_factory=Mean)
    means: dict[str, Mean] = field(default_factory=dict)
    lr: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    stopped: bool = False
    batch: Any = None
    batch_loss: Any = None
    # The generator's state when this epoch's order was drawn: drawing again from there gives the same order.
    order: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.schedule not in ("epoch", "step"):
            raise ValueError(f"fit: schedule must be 'epoch' or 'step', got {self.schedule!r}")
        if self.schedule == "step" and isinstance(self.scheduler, ReduceLROnPlateau):
            raise ValueError("fit: a ReduceLROnPlateau looks at the epochs: schedule must be 'epoch', got 'step'")
        for name in ("epochs", "accumulate"):
            if getattr(self, name) < 1:
                raise ValueError(f"fit: {name} must be at least 1, got {getattr(self, name)}")

    def state_dict(self) -> dict[str, Any]:
        """All of it, for :func:`tinyconv.save`; the default generator's state too."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "callbacks": self._remembering(),
            "generator": default_generator.state,
            "order": self.order,
            "epoch": self.epoch,
            "step": self.step,
            "loss": self.loss.state_dict(),
            "means": {name: mean.state_dict() for name, mean in self.means.items()},
            "lr": self.lr,
            "seconds": self.seconds,
            "history": self.history,
            "stopped": self.stopped,
        }

    def _remembering(self) -> list[Any]:
        """[class name, state dict] of each callback that has something to remember."""
        dicts = [(type(callback).__name__, callback.state_dict()) for callback in self.callbacks]
        return [[name, state_dict] for name, state_dict in dicts if state_dict]

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave. Restores the default generator too.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: ``state_dict`` is of another model, or of nothing.
        """
        remembering = [callback for callback in self.callbacks if callback.state_dict()]
        expected = [type(callback).__name__ for callback in remembering]
        if (found := [name for name, _ in state_dict["callbacks"]]) != expected:
            raise ValueError(f"it was saved with the callbacks {found}, and this run has {expected}")
        self.model.load_state_dict(state_dict["model"])
        self.optimizer.load_state_dict(state_dict["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state_dict["scheduler"])
        for callback, (_, remembered) in zip(remembering, state_dict["callbacks"], strict=True):
            callback.load_state_dict(remembered)
        self.order = state_dict["order"]
        self.epoch, self.step = int(state_dict["epoch"]), int(state_dict["step"])
        self.loss.load_state_dict(state_dict["loss"])
        self.means = {name: Mean() for name in state_dict["means"]}
        for name, mean in self.means.items():
            mean.load_state_dict(state_dict["means"][name])
        self.lr, self.seconds = float(state_dict["lr"]), float(state_dict["seconds"])
        self.history = [dict(row) for row in state_dict["history"]]
        self.stopped = bool(state_dict["stopped"])
        default_generator.state = state_dict["generator"]
