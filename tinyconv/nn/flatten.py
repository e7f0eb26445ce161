"""From images to vectors and back: merging axes and splitting one."""

from __future__ import annotations

from collections.abc import Sequence

from ..tensor import Tensor
from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Merges the axes ``start_dim`` to ``end_dim`` into one, by default all but the batch axis.

    ``(N, C, H, W) -> (N, C*H*W)``.

    Args:
        start_dim: first axis to merge.
        end_dim: last axis to merge.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1):
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with the axes merged."""
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits axis ``dim`` into axes of the given sizes: ``Unflatten(1, (C, H, W))``: ``(N, C*H*W) -> (N, C, H, W)``.

    Args:
        dim: the axis to split.
        unflattened_size: the sizes; one of them may be -1.

    Raises:
        TypeError: ``unflattened_size`` is no tuple of ints.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]):
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            found = type(unflattened_size).__name__
            raise TypeError(f"unflattened_size must be a tuple of ints, but found type {found}")
        for i, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, "
                    f"but found element of type {type(size).__name__} at pos {i}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with the axis split."""
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
