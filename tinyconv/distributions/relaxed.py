"""Choices that gradients go through: soft ones (Maddison et al., "The concrete distribution", and Jang et al.,
"Categorical reparameterization with Gumbel-softmax", both ICLR 2017), and hard ones with the gradient of soft ones.
"""

from __future__ import annotations

from typing import Any

from ..dtypes import finfo
from ..ops import lgamma, softplus
from ..tensor import Tensor
from . import constraints
from .discrete import Bernoulli, OneHotCategorical
from .distribution import Distribution
from .inverse import open_uniform

__all__ = ["OneHotCategoricalStraightThrough", "RelaxedBernoulli", "RelaxedOneHotCategorical"]


class RelaxedBernoulli(Distribution):
    """Numbers between 0 and 1, near either if the ``temperature`` is low: the sigmoid of ``(logits + noise) /
    temperature``, with the logarithm of a uniform number's odds for noise.

    Args:
        temperature: positive, a tensor or a number.
        probs: the probability of being nearer to 1.
        logits: the logarithm of its odds, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, or no probability.
    """

    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self.temperature, self._hard = temperature, Bernoulli(probs, logits, validate_args)
        super().__init__(self._hard.batch_shape, validate_args=validate_args)

    @property
    def probs(self) -> Tensor:
        return self._hard.probs

    @property
    def logits(self) -> Tensor:
        return self._hard.logits

    def expand(self, batch_shape: Any) -> RelaxedBernoulli:
        return RelaxedBernoulli(self.temperature, logits=self.logits.expand(batch_shape), validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = open_uniform(self.logits, self._extended_shape(sample_shape))
        limits = finfo(u.dtype)
        soft = ((self.logits + u.log() - (-u).log1p()) / self.temperature).sigmoid()
        return soft.clamp(limits.tiny, 1 - limits.eps)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        limits = finfo(value.dtype)
        value = value.clamp(limits.tiny, 1 - limits.eps)
        x = value.log() - (-value).log1p()
        difference = self.logits - x * self.temperature
        temperature = value.new_ones(()) * self.temperature
        return temperature.log() + difference - 2 * softplus(difference) + softplus(-x) + softplus(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RelaxedOneHotCategorical(Distribution):
    """Vectors of probabilities, nearly one-hot if the ``temperature`` is low: the softmax of ``(logits + noise) /
    temperature``, with noise of :class:`~tinyconv.distributions.Gumbel`.

    Args:
        temperature: positive, a tensor or a number.
        probs: the probabilities of the classes, ``(..., K)``, or numbers in proportion to them.
        logits: their logarithms, up to a constant, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two.
    """

    support = constraints.simplex
    has_rsample = True

    def __init__(self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self.temperature, self._hard = temperature, OneHotCategorical(probs, logits, validate_args)
        super().__init__(self._hard.batch_shape, self._hard.event_shape, validate_args)

    @property
    def probs(self) -> Tensor:
        return self._hard.probs

    @property
    def logits(self) -> Tensor:
        return self._hard.logits

    def expand(self, batch_shape: Any) -> RelaxedOneHotCategorical:
        logits = self.logits.expand(*batch_shape, *self.event_shape)
        return RelaxedOneHotCategorical(self.temperature, logits=logits, validate_args=False)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = -(-open_uniform(self.logits, self._extended_shape(sample_shape)).log()).log()
        return ((self.logits + noise) / self.temperature).softmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        k = self.event_shape[0]
        temperature = value.new_ones(()) * self.temperature
        scores = self.logits - temperature * value.log()
        scale = lgamma(value.new_full((), float(k))) + (k - 1) * temperature.log()
        return (scores - scores.logsumexp(-1, keepdim=True) - value.log()).sum(-1) + scale

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """:class:`OneHotCategorical` whose values have the gradient of the probabilities (Bengio et al., "Estimating or
    propagating gradients through stochastic neurons", 2013)."""

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
