"""Transformed distributions, against PyTorch's and against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import tinyconv
from tinyconv import distributions as D

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
    with pytest.raises(NotImplementedError, match="has no _call"):
        D.Transform()(tinyconv.ones(1))
    with pytest.raises(NotImplementedError, match="has no sign"):
        D.Transform().sign  # noqa: B018
    with pytest.raises(ValueError, match="cache_size must be 0 or 1"):
        Double(2)
    with pytest.raises(ValueError, match="a Transform or a list"):
        D.TransformedDistribution(D.Normal(0, 1), [3])
