"""VisionDataset: images in memory with one label each, which is what the data sets of this package share."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...tensor import Tensor
from ...utils.data import Dataset, default_collate

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["VisionDataset"]


class VisionDataset(Dataset[tuple[Any, Any]]):
    """N grey images and their labels, in memory.

    ``dataset[i]`` is ``(transform(image), target_transform(label))``, of a PIL image and an int.
    ``dataset.batch(indices)`` is the same for many at once, without a loop where the transforms can do without; the
    images then reach the transform as a uint8 Tensor (B, H, W).

    Args:
        data: uint8 (N, H, W).
        targets: int64 (N,).
        root: where the images came from, for ``repr``.
        transform: called with each image; none leaves PIL images (in a batch: the Tensor (B, H, W)).
        target_transform: called with each label.

    Attributes:
        data, targets: Tensors on the arguments' memory. They may be replaced, by a part of themselves for instance.
        classes: the classes' names, in the labels' order.
    """

    classes: list[str] = []

    def __init__(
        self,
        data: np.ndarray,
        targets: np.ndarray,
        *,
        root: object = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ):
        self.data, self.targets = Tensor(data), Tensor(targets)
        self.root, self.transform, self.target_transform = root, transform, target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        i = operator.index(index)
        image: Image | Any = _pil_image(self.data.numpy()[i])
        target: int | Any = int(self.targets.numpy()[i])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples at ``indices``, stacked.

        Args:
            indices: B integers.

        Returns:
            The images and the labels: with no transforms a uint8 Tensor (B, H, W) and an int64 Tensor (B,).
        """
        if not (_takes_batches(self.transform) and _takes_batches(self.target_transform)):
            return tuple(default_collate([self[i] for i in indices]))
        images, targets = Tensor(self.data.numpy()[indices]), Tensor(self.targets.numpy()[indices])
        if self.transform is not None:
            images = self.transform.batch(images)  # type: ignore[attr-defined]
        if self.target_transform is not None:
            targets = self.target_transform.batch(targets)  # type: ignore[attr-defined]
        return images, targets

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Each class's label."""
        return {name: label for label, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        """One more line for ``repr``."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        for name, transform in (("Transform", self.transform), ("Target transform", self.target_transform)):
            if transform is not None:
                lines += f"{name}: {transform!r}".splitlines()
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in lines)])


def _takes_batches(transform: Any) -> bool:
    return transform is None or getattr(transform, "batched", False)


def _pil_image(pixels: np.ndarray) -> Image:
    from PIL import Image

    return Image.fromarray(pixels)
