"""Data sets of images, with torchvision's names and behaviour, and one that needs no file.

======================= =============================================================================
:class:`MNIST`          handwritten digits, from IDX files on disk or the public mirrors
:class:`FashionMNIST`   articles of clothing, likewise
:class:`StrokeDigits`   digits drawn from pen strokes, by this program
======================= =============================================================================

All are :class:`VisionDataset`: in memory, with a ``batch(indices)`` for the loader. Where to look for files, and what
``DatasetNotFound`` and ``Offline`` mean: ``mnist.py`` and ``download.py``.
"""

from .download import DatasetNotFound, Offline, WrongChecksum
from .idx import read_idx, write_idx
from .mnist import MNIST, FashionMNIST
from .strokes import StrokeDigits
from .vision import VisionDataset

__all__ = [
    "MNIST",
    "DatasetNotFound",
    "FashionMNIST",
    "Offline",
    "StrokeDigits",
    "VisionDataset",
    "WrongChecksum",
    "read_idx",
    "write_idx",
]
