"""The Kullback-Leibler divergence of two distributions, ``KL(p, q) = E_p[log p(x) - log q(x)]``: a formula a pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..ops import broadcast_shapes, digamma, lgamma, softplus
from ..ops.decomposition import solve_triangular
from ..tensor import Tensor
from .continuous import Exponential, HalfNormal, Laplace, LogNormal, Normal, Uniform
from .continuous_bernoulli import ContinuousBernoulli
from .counts import Binomial, Poisson
from .discrete import Bernoulli, Categorical, Geometric, OneHotCategorical
from .distribution import Distribution, sum_rightmost
from .gamma import Beta, Dirichlet, Gamma, InverseGamma
from .independent import Independent
from .inverse import EULER, Cauchy, Gumbel, HalfCauchy, Pareto
from .multivariate import LowRankMultivariateNormal, MultivariateNormal, squared_distance
from .transformed_distribution import TransformedDistribution

__all__ = ["kl_divergence", "register_kl"]

_FORMULAS: dict[tuple[type, type], Callable[[Any, Any], Tensor]] = {}


def register_kl(type_p: type, type_q: type) -> Callable:
    """A decorator: this function is the divergence of such a pair, and of subclasses that have none of their own.

    Raises:
        TypeError: not two Distributions.
    """
    for cls in (type_p, type_q):
        if not isinstance(cls, type) or not issubclass(cls, Distribution):
            raise TypeError(f"Expected a Distribution subclass but got {cls}")

    def register(function: Callable) -> Callable:
        _FORMULAS[type_p, type_q] = function
        return function

    return register


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``KL(p, q)`` for each in the batch.

    Raises:
        NotImplementedError: no formula is known.
    """
    for a in type(p).__mro__:
        for b in type(q).__mro__:
            if (a, b) in _FORMULAS:
                return _FORMULAS[a, b](p, q)
    raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
                              f"{type(q).__name__}")  # fmt: skip


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale) ** 2 - 1 - ratio.log())


@register_kl(LogNormal, LogNormal)
def _log_normal(p: LogNormal, q: LogNormal) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    ratio = (p.scale / q.scale) ** 2
    return 0.5 * (ratio - 1 - ratio.log())


@register_kl(Laplace, Laplace)
def _laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    return b * (p.rate / q.rate).log() + lgamma(b) - lgamma(a) + (a - b) * digamma(a) + (q.rate - p.rate) * a / p.rate


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    means = digamma(a) - digamma(a.sum(-1, keepdim=True))  # of log x
    return q._log_beta() - p._log_beta() + ((a - b) * means).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._both(), q._both())


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    ratio, distance = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return -ratio.log() + distance + ratio * EULER + (lgamma(1 + ratio) - distance).exp() - (1 + EULER)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    return (((p.scale + q.scale) ** 2 + (p.loc - q.loc) ** 2) / (4 * p.scale * q.scale)).log()


@register_kl(HalfCauchy, HalfCauchy)
def _half_cauchy(p: HalfCauchy, q: HalfCauchy) -> Tensor:
    return ((p.scale + q.scale) ** 2 / (4 * p.scale * q.scale)).log()


@register_kl(InverseGamma, InverseGamma)
def _inverse_gamma(p: InverseGamma, q: InverseGamma) -> Tensor:
    return _gamma(p.base_dist, q.base_dist)


@register_kl(Pareto, Pareto)
def _pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    return (q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1).masked_fill(p.scale < q.scale, math.inf)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: ContinuousBernoulli, q: ContinuousBernoulli) -> Tensor:
    return p.mean * (p.logits - q.logits) - p.log_normalizer() + q.log_normalizer()


@register_kl(Uniform, Uniform)
def _uniform(p: Uniform, q: Uniform) -> Tensor:
    return ((q.high - q.low) / (p.high - p.low)).log().masked_fill((q.low > p.low) | (q.high < p.high), math.inf)


@register_kl(Uniform, Normal)
def _uniform_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    spread = (((p.high + p.low - 2 * q.loc) / 2) ** 2 + width**2 / 12) / (2 * q.scale**2)
    return (math.sqrt(2 * math.pi) * q.scale / width).log() + spread


@register_kl(Normal, Laplace)
def _normal_laplace(p: Normal, q: Laplace) -> Tensor:
    distance = p.loc - q.loc
    steps, ratio = distance / p.scale, p.scale / q.scale
    mean = math.sqrt(2 / math.pi) * p.scale * (-0.5 * steps**2).exp() + distance * (math.sqrt(0.5) * steps).erf()
    return -ratio.log() + mean / q.scale - 0.5 * (1 + math.log(0.5 * math.pi))


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: vectors of {p.event_shape[0]} and of {q.event_shape[0]} elements")
    spread = (solve_triangular(*_together(q._tril, p._tril), upper=False) ** 2).sum((-2, -1))
    distance = squared_distance(q._tril, q.loc - p.loc)
    return q.half_log_det() - p.half_log_det() + 0.5 * (spread + distance - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _low_rank(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(f"kl_divergence: vectors of {p.event_shape[0]} and of {q.event_shape[0]} elements")
    distance, precision = (q.loc - p.loc).unsqueeze(-1), q.precision_matrix
    squares = (precision * (p.covariance_matrix + distance @ distance.mT)).sum((-2, -1))
    return q.half_log_det() - p.half_log_det() + 0.5 * (squares - p.event_shape[0])


def _together(*matrices: Tensor) -> list[Tensor]:
    """Matrices of one batch."""
    batch = broadcast_shapes(*[m.shape[:-2] for m in matrices])
    return [m.expand(*batch, *m.shape[-2:]) for m in matrices]


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    a, b, x, y = p.probs, q.probs, p.logits, q.logits
    ones = a * (softplus(-y) - softplus(-x))
    zeros = (1 - a) * (softplus(y) - softplus(x))
    ones = ones.masked_fill(b == 0, math.inf).masked_fill(a == 0, 0)
    return ones + zeros.masked_fill(b == 1, math.inf).masked_fill(a == 1, 0)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError("kl_divergence of Binomials is not implemented where q.total_count > p.total_count")
    each = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return each.masked_fill(p.total_count > q.total_count, math.inf)


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    impossible, never = q.probs == 0, p.probs == 0
    return terms.masked_fill(impossible, math.inf).masked_fill(never, 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("kl_divergence of two Independent distributions with different events")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("kl_divergence of two transformed distributions with different transforms or events")
    return kl_divergence(p.base_dist, q.base_dist)
