"""What transforms make of random values: the density of y = f(x) is that of x over how f stretches."""

from __future__ import annotations

from typing import Any

from ..autograd import no_grad
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, sum_rightmost
from .independent import Independent
from .transforms import ComposeTransform, Transform

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """``f(x)`` for an x of ``base_distribution``; ``log p(y) = log p(x) - log |dy/dx|``.

    Args:
        base_distribution: of x.
        transforms: one :class:`~tinyconv.distributions.transforms.Transform`, or a list: the first is applied first.
        validate_args: whether to check values.

    Raises:
        ValueError: what is no transform.
    """

    def __init__(self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None):
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        for transform in self.transforms:
            if not isinstance(transform, Transform):
                raise ValueError(f"transforms must be a Transform or a list of Transforms, got {transforms!r}")
        whole = ComposeTransform(self.transforms)
        missing = whole.domain.event_dim - len(base_distribution.event_shape)
        self.base_dist = Independent(base_distribution, missing) if missing > 0 else base_distribution
        own = self.base_dist
        shape = whole.forward_shape(own.batch_shape + own.event_shape)
        more = max(0, len(own.event_shape) - whole.domain.event_dim)
        cut = len(shape) - whole.codomain.event_dim - more
        super().__init__(shape[:cut], shape[cut:], validate_args)

    @property
    def has_rsample(self) -> bool:
        """Whether the base has it."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Any:
        """What the last transform leads to."""
        if not self.transforms:
            return self.base_dist.support
        own = self.transforms[-1].codomain
        more = len(self.event_shape) - own.event_dim
        return constraints.independent(own, more) if more else own

    def expand(self, batch_shape: Any) -> TransformedDistribution:
        shape = (*batch_shape, *self.event_shape)
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        own = len(shape) - len(self.base_dist.event_shape)
        return TransformedDistribution(self.base_dist.expand(shape[:own]), self.transforms)

    def _moved(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def _back(self, y: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            y = transform.inv(y)
        return y

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return self._moved(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._moved(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        stretched: Any = 0.0
        event_dim, y = len(self.event_shape), value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            own = transform.log_abs_det_jacobian(x, y)
            stretched = stretched + sum_rightmost(own, event_dim - transform.domain.event_dim)
            y = x
        return sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape)) - stretched

    def _upwards(self, p: Tensor) -> Tensor:
        """``p``, or ``1 - p`` where large x are small y."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign * (p - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._upwards(self.base_dist.cdf(self._back(value)))

    def icdf(self, value: Tensor) -> Tensor:
        return self._moved(self.base_dist.icdf(self._upwards(value)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
