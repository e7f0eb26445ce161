"""Data sets of images, with torchvision's names and behaviour, and one that needs no file.

======================= =============================================================================
:class:`MNIST`          handwritten digits, from IDX files on disk or the public mirrors
:class:`FashionMNIST`   articles of clothing, likewise
:class:`KMNIST`         cursive Japanese characters, likewise
:class:`CIFAR10`        photographs in ten classes, from the binary version
:class:`CIFAR100`       photographs in a hundred
:class:`ImageFolder`    one's own images, one folder a class, read when they are needed
:class:`DatasetFolder`  other files, likewise
:class:`StrokeDigits`   digits drawn from pen strokes, by this program
:class:`FakeData`       noise
======================= =============================================================================

Those that are small lie in memory (:class:`InMemoryDataset`) and have a ``batch(indices)`` for the loader. Where files
are looked for, and what ``DatasetNotFound`` and ``Offline`` mean: ``mnist.py`` and ``download.py``. What becomes of
image files that are damaged or not plain colour: ``image.py``.
"""

from .archive import download_and_extract_archive, extract_archive
from .cifar import CIFAR10, CIFAR100
from .download import DatasetNotFound, Offline, WrongChecksum
from .fake import FakeData
from .folder import DatasetFolder, ImageFolder
from .idx import read_idx, write_idx
from .image import DamagedImage
from .mnist import KMNIST, MNIST, FashionMNIST
from .strokes import StrokeDigits
from .vision import InMemoryDataset, VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "DamagedImage",
    "DatasetFolder",
    "DatasetNotFound",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "InMemoryDataset",
    "Offline",
    "StrokeDigits",
    "VisionDataset",
    "WrongChecksum",
    "download_and_extract_archive",
    "extract_archive",
    "read_idx",
    "write_idx",
]
