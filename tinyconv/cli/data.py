"""Which images a command works on (MNIST, Fashion-MNIST, CIFAR-10, digits that the program draws itself, a folder), and
how they become a network's input."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ..vision import transforms
from ..vision.datasets import CIFAR10, MNIST, DatasetNotFound, FashionMNIST, ImageFolder, StrokeDigits
from ..vision.datasets.vision import InMemoryDataset
from .errors import CommandError

__all__ = ["AUGMENTATIONS", "DATA", "Source", "choose", "data_name", "default_size", "load", "source", "transform"]


class Source(NamedTuple):
    """Images for training and for testing.

    Attributes:
        title: their name.
        classes: the classes' names.
        load: called with (where the files may be, whether for training, a transform).
        grey: whether they are grey.
        side: their height and width in pixels; None if every image has its own.
        augment: how they are changed in training, unless the user says otherwise.
    """

    title: str
    classes: list[str]
    load: Callable[..., Any]
    grey: bool = True
    side: int | None = 28
    augment: str = "shift"


def _load(dataset: Callable[..., Any]) -> Callable[..., InMemoryDataset]:
    return lambda data_dir, train, transform: dataset(data_dir, train=train, transform=transform, download=True)


def _load_cifar(data_dir: str | None, train: bool, transform: Any) -> CIFAR10:
    """CIFAR-10; without a network, as many of its five training files as there are (and a word about it)."""
    try:
        return CIFAR10(data_dir, train=train, transform=transform, download=True)
    except DatasetNotFound as error:
        try:
            found = CIFAR10(data_dir, train=train, transform=transform, allow_missing=True)
        except DatasetNotFound:
            raise error from None
        print(f"CIFAR-10 is not complete: only {', '.join(found.parts)} are here ({error}).", file=sys.stderr)
        return found


DATA = {
    "mnist": Source("MNIST", [str(digit) for digit in range(10)], _load(MNIST)),
    "fashion-mnist": Source("Fashion-MNIST", FashionMNIST.classes, _load(FashionMNIST)),
    "cifar10": Source("CIFAR-10", CIFAR10.classes, _load_cifar, grey=False, side=32, augment="shift,flip"),
    "strokes": Source(
        "StrokeDigits",
        [str(digit) for digit in range(10)],
        lambda data_dir, train, transform: StrokeDigits(train=train, transform=transform),
    ),
}

_TEST_FOLDERS = ("val", "valid", "validation", "test")


def data_name(text: str) -> str:
    """A value of ``--data``: a name, or a folder."""
    if text != "auto" and text not in DATA and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(
            f"invalid choice: {text!r} (choose from {', '.join(('auto', *DATA))}, or a folder with train and val in it)"
        )
    return text


def source(name: str) -> Source:
    """The images that ``--data`` names.

    Raises:
        CommandError: it is no name in :data:`DATA` and no folder with a folder ``train`` and one for testing, in each
            of which is a folder for each class.
    """
    if name in DATA:
        return DATA[name]
    root = Path(name)
    if not root.is_dir():
        raise CommandError(f"{name}: there is no such folder, and no data of that name; known are {sorted(DATA)}")
    test = next((root / folder for folder in _TEST_FOLDERS if (root / folder).is_dir()), None)
    if test is None or not (root / "train").is_dir():
        raise CommandError(
            f"{name}: expected the folders train and val (or {', '.join(_TEST_FOLDERS[1:])}) in it, and in both "
            "one folder for each class"
        )
    try:
        train_set, test_set = ImageFolder(root / "train"), ImageFolder(test)
    except (FileNotFoundError, ValueError) as error:
        raise CommandError(str(error)) from error
    if train_set.classes != test_set.classes:
        raise CommandError(f"{name}: train has the classes {train_set.classes}, and {test.name} has {test_set.classes}")
    return Source(
        root.resolve().name,
        train_set.classes,
        lambda data_dir, train, transform: ImageFolder(root / "train" if train else test, transform),
        grey=False,
        side=None,
        augment="crop,flip",
    )


def choose(data: str, data_dir: str | None) -> str:
    """What :func:`source` takes, for the ``--data`` option. Where ``auto`` has to do without MNIST, it says so and why.

    Args:
        data: a name in :data:`DATA`, "auto", or a folder.
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


def load(images: Source, data_dir: str | None, train: bool, transform: Any, limit: int | None) -> Any:
    """Load (or download, or draw) the images.

    Args:
        images: which.
        data_dir: where the files may be.
        train: the training images, or the test images.
        transform: what happens to an image on its way out.
        limit: keep the first so many only (of a folder: evenly from all classes); None for all.

    Raises:
        CommandError: there are none, and they cannot be downloaded; a file is damaged, or holds no images.
    """
    try:
        dataset = images.load(data_dir, train, transform)
    except DatasetNotFound as error:
        raise CommandError(
            f"{error}. Go online once, or name the folder that holds the data by --data-dir or TINYCONV_DATA; --data "
            "strokes needs neither"
        ) from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not len(dataset):
        raise CommandError(f"{images.title} holds no {'training' if train else 'test'} images ({dataset.root})")
    if limit is not None and isinstance(dataset, ImageFolder):
        dataset.samples = dataset.imgs = dataset.samples[:: max(1, len(dataset) // limit)][:limit]
        dataset.targets = [target for _, target in dataset.samples]
    elif limit is not None:
        dataset.data, dataset.targets = dataset.data[:limit], dataset.targets[:limit]
    return dataset


# ---------------------------------------------------------------------------------------------------------- transforms

# Mean and standard deviation of MNIST's training pixels, and of ImageNet's, as everyone uses them. Every source gets
# the same, so that a network trained on one can read another.
_GREY = transforms.Normalize((0.1307,), (0.3081,))
_COLOUR = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

AUGMENTATIONS: dict[str, Callable[[int], Any]] = {
    "shift": lambda side: transforms.RandomCrop(side, padding=side // 8 if side != 28 else 2),
    "crop": lambda side: transforms.RandomResizedCrop(side, scale=(0.35, 1.0)),
    "flip": lambda side: transforms.RandomHorizontalFlip(),
    "rotate": lambda side: transforms.RandomRotation(15),
    "affine": lambda side: transforms.RandomAffine(10, translate=(0.1, 0.1), scale=(0.9, 1.1), shear=10),
    "color": lambda side: transforms.ColorJitter(0.3, 0.3, 0.3),
    "erase": lambda side: transforms.RandomErasing(),
}


def default_size(model: str) -> tuple[int, int, int]:
    """The images ``(C, H, W)`` that a network of :func:`~tinyconv.vision.models.get_model` was made for."""
    if model.startswith("lenet5"):
        return 1, 28, 28
    if model in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):
        return 3, 32, 32
    return (3, 299, 299) if model == "inception_v3" else (3, 224, 224)


def transform(images: Source, model: str, augment: str = "none") -> transforms.Compose:
    """Images on their way into a network: in its size and colours, changed at random as ``augment`` says.

    Args:
        images: which.
        model: the network's name.
        augment: "none", or names in :data:`AUGMENTATIONS` with commas between them.
    """
    channels, side, _ = default_size(model)
    wanted = [] if augment == "none" else augment.split(",")
    steps: list[Any] = []
    if images.grey != (channels == 1):
        steps.append(transforms.Grayscale(channels))
    if images.side is None and "crop" not in wanted:
        steps += [transforms.Resize(side * 8 // 7), transforms.CenterCrop(side)]
    elif images.side not in (side, None):
        steps.append(transforms.Resize(side))
    steps += [AUGMENTATIONS[name](side) for name in wanted if name != "erase"]
    steps += [transforms.ToTensor(), _GREY if channels == 1 else _COLOUR]
    return transforms.Compose([*steps, *(AUGMENTATIONS[name](side) for name in wanted if name == "erase")])
