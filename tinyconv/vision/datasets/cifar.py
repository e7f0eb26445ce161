"""CIFAR-10 and CIFAR-100: 60,000 photographs of 32x32 pixels, from the binary version. No pickle is ever read.

A record is a label (CIFAR-100: two, of the superclass and of the class), a byte each, and 3,072 bytes of pixels: the
red channel's 1,024 row by row, then the green's, then the blue's.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; the format is described at
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .archive import extract_archive
from .compressed import SUFFIXES, find_plain_or_compressed, open_plain_or_compressed, read_up_to
from .download import DatasetNotFound, WrongChecksum, download_place, fetch, places_of
from .vision import InMemoryDataset

__all__ = ["CIFAR10", "CIFAR100"]


class CIFAR10(InMemoryDataset):
    """Photographs of ten kinds of animals and vehicles: 50,000 for training, 10,000 for testing.

    The files (plain, or compressed with the suffix ``.gz`` or ``.xz``) are
    ``<place>/cifar-10-batches-bin/data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin``, in the first place
    that has all that are needed:

    1. ``root``, if given;
    2. the directory that the environment variable ``TINYCONV_DATA`` names;
    3. the user's cache directory (``~/.cache/tinyconv`` on Linux).

    Args:
        root: see above.
        train: the training images, or the test images.
        transform: called with each PIL image, or with a whole batch of images; see :class:`InMemoryDataset`.
        target_transform: called with each label.
        download: where no place has the files, download them to ``root``, or without one to the cache directory.
        allow_missing: be content with the first place that has some of the training files; ``parts`` says which.

    Attributes:
        data: uint8 array (N, 32, 32, 3).
        targets: list of N labels.
        parts: the names of the files that were read.

    Raises:
        DatasetNotFound: files are missing, and they were not to be, or could not be, downloaded.
        ValueError: a file is damaged, or is not what its name says.
    """

    mirrors = ["https://www.cs.toronto.edu/~kriz/"]
    archive = ("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530")
    base_folder = "cifar-10-batches-bin"
    train_parts = {f"data_batch_{i}.bin": 10_000 for i in range(1, 6)}  # name -> records
    test_parts = {"test_batch.bin": 10_000}
    labels: tuple[int, ...] = (10,)  # how many each label byte can say; the last is the class
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
        *,
        allow_missing: bool = False,
    ):
        self.train = train
        place = self.find(root, train=train, download=download, allow_missing=allow_missing)
        folder = place / self.base_folder
        wanted = self.train_parts if train else self.test_parts
        found = {name: path for name in wanted if (path := find_plain_or_compressed(folder, name))}
        self.parts = list(found)
        data = np.empty((sum(wanted[name] for name in found), 32, 32, 3), np.uint8)
        targets = np.empty(len(data), np.int64)
        start = 0
        for name, path in found.items():
            records = self._read(path, wanted[name])
            part = slice(start, start := start + len(records))
            data[part] = records[:, len(self.labels) :].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
            targets[part] = records[:, len(self.labels) - 1]
        super().__init__(data, targets, root=place, transform=transform, target_transform=target_transform)

    @classmethod
    def find(
        cls,
        root: str | os.PathLike[str] | None = None,
        *,
        train: bool | None = None,
        download: bool = False,
        allow_missing: bool = False,
    ) -> Path:
        """The first place that has the files, downloading them if allowed; see the class.

        Args:
            root: looked at first.
            train: which files are needed, for training or for testing; by default both.
            download: whether to download them when no place has them.
            allow_missing: whether some of them will do, when no place has all and they are not to be downloaded.

        Returns:
            The place: what to pass as ``root``.

        Raises:
            DatasetNotFound: the message says in one line where it looked and what was missing or failed.
            ValueError: the downloaded archive is damaged.
        """
        needed = [*cls.train_parts, *cls.test_parts] if train is None else cls.train_parts if train else cls.test_parts
        places = places_of(root)
        missing = {
            place: [name for name in needed if not find_plain_or_compressed(place / cls.base_folder, name)]
            for place in places
        }
        for place in places:
            if not missing[place]:
                return place
        partial = [place for place in places if len(missing[place]) < len(needed)]
        if download:
            return cls._download(download_place(root))
        if partial and allow_missing:
            return partial[0]
        suffixes = " or ".join(suffix or "no suffix" for suffix in SUFFIXES)
        looked = f"{cls.__name__} is not in {', '.join(str(place / cls.base_folder) for place in places)}"
        if partial:
            lacks = ", ".join(missing[partial[0]])
            looked = f"{cls.__name__}: {partial[0] / cls.base_folder} lacks {lacks} (with {suffixes})"
        hint = "; allow_missing=True is content with what is there" if partial and train is not False else ""
        raise DatasetNotFound(f"{looked}; download=True fetches it, root= and TINYCONV_DATA say where it is{hint}")

    @classmethod
    def _download(cls, place: Path) -> Path:
        name, md5 = cls.archive
        try:
            fetch(place, {name: md5}, cls.mirrors)
        except DatasetNotFound as error:
            raise type(error)(f"{cls.__name__} could not be downloaded: {error}") from error
        with (place / name).open("rb") as file:
            if hashlib.file_digest(file, "md5").hexdigest() != md5:  # it may have been there before
                raise WrongChecksum(f"{place / name}: not the published archive, or damaged: delete it and try again")
        extract_archive(place / name, place)
        return place

    @classmethod
    def _read(cls, path: Path, count: int) -> np.ndarray:
        """The ``count`` records of a file: uint8 (count, labels + pixels)."""
        size = len(cls.labels) + 3 * 32 * 32
        with open_plain_or_compressed(path) as file:
            content = read_up_to(file, count * size)
        if len(content) != count * size:
            got = f"holds only {len(content)}" if len(content) < count * size else "holds more"
            raise ValueError(f"{path}: expected {count} records of {size} bytes, {count * size} bytes; the file {got}")
        records = np.frombuffer(content, np.uint8).reshape(count, size)
        for i, classes in enumerate(cls.labels):
            if (largest := records[:, i].max(initial=0)) >= classes:
                raise ValueError(f"{path}: expected labels from 0 to {classes - 1}, got {largest}")
        return records

    def extra_repr(self) -> str:
        wanted = self.train_parts if self.train else self.test_parts
        parts = "" if len(self.parts) == len(wanted) else f"\nParts: {', '.join(self.parts)}"
        return f"Split: {'Train' if self.train else 'Test'}{parts}"


class CIFAR100(CIFAR10):
    """Photographs of a hundred kinds of things: 50,000 for training, 10,000 for testing.

    The arguments are :class:`CIFAR10`'s; the files are ``<place>/cifar-100-binary/train.bin`` and ``test.bin``. The
    labels are the classes', not the superclasses'.
    """

    archive = ("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8")
    base_folder = "cifar-100-binary"
    train_parts = {"train.bin": 50_000}
    test_parts = {"test.bin": 10_000}
    labels = (20, 100)
    classes = [
        "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl",
        "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair",
        "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin",
        "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp",
        "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
        "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck",
        "pine_tree", "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
        "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider", "squirrel",
        "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
        "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
    ]  # fmt: skip
