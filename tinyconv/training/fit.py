"""The training loop.

A step takes a batch, asks how wrong the model is (forward, loss), in which direction each parameter makes it worse
(backward), and moves them all a little the other way (the optimizer). An epoch is as many steps as it takes to see
every sample once; after each, the model is tested on samples that it never learns from.

**To go on as if nothing had happened**, a run needs more than the weights: the optimizer's velocities, the place in the
learning rate's schedule, the place in the epoch and the order of its samples, the stream of random numbers, and the
means under way. :class:`TrainingState` holds them all, so that a run that was interrupted, even in the middle of an
epoch, ends with the same bytes as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .. import cuda
from ..autograd import no_grad
from ..nn import Module
from ..nn import functional as F
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler
from ..random import default_generator
from ..tensor import Tensor
from ..tensor import device as Device
from ..utils.data import DataLoader
from .callbacks import Callback
from .metrics import Mean, confusion_matrix

__all__ = ["Diverged", "Evaluation", "TrainingState", "evaluate", "fit", "train_epoch"]

LossFunction = Callable[[Tensor, Tensor], Tensor]


class Diverged(ArithmeticError):
    """The loss is infinite or no number any more."""


@dataclass
class TrainingState:
    """What is trained, and where the training stands.

    Attributes:
        model, optimizer: what is trained, and by which rule.
        scheduler: the learning rate's schedule, a step of it for each of the optimizer's; or None.
        epochs: how many there shall be.
        epoch: how many are done.
        step: the steps done in the epoch under way.
        loss, accuracy: means over the epoch under way; their ``count`` is the number of images seen in it.
        lr: the learning rate of this epoch's first step.
        seconds: how long the steps of this epoch took.
        history: one dict an epoch: ``epoch`` (from 1), ``lr``, ``train_loss``, ``train_accuracy``, ``train_seconds``,
            ``images_per_second``, and with a test ``test_loss``, ``test_accuracy``, ``test_seconds``.
    """

    model: Module
    optimizer: Optimizer
    scheduler: LRScheduler | None
    epochs: int
    epoch: int = 0
    step: int = 0
    loss: Mean = field(default_factory=Mean)
    accuracy: Mean = field(default_factory=Mean)
    lr: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    # The generator's state when this epoch's order was drawn: drawing again from there gives the same order.
    order: tuple[int, int] = (0, 0)

    def state_dict(self) -> dict[str, Any]:
        """All of it, for :func:`tinyconv.serialization.save`; the default generator's state too."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "generator": default_generator.get_state(),
            "order": self.order,
            "epoch": self.epoch,
            "step": self.step,
            "loss": self.loss.state_dict(),
            "accuracy": self.accuracy.state_dict(),
            "lr": self.lr,
            "seconds": self.seconds,
            "history": self.history,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave. Restores the default generator too.

        Raises:
            KeyError, TypeError, ValueError, RuntimeError: ``state_dict`` is of another model, or of nothing.
        """
        self.model.load_state_dict(state_dict["model"])
        self.optimizer.load_state_dict(state_dict["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state_dict["scheduler"])
        self.order = state_dict["order"]
        self.epoch, self.step = int(state_dict["epoch"]), int(state_dict["step"])
        self.loss.load_state_dict(state_dict["loss"])
        self.accuracy.load_state_dict(state_dict["accuracy"])
        self.lr, self.seconds = float(state_dict["lr"]), float(state_dict["seconds"])
        self.history = [dict(row) for row in state_dict["history"]]
        default_generator.set_state(state_dict["generator"])


def fit(
    state: TrainingState,
    loader: DataLoader,
    test_loader: DataLoader | None = None,
    *,
    loss_function: LossFunction = F.cross_entropy,
    callbacks: Sequence[Callback] = (),
) -> list[dict[str, Any]]:
    """Train from where ``state`` stands to its last epoch, testing after each.

    Args:
        state: what to train, on the device where the model is; changed as training goes on.
        loader: batches ``(x, y)``; shuffled, if at all, by the default generator, which the state keeps track of.
        test_loader: batches to test on after each epoch.
        loss_function: ``(scores, y)`` to a 0-d loss, the mean over the batch.
        callbacks: told of every step and epoch, in this order.

    Returns:
        ``state.history``.

    Raises:
        Diverged: an epoch's mean loss, in training or test, is not finite.
    """
    step = training_step(state, loss_function)
    while state.epoch < state.epochs:
        train_epoch(state, loader, loss_function, callbacks, step)
        row = {
            "epoch": state.epoch + 1,
            "lr": state.lr,
            "train_loss": state.loss.value(),
            "train_accuracy": state.accuracy.value(),
            "train_seconds": state.seconds,
            "images_per_second": state.loss.count / state.seconds,
        }
        if not math.isfinite(row["train_loss"]):
            raise Diverged(f"the mean loss of epoch {row['epoch']} is {row['train_loss']}: try a smaller learning rate")
        if test_loader is not None:
            started = time.perf_counter()
            tested = evaluate(
                state.model, test_loader, loss_function, after_batch=lambda: _tell(callbacks, "on_test_step", state)
            )
            if not math.isfinite(tested.loss):
                raise Diverged(f"the test loss of epoch {row['epoch']} is {tested.loss}: try a smaller learning rate")
            row |= {
                "test_loss": tested.loss,
                "test_accuracy": tested.accuracy,
                "test_seconds": time.perf_counter() - started,
            }
        state.history.append(row)
        state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0
        state.loss, state.accuracy = Mean(), Mean()
        _tell(callbacks, "on_epoch", state)
    return state.history


Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def training_step(state: TrainingState, loss_function: LossFunction = F.cross_entropy) -> Step:
    """What is done with a batch before the optimizer steps: ``(x, y)`` to the sum of its losses and the number of right
    answers, both 0-d. On a GPU it is recorded once as a CUDA graph, and replayed."""
    model, optimizer, device = state.model, state.optimizer, _device_of(state.model)

    def step(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        x, y = x.to(device), y.to(device)
        scores = model(x)
        loss = loss_function(scores, y)
        optimizer.zero_grad()
        loss.backward()
        return loss.detach() * len(y), (scores.detach().argmax(1) == y).sum()

    if device.type == "cuda":
        return cuda.make_graphed_step(step, model.parameters())
    return step


def train_epoch(
    state: TrainingState,
    loader: DataLoader,
    loss_function: LossFunction = F.cross_entropy,
    callbacks: Sequence[Callback] = (),
    step: Step | None = None,
) -> None:
    """Take the steps that this epoch still lacks. ``step`` is what :func:`training_step` made for an earlier epoch."""
    model, optimizer, scheduler = state.model, state.optimizer, state.scheduler
    step = step or training_step(state, loss_function)
    model.train()
    started = time.perf_counter()
    for x, y in _remaining_batches(state, loader):
        loss, right = step(x, y)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()

        state.step += 1
        state.loss.add(loss, len(y))
        state.accuracy.add(right, len(y))
        now = time.perf_counter()
        state.seconds, started = state.seconds + now - started, now
        _tell(callbacks, "on_step", state)


def _device_of(model: Module) -> Device:
    """Where a model computes: on its first parameter's device."""
    return next((p.device for p in model.parameters()), Device("cpu"))


def _remaining_batches(state: TrainingState, loader: DataLoader) -> Iterator[Any]:
    """The epoch's batches from ``state.step`` on, in the order that was drawn at its beginning."""
    now = default_generator.get_state()
    if state.step == 0:
        state.order, state.lr = now, state.optimizer.param_groups[0]["lr"]
        return loader.epoch()
    default_generator.set_state(state.order)
    batches = loader.epoch(skip=state.step)
    default_generator.set_state(now)  # as it was after batch number `step`: augmentation and dropout go on from there
    return batches


def _tell(callbacks: Iterable[Callback], event: str, state: TrainingState) -> None:
    for callback in callbacks:
        getattr(callback, event)(state)


class Evaluation(NamedTuple):
    """What a test found: the mean loss, the share of right answers, and who was taken for whom."""

    loss: float
    accuracy: float
    confusion: np.ndarray


def evaluate(
    model: Module,
    loader: DataLoader,
    loss_function: LossFunction = F.cross_entropy,
    after_batch: Callable[[], None] | None = None,
) -> Evaluation:
    """Test a classifier, in evaluation mode; the mode it was in is restored.

    Args:
        model: ``x (N, ...)`` to scores ``(N, C)``.
        loader: batches ``(x, y)``.
        loss_function: as for :func:`fit`.
        after_batch: called after each batch.

    Raises:
        ValueError: the loader has no batches.
    """
    loss = Mean()
    targets, predictions = [], []
    was_training, device = model.training, _device_of(model)
    model.eval()
    try:
        with no_grad():
            for x, y in loader:
                x, y = x.to(device), y.to(device)
                scores = model(x)
                loss.add(loss_function(scores, y) * len(y), len(y))
                targets.append(y)
                predictions.append(scores.argmax(1))
                if after_batch is not None:
                    after_batch()
    finally:
        model.train(was_training)
    if not targets:
        raise ValueError("evaluate: the loader has no batches")
    target, prediction = (np.concatenate([t.cpu().numpy() for t in ts]) for ts in (targets, predictions))
    confusion = confusion_matrix(target, prediction, scores.shape[1])
    return Evaluation(loss.value(), float(np.trace(confusion) / confusion.sum()), confusion)
