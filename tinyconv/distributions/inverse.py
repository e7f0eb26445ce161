"""Distributions that are drawn from by the inverse of their cumulative distribution function."""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import finfo
from ..ops import digamma, full_like, lgamma, rand, where, zeros_like
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, broadcast_all

__all__ = ["Cauchy", "GeneralizedPareto", "Gumbel", "HalfCauchy", "Kumaraswamy", "Pareto", "Weibull"]

EULER = 0.5772156649015329


def open_uniform(like: Tensor, shape: Any) -> Tensor:
    """Uniform numbers whose logarithms, and those of 1 minus them, are finite."""
    limits = finfo(like.dtype)
    return rand(shape, dtype=like.dtype, device=like.device).clamp(limits.tiny, 1 - limits.eps)


class _ByInverse(Distribution):
    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        like = next(getattr(self, name) for name in self._given())
        return self.icdf(open_uniform(like, self._extended_shape(sample_shape)))


class Gumbel(_ByInverse):
    """The largest of many: ``P(x < z) = exp(-exp(-(z - loc) / scale))``.

    Args:
        loc: where: a tensor or a number.
        scale: how wide, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a scale that is not positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (math.pi**2 / 6) * self.scale**2

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + EULER)


class Cauchy(_ByInverse):
    """The ratio of two normal numbers, with the density ``1 / (pi * scale * (1 + ((x - loc) / scale)**2))``. It has no
    mean.

    Args:
        loc: the middle.
        scale: half the width at half the height, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a scale that is not positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return full_like(self.loc, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()


class HalfCauchy(_ByInverse):
    """``|x|`` for an x of :class:`Cauchy` around 0.

    Args:
        scale: of x, positive.
        validate_args: whether to check it and values.

    Raises:
        ValueError: a scale that is not positive.
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative

    def __init__(self, scale: Any, validate_args: bool | None = None):
        (self.scale,) = broadcast_all(scale)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return full_like(self.scale, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        inside = math.log(2 / math.pi) - self.scale.log() - ((value / self.scale) ** 2).log1p()
        return inside.masked_fill((value < 0).expand(inside.shape), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return (value / self.scale).atan() * (2 / math.pi)

    def icdf(self, value: Tensor) -> Tensor:
        return (math.pi / 2 * value).tan() * self.scale

    def entropy(self) -> Tensor:
        return math.log(2 * math.pi) + self.scale.log()

    def __repr__(self) -> str:
        return "HalfCauchy()"


class Weibull(_ByInverse):
    """``P(x > z) = exp(-(z / scale)**concentration)``: how long something lasts.

    Args:
        scale: positive.
        concentration: positive; above 1, what is older fails sooner.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.scale * lgamma(1 + 1 / self.concentration).exp()

    @property
    def mode(self) -> Tensor:
        k = self.concentration
        return self.scale * ((k - 1) / k).clamp(min=0) ** (1 / k)

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        return self.scale**2 * (lgamma(1 + 2 / k).exp() - (2 * lgamma(1 + 1 / k)).exp())

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        k, log = self.concentration, (value / self.scale).log()
        return (k / self.scale).log() + (k - 1) * log - (k * log).exp()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -(-((value / self.scale) ** self.concentration)).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * (-(-value).log1p()) ** (1 / self.concentration)

    def entropy(self) -> Tensor:
        return EULER * (1 - 1 / self.concentration) + (self.scale / self.concentration).log() + 1


class Pareto(_ByInverse):
    """``P(x > z) = (scale / z)**alpha`` for z from ``scale`` on.

    Args:
        scale: the least x, positive.
        alpha: positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None):
        self.scale, self.alpha = broadcast_all(scale, alpha)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def support(self) -> Any:
        """From ``scale`` on."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        a = self.alpha.clamp(min=1)  # up to which the mean is infinite
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        a = self.alpha.clamp(min=2)  # up to which the variance is infinite
        return self.scale**2 * a / ((a - 1) ** 2 * (a - 2))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self.alpha.log() + self.alpha * self.scale.log() - (self.alpha + 1) * value.log()

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -(self.alpha * (self.scale / value).log()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self.scale * (-(-value).log1p() / self.alpha).exp()

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + 1 + 1 / self.alpha


class GeneralizedPareto(_ByInverse):
    """``P(x > z) = (1 + concentration * (z - loc) / scale)**(-1 / concentration)``, what is beyond a threshold; with
    the concentration 0 an exponential distribution.

    Args:
        loc: the threshold.
        scale: positive.
        concentration: positive for long tails; negative: x is bounded.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a scale that is not positive.
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def support(self) -> Any:
        """From ``loc`` on."""
        k = self.concentration
        return constraints.interval(self.loc, (self.loc - self.scale / k).masked_fill(k >= 0, math.inf))

    @property
    def mean(self) -> Tensor:
        k = self.concentration
        return (self.loc + self.scale / (1 - k)).masked_fill(k >= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        k = self.concentration
        return (self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k))).masked_fill(k >= 0.5, math.nan)

    def _concentration_but_0(self) -> tuple[Tensor, Tensor]:
        """Where it is so near to 0 that it makes no difference; and it, with a 1 there."""
        none = self.concentration.abs() <= 1e-8
        return none, self.concentration.masked_fill(none, 1.0)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """``log P(x > value)``."""
        self._check_value(value)
        z, (none, k) = (value - self.loc) / self.scale, self._concentration_but_0()
        return where(none, -z + self.concentration * z**2 / 2, -(k * z).log1p() / k)

    def log_prob(self, value: Tensor) -> Tensor:
        return (1 + self.concentration) * self.log_survival_function(value) - self.scale.log()

    def log_cdf(self, value: Tensor) -> Tensor:
        """``log P(x <= value)``."""
        return self.cdf(value).log()

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        log, (none, k) = -(-value).log1p(), self._concentration_but_0()
        return self.loc + self.scale * where(none, log + self.concentration * log**2 / 2, (k * log).expm1() / k)

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1


class Kumaraswamy(_ByInverse):
    """Probabilities, ``P(x < z) = 1 - (1 - z**a)**b``: near to Beta, with a cdf that can be written down.

    Args:
        concentration1: a, a positive tensor or number.
        concentration0: b, likewise.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    def _moment(self, n: int) -> Tensor:
        """The mean of ``x**n``."""
        a, b = self.concentration1, self.concentration0
        return b * (lgamma(1 + n / a) + lgamma(b) - lgamma(1 + n / a + b)).exp()

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (((a - 1) / (a * b - 1)) ** (1 / a)).masked_fill((a < 1) | (b < 1) | (a * b == 1), math.nan)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self.mean**2

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        a, b = self.concentration1, self.concentration0
        return (a * b).log() + (a - 1).xlogy(value) + (b - 1).xlogy(1 - value**a)

    def cdf(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return -(self.concentration0 * (-(value**self.concentration1)).log1p()).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return (-((-value).log1p() / self.concentration0).expm1()) ** (1 / self.concentration1)

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        return (1 - 1 / b) + (1 - 1 / a) * (digamma(b + 1) + EULER) - (a * b).log()
