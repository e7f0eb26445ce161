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
from .continuous import Exponential, HalfNormal, Laplace, LogNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical, Geometric, OneHotCategorical
from .distribution import Distribution
from .gamma import Beta, Chi2, Dirichlet, Gamma, StudentT
from .independent import Independent
from .kl import kl_divergence, register_kl
from .mixture import MixtureSameFamily
from .multivariate import MultivariateNormal
from .relaxed import Gumbel, OneHotCategoricalStraightThrough, RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed import TransformedDistribution
from .transforms import (
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    PowerTransform,
    SigmoidTransform,
    SoftplusTransform,
    TanhTransform,
    Transform,
    identity_transform,
)

__all__ = [
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Categorical",
    "Chi2",
    "ComposeTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "Gamma",
    "Geometric",
    "Gumbel",
    "HalfNormal",
    "Independent",
    "Laplace",
    "LogNormal",
    "MixtureSameFamily",
    "MultivariateNormal",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "SigmoidTransform",
    "SoftplusTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "constraints",
    "identity_transform",
    "kl_divergence",
    "register_kl",
    "transforms",
]

# PyTorch has a file for each: `from torch.distributions.categorical import Categorical` is an import, too.
_sys.modules.update({
    f"{__name__}.{_file}": _sys.modules[__name__]
    for _file in (
        "bernoulli", "beta", "categorical", "chi2", "dirichlet", "exponential", "geometric", "gumbel", "half_normal",
        "laplace", "log_normal", "mixture_same_family", "multivariate_normal", "normal", "one_hot_categorical",
        "relaxed_bernoulli", "relaxed_categorical", "studentT", "transformed_distribution", "uniform",
    )
})  # fmt: skip
