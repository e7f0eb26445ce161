"""Networks: the trained one in a run's folder, and the images that each is made for."""

from __future__ import annotations

from typing import Any

from ..nn import Module
from ..training import RunDirectory
from ..vision.models import get_model, list_models
from .data import DATA
from .errors import CommandError

__all__ = ["default_size", "load_run"]


def default_size(name: str) -> tuple[int, int, int]:
    """The images (C, H, W) that a network is made for."""
    if name.startswith("lenet5"):
        return 1, 28, 28
    if name in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):  # CIFAR's
        return 3, 32, 32
    return (3, 299, 299) if name == "inception_v3" else (3, 224, 224)


def load_run(path: str) -> tuple[Module, dict[str, Any]]:
    """The model that a run has trained, in evaluation mode, and the run's options.

    Args:
        path: the run's folder.

    Raises:
        CommandError: it is no run's folder, or the run's model is unknown here.
        CheckpointError: a file is damaged, or does not fit the model.
    """
    directory = RunDirectory(path)
    for file in (directory.checkpoint, directory.model):
        if not file.exists():
            raise CommandError(f"{path}: is no folder of a training run: there is no {file.name} in it")
    options, _ = directory.load()
    if options["model"] not in list_models():
        raise CommandError(f"{directory.checkpoint}: its model is {options['model']!r}; known are {list_models()}")
    if options["data"] not in DATA:
        raise CommandError(f"{directory.checkpoint}: its data is {options['data']!r}; known are {sorted(DATA)}")
    model = get_model(options["model"])
    directory.load_model(model)
    return model.eval(), options
