"""MNIST, Fashion-MNIST and Kuzushiji-MNIST: 70,000 grey images of 28x28 pixels in 10 classes each, from IDX files in
torchvision's layout.

Sources: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition",
Proc. IEEE, 1998; H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv:1708.07747; T. Clanuwat et al., "Deep learning for classical Japanese literature",
arXiv:1812.01718.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .compressed import find_plain_or_compressed
from .download import DatasetNotFound, download_place, fetch, places_of
from .idx import read_idx
from .vision import InMemoryDataset

__all__ = ["KMNIST", "MNIST", "FashionMNIST"]

_LIMIT = 2**28  # bytes; the largest file has 47 million


class MNIST(InMemoryDataset):
    """Handwritten digits: 60,000 for training, 10,000 for testing.

    The files (plain, or compressed with the suffix ``.gz`` or ``.xz``) are
    ``<place>/MNIST/raw/train-images-idx3-ubyte`` and so on, in the first place that has both the images and the labels:

    1. ``root``, if given;
    2. the directory that the environment variable ``TINYCONV_DATA`` names;
    3. the user's cache directory (``~/.cache/tinyconv`` on Linux).

    Args:
        root: see above.
        train: the training images, or the test images.
        transform: called with each PIL image, or with a whole batch of images; see :class:`InMemoryDataset`.
        target_transform: called with each label.
        download: where no place has the files, download them to ``root``, or without one to the cache directory.

    Raises:
        DatasetNotFound: no place has the files, and they were not to be, or could not be, downloaded.
        ValueError: a file is damaged, or is not what its name says.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ):
        self.train = train
        place = self.find(root, train=train, download=download)
        images, labels = _present(self._folder(place), self._names(train))
        super().__init__(*_read(images, labels), root=place, transform=transform, target_transform=target_transform)

    @classmethod
    def find(
        cls, root: str | os.PathLike[str] | None = None, *, train: bool | None = None, download: bool = False
    ) -> Path:
        """The first place that has the files, downloading them if allowed; see :class:`MNIST`.

        Args:
            root: looked at first.
            train: which half is needed; by default both.
            download: whether to download all files when no place has them.

        Returns:
            The place: what to pass as ``root``.

        Raises:
            DatasetNotFound: no place has the files and they were not to be, or could not be, downloaded; the message
                says in one line where it looked and what failed.
        """
        places = places_of(root)
        names = cls._names(train)
        for place in places:
            if len(_present(cls._folder(place), names)) == len(names):
                return place
        looked = f"{cls.__name__} is not in {', '.join(str(place) for place in places)}"
        if not download:
            raise DatasetNotFound(f"{looked}; download=True fetches it, root= and TINYCONV_DATA say where it is")
        place = download_place(root)
        folder = cls._folder(place)
        missing = {name: md5 for name, md5 in cls.resources if not _present(folder, [name.removesuffix(".gz")])}
        try:
            fetch(folder, missing, cls.mirrors)
        except DatasetNotFound as error:
            raise type(error)(f"{looked} and could not be downloaded: {error}") from error
        return place

    @classmethod
    def _folder(cls, place: Path) -> Path:
        return place / cls.__name__ / "raw"

    @classmethod
    def _names(cls, train: bool | None) -> list[str]:
        """The files' names, images before labels."""
        names = [name.removesuffix(".gz") for name, _ in cls.resources]
        return names if train is None else names[:2] if train else names[2:]

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Articles of clothing, in MNIST's format: 60,000 for training, 10,000 for testing.

    The arguments are :class:`MNIST`'s; the files are in ``<place>/FashionMNIST/raw``.
    """

    mirrors = [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """Kuzushiji, cursive Japanese characters, in MNIST's format: 60,000 for training, 10,000 for testing.

    The arguments are :class:`MNIST`'s; the files are in ``<place>/KMNIST/raw``.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


def _present(folder: Path, names: list[str]) -> list[Path]:
    """Those of the files ``names`` that ``folder`` has, plain or compressed."""
    return [path for path in (find_plain_or_compressed(folder, name) for name in names) if path]


def _read(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images, uint8 (N, 28, 28), and the labels, int64 (N,)."""
    images, labels = read_idx(images_path, limit=_LIMIT), read_idx(labels_path, limit=_LIMIT)
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"{images_path}: expected uint8 images (N, 28, 28), got {images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(f"{labels_path}: expected uint8 labels (N,), got {labels.dtype} {labels.shape}")
    if len(images) != len(labels):
        raise ValueError(f"{labels_path}: {len(labels)} labels for the {len(images)} images of {images_path}")
    if labels.max(initial=0) > 9:
        raise ValueError(f"{labels_path}: expected labels from 0 to 9, got {labels.max()}")
    return images, labels.astype(np.int64)
