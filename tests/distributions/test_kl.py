"""Divergences of all pairs that PyTorch knows, against its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinyconv
from tinyconv import distributions as D

PARAMETERS = {
    "Bernoulli": {"probs": [0.3, 0.9]}, "Beta": {"concentration1": [0.7, 2.0], "concentration0": [1.4, 3.0]},
    "Binomial": {"total_count": [7.0, 7.0], "probs": [0.3, 0.9]}, "Categorical": {"probs": [[0.2, 0.8], [0.5, 0.5]]},
    "Cauchy": {"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, "ContinuousBernoulli": {"probs": [0.3, 0.9]},
    "Dirichlet": {"concentration": [[0.7, 2.0], [0.3, 1.9]]}, "Exponential": {"rate": [0.3, 4.0]},
    "Gamma": {"concentration": [0.7, 2.0], "rate": [1.4, 3.0]}, "Geometric": {"probs": [0.3, 0.9]},
    "Gumbel": {"loc": [0.5, -1.0], "scale": [1.0, 0.9]}, "HalfNormal": {"scale": [1.0, 0.3]},
    "HalfCauchy": {"scale": [1.0, 0.3]}, "InverseGamma": {"concentration": [0.7, 2.0], "rate": [1.4, 3.0]},
    "Laplace": {"loc": [0.5, -1.0], "scale": [1.0, 0.3]},
    "LowRankMultivariateNormal": {
        "loc": [0.5, -1.0], "cov_factor": [[1.0], [0.4]], "cov_diag": [0.5, 2.0],
    },
    "MultivariateNormal": {"loc": [0.5, -1.0], "covariance_matrix": [[2.0, 0.5], [0.5, 1.0]]},
    "Normal": {"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, "OneHotCategorical": {"probs": [[0.2, 0.8], [0.5, 0.5]]},
    "Pareto": {"scale": [0.2, 0.3], "alpha": [3.0, 2.5]}, "Poisson": {"rate": [0.3, 4.0]},
    "Uniform": {"low": [0.35, 0.4], "high": [0.6, 0.9]},
}  # fmt: skip


def made(library, name, factor=1.0):
    found = library.distributions if library is not tinyconv else D
    factor = 1.0 if name in ("Binomial", "Uniform", "MultivariateNormal", "LowRankMultivariateNormal") else factor
    return getattr(found, name)(**{k: factor * library.tensor(v) for k, v in PARAMETERS[name].items()})


def test_every_pair_is_pytorchs():
    torch = pytest.importorskip("torch")
    from torch.distributions.kl import _KL_REGISTRY

    names = {(p.__name__, q.__name__) for p, q in _KL_REGISTRY}
    names = [pair for pair in sorted(names) if set(pair) <= PARAMETERS.keys()]
    names += [("HalfCauchy", "HalfCauchy"), ("InverseGamma", "InverseGamma")]  # there by the rule for transformed ones
    assert len(names) > 70
    for pair in names:
        theirs = torch.distributions.kl_divergence(made(torch, pair[0]), made(torch, pair[1], 0.9)).numpy()
        found = D.kl_divergence(made(tinyconv, pair[0]), made(tinyconv, pair[1], 0.9))
        if pair == ("ContinuousBernoulli", "Uniform") or pair == ("Uniform", "ContinuousBernoulli"):
            continue  # PyTorch's are infinite the wrong way round: below
        np.testing.assert_allclose(found, theirs, rtol=2e-5, atol=2e-6, err_msg=str(pair))


@pytest.mark.parametrize("p, q", [("Uniform", "ContinuousBernoulli"), ("Uniform", "Beta"), ("Normal", "Gumbel"),
                                  ("Exponential", "Gumbel"), ("Pareto", "Gamma"), ("Gamma", "Normal")])  # fmt: skip
def test_the_divergence_is_the_mean_of_the_difference(p, q):
    p, q = made(tinyconv, p), made(tinyconv, q)
    tinyconv.manual_seed(3)
    x = p.sample((40000,))
    difference = p.log_prob(x) - q.log_prob(x)
    found = D.kl_divergence(p, q)
    assert bool(((difference.mean(0) - found).abs() < 5 * difference.std(0) / 200 + 1e-5).all())


def test_divergences_of_transformed_distributions():
    exp, base = [D.ExpTransform()], (D.Normal(0.0, 1.0), D.Normal(1.0, 2.0))
    p, q = (D.TransformedDistribution(b, exp) for b in base)
    assert D.kl_divergence(p, q) == D.kl_divergence(*base)
    with pytest.raises(NotImplementedError, match="different transforms"):
        D.kl_divergence(p, D.TransformedDistribution(base[1], [D.TanhTransform()]))


def test_divergences_at_the_ends():
    unit, wide = D.Uniform(0.0, 1.0), D.Uniform(-1.0, 2.0)
    c = D.ContinuousBernoulli(0.7)
    assert D.kl_divergence(c, unit).item() == pytest.approx(-c.entropy().item())
    assert D.kl_divergence(c, D.Uniform(0.2, 2.0)) == math.inf == D.kl_divergence(wide, c)
    assert D.kl_divergence(wide, D.Exponential(1.0)) == math.inf == D.kl_divergence(wide, D.Gamma(1.0, 1.0))
    assert D.kl_divergence(D.Pareto(1.0, 1.0), D.Exponential(1.0)) == math.inf
    assert D.kl_divergence(D.Poisson(3.0), D.Bernoulli(0.5)) == math.inf
    with pytest.raises(NotImplementedError, match="total_count"):
        D.kl_divergence(D.Binomial(3, 0.5), D.Binomial(4, 0.5))
    assert D.kl_divergence(D.Binomial(4, 0.5), D.Binomial(3, 0.5)) == math.inf
