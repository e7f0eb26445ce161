"""Probabilities made of normal vectors."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import constraints
from .continuous import Normal
from .transformed_distribution import TransformedDistribution
from .transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Vectors of n + 1 probabilities: normal vectors of n numbers by
    :class:`~tinyconv.distributions.transforms.StickBreakingTransform`.

    Args:
        loc: the means of these, ``(..., n)``.
        scale: their standard deviations, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a scale that is not positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        base = Normal(loc, scale, validate_args)
        super().__init__(base if base.batch_shape else base.expand((1,)), StickBreakingTransform(), validate_args)

    @property
    def _normal(self) -> Any:
        base: Any = self.base_dist
        return base.base_dist

    @property
    def loc(self) -> Tensor:
        """The means of the normal vectors."""
        return self._normal.loc

    @property
    def scale(self) -> Tensor:
        """Their standard deviations."""
        return self._normal.scale
