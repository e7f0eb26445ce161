"""Probability distributions, under the names of ``torch.distributions``: they are sampled from, say how probable a
value is, and are compared.

Everything is made of tensor operations, so gradients go through: through ``log_prob`` to the parameters (policy
gradients), and through ``rsample``, which draws noise and moves and scales it, to them as well (variational
autoencoders; Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014).

Shapes: ``sample_shape + batch_shape + event_shape``. A batch is of independent distributions, each with its own
``log_prob``; an event is what has one ``log_prob`` together. :class:`Independent` makes events of batches.
"""

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
