"""Mixtures, against SciPy's and PyTorch's, and samples against them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import tinyconv
from tinyconv import distributions as D


def mixture(library, event):
    d = library.distributions
    weights = library.tensor([[0.2, 0.8], [0.5, 0.5]], requires_grad=True)
    loc = library.tensor([[0.0, 3.0], [-1.0, 1.0]], requires_grad=True)
    parts = d.Normal(loc, library.tensor([1.0, 0.5]))
    if event:
        loc = library.tensor([[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]] * 2, requires_grad=True)
        parts = d.Independent(d.Normal(loc, 1.0), 1)
    return d.MixtureSameFamily(d.Categorical(weights), parts), weights, loc


@pytest.mark.parametrize("event", [False, True])
def test_a_mixture(event):
    d, weights, _ = mixture(tinyconv, event)
    tinyconv.manual_seed(3)
    x = d.sample((20000,))
    assert x.shape == (20000, 2, *d.event_shape)
    error = (d.variance / 20000).sqrt()
    assert bool(((x.mean(0) - d.mean).abs() < 5 * error).all())
    np.testing.assert_allclose(x.var(0), d.variance.detach(), rtol=0.06)
    if not event:
        p = weights.detach().numpy()
        means, value = np.array([[0, 3], [-1, 1]]), tinyconv.tensor(0.7)
        for found, of_each in ((d.log_prob(value).exp(), stats.norm.pdf), (d.cdf(value), stats.norm.cdf)):
            expected = (p * of_each(0.7, means, [1, 0.5])).sum(-1)
            np.testing.assert_allclose(found.detach(), expected, rtol=1e-5)
    torch = pytest.importorskip("torch")
    results = []
    for library in (tinyconv, torch):
        d, *parameters = mixture(library, event)
        log = d.log_prob(library.ones(5, 1, *d.event_shape))
        log.sum().backward()
        results.append([log.detach(), d.mean.detach(), d.variance.detach(), *[p.grad for p in parameters]])
        assert repr(d).startswith("MixtureSameFamily(\n  Categorical(probs: ") and tuple(
            d.expand((3, 2)).batch_shape
        ) == (3, 2)
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_what_does_not_mix():
    weights, parts = D.Categorical(tinyconv.ones(2)), D.Normal(tinyconv.zeros(3), 1.0)
    for arguments, message in (((parts, parts), "Categorical, got Normal"), ((weights, 3), "Distribution, got int"),
                               ((weights, parts), "probs of shape")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            D.MixtureSameFamily(*arguments)
