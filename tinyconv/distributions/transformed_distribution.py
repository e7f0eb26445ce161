"""Distributions of transformed values: normalizing flows."""

from __future__ import annotations

from typing import Any, Self

from ..autograd import no_grad
from ..tensor import Size, Tensor
from .distribution import Distribution, sum_rightmost
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .transforms.base import of_events

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """``transforms[-1](... transforms[0](x))`` for an x of ``base_distribution``, with the density
    ``log p(y) = log p(x) - log |det dy/dx|``.

    An event is what the base or a transform takes together.

    Args:
        base_distribution: the distribution of x.
        transforms: a transform, or a list of them, the first first.
        validate_args: whether to check values.

    Raises:
        ValueError: no transforms, or a base with fewer axes than they take together.
    """

    def __init__(self, base_distribution: Distribution, transforms: Transform | list[Transform],
                 validate_args: bool | None = None):  # fmt: skip
        listed = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(listed, list) or not all([isinstance(t, Transform) for t in listed]):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, got {transforms!r}")
        self.transforms = listed
        whole, own = ComposeTransform(listed), len(base_distribution.event_shape)
        taken, made = whole.domain.event_dim, whole.codomain.event_dim
        base_shape = Size((*base_distribution.batch_shape, *base_distribution.event_shape))
        if len(base_shape) < taken:
            raise ValueError(f"base_distribution needs to have shape with size at least {taken}, but got {base_shape}.")
        shape = whole.forward_shape(base_shape)
        needed = whole.inverse_shape(shape)  # larger than the base's if the transforms' parameters are
        if base_shape != needed:
            base_distribution = base_distribution.expand(needed[: len(needed) - own])
        if taken > own:
            base_distribution = Independent(base_distribution, taken - own)
        self.base_dist = base_distribution
        start = len(shape) - max(made, own + made - taken)
        super().__init__(shape[:start], shape[start:], validate_args)

    def expand(self, batch_shape: Any) -> Self:
        batch = tuple(batch_shape)
        shape = ComposeTransform(self.transforms).inverse_shape((*batch, *self._event_shape))
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        made.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        made._batch_shape = Size(batch)
        return made

    @property
    def has_rsample(self) -> bool:
        """Whether the base has it."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Any:
        """What the last transform gives."""
        if not self.transforms:
            return self.base_dist.support
        return of_events(self.transforms[-1].codomain, len(self._event_shape))

    def _transformed(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        event_dim, y, total = len(self._event_shape), value, None
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            term = sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim)
            total, y = term if total is None else total + term, x
        own = sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))
        return own if total is None else own - total

    def _mirrored(self, probability: Tensor) -> Tensor:
        """``1 - probability`` where the transforms fall: the cdf rises nevertheless."""
        sign = ComposeTransform(self.transforms).sign
        return probability if isinstance(sign, int) and sign == 1 else sign * (probability - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._mirrored(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        return self._transformed(self.base_dist.icdf(self._mirrored(value)))
