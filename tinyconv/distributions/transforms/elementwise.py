"""Transforms of numbers: each element by itself."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ...ops import atanh, broadcast_shapes, full_like, softplus
from ...tensor import Size, Tensor
from .. import constraints
from ..distribution import Distribution, broadcast_all, sum_rightmost
from .base import Transform, of_events

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "CumulativeDistributionTransform",
    "ExpTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
]


class ExpTransform(Transform):
    """``y = exp(x)``."""

    domain, codomain = constraints.real, constraints.positive
    bijective = True
    sign = 1
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class PowerTransform(Transform):
    """``y = x ** exponent``.

    Args:
        exponent: a tensor or a number.
        cache_size: its cache.
    """

    domain, codomain = constraints.positive, constraints.positive
    bijective = True
    _made_of = ("exponent",)

    def __init__(self, exponent: Any, cache_size: int = 0):
        super().__init__(cache_size)
        (self.exponent,) = broadcast_all(exponent)

    @property
    def sign(self) -> Tensor:
        return self.exponent.sign()

    def _call(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape: Any) -> Size:
        return Size(broadcast_shapes(shape, self.exponent.shape))

    inverse_shape = forward_shape


def clipped_sigmoid(x: Tensor) -> Tensor:
    """:func:`sigmoid` without its ends, 0 and 1."""
    ends = dtypes.finfo(x.dtype)
    return x.sigmoid().clamp(ends.tiny, 1 - ends.eps)


class SigmoidTransform(Transform):
    """``y = 1 / (1 + exp(-x))``, without its ends, 0 and 1."""

    domain, codomain = constraints.real, constraints.unit_interval
    bijective = True
    sign = 1
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return clipped_sigmoid(x)

    def _inverse(self, y: Tensor) -> Tensor:
        ends = dtypes.finfo(y.dtype)
        y = y.clamp(ends.tiny, 1 - ends.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


class SoftplusTransform(Transform):
    """``y = log(1 + exp(x))``."""

    domain, codomain = constraints.real, constraints.positive
    bijective = True
    sign = 1
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-(-y).expm1()).log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(Transform):
    """``y = tanh(x)``. Far from 0 the inverse is infinite by rounding: there a cache gives back the x that was."""

    domain, codomain = constraints.real, constraints.interval(-1.0, 1.0)
    bijective = True
    sign = 1
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return atanh(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2 * (math.log(2) - x - softplus(-2 * x))  # log(1 - tanh(x)**2), also where tanh(x) is rounded to 1


class AbsTransform(Transform):
    """``y = |x|``, which has no inverse: ``inv`` gives the x that is not negative."""

    domain, codomain = constraints.real, constraints.positive
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class AffineTransform(Transform):
    """``y = loc + scale * x``.

    Args:
        loc: a tensor or a number.
        scale: a tensor or a number, not 0.
        event_dim: how many axes an event has.
        cache_size: its cache.
    """

    bijective = True
    _made_of = ("loc", "scale", "event_dim")

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0):
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self) -> int:
        return self._event_dim

    @property
    def domain(self) -> Any:
        return of_events(constraints.real, self._event_dim)

    @property
    def codomain(self) -> Any:
        return of_events(constraints.real, self._event_dim)

    @property
    def sign(self) -> Any:
        return self.scale.sign() if isinstance(self.scale, Tensor) else (self.scale > 0) - (self.scale < 0)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        if isinstance(self.scale, Tensor):
            each = self.scale.abs().log().expand(x.shape)
        else:
            each = full_like(x, math.log(abs(self.scale)))
        return sum_rightmost(each, self._event_dim)

    def forward_shape(self, shape: Any) -> Size:
        own = [v.shape for v in (self.loc, self.scale) if isinstance(v, Tensor)]
        return Size(broadcast_shapes(shape, *own))

    inverse_shape = forward_shape


class CumulativeDistributionTransform(Transform):
    """``y = distribution.cdf(x)``: uniform, if x is of that distribution.

    Args:
        distribution: one with ``cdf`` and ``icdf``.
        cache_size: its cache.
    """

    codomain = constraints.unit_interval
    bijective = True
    sign = 1
    _made_of = ("distribution",)

    def __init__(self, distribution: Distribution, cache_size: int = 0):
        super().__init__(cache_size)
        self.distribution = distribution

    @property
    def domain(self) -> Any:
        return self.distribution.support

    def _call(self, x: Tensor) -> Tensor:
        return self.distribution.cdf(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self.distribution.log_prob(x)
