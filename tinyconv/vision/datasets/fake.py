"""FakeData: noise in the shape of a data set, to try a program without one."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...ops.random import randint
from ...random import Generator
from .vision import VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """``size`` PIL images of uniform noise with random labels; sample i is the same each time, and in each program.

    Args:
        size: images.
        image_size: (channels, height, width) of each, with one channel or three.
        num_classes: the labels lie in [0, num_classes).
        transform, target_transform: called with each image and label.
        random_offset: another number, other images.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: Sequence[int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        random_offset: int = 0,
    ):
        super().__init__(None, transform=transform, target_transform=target_transform)
        if len(image_size) != 3 or image_size[0] not in (1, 3):
            raise ValueError(f"image_size should be (1 or 3 channels, height, width), got {tuple(image_size)}")
        self.size, self.image_size, self.num_classes = size, tuple(image_size), num_classes
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        i = operator.index(index)
        if not -self.size <= i < self.size:
            raise IndexError(f"FakeData: index {i} is out of range for {self.size} samples")
        generator = Generator().manual_seed(i % self.size + self.random_offset)
        pixels = randint(0, 256, self.image_size, generator=generator, dtype=dtypes.uint8).numpy()
        target = int(randint(0, self.num_classes, (1,), generator=generator).item())
        image = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(np.moveaxis(pixels, 0, 2)))
        return self.transformed(image, target)

    def __len__(self) -> int:
        return self.size
