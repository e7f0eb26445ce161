"""The training loop.

A step takes a batch, asks how wrong the model is (forward, loss), in which direction each parameter makes it worse
(backward), and moves them all a little the other way (the optimizer). An epoch is as many steps as it takes to see
every sample once; after each, the model is tested on samples that it never learns from.

**To go on as if nothing had happened**, a run needs more than the weights: the optimizer's velocities, the place in the
learning rate's schedule, the place in the epoch and the order of its samples, the stream of random numbers, and the
means under way. :class:`TrainingState` (``state.py``) holds them all, so that a run that was interrupted, even in the
middle of an epoch, ends with the same bytes as one that was not.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import cuda
from ..autograd import no_grad
from ..nn import Module
from ..nn import functional as F
from ..optim import Optimizer
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from ..random import default_generator
from ..tensor import Tensor
from ..tensor import device as Device
from ..utils.data import DataLoader
from .callbacks import Callback, monitored
from .errors import Diverged
from .metrics import Mean, confusion_matrix
from .state import Metrics, TrainingState

__all__ = ["Evaluation", "evaluate", "fit", "predict", "resume", "right_answers", "train_epoch"]

LossFunction = Callable[[Tensor, Tensor], Tensor]


def fit(
    model: Module,
    train: DataLoader,
    val: DataLoader | None = None,
    *,
    optimizer: Optimizer,
    epochs: int,
    loss_function: LossFunction = F.cross_entropy,
    metrics: Metrics | None = None,
    scheduler: LRScheduler | None = None,
    schedule: str = "epoch",
    accumulate: int = 1,
    callbacks: Sequence[Callback] = (),
) -> list[dict[str, Any]]:
    """Train ``model``, testing after each epoch.

    Args:
        model: what to train, on the device where it is; parameters without ``requires_grad`` stay as they are.
        train: batches ``(x, y)``; shuffled, if at all, by the default generator.
        val: batches to test on after each epoch.
        optimizer: the rule, over the parameters to train.
        epochs: how often to see every sample.
        loss_function: ``(scores, y)`` to a 0-d loss, the mean over the batch.
        metrics: name to a function of ``(scores, y)`` that gives one value per sample, ``(N,)``; the history has their
            means. By default, where ``y`` holds classes, ``{"accuracy": right_answers}``.
        scheduler: the learning rate's schedule. A ReduceLROnPlateau watches ``val_loss`` (without ``val``:
            ``train_loss``), after each epoch.
        schedule: "epoch" or "step": after which of them the schedule goes on.
        accumulate: so many batches make one step, as if they were one batch: memory for large batches. Only batch
            normalization tells the difference.
        callbacks: told of every step and epoch, in this order.

    Returns:
        The history, a dict for each epoch: ``epoch`` (from 1), ``lr``, ``train_loss``, ``train_accuracy`` (and other
        metrics), ``train_seconds``, ``images_per_second``, and with ``val`` ``val_loss``, ``val_accuracy``,
        ``val_seconds``.

    Raises:
        Diverged: an epoch's mean loss, in training or test, is not finite.
        ValueError: arguments that make no sense.
    """
    state = TrainingState(
        model,
        optimizer,
        scheduler,
        epochs,
        schedule=schedule,
        accumulate=accumulate,
        metrics=metrics,
        callbacks=callbacks,
    )
    return resume(state, train, val, loss_function=loss_function)


def resume(
    state: TrainingState,
    train: DataLoader,
    val: DataLoader | None = None,
    *,
    loss_function: LossFunction = F.cross_entropy,
) -> list[dict[str, Any]]:
    """Train from where ``state`` stands to its last epoch: what :func:`fit` does with a state of its own.

    Returns:
        ``state.history``.

    Raises:
        Diverged: an epoch's mean loss, in training or test, is not finite.
    """
    step = training_step(state, loss_function)
    begun: list[Callback] = []
    error: BaseException | None = None
    try:
        for callback in state.callbacks:
            begun.append(callback)
            callback.on_begin(state)
        while state.epoch < state.epochs and not state.stopped:
            train_epoch(state, train, loss_function, step)
            _finish_epoch(state, val, loss_function)
            _tell(state, "on_epoch")
    except BaseException as caught:
        error = caught
        raise
    finally:
        for callback in reversed(begun):
            callback.on_end(state, error)
    return state.history


Step = Callable[..., tuple[Tensor, Tensor, dict[str, Tensor]]]


def training_step(state: TrainingState, loss_function: LossFunction = F.cross_entropy) -> Step:
    """What is done with a batch before the optimizer steps: ``(x, y, share=1)`` to the mean of its losses, their sum,
    and the sums of the metrics, all 0-d; the gradients get ``share`` of the mean's. On a GPU, where each batch is a
    step, it is recorded once as a CUDA graph, and replayed."""
    model, device = state.model, _device_of(state.model)

    def step(x: Tensor, y: Tensor, share: float = 1) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        x, y = x.to(device), y.to(device)
        scores = model(x)
        loss = loss_function(scores, y)
        (loss if share == 1 else loss * share).backward()
        loss = loss.detach()
        return loss, loss * len(y), _sums(state.metrics, scores.detach(), y)

    if device.type == "cuda" and state.accumulate == 1:
        return cuda.make_graphed_step(step, model.parameters())
    return step


def train_epoch(
    state: TrainingState, train: DataLoader, loss_function: LossFunction = F.cross_entropy, step: Step | None = None
) -> None:
    """Take the steps that this epoch still lacks. ``step`` is what :func:`training_step` made for an earlier epoch."""
    model, optimizer = state.model, state.optimizer
    step = step or training_step(state, loss_function)
    model.train()
    started = time.perf_counter()
    batches = _remaining_batches(state, train)
    while group := list(itertools.islice(batches, state.accumulate)):
        samples = sum(len(y) for _, y in group)
        optimizer.zero_grad()
        for x, y in group:
            # Each batch's loss is its own mean; weighted by its size, the gradients add up to that of the mean over
            # the whole group.
            share = () if len(group) == 1 else (len(y) / samples,)
            state.batch_loss, loss, sums = step(x, y, *share)
            state.batch = x, y
            state.loss.add(loss, len(y))
            _add(state.means, sums, len(y))
        _tell(state, "on_gradients")
        optimizer.step()
        if state.scheduler is not None and state.schedule == "step":
            state.scheduler.step()

        state.step += 1
        now = time.perf_counter()
        state.seconds, started = state.seconds + now - started, now
        _tell(state, "on_step")


def _finish_epoch(state: TrainingState, val: DataLoader | None, loss_function: LossFunction) -> None:
    """Test the model, add a row to the history, and let the schedule go on."""
    row: dict[str, Any] = {"epoch": state.epoch + 1, "lr": state.lr, "train_loss": state.loss.value()}
    row |= {f"train_{name}": mean.value() for name, mean in state.means.items()}
    row |= {"train_seconds": state.seconds, "images_per_second": state.loss.count / state.seconds}
    if not math.isfinite(row["train_loss"]):
        raise Diverged(
            f"the mean loss of epoch {row['epoch']} is {row['train_loss']}: try a smaller learning rate",
            epoch=row["epoch"],
        )
    if val is not None:
        started, name = time.perf_counter(), state.val_name
        tested = evaluate(
            state.model, val, loss_function, state.metrics, after_batch=lambda: _tell(state, "on_test_step")
        )
        if not math.isfinite(tested.loss):
            raise Diverged(
                f"the {name} loss of epoch {row['epoch']} is {tested.loss}: try a smaller learning rate",
                epoch=row["epoch"],
            )
        row |= {f"{name}_loss": tested.loss, **{f"{name}_{key}": value for key, value in tested.metrics.items()}}
        row[f"{name}_seconds"] = time.perf_counter() - started
    state.history.append(row)
    state.epoch, state.step, state.seconds = state.epoch + 1, 0, 0.0
    state.loss, state.means = Mean(), {}
    if state.scheduler is not None and state.schedule == "epoch":
        if isinstance(state.scheduler, ReduceLROnPlateau):
            state.scheduler.step(monitored(state, f"{'train' if val is None else state.val_name}_loss"))
        else:
            state.scheduler.step()


def right_answers(scores: Tensor, target: Tensor) -> Tensor:
    """Which samples' largest score is at the right class: bool ``(N,)``, of scores ``(N, C)`` and classes ``(N,)``."""
    return scores.argmax(1) == target


def _metrics_of(metrics: Metrics | None, scores: Tensor, y: Tensor) -> Metrics:
    if metrics is not None:
        return metrics
    return {"accuracy": right_answers} if _are_classes(scores, y) else {}


def _are_classes(scores: Tensor, y: Tensor) -> bool:
    return scores.ndim == 2 and y.ndim == 1 and not y.is_floating_point()


def _sums(metrics: Metrics | None, scores: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Each metric's sum over the batch."""
    sums = {}
    with no_grad():
        for name, metric in _metrics_of(metrics, scores, y).items():
            values = metric(scores, y)
            if values.shape != (len(y),):
                raise ValueError(
                    f"metrics: {name!r} must give one value per sample, ({len(y)},), got {tuple(values.shape)}"
                )
            sums[name] = values.sum()
    return sums


def _add(means: dict[str, Mean], sums: dict[str, Tensor], count: int) -> None:
    for name, total in sums.items():
        means.setdefault(name, Mean()).add(total, count)


def _device_of(model: Module) -> Device:
    """Where a model computes: on its first parameter's device."""
    return next((p.device for p in model.parameters()), Device("cpu"))


def _remaining_batches(state: TrainingState, loader: DataLoader) -> Iterator[Any]:
    """The epoch's batches from ``state.step`` on, in the order that was drawn at its beginning."""
    now = default_generator.state
    if state.step == 0:
        state.order, state.lr = now, state.optimizer.param_groups[0]["lr"]
        return loader.epoch()
    default_generator.state = state.order
    batches = loader.epoch(skip=state.step * state.accumulate)
    default_generator.state = now  # as it was after step number `step`: augmentation and dropout go on from there
    return batches


def _tell(state: TrainingState, event: str) -> None:
    for callback in state.callbacks:
        getattr(callback, event)(state)


class Evaluation(NamedTuple):
    """What a test found: the mean loss, the metrics' means, and of a classifier who was taken for whom, int64
    ``(C, C)`` with a row for every true class (else None)."""

    loss: float
    metrics: dict[str, float]
    confusion: np.ndarray | None

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.metrics["accuracy"]


def evaluate(
    model: Module,
    loader: DataLoader,
    loss_function: LossFunction = F.cross_entropy,
    metrics: Metrics | None = None,
    after_batch: Callable[[], None] | None = None,
) -> Evaluation:
    """Test a model, in evaluation mode; the mode it was in is restored.

    Args:
        model: ``x (N, ...)`` to scores ``(N, C)``, or to whatever the loss understands.
        loader: batches ``(x, y)``.
        loss_function, metrics: as for :func:`fit`.
        after_batch: called after each batch.

    Raises:
        ValueError: the loader has no batches.
    """
    loss, means = Mean(), dict[str, Mean]()
    confusion: np.ndarray | None = None
    for scores, y in _answers(model, loader, "evaluate"):
        loss.add(loss_function(scores, y) * len(y), len(y))
        _add(means, _sums(metrics, scores, y), len(y))
        if _are_classes(scores, y):
            cells = confusion_matrix(y, scores, scores.shape[1])
            confusion = cells if confusion is None else confusion + cells
        if after_batch is not None:
            after_batch()
    return Evaluation(loss.value(), {name: mean.value() for name, mean in means.items()}, confusion)


def predict(model: Module, loader: DataLoader) -> tuple[np.ndarray, np.ndarray]:
    """The scores ``(N, ...)`` that a model gives in evaluation mode, and the right answers, as arrays on the host.

    Args:
        model: any.
        loader: batches ``(x, y)``.

    Raises:
        ValueError: the loader has no batches.
    """
    scores, targets = zip(*((s.cpu().numpy(), y.cpu().numpy()) for s, y in _answers(model, loader, "predict")))
    return np.concatenate(scores), np.concatenate(targets)


def _answers(model: Module, loader: Iterable[Any], function: str) -> Iterator[tuple[Tensor, Tensor]]:
    """(scores, y) of each batch, on the model's device, without a graph."""
    was_training, device = model.training, _device_of(model)
    model.eval()
    empty = True
    try:
        with no_grad():
            for x, y in loader:
                empty = False
                yield model(x.to(device)), y.to(device)
    finally:
        model.train(was_training)
    if empty:
        raise ValueError(f"{function}: the loader has no batches")
