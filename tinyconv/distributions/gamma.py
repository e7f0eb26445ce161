"""The gamma distribution, and those that are made of gamma-distributed values: Beta, Chi2, Dirichlet, FisherSnedecor,
InverseGamma, StudentT. Gradients go through the values (ops/gamma.py says how).
"""

from __future__ import annotations

import math
from typing import Any

from ..dtypes import finfo
from ..ops import digamma, lgamma, randn_like, stack, where, zeros_like
from ..ops.gamma import standard_gamma
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, broadcast_all

__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "InverseGamma", "StudentT"]


class Gamma(Distribution):
    """``p(x) = rate**a * x**(a - 1) * exp(-rate * x) / gamma(a)``, a the ``concentration``.

    Args:
        concentration, rate: positive tensors or numbers.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None):
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate**2

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        a = self.concentration
        return a.xlogy(self.rate) + (a - 1).xlogy(value) - self.rate * value - lgamma(a)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + lgamma(a) + (1 - a) * digamma(a)


class Chi2(Gamma):
    """The sum of the squares of ``df`` normal numbers.

    Args:
        df: how many: a positive tensor or number.
        validate_args: whether to check it and values.

    Raises:
        ValueError: a ``df`` that is not positive.
    """

    arg_constraints = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None):
        (self.df,) = broadcast_all(df)
        super().__init__(0.5 * self.df, 0.5, validate_args)

    def __repr__(self) -> str:
        return "Chi2()"


class InverseGamma(Distribution):
    """``1 / x`` for an x of :class:`Gamma`.

    Args:
        concentration, rate: of x, positive tensors or numbers.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None):
        self.base_dist = Gamma(concentration, rate, validate_args)
        self.concentration, self.rate = self.base_dist.concentration, self.base_dist.rate
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return (self.rate / (self.concentration - 1)).masked_fill(self.concentration <= 1, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        return (self.rate**2 / ((a - 1) ** 2 * (a - 2))).masked_fill(a <= 2, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.base_dist.rsample(sample_shape).reciprocal()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        a = self.concentration
        return a.xlogy(self.rate) - (a + 1) * value.log() - self.rate / value - lgamma(a)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + lgamma(a) - (1 + a) * digamma(a)

    def __repr__(self) -> str:
        return "InverseGamma()"


class FisherSnedecor(Distribution):
    """The ratio of two numbers of :class:`Chi2`, each over its degrees of freedom.

    Args:
        df1: the degrees of freedom above, positive.
        df2: those below, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None):
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return (self.df2 / (self.df2 - 2)).masked_fill(self.df2 <= 2, math.nan)

    @property
    def mode(self) -> Tensor:
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return mode.masked_fill(self.df1 <= 2, math.nan)

    @property
    def variance(self) -> Tensor:
        m, n = self.df1, self.df2
        return (2 * n**2 * (m + n - 2) / (m * (n - 2) ** 2 * (n - 4))).masked_fill(n <= 4, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        m, n = self.df1.expand(shape), self.df2.expand(shape)
        tiny = finfo(m.dtype).tiny
        return ((standard_gamma(m / 2) / m) / (standard_gamma(n / 2) / n).clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        scale = lgamma(a + b) - lgamma(a) - lgamma(b) + a * ratio.log()
        return scale + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()

    def entropy(self) -> Tensor:
        a, b = self.df1 / 2, self.df2 / 2
        log_beta = lgamma(a) + lgamma(b) - lgamma(a + b)
        means = (1 - a) * digamma(a) - (1 + b) * digamma(b) + (a + b) * digamma(a + b)
        return log_beta + means + (b / a).log()


class StudentT(Distribution):
    """``loc + scale * x / sqrt(z / df)`` for a normal x and a z of :class:`Chi2`: longer tails than the normal's.

    Args:
        df: the degrees of freedom, positive.
        loc: where the middle is.
        scale: how wide, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a ``df`` or ``scale`` that is not positive.
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale**2 * self.df / (self.df - 2)
        return finite.masked_fill(self.df <= 2, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        df = self.df.expand(self._extended_shape(sample_shape))
        return self.loc + self.scale * randn_like(df) * (df / (2 * standard_gamma(0.5 * df))).sqrt()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        y = (value - self.loc) / self.scale
        return -0.5 * (self.df + 1) * (y**2 / self.df).log1p() - self._log_normalizer()

    def _log_normalizer(self) -> Tensor:
        half = 0.5 * self.df
        return self.scale.log() + 0.5 * (math.pi * self.df).log() + lgamma(half) - lgamma(half + 0.5)

    def entropy(self) -> Tensor:
        half = 0.5 * self.df
        return (half + 0.5) * (digamma(half + 0.5) - digamma(half)) + self._log_normalizer()


class Dirichlet(Distribution):
    """Vectors of probabilities: ``p(x) = prod of x_i**(a_i - 1) / B(a)``, a the ``concentration``.

    Args:
        concentration: positive, ``(..., K)``.
        validate_args: whether to check it and values.

    Raises:
        ValueError: a number, or what is not positive.
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None):
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        above = (self.concentration - 1).clamp(min=0)
        mode = above / above.sum(-1, keepdim=True)
        corner = self.concentration.argmax(-1, keepdim=True)
        spread = (self.concentration < 1).all(-1, keepdim=True)
        return where(spread, zeros_like(mode).scatter(-1, corner, 1.0), mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, keepdim=True)
        return self.mean * (1 - self.mean) / (total + 1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        parts = standard_gamma(self.concentration.expand(self._extended_shape(sample_shape)))
        limits = finfo(parts.dtype)
        return (parts / parts.sum(-1, keepdim=True)).clamp(limits.tiny, 1 - limits.eps / 2)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return (self.concentration - 1).xlogy(value).sum(-1) - self._log_beta()

    def _log_beta(self) -> Tensor:
        return lgamma(self.concentration).sum(-1) - lgamma(self.concentration.sum(-1))

    def entropy(self) -> Tensor:
        a, total = self.concentration, self.concentration.sum(-1)
        k = a.shape[-1]
        return self._log_beta() - (k - total) * digamma(total) - ((a - 1) * digamma(a)).sum(-1)


class Beta(Distribution):
    """Probabilities: ``p(x) = x**(a - 1) * (1 - x)**(b - 1) / B(a, b)``.

    Args:
        concentration1: a, a positive tensor or number.
        concentration0: b, likewise.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a parameter that is not positive.
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None):
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        super().__init__(self.concentration1.shape, validate_args=validate_args)

    def _both(self) -> Dirichlet:
        """The distribution of (x, 1 - x)."""
        return Dirichlet(stack([self.concentration1, self.concentration0], -1), validate_args=False)

    @property
    def mean(self) -> Tensor:
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        return self._both().mode[..., 0]

    @property
    def variance(self) -> Tensor:
        return self._both().variance[..., 0]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._both().rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._both().log_prob(stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        return self._both().entropy()

    def __repr__(self) -> str:
        return "Beta()"
