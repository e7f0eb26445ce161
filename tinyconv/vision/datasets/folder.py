"""One folder a class: ``root/ants/1.jpg``, ``root/bees/2.jpg``, ... A file is opened when its sample is asked for."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from functools import partial
from typing import Any

from ...caller import warn
from .image import IMG_EXTENSIONS, pil_loader
from .vision import VisionDataset

__all__ = [
    "DatasetFolder",
    "ImageFolder",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
]


default_loader = pil_loader  # torchvision's name for it


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a file's name ends in one of ``extensions`` (lower case), in whatever case."""
    return filename.lower().endswith(extensions)


def is_image_file(filename: str) -> bool:
    """Whether a file's name ends like an image's."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in ``directory``, sorted, and each one's number.

    Raises:
        FileNotFoundError: there are none.
    """
    with os.scandir(directory) as entries:
        classes = sorted(entry.name for entry in entries if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {os.fspath(directory)}.")
    return classes, {name: label for label, name in enumerate(classes)}


def make_dataset(
    directory: str | os.PathLike[str],
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """(path, class number) of each file, at whatever depth, sorted by class and then by folder and name.

    Args:
        directory: has one folder a class.
        class_to_idx: the classes and their numbers; by default those of :func:`find_classes`.
        extensions: which files count, by the ends of their names; or
        is_valid_file: which files count, called with each path.
        allow_empty: whether a class may have no file.

    Raises:
        ValueError: no class, or both or neither of ``extensions`` and ``is_valid_file``.
        FileNotFoundError: classes without a file.
    """
    directory = os.path.expanduser(os.fspath(directory))
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    counts = is_valid_file or partial(has_file_allowed_extension, extensions=extensions)  # type: ignore[arg-type]

    samples = []
    empty = []
    for name in sorted(class_to_idx):
        paths = [path for path in _files(os.path.join(directory, name)) if counts(path)]
        samples += [(path, class_to_idx[name]) for path in paths]
        if not paths:
            empty.append(name)
    if empty and not allow_empty:
        message = f"{directory}: Found no valid file for the classes {', '.join(empty)}."
        if extensions is not None:
            known = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f" Supported extensions are: {known}"
        raise FileNotFoundError(message)
    return samples


def _files(folder: str) -> list[str]:
    """All files below ``folder``, through links too, but through each folder once: a link may lead back up."""
    seen = set()
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(place)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        found.append((place, sorted(names)))
    return [os.path.join(place, name) for place, names in sorted(found) for name in names]


class DatasetFolder(VisionDataset):
    """Files of any kind in one folder a class; ``dataset[i]`` is ``(transform(loader(path)), class number)``.

    Args:
        root: has one folder a class.
        loader: called with a path, reads the file.
        extensions: which files count, by the ends of their names; or ``is_valid_file``.
        transform: called with what the loader returns.
        target_transform: called with the class number.
        is_valid_file: which files count, called with each path.
        allow_empty: whether a class may have no file.
        damaged: what to do about a file that the loader cannot read (it raises OSError or ValueError). "raise" raises
            that. "skip" gives the next readable file of the same class in its place, warns once and notes it in
            ``skipped``; ``len(dataset)`` does not change.

    Attributes:
        classes: the folders' names, sorted.
        class_to_idx: each one's number.
        samples: (path, class number) of each file; ``targets``: the numbers alone.
        skipped: path -> what was wrong with it, of the files skipped so far (in this process).

    Raises:
        FileNotFoundError: no folder, or (without ``allow_empty``) one without a file that counts.
        ValueError: both or neither of ``extensions`` and ``is_valid_file``, or another word for ``damaged``.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
        *,
        damaged: str = "raise",
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        if damaged not in ("raise", "skip"):
            raise ValueError(f"damaged should be 'raise' or 'skip', got {damaged!r}")
        self.loader, self.extensions, self.damaged = loader, extensions, damaged
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(self.root, self.class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]
        self.skipped: dict[str, str] = {}

    @staticmethod
    def make_dataset(
        directory: str | os.PathLike[str],
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """:func:`make_dataset`; a subclass may override it, to read from elsewhere for instance."""
        if class_to_idx is None:
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """:func:`find_classes`; a subclass may override it, to take some of the folders only for instance."""
        return find_classes(directory)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        i = operator.index(index)
        return self.transformed(self._load(i), self.samples[i][1])

    def _load(self, index: int) -> Any:
        path, target = self.samples[index]
        if self.damaged == "raise":
            return self.loader(path)
        for i in range(index, index + len(self)):
            path, label = self.samples[i % len(self)]
            if label != target or path in self.skipped:
                continue
            try:
                return self.loader(path)
            except (OSError, ValueError) as error:
                self.skipped[path] = str(error) if path in str(error) else f"{path}: {error}"
                warn(f"{type(self).__name__} skips {self.skipped[path]}")
        raise OSError(f"{self.root}: no file of the class {self.classes[target]!r} can be read; see `skipped`")


class ImageFolder(DatasetFolder):
    """Images in one folder a class: ``root/dog/1.png``, ``root/cat/2.png``, ...

    Args:
        root: has one folder a class.
        transform: called with each image.
        target_transform: called with the class number.
        loader: called with a path; by default :func:`pil_loader`, which makes PIL images in mode "RGB".
        is_valid_file: which files count, called with each path; by default those whose names end like an image's.
        allow_empty, damaged: see :class:`DatasetFolder`.

    Attributes:
        imgs: the same as ``samples``.

    Raises:
        FileNotFoundError, ValueError: see :class:`DatasetFolder`.
        DamagedImage: in ``dataset[i]``, a file is no image or a damaged one; see :mod:`.image`.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        loader: Callable[[str], Any] = pil_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
        *,
        damaged: str = "raise",
    ):
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(
            root, loader, extensions, transform, target_transform, is_valid_file, allow_empty, damaged=damaged
        )
        self.imgs = self.samples
