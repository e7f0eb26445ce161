"""Probability distributions, under the names of ``torch.distributions``: they are sampled from, say how probable a
value is, and are compared.

Everything is made of tensor operations, so gradients go through: through ``log_prob`` to the parameters (policy
gradients), and through ``rsample``, which draws noise and moves and scales it, to them as well (variational
autoencoders; Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014).

Shapes: ``sample_shape + batch_shape + event_shape``. A batch is of independent distributions, each with its own
``log_prob``; an event is what has one ``log_prob`` together. :class:`Independent` makes events of batches.
"""

import sys as _sys

from . import constraints
from .continuous import Exponential, HalfNormal, Laplace, LogNormal, Normal, Uniform
from .discrete import Bernoulli, Categorical, Geometric, OneHotCategorical
from .distribution import Distribution
from .independent import Independent
from .kl import kl_divergence, register_kl
from .multivariate import MultivariateNormal

__all__ = [
    "Bernoulli",
    "Categorical",
    "Distribution",
    "Exponential",
    "Geometric",
    "HalfNormal",
    "Independent",
    "Laplace",
    "LogNormal",
    "MultivariateNormal",
    "Normal",
    "OneHotCategorical",
    "Uniform",
    "constraints",
    "kl_divergence",
    "register_kl",
]

# PyTorch has a file for each: `from torch.distributions.categorical import Categorical` is an import, too.
_sys.modules.update({
    f"{__name__}.{_file}": _sys.modules[__name__]
    for _file in (
        "bernoulli", "categorical", "exponential", "geometric", "half_normal", "laplace", "log_normal",
        "multivariate_normal", "normal", "one_hot_categorical", "uniform",
    )
})  # fmt: skip
