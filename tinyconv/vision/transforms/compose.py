"""Transforms made of other functions: ``Compose`` and ``Lambda``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Compose", "Lambda"]


class Compose:
    """One transform after another.

    Args:
        transforms: callables on an image; those of this package, or any others.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    @property
    def batched(self) -> bool:
        """Whether :meth:`batch` works: all parts can take a whole batch."""
        return all(getattr(transform, "batched", False) for transform in self.transforms)

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def batch(self, x: Any) -> Any:
        """The same for a stack of images with a leading batch axis.

        Raises:
            AttributeError: a part has no ``batch``; see :attr:`batched`.
        """
        for transform in self.transforms:
            x = transform.batch(x)  # type: ignore[attr-defined]
        return x

    def __repr__(self) -> str:
        return "\n".join(["Compose(", *(f"    {transform}" for transform in self.transforms), ")"])


class Lambda:
    """Any function of one image as a transform. It is never given a batch.

    Raises:
        TypeError: ``lambd`` is not callable.
    """

    batched = False

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"
