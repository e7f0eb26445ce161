"""Transforms made of other functions: all of them in order, some of them by chance, or any function at all."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from ...nn import Module
from ...ops.random import randperm
from .chance import happens, uniform

__all__ = ["Compose", "Lambda", "RandomApply", "RandomChoice", "RandomOrder"]


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


class RandomApply(Module):
    """With probability ``p``, all of ``transforms`` one after another; else none."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        if happens(self.p):
            for transform in self.transforms:
                img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n".join(
            ["RandomApply(", f"    p={self.p}", *(f"    {transform}" for transform in self.transforms), ")"]
        )


class _Several:
    """Base class of what has ``transforms`` to choose from."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError(f"{type(self).__name__}: transforms should be a sequence, got {type(transforms)}")
        self.transforms = transforms

    def __repr__(self) -> str:
        return "\n".join([f"{type(self).__name__}(", *(f"    {transform}" for transform in self.transforms), ")"])


class RandomOrder(_Several):
    """All of ``transforms``, in a random order."""

    def __call__(self, img: Any) -> Any:
        for i in randperm(len(self.transforms)).tolist():
            img = self.transforms[i](img)
        return img


class RandomChoice(_Several):
    """One of ``transforms``.

    Args:
        transforms: callables.
        p: their weights, by default all equal.

    Raises:
        TypeError: an argument is no sequence.
        ValueError: the weights are not as many as the transforms, or not non-negative with a positive sum.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError(f"RandomChoice: p should be a sequence, got {type(p)}")
        if p is not None and (len(p) != len(transforms) or min(p) < 0 or sum(p) <= 0):
            raise ValueError(f"RandomChoice: p should be {len(transforms)} weights, non-negative, not all 0, got {p!r}")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        steps = list(itertools.accumulate(self.p or [1.0] * len(self.transforms)))
        return self.transforms[bisect.bisect_right(steps, uniform(0, 1) * steps[-1], hi=len(steps) - 1)](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
