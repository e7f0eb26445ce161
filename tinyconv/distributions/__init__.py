"""Probability distributions, under the names of ``torch.distributions``: they are sampled from, say how probable a
value is, and are compared.

Everything is made of tensor operations, so gradients go through: through ``log_prob`` to the parameters (policy
gradients), and through ``rsample``, which draws noise and moves and scales it, to them as well (variational
autoencoders; Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014).

Shapes: ``sample_shape + batch_shape + event_shape``. A batch is of independent distributions, each with its own
``log_prob``; an event is what has one ``log_prob`` together. :class:`Independent` makes events of batches.
"""

import sys as _sys

from . import constraints, transforms
from . import kl_mixed as _kl_mixed  # which registers what it knows
from .constraint_registry import biject_to, transform_to
from .continuous import Exponential, HalfNormal, Laplace, LogNormal, Normal, Uniform
from .continuous_bernoulli import ContinuousBernoulli
from .counts import Binomial, Multinomial, NegativeBinomial, Poisson
from .discrete import Bernoulli, Categorical, Geometric, OneHotCategorical
from .distribution import Distribution
from .gamma import Beta, Chi2, Dirichlet, FisherSnedecor, Gamma, InverseGamma, StudentT
from .independent import Independent
from .inverse import Cauchy, GeneralizedPareto, Gumbel, HalfCauchy, Kumaraswamy, Pareto, Weibull
from .kl import kl_divergence, register_kl
from .logistic_normal import LogisticNormal
from .mixture import MixtureSameFamily
from .multivariate import LowRankMultivariateNormal, MultivariateNormal
from .relaxed import OneHotCategoricalStraightThrough, RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed_distribution import TransformedDistribution
from .transforms import *  # noqa: F403
from .transforms import __all__ as _transforms
from .von_mises import VonMises

__all__ = [
    "Bernoulli",
    "Beta",
    "Binomial",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ContinuousBernoulli",
    "Dirichlet",
    "Distribution",
    "Exponential",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "InverseGamma",
    "Kumaraswamy",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "StudentT",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "biject_to",
    "constraints",
    "kl_divergence",
    "register_kl",
    "transform_to",
    "transforms",
    *_transforms,
]

# PyTorch has a file for each: `from torch.distributions.categorical import Categorical` is an import, too.
_sys.modules.update({
    f"{__name__}.{_file}": _sys.modules[__name__]
    for _file in (
        "bernoulli", "beta", "binomial", "categorical", "cauchy", "chi2", "dirichlet", "exponential",
        "fishersnedecor", "generalized_pareto", "geometric", "gumbel", "half_cauchy", "half_normal", "inverse_gamma",
        "kumaraswamy", "laplace", "log_normal", "lowrank_multivariate_normal", "mixture_same_family", "multinomial",
        "multivariate_normal", "negative_binomial", "normal", "one_hot_categorical", "pareto", "poisson",
        "relaxed_bernoulli", "relaxed_categorical", "studentT", "uniform", "weibull",
    )
})  # fmt: skip
