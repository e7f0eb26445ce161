"""Published weights: where they are found, how they get into a model, and what images they expect.

torchvision's file names end in the first eight digits of the file's SHA-256 (``resnet18-f37072fd.pth``), which is all
that is needed to check a download. A file is looked for in the folder that the caller names, in
``$TINYCONV_DATA/weights``, and where PyTorch keeps its own (``$TORCH_HOME/hub/checkpoints``, by default in
``~/.cache/torch``); only then is it downloaded, to that last place, so that both libraries share it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from ... import nn
from ...serialization import load
from ...tensor import Tensor
from ..datasets.download import DatasetNotFound, fetch
from ..transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

__all__ = ["ImageNet", "Weights", "WeightsEnum", "WeightsNotFound", "find_weights", "pretrained_model", "read_weights"]

Model = TypeVar("Model", bound=nn.Module)

_LARGEST = 2**30  # bytes; VGG-19 has 549 MiB


class WeightsNotFound(RuntimeError):
    """The file of published weights is not on this machine and could not be downloaded; the message says where to put
    it."""


@dataclass(frozen=True)
class ImageNet:
    """How images become a network's input: the shorter side to ``resize`` pixels, the middle ``crop`` by ``crop``, and
    each channel shifted and scaled by ImageNet's mean and standard deviation."""

    resize: int = 256
    crop: int = 224
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    def __call__(self) -> Compose:
        """The transform, of a PIL image into a tensor ``(3, crop, crop)``."""
        return Compose([Resize(self.resize), CenterCrop(self.crop), ToTensor(), Normalize(self.mean, self.std)])


@dataclass(frozen=True)
class Weights:
    """A file of published weights.

    Attributes:
        file: its name, which ends in the first digits of its SHA-256.
        transforms: makes the transform of images that the weights were trained for.
        classes: how many scores the network gave.
        url: the folder that it is published in.
        also: other names of the same weights, in other formats.
    """

    file: str
    transforms: Callable[[], Compose] = ImageNet()
    classes: int = 1000
    url: str = "https://download.pytorch.org/models/"
    also: tuple[str, ...] = ()


class WeightsEnum(Enum):
    """The published weights of one model, by torchvision's names; ``DEFAULT`` is the best of them."""

    @property
    def transforms(self) -> Callable[[], Compose]:
        """Makes the transform of images that the weights were trained for."""
        return self.value.transforms

    @property
    def url(self) -> str:
        """Where the file is published."""
        return self.value.url + self.value.file


def pretrained_model(
    make: Callable[..., Model], published: type[WeightsEnum] | None, weights: Any, config: dict[str, Any]
) -> Model:
    """A new model, with published weights if asked for.

    Args:
        make: the model's constructor.
        published: the model's published weights.
        weights: None for random ones; a member of ``published`` or its name (``"DEFAULT"``); or the path of a file.
            True is the first member: what ``pretrained=True``, PyTorch's older way of asking, has always meant.
        config: arguments of ``make``; besides, ``pretrained`` and ``weights_dir`` (a folder to look for the file in).

    Raises:
        ValueError: no such weights, or they have another number of classes than was asked for.
        WeightsNotFound: they are not on this machine, and cannot be downloaded.
    """
    config = dict(config)
    folder = config.pop("weights_dir", None)
    if config.pop("pretrained", False) and weights is None:
        weights = True
    if weights is None or weights is False:
        return make(**config)
    if isinstance(weights, os.PathLike) or (isinstance(weights, str) and Path(weights).is_file()):
        model = make(**config)
        model.load_state_dict(read_weights(weights))
        return model
    member = _member(published, weights)
    if config.setdefault("num_classes", member.classes) != member.classes:
        raise ValueError(
            f"weights: {member.file} has {member.classes} classes, got num_classes={config['num_classes']}"
        )
    path = find_weights(member, folder)
    model = make(**config)
    model.load_state_dict(read_weights(path))
    return model


def _member(published: type[WeightsEnum] | None, weights: Any) -> Weights:
    if published is None:
        raise ValueError(f"weights: this model has no published weights, got {weights!r}")
    if weights is True:
        return next(iter(published)).value
    if isinstance(weights, published):
        return weights.value
    name = str(weights).rsplit(".", 1)[-1]
    if isinstance(weights, str) and name in published.__members__:
        return published[name].value
    raise ValueError(
        f"weights: expected one of {published.__name__}'s {list(published.__members__)} or the path of a file, got "
        f"{weights!r}"
    )


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """A ``state_dict`` from any file that :func:`tinyconv.load` reads. A checkpoint that holds one under ``state_dict``
    or ``model`` is taken apart, and the prefix ``module.``, which a model saved from several GPUs has, is dropped.

    Raises:
        CheckpointError: the file is damaged.
        ValueError: it holds no ``state_dict``.
        OSError: it cannot be read.
    """
    state = load(path)
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{os.fspath(path)}: holds no state_dict (a dict of name to tensor)")
    return {name.removeprefix("module."): value for name, value in state.items()}


def _folders(folder: str | os.PathLike[str] | None) -> list[Path]:
    folders = [Path(folder)] if folder is not None else []
    if os.environ.get("TINYCONV_DATA"):
        folders.append(Path(os.environ["TINYCONV_DATA"]) / "weights")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return [*folders, Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch") / "hub" / "checkpoints"]


def find_weights(weights: Weights, folder: str | os.PathLike[str] | None = None, download: bool = True) -> Path:
    """The file of published weights.

    Args:
        weights: which.
        folder: looked into first.
        download: fetch it if it is nowhere.

    Raises:
        WeightsNotFound: it is nowhere, and could not be downloaded.
    """
    folders = _folders(folder)
    for place in folders:
        for name in (weights.file, *weights.also):
            if (place / name).is_file():
                return place / name
    reason: object = "a download was not asked for"
    if download:
        try:
            return _download(weights, folders[-1])
        except DatasetNotFound as error:
            reason = error
    raise WeightsNotFound(
        f"{weights.file} is in none of {', '.join(map(str, folders))}, and {reason}. Fetch {weights.url}{weights.file} "
        "where there is a network, and put it into one of them"
    )


def _download(weights: Weights, folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tinyconv-", dir=folder) as partial:
            fetch(Path(partial), {weights.file: None}, [weights.url], largest=_LARGEST)
            path = Path(partial) / weights.file
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            expected = weights.file.rsplit("-", 1)[-1].split(".")[0]
            if not digest.startswith(expected):
                raise DatasetNotFound(f"what {weights.url} delivered has the checksum {digest[:8]}, not {expected}")
            os.replace(path, folder / weights.file)
    except OSError as error:
        raise DatasetNotFound(f"{folder} cannot be written ({error})") from error
    return folder / weights.file
