"""What data sets of images share: a root, transforms, a repr; and for those in memory, whole batches at once."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...tensor import Tensor, wrap
from ...utils.data import Dataset, default_collate

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["InMemoryDataset", "VisionDataset"]


class VisionDataset(Dataset[tuple[Any, Any]]):
    """Base class: a subclass defines ``__getitem__`` and ``__len__``, and calls :meth:`transformed` in the former.

    Args:
        root: where the images are; a ``str`` may start with ``~``.
        transforms: called with (image, target), returns both. Excludes the other two.
        transform: called with each image.
        target_transform: called with each target.

    Raises:
        ValueError: ``transforms`` beside one of the others.
    """

    def __init__(
        self,
        root: Any = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ):
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        self.transforms, self.transform, self.target_transform = transforms, transform, target_transform

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        """The image and the target after their transforms."""
        if self.transforms is not None:
            return self.transforms(image, target)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def extra_repr(self) -> str:
        """One more line for ``repr``."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        for name, transform in (
            ("Transforms", self.transforms),
            ("Transform", self.transform),
            ("Target transform", self.target_transform),
        ):
            if transform is not None:
                lines += f"{name}: {transform!r}".splitlines()
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in lines)])


class InMemoryDataset(VisionDataset):
    """N images of one size and their labels, in memory.

    ``dataset[i]`` is ``(transform(image), target_transform(label))``, of a PIL image and an int.
    ``dataset.batch(indices)`` is the same for many at once, without a loop where the transforms can do without; the
    images then reach the transform as a uint8 Tensor (B, H, W), or in colour as an array (B, H, W, 3).

    Args:
        data: uint8, grey (N, H, W) or in colour (N, H, W, 3).
        targets: int64 (N,).
        root: where the images came from, for ``repr``.
        transform: called with each image; none leaves PIL images (in a batch: a Tensor in the layout of ``data``).
        target_transform: called with each label.

    Attributes:
        data: the argument's memory, as torchvision gives it: a Tensor if grey, an array if in colour.
        targets: a Tensor if grey, a list if in colour. Both may be replaced, by a part of themselves for instance.
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
        super().__init__(root, transform=transform, target_transform=target_transform)
        grey = data.ndim == 3
        self.data: Any = wrap(data) if grey else data
        self.targets: Any = wrap(targets) if grey else targets.tolist()

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        i = operator.index(index)
        pixels = self.data.numpy() if isinstance(self.data, Tensor) else self.data
        return self.transformed(_pil_image(pixels[i]), int(self.targets[i]))

    def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples at ``indices``, stacked.

        Args:
            indices: B integers.

        Returns:
            The images and the labels: with no transforms a uint8 Tensor (B, H, W) or (B, H, W, 3) and an int64 Tensor
            (B,).
        """
        one_by_one = self.transforms is not None
        if one_by_one or not (_takes_batches(self.transform) and _takes_batches(self.target_transform)):
            return tuple(default_collate([self[i] for i in indices]))
        grey = isinstance(self.data, Tensor)
        images: Any = wrap(self.data.numpy()[indices]) if grey else self.data[indices]
        if isinstance(self.targets, Tensor):
            targets = wrap(self.targets.numpy()[indices])
        else:
            targets = wrap(np.array([self.targets[i] for i in indices], np.int64))
        if self.transform is not None:
            images = self.transform.batch(images)  # type: ignore[attr-defined]
        if self.target_transform is not None:
            targets = self.target_transform.batch(targets)  # type: ignore[attr-defined]
        return images if isinstance(images, Tensor) else wrap(images), targets

    @property
    def class_to_idx(self) -> dict[str, int]:
        """Each class's label."""
        return {name: label for label, name in enumerate(self.classes)}


def _takes_batches(transform: Any) -> bool:
    return transform is None or getattr(transform, "batched", False)


def _pil_image(pixels: np.ndarray) -> Image:
    from PIL import Image

    return Image.fromarray(pixels)
