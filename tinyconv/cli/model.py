"""The trained model in a run's folder."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..nn import Module
from ..training import RunDirectory
from ..training.transfer import Transfer
from ..vision.models import get_model, list_models
from .data import DATA
from .errors import CommandError

__all__ = ["TrainedRun", "load_run"]


class TrainedRun(NamedTuple):
    """A model in evaluation mode, the options of the run that trained it, and the classes' names."""

    model: Module
    options: dict[str, Any]
    classes: list[str]


def load_run(path: str) -> TrainedRun:
    """The model that a run has trained.

    Args:
        path: the run's folder.

    Raises:
        CommandError: it is no run's folder, or the run's model is unknown here.
        CheckpointError: a file is damaged, or does not fit the model.
    """
    directory = RunDirectory(path)
    for file in (directory.checkpoint, directory.model):
        if not file.exists():
            reason = f"there is no {file.name} in it" if directory.path.is_dir() else "there is no such folder"
            if directory.path.is_file():
                reason = "it is a file; expected the folder that it is in"
            raise CommandError(f"{path}: is no folder of a training run: {reason}{_runs_beside(directory)}")
    options, _ = directory.load()
    name, data = options.get("model"), options.get("data")
    if name not in list_models():
        raise CommandError(f"{directory.checkpoint}: its model is {name!r}; known are {list_models()}")
    classes = options.get("classes")
    if classes is None:
        if data not in DATA:
            raise CommandError(f"{directory.checkpoint}: its data is {data!r}; known are {sorted(DATA)}")
        classes = DATA[data].classes
    if "mode" in options:  # a run of `finetune`
        model: Module = Transfer(get_model(name), len(classes), frozen=options["mode"] == "frozen")
    else:
        model = get_model(name, num_classes=len(classes))
    directory.load_model(model)
    return TrainedRun(model.eval(), options, classes)


def _runs_beside(directory: RunDirectory) -> str:
    """The runs in the same folder, for who has misspelt one, as the end of a message."""
    parent = directory.path.parent
    runs = sorted(str(checkpoint.parent) for checkpoint in parent.glob(f"*/{directory.checkpoint.name}"))
    return f"; there is {', '.join(runs[:10])}{', ...' if len(runs) > 10 else ''}" if runs else ""
