"""Mixtures of distributions of one kind."""

from __future__ import annotations

from typing import Any

from ..autograd import no_grad
from ..tensor import Tensor
from .discrete import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """One of K distributions, drawn by weight: ``p(x) = sum of p(k) p_k(x)``.

    Args:
        mixture_distribution: the weights, a Categorical over K.
        component_distribution: with K as its last batch axis.
        validate_args: whether to check values.

    Raises:
        ValueError: no Categorical, no Distribution, or batches that do not fit.
    """

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution,
                 validate_args: bool | None = None):  # fmt: skip
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "The Mixture distribution needs to be an instance of distributions.Categorical, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of distributions.Distribution, got "
                f"{type(component_distribution).__name__}"
            )
        weights, batch = mixture_distribution.probs.shape, component_distribution.batch_shape
        if weights[-1:] != batch[-1:] or any(
            [1 not in (a, b) and a != b for a, b in zip(weights[-2::-1], batch[-2::-1])]
        ):
            raise ValueError(
                f"mixture_distribution has probs of shape {weights}, component_distribution the batch {batch}"
            )
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    @property
    def mixture_distribution(self) -> Categorical:
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        return self._component_distribution

    @property
    def support(self) -> Any:
        """That of the components."""
        return self._component_distribution.support

    def expand(self, batch_shape: Any) -> MixtureSameFamily:
        batch = tuple(batch_shape)
        components = self._component_distribution.batch_shape[-1:]
        return MixtureSameFamily(
            self._mixture_distribution.expand(batch), self._component_distribution.expand((*batch, *components))
        )

    def _over_components(self, of_each: Tensor) -> Tensor:
        """The weighted mean over the components."""
        probs = self._mixture_distribution.probs
        event = len(self.event_shape)
        return (probs.reshape(*probs.shape, *[1] * event) * of_each).sum(-1 - event)

    @property
    def mean(self) -> Tensor:
        return self._over_components(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        means = self._component_distribution.mean
        off = means - self.mean.unsqueeze(-1 - len(self.event_shape))
        return self._over_components(self._component_distribution.variance + off**2)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        own = self._component_distribution.log_prob(value.unsqueeze(-1 - len(self.event_shape)))
        return (own + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        own = self._component_distribution.cdf(value.unsqueeze(-1 - len(self.event_shape)))
        return (own * self._mixture_distribution.probs).sum(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            event = len(self.event_shape)
            which = self._mixture_distribution.expand(self.batch_shape).sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = which.reshape(*which.shape, *[1] * (event + 1))
            index = index.expand(*which.shape, 1, *self.event_shape)
            return drawn.gather(-1 - event, index).squeeze(-1 - event)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
