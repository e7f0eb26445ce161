"""Which images a command works on: MNIST, Fashion-MNIST, or digits that the program draws itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from ..vision import transforms
from ..vision.datasets import MNIST, DatasetNotFound, FashionMNIST, StrokeDigits
from ..vision.datasets.vision import InMemoryDataset
from .errors import CommandError

__all__ = ["DATA", "MODELS", "choose", "load", "test_transform", "train_transform"]


class _Source(NamedTuple):
    title: str
    classes: list[str]
    load: Callable[..., InMemoryDataset]


def _load_mnist(dataset: type[MNIST]) -> Callable[..., InMemoryDataset]:
    return lambda data_dir, train, transform: dataset(data_dir, train=train, transform=transform, download=True)


DATA = {
    "mnist": _Source("MNIST", [str(digit) for digit in range(10)], _load_mnist(MNIST)),
    "fashion-mnist": _Source("Fashion-MNIST", FashionMNIST.classes, _load_mnist(FashionMNIST)),
    "strokes": _Source(
        "StrokeDigits",
        [str(digit) for digit in range(10)],
        lambda data_dir, train, transform: StrokeDigits(train=train, transform=transform),
    ),
}

MODELS = ("lenet5",)  # the networks for what all of them hold: grey images of 28x28

# Mean and standard deviation of MNIST's training pixels, as everyone uses them. Every source gets the same, so that a
# network trained on one can read another.
_NORMALIZE = transforms.Normalize((0.1307,), (0.3081,))


def train_transform() -> transforms.Compose:
    """Images on their way into training: shifted by up to two pixels each way, anew each time they are seen."""
    return transforms.Compose([transforms.RandomCrop(28, padding=2), transforms.ToTensor(), _NORMALIZE])


def test_transform() -> transforms.Compose:
    """Images on their way into a test: as they are."""
    return transforms.Compose([transforms.ToTensor(), _NORMALIZE])


def choose(data: str, data_dir: str | None) -> str:
    """A name in :data:`DATA` for the ``--data`` option. Where ``auto`` has to do without MNIST, it says so and why.

    Args:
        data: a name in :data:`DATA`, or "auto".
        data_dir: where MNIST may be.
    """
    if data != "auto":
        return data
    try:
        MNIST.find(data_dir, download=True)
    except DatasetNotFound as error:
        print(
            f"No MNIST: {error}. Training on StrokeDigits, drawn by the program itself, instead. To train on MNIST, go "
            "online once, or name the folder that holds MNIST/raw by --data-dir or TINYCONV_DATA.",
            file=sys.stderr,
        )
        return "strokes"
    return "mnist"


def load(data: str, data_dir: str | None, train: bool, transform: Any, limit: int | None) -> InMemoryDataset:
    """Load (or download, or draw) the images.

    Args:
        data: a name in :data:`DATA`.
        data_dir: where the files may be.
        train: the training images, or the test images.
        transform: what happens to an image on its way out.
        limit: keep the first so many only; None for all.

    Raises:
        DatasetNotFound: there are none, and they cannot be downloaded.
        CommandError: a file is damaged, or holds no images.
    """
    try:
        dataset = DATA[data].load(data_dir, train, transform)
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not len(dataset):
        raise CommandError(f"{DATA[data].title} holds no {'training' if train else 'test'} images ({dataset.root})")
    if limit is not None:
        dataset.data, dataset.targets = dataset.data[:limit], dataset.targets[:limit]
    return dataset
