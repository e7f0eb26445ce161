"""The folder that a training run leaves behind.

========================== =====================================================================================
``model.safetensors``      the weights alone, as ``model.state_dict()`` names them
``checkpoint.safetensors`` all that it takes to go on (weights, optimizer, generator, ...), and the run's options
``history.jsonl``          one line of JSON an epoch
``metrics.json``           the results of the finished run
``curves.png``             loss and wrong answers by epoch
``confusion.png``          which classes were taken for which
========================== =====================================================================================

Every file appears whole or not at all. ``metrics.json`` comes last: where it is, the run is finished.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ..nn import Module
from ..serialization import CheckpointError, atomic_write, load, save
from .callbacks import Callback
from .fit import Evaluation, TrainingState
from .plots import confusion_plot, curves_plot

__all__ = ["CheckpointEvery", "RunDirectory"]


class RunDirectory:
    """The files of one run.

    Args:
        path: the folder; :meth:`create` makes it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.model = self.path / "model.safetensors"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.history = self.path / "history.jsonl"
        self.metrics = self.path / "metrics.json"
        self.curves = self.path / "curves.png"
        self.confusion = self.path / "confusion.png"
        self.files = (self.metrics, self.checkpoint, self.model, self.history, self.curves, self.confusion)

    def create(self) -> None:
        """Make the folder, and those above it, if they are not there.

        Raises:
            OSError: it cannot be made, or something else has its name.
        """
        self.path.mkdir(parents=True, exist_ok=True)

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

    def finish(self, state: TrainingState, evaluation: Evaluation, metrics: dict[str, Any]) -> None:
        """Write the plots and the metrics of a finished run.

        Raises:
            OSError: a file cannot be written.
        """
        atomic_write(self.curves, curves_plot(state.history))
        atomic_write(self.confusion, confusion_plot(evaluation.confusion))
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
            case {"options": {"model": str(), "data": str()} as options, "training": dict() as training}:
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
    """Saves after each epoch, and in long ones every so many seconds: what a power cut can cost.

    Args:
        directory: where to.
        options: kept in the checkpoint.
        seconds: between two checkpoints within an epoch.
    """

    def __init__(self, directory: RunDirectory, options: dict[str, Any], seconds: float = 60) -> None:
        self.directory, self.options, self.seconds = directory, options, seconds
        self._saved_at = time.monotonic()

    def on_step(self, state: TrainingState) -> None:
        if time.monotonic() - self._saved_at >= self.seconds:
            self._save(state)

    def on_epoch(self, state: TrainingState) -> None:
        self._save(state)

    def _save(self, state: TrainingState) -> None:
        self.directory.save(state, self.options)
        self._saved_at = time.monotonic()
