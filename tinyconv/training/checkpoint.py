"""The folder that a training run leaves behind.

========================== =====================================================================================
``run.toml``               how the run was started: ``--config run.toml`` does it again
``model.safetensors``      the weights alone, as ``model.state_dict()`` names them
``best.safetensors``       those of the best epoch, where one was asked for
``checkpoint.safetensors`` all that it takes to go on (weights, optimizer, generator, ...), and the run's options
``history.jsonl``          one line of JSON an epoch
``metrics.json``           the results of the finished run
``curves.png``             loss and wrong answers by epoch
``confusion.png``          which classes were taken for which
========================== =====================================================================================

Every file appears whole or not at all. ``metrics.json`` comes last: where it is, the run is finished. A folder belongs
to one process at a time: :meth:`RunDirectory.lock`.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ..nn import Module
from ..serialization import CheckpointError, atomic_write, load, save
from . import pictures
from .callbacks import Callback, is_better, monitored
from .fit import Evaluation
from .signals import Interrupted
from .state import TrainingState

__all__ = ["Checkpoint", "CheckpointEvery", "DirectoryInUse", "RunDirectory"]


class DirectoryInUse(RuntimeError):
    """Another process is writing into the run's folder."""


class RunDirectory:
    """The files of one run.

    Args:
        path: the folder; :meth:`create` makes it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.model = self.path / "model.safetensors"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.best = self.path / "best.safetensors"
        self.config = self.path / "run.toml"
        self.history = self.path / "history.jsonl"
        self.metrics = self.path / "metrics.json"
        self.curves = self.path / "curves.png"
        self.confusion = self.path / "confusion.png"
        self.files = (
            self.metrics, self.config, self.checkpoint, self.model, self.best, self.history, self.curves, self.confusion
        )  # fmt: skip

    def create(self) -> None:
        """Make the folder, and those above it, if they are not there.

        Raises:
            OSError: it cannot be made, or something else has its name.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            taken = next((path for path in (self.path, *self.path.parents) if path.exists()), self.path)
            reason = "is a file; expected a folder, or a new name"
            raise NotADirectoryError(errno.ENOTDIR, reason, str(taken)) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Within this block no other process gets the folder. It is free again when the process ends, however it ends.

        Raises:
            DirectoryInUse: another process has it.
            OSError: the folder cannot be opened.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DirectoryInUse(
                    f"{self.path}: another process is training into this folder; wait for it, or choose another"
                ) from error
            yield
        finally:
            os.close(descriptor)

    def put_aside(self) -> Path | None:
        """Move an earlier run's files into the first free one of ``earlier-1``, ``earlier-2``, ... inside the folder.

        Returns:
            That folder, or None where there was no earlier run.
        """
        old = [file for file in self.files if file.exists()]
        if not old:
            return None
        number = 1
        while (aside := self.path / f"earlier-{number}").exists():
            number += 1
        aside.mkdir()
        for file in old:
            file.rename(aside / file.name)
        return aside

    # ------------------------------------------------------------------------------------------------------- writing

    def save(self, state: TrainingState, options: dict[str, Any]) -> None:
        """Write the checkpoint, the model and the history.

        Args:
            state: where the training stands.
            options: what :meth:`load` shall give back: how the run was started.

        Raises:
            OSError: a file cannot be written (it is then as it was before).
        """
        save({"options": options, "training": state.state_dict()}, self.checkpoint)
        save(state.model.state_dict(), self.model)
        atomic_write(self.history, "".join(json.dumps(row, allow_nan=False) + "\n" for row in state.history))

    def finish(
        self,
        state: TrainingState,
        evaluation: Evaluation,
        metrics: dict[str, Any],
        classes: Sequence[str] | None = None,
    ) -> None:
        """Write the plots and the metrics of a finished run.

        Args:
            state: for its history.
            evaluation: of the finished model.
            metrics: what ``metrics.json`` shall hold.
            classes: the classes' names, by default their numbers.

        Raises:
            OSError: a file cannot be written.
        """
        atomic_write(self.curves, pictures.curves(state.history).png())
        if evaluation.confusion is not None:
            atomic_write(self.confusion, pictures.confusion(evaluation.confusion, classes).png())
        atomic_write(self.metrics, json.dumps(metrics, indent=2, allow_nan=False) + "\n")

    # ------------------------------------------------------------------------------------------------------- reading

    def load(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The checkpoint: (options, the training's state dict).

        Raises:
            CheckpointError: the file is damaged, or is no checkpoint of a run.
            OSError: it cannot be read.
        """
        checkpoint = load(self.checkpoint)
        match checkpoint:
            case {"options": dict() as options, "training": dict() as training}:
                return options, training
        raise CheckpointError(f"{self.checkpoint}: is no checkpoint of a training run (it has no options and training)")

    def restore(self, state: TrainingState, training: dict[str, Any]) -> None:
        """Let ``state`` continue from what :meth:`load` gave.

        Raises:
            CheckpointError: it is of another model, or incomplete.
        """
        try:
            state.load_state_dict(training)
        except KeyError as error:
            raise CheckpointError(f"{self.checkpoint}: is no complete checkpoint: {error} is missing") from error
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self.checkpoint}: does not fit this run: {error}") from error

    def load_model(self, model: Module) -> None:
        """Copy the weights of ``model.safetensors`` into ``model``: all, or none.

        Raises:
            CheckpointError: the file is damaged, or holds another model's weights.
            OSError: it cannot be read.
        """
        weights = load(self.model)
        try:
            model.load_state_dict(weights)
        except (RuntimeError, TypeError) as error:
            raise CheckpointError(f"{self.model}: holds no weights of this model: {error}") from error


class CheckpointEvery(Callback):
    """Saves after each epoch, and in long ones every so many seconds: what a power cut can cost. When the training is
    :class:`Interrupted`, it saves once more.

    Args:
        directory: where to.
        options: kept in the checkpoint.
        seconds: between two checkpoints within an epoch.
        best: a column of the history (``"val_accuracy"``); the weights of the epoch in which it was best go to
            ``best.safetensors``.
        mode: "min" if smaller is better; by default "max" for an accuracy, else "min".
    """

    def __init__(
        self,
        directory: RunDirectory,
        options: dict[str, Any] | None = None,
        seconds: float = 60,
        *,
        best: str | None = None,
        mode: str | None = None,
    ) -> None:
        self.directory, self.options, self.seconds = directory, options or {}, seconds
        self.best, self.mode = best, mode or ("max" if "accuracy" in (best or "") else "min")
        self.best_value: float | None = None
        self._saved_at = time.monotonic()

    def on_step(self, state: TrainingState) -> None:
        if time.monotonic() - self._saved_at >= self.seconds:
            self._save(state)

    def on_epoch(self, state: TrainingState) -> None:
        if self.best is not None:
            value = monitored(state, self.best)
            if is_better(value, self.best_value, self.mode):
                self.best_value = value
                save(state.model.state_dict(), self.directory.best)
        self._save(state)

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        if isinstance(error, Interrupted):
            self._save(state)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.best is None else {"best_value": self.best_value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best_value = state_dict["best_value"]

    def _save(self, state: TrainingState) -> None:
        self.directory.save(state, self.options)
        self._saved_at = time.monotonic()


class Checkpoint(CheckpointEvery):
    """:class:`CheckpointEvery` for programs: ``fit(..., callbacks=[Checkpoint("runs/mine", best="val_accuracy")])``.

    A run in the folder goes on if ``resume``, to the bit; else its files are put aside.

    Args:
        path: the folder; it is made if it is not there.
        resume: go on with the run in the folder, if there is one.
        seconds, best, mode: see :class:`CheckpointEvery`.

    Raises:
        CheckpointError, DirectoryInUse, OSError: at the beginning of the training.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        seconds: float = 60,
        best: str | None = None,
        mode: str | None = None,
    ) -> None:
        super().__init__(RunDirectory(path), seconds=seconds, best=best, mode=mode)
        self.resume = resume
        self._lock = ExitStack()

    def on_begin(self, state: TrainingState) -> None:
        self.directory.create()
        self._lock.enter_context(self.directory.lock())
        if self.resume and self.directory.checkpoint.exists():
            self.directory.restore(state, self.directory.load()[1])
        else:
            self.directory.put_aside()

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        super().on_end(state, error)
        self._lock.close()
