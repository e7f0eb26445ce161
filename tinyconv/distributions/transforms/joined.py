"""Several transforms, each on a part of the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...ops import cat, split, stack
from ...tensor import Tensor
from .. import constraints
from ..distribution import sum_rightmost
from .base import Transform

__all__ = ["CatTransform", "StackTransform"]


class _Joined(Transform):
    """What the two have in common: parts of values, and a transform for each."""

    transforms: list[Transform]

    def __init__(self, tseq: Sequence[Transform], cache_size: int):
        if not all([isinstance(t, Transform) for t in tseq]):
            raise ValueError(f"{type(self).__name__}: expected transforms, got {[type(t).__name__ for t in tseq]}")
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)

    @property
    def tseq(self) -> list[Transform]:
        """The transforms."""
        return self.transforms

    @property
    def bijective(self) -> bool:
        return all([t.bijective for t in self.transforms])

    def _apart(self, z: Tensor) -> list[Tensor]:
        raise NotImplementedError

    def _together(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def _call(self, x: Tensor) -> Tensor:
        return self._together([t(part) for t, part in zip(self.transforms, self._apart(x), strict=True)])

    def _inverse(self, y: Tensor) -> Tensor:
        return self._together([t.inv(part) for t, part in zip(self.transforms, self._apart(y), strict=True)])

    def _terms(self, x: Tensor, y: Tensor) -> list[Tensor]:
        parts = zip(self.transforms, self._apart(x), self._apart(y), strict=True)
        return [t.log_abs_det_jacobian(a, b) for t, a, b in parts]


class CatTransform(_Joined):
    """Each transform on its part of an axis, joined by :func:`cat`.

    Args:
        tseq: the transforms.
        dim: the axis.
        lengths: of the parts; default: 1 each.
        cache_size: of each.

    Raises:
        ValueError: no transforms, or not as many lengths; values of another length (where it is called).
    """

    _made_of = ("tseq", "dim", "lengths")

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, lengths: Sequence[int] | None = None,
                 cache_size: int = 0):  # fmt: skip
        super().__init__(tseq, cache_size)
        self.dim, self.lengths = dim, [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise ValueError(f"CatTransform: {len(self.transforms)} transforms and {len(self.lengths)} lengths")

    @property
    def event_dim(self) -> int:
        return max([t.event_dim for t in self.transforms])

    @property
    def length(self) -> int:
        """Of all parts together."""
        return sum(self.lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    def _apart(self, z: Tensor) -> list[Tensor]:
        if z.size(self.dim) != self.length:
            raise ValueError(f"CatTransform: expected {self.length} along axis {self.dim}, got {tuple(z.shape)}")
        return list(split(z, self.lengths, self.dim))

    def _together(self, parts: list[Tensor]) -> Tensor:
        return cat(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        own = self.event_dim
        terms = [
            sum_rightmost(term, own - t.event_dim) for t, term in zip(self.transforms, self._terms(x, y), strict=True)
        ]
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        if dim + own < 0:
            return cat(terms, dim + own)
        total = terms[0]  # the axis is one of the event
        for term in terms[1:]:
            total = total + term
        return total


class StackTransform(_Joined):
    """Each transform on its slice along an axis, joined by :func:`stack`.

    Args:
        tseq: the transforms.
        dim: the axis.
        cache_size: of each.

    Raises:
        ValueError: no transforms; another number of slices (where it is called).
    """

    _made_of = ("tseq", "dim")

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0):
        super().__init__(tseq, cache_size)
        self.dim = dim

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _apart(self, z: Tensor) -> list[Tensor]:
        if z.size(self.dim) != len(self.transforms):
            raise ValueError(
                f"StackTransform: expected {len(self.transforms)} along axis {self.dim}, got {tuple(z.shape)}"
            )
        return [z.select(self.dim, i) for i in range(len(self.transforms))]

    def _together(self, parts: list[Tensor]) -> Tensor:
        return stack(parts, self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return stack(self._terms(x, y), self.dim)
