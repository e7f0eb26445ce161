"""Soft choices, and hard ones with their gradients, against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import distributions as D
from tinyconv import nn


@pytest.mark.parametrize("name", ["RelaxedBernoulli", "RelaxedOneHotCategorical"])
def test_soft_choices(name):
    probs = {"RelaxedBernoulli": [0.2, 0.9], "RelaxedOneHotCategorical": [[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]]}[name]
    value = {"RelaxedBernoulli": [0.3, 0.6], "RelaxedOneHotCategorical": [0.25, 0.25, 0.5]}[name]
    tinyconv.manual_seed(2)
    given = tinyconv.tensor(probs, requires_grad=True)
    d = getattr(D, name)(tinyconv.tensor(0.3), probs=given)
    x = d.rsample((20000,))
    assert x.requires_grad and d.support.check(x.detach().double() if x.dim() < 3 else x.detach()).float().mean() > 0.99
    nearest = (x > 0.5).float() if x.dim() < 3 else nn.functional.one_hot(x.argmax(-1), 3).float()
    np.testing.assert_allclose(nearest.mean(0), probs, atol=0.02)  # which is nearest has the hard probabilities
    assert d.expand((3, 2)).sample().shape == (3, *x.shape[1:])
    torch = pytest.importorskip("torch")
    results = []
    for library in (tinyconv, torch):
        p, t = library.tensor(probs, requires_grad=True), library.tensor(0.7, requires_grad=True)
        d = getattr(library.distributions, name)(t, probs=p)
        log = d.log_prob(library.tensor(value))
        log.sum().backward()
        results.append([log.detach(), p.grad, t.grad, d.probs.detach(), d.logits.detach()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


def test_hard_choices_with_the_gradient_of_soft_ones():
    p = tinyconv.tensor([0.2, 0.3, 0.5], requires_grad=True)
    x = D.OneHotCategoricalStraightThrough(p).rsample((4,))
    assert D.constraints.one_hot.check(x.detach().round()).all()
    (found,) = tinyconv.autograd.grad((x * tinyconv.tensor([1.0, 2.0, 3.0])).sum(), p)
    np.testing.assert_allclose(found, 4 * (np.array([1, 2, 3]) - 2.3), rtol=1e-5)
