"""Logs of a training: a table as CSV, a line of JSON an epoch, TensorBoard's event files."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from ..serialization import atomic_write
from ..utils.tensorboard import EventFile
from .callbacks import Callback
from .state import TrainingState

__all__ = ["CSVLog", "JSONLLog", "TensorBoardLog"]


class CSVLog(Callback):
    """The history as a table, written anew, whole or not at all, after each epoch.

    Args:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def on_epoch(self, state: TrainingState) -> None:
        columns = list(dict.fromkeys(key for row in state.history for key in row))
        text = io.StringIO()
        table = csv.DictWriter(text, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(state.history)
        atomic_write(self.path, text.getvalue())


class JSONLLog(Callback):
    """The history as lines of JSON, written anew, whole or not at all, after each epoch.

    Args:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def on_epoch(self, state: TrainingState) -> None:
        atomic_write(self.path, "".join(json.dumps(row) + "\n" for row in state.history))


class TensorBoardLog(Callback):
    """The history's numbers as scalars for TensorBoard: ``tensorboard --logdir FOLDER``. ``train_loss`` becomes
    ``loss/train``, so that training and validation share a chart.

    A training that goes on begins a new file in the folder; TensorBoard reads them as one.

    Args:
        folder: where to; it is made if it is not there.
        steps: also write ``loss/step`` every so many steps; None for never.
    """

    def __init__(self, folder: str | os.PathLike[str], steps: int | None = None) -> None:
        self.folder, self.steps = Path(folder), steps
        self._file: EventFile | None = None
        self._step = 0

    def on_begin(self, state: TrainingState) -> None:
        self._file = EventFile(self.folder)

    def on_step(self, state: TrainingState) -> None:
        self._step += 1
        if self.steps is not None and self._step % self.steps == 0:
            self._scalar("loss/step", float(state.batch_loss), self._step)

    def on_epoch(self, state: TrainingState) -> None:
        row = state.history[-1]
        for key, value in row.items():
            if key == "epoch":
                continue
            part, _, name = key.partition("_")
            tag = f"{name}/{part}" if part in ("train", state.val_name) else key
            self._scalar(tag, float(value), row["epoch"])
        if self._file is not None:
            self._file.flush()

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def state_dict(self) -> dict[str, Any]:
        return {"step": self._step}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._step = int(state_dict["step"])

    def _scalar(self, tag: str, value: float, step: int) -> None:
        if self._file is None:
            raise RuntimeError("TensorBoardLog: the training has not begun")
        self._file.scalar(tag, value, step)
