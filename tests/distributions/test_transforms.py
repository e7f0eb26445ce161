"""Transformed distributions, mixtures and soft choices, against PyTorch's and against themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import tinyconv
from tinyconv import distributions as D
from tinyconv import nn

TRANSFORMS = {
    "affine": lambda T, t: T.AffineTransform(t([1.0, 2.0, 3.0]), t([2.0, -1.0, 0.5])),
    "affine of numbers": lambda T, t: T.AffineTransform(1.0, -2),
    "affine of vectors": lambda T, t: T.AffineTransform(1.0, t([2.0, -1.0, 0.5]), event_dim=1),
    "exp": lambda T, t: T.ExpTransform(),
    "sigmoid": lambda T, t: T.SigmoidTransform(),
    "softplus": lambda T, t: T.SoftplusTransform(),
    "tanh": lambda T, t: T.TanhTransform(cache_size=1),
    "power": lambda T, t: T.ComposeTransform([T.ExpTransform(), T.PowerTransform(1.5)]),
    "several": lambda T, t: T.ComposeTransform([T.AffineTransform(0.0, 2.0, event_dim=1), T.TanhTransform()]),
    "inverse": lambda T, t: T.ComposeTransform([T.SigmoidTransform(), T.SigmoidTransform().inv]),
    "nothing": lambda T, t: T.identity_transform,
}
every_transform = pytest.mark.parametrize("name", TRANSFORMS)


@every_transform
def test_there_and_back(name):
    transform = TRANSFORMS[name](D.transforms, lambda v: tinyconv.tensor(v, dtype=tinyconv.float64))
    x = tinyconv.tensor([[-0.5, 0.3, 1.2]], dtype=tinyconv.float64, requires_grad=True)
    y = transform(x)
    np.testing.assert_allclose(transform.inv(y).detach(), x.detach(), rtol=1e-9)
    slope = tinyconv.autograd.functional.jacobian(lambda x: transform(x), x.detach()).reshape(3, 3).diag()
    expected = slope.abs().log()
    found = transform.log_abs_det_jacobian(x, y).detach()
    expected = expected.sum() if transform.domain.event_dim else expected
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(transform.inv.log_abs_det_jacobian(y, x).detach(), -found)
    assert transform.inv.inv is transform and transform.codomain.check(y).all() and transform.bijective
    again = TRANSFORMS[name](D.transforms, lambda v: tinyconv.tensor(v, dtype=tinyconv.float64))
    assert transform == again and transform != D.Transform()


@every_transform
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    found = []
    for library in (tinyconv, torch):
        d = library.distributions
        scale = library.tensor([1.0, 0.4, 2.0], requires_grad=True)
        base = d.Normal(library.zeros(2, 3), scale)
        made = d.TransformedDistribution(base, TRANSFORMS[name](d.transforms, library.tensor))
        with library.no_grad():
            value = TRANSFORMS[name](d.transforms, library.tensor)(library.tensor([0.3, -0.2, 0.9]))
        log_prob = made.log_prob(value)
        log_prob.sum().backward()
        numbers = [log_prob.detach(), scale.grad]
        if name not in ("affine of vectors", "several"):
            numbers += [made.cdf(value).detach(), made.icdf(library.full((2, 3), 0.3)).detach()]
        shapes = [
            tuple(made.batch_shape),
            tuple(made.event_shape),
            tuple(made.expand((4, 2, 3)[: 2 + len(made.batch_shape) - 1]).sample((5,)).shape),
        ]
        assert made.rsample().requires_grad and not made.sample().requires_grad
        found.append((shapes, repr(made), repr(made.support), [n.numpy() for n in numbers]))
    (*ours, numbers), (*theirs, their_numbers) = found
    assert ours == theirs
    for a, b in zip(numbers, their_numbers, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_a_remembered_value_needs_no_inverse():
    """An action of 1.0, rounded, of a squashed policy: atanh has no answer, the transform has."""
    x = tinyconv.tensor([20.0])
    for size, finite in ((1, True), (0, False)):
        policy = D.TransformedDistribution(D.Normal(tinyconv.zeros(1), 1.0), D.TanhTransform(cache_size=size))
        y = policy.transforms[0](x)
        assert y == 1 and bool(policy.log_prob(y).isfinite()) == finite
    expected = stats.norm.logpdf(20) - 2 * (math.log(2) - 20)
    remembered = D.TanhTransform(cache_size=1)
    d = D.TransformedDistribution(D.Normal(tinyconv.zeros(1), 1.0), remembered)
    assert d.log_prob(remembered(x)).item() == pytest.approx(expected, rel=1e-5)


def test_a_transform_of_ones_own():
    class Double(D.Transform):
        domain = codomain = D.constraints.real
        bijective, sign = True, +1

        def _call(self, x):
            return 2 * x

        def _inverse(self, y):
            return y / 2

        def log_abs_det_jacobian(self, x, y):
            return tinyconv.full_like(x, math.log(2))

    d = D.TransformedDistribution(D.Uniform(0.0, 1.0), [Double(), Double()])
    assert d.log_prob(tinyconv.tensor(3.0)).item() == pytest.approx(-math.log(4))
    assert d.cdf(tinyconv.tensor(3.0)) == 0.75 and d.icdf(tinyconv.tensor(0.5)) == 2
    assert Double().with_cache(1)._cache_size == 1
    with pytest.raises(NotImplementedError, match="must define _call"):
        D.Transform()(tinyconv.ones(1))
    with pytest.raises(NotImplementedError, match="up or down"):
        D.Transform().sign  # noqa: B018
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        Double(2)
    with pytest.raises(ValueError, match="a Transform or a list"):
        D.TransformedDistribution(D.Normal(0, 1), [3])


# ------------------------------------------------------------------------------------------------------------- mixtures


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


# --------------------------------------------------------------------------------------------------------- soft choices


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
