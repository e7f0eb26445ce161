"""Transforms: inverses, Jacobians against autograd's, shapes, caches; and the flows that are made of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import tinyconv
from tinyconv import distributions as D
from tinyconv.autograd.functional import jacobian

DOUBLE = {"dtype": tinyconv.float64}


def real(*shape, seed=3):
    return tinyconv.tensor(np.random.default_rng(seed).standard_normal(shape))


def lower(n=3):
    return real(n, n).tril(-1) + tinyconv.eye(n, **DOUBLE)


LOC, SCALE = real(3), tinyconv.tensor([0.5, -2.0, 1.5], **DOUBLE)
# name: a transform (made by a library's distributions and its tensors of a list), and an x
CASES = {
    "exp": (lambda d, t: d.ExpTransform(), real(2, 3)),
    "exp's inverse": (lambda d, t: d.ExpTransform().inv, real(2, 3).exp()),
    "power": (lambda d, t: d.PowerTransform(t([2.0, -1.0, 0.5])), real(2, 3).exp()),
    "power by a number": (lambda d, t: d.PowerTransform(t(3.0)), real(2, 3).exp()),
    "sigmoid": (lambda d, t: d.SigmoidTransform(), real(2, 3)),
    "softplus": (lambda d, t: d.SoftplusTransform(), real(2, 3)),
    "tanh": (lambda d, t: d.TanhTransform(), real(2, 3)),
    "affine": (lambda d, t: d.AffineTransform(t(LOC.tolist()), t(SCALE.tolist())), real(2, 3)),
    "affine by numbers": (lambda d, t: d.AffineTransform(2.0, -3.0), real(2, 3)),
    "affine of vectors": (lambda d, t: d.AffineTransform(t(LOC.tolist()), t(SCALE.tolist()), event_dim=1), real(2, 3)),
    "affine of vectors by numbers": (lambda d, t: d.AffineTransform(2.0, -3.0, event_dim=1), real(2, 3)),
    "composed": (
        lambda d, t: d.ComposeTransform([d.AffineTransform(0.5, t(SCALE.tolist())), d.TanhTransform(),
                                         d.AffineTransform(1.0, 0.5), d.ExpTransform()]), real(2, 3),
    ),
    "composed's inverse": (lambda d, t: d.ComposeTransform([d.AffineTransform(0.5, 2.0), d.ExpTransform()]).inv,
                           real(2, 3).exp()),
    "composed with vectors": (
        lambda d, t: d.ComposeTransform([d.AffineTransform(0.5, 2.0), d.StickBreakingTransform()]), real(2, 3),
    ),
    "nothing": (lambda d, t: d.identity_transform, real(2, 3)),
    "independent": (lambda d, t: d.IndependentTransform(d.ExpTransform(), 1), real(2, 3)),
    "reshape": (lambda d, t: d.ReshapeTransform((2, 3), (6,)), real(4, 2, 3)),
    "stick breaking": (lambda d, t: d.StickBreakingTransform(), real(2, 3)),
    "correlations": (lambda d, t: d.CorrCholeskyTransform(), real(2, 6)),
    "cat": (lambda d, t: d.CatTransform([d.ExpTransform(), d.AffineTransform(1.0, 2.0)], -1, [1, 2]), real(2, 3)),
    "cat along an event": (
        lambda d, t: d.CatTransform([d.AffineTransform(1.0, 3.0, event_dim=1), d.ExpTransform()], 1, [1, 2]),
        real(2, 3),
    ),
    "stack": (lambda d, t: d.StackTransform([d.ExpTransform(), d.TanhTransform()], 0), real(2, 3)),
    "cdf": (lambda d, t: d.CumulativeDistributionTransform(d.Normal(t(0.5), t(2.0))), real(2, 3)),
    "abs": (lambda d, t: d.AbsTransform(), real(2, 3).abs()),
    "softmax": (lambda d, t: d.SoftmaxTransform(), real(2, 3).log_softmax(-1)),
    "lower Cholesky": (lambda d, t: d.LowerCholeskyTransform(), lower()),
    "positive definite": (lambda d, t: d.PositiveDefiniteTransform(), lower()),
}  # fmt: skip
BIJECTIVE = [name for name in CASES if name not in ("abs", "softmax", "lower Cholesky", "positive definite")]


def made(name):
    make, x = CASES[name]
    return make(D, lambda values: tinyconv.tensor(values, **DOUBLE)), x


@pytest.mark.parametrize("name", CASES)
def test_the_inverse_gives_x_back(name):
    t, x = made(name)
    y = t(x)
    np.testing.assert_allclose(t.inv(y), x, rtol=1e-9, atol=1e-9)
    assert t.inv.inv == t and t.inv == t.inv and t.bijective == t.inv.bijective == (name in BIJECTIVE)
    assert y.shape == t.forward_shape(x.shape) and x.shape == t.inverse_shape(y.shape)
    if name != "cat along an event":  # its constraints are of events and of numbers
        assert bool(t.codomain.check(y).all()) and bool(t.domain.check(x).all())
    assert t.inv.domain.event_dim == t.codomain.event_dim and t.inv.codomain.event_dim == t.domain.event_dim


def independent_part(name, y):
    """Of y, as many elements as x has."""
    if "stick" in name or "with vectors" in name:
        return y[..., :-1]
    if name == "correlations":
        n = y.shape[-1]
        rows, columns = np.tril_indices(n, -1)
        return y[..., tinyconv.tensor(rows), tinyconv.tensor(columns)]
    return y


@pytest.mark.parametrize("name", BIJECTIVE)
def test_the_jacobian_is_autograds(name):
    t, x = made(name)
    full = jacobian(lambda x: independent_part(name, t(x)).reshape(-1), x).reshape(x.numel(), x.numel())
    expected = np.linalg.slogdet(full.numpy())[1]
    found = t.log_abs_det_jacobian(x, t(x))
    np.testing.assert_allclose(found.sum(), expected, rtol=1e-8)
    np.testing.assert_allclose(t.inv.log_abs_det_jacobian(t(x), x).sum(), -expected, rtol=1e-8)
    if name not in ("cat", "cat along an event", "stack"):
        assert found.shape == x.shape[: x.dim() - t.domain.event_dim]


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, x = made(name)
    theirs = CASES[name][0](torch.distributions, lambda v: torch.tensor(v, dtype=torch.float64))
    x_theirs = torch.tensor(x.numpy())
    y, y_theirs = ours(x), theirs(x_theirs)
    np.testing.assert_allclose(y, y_theirs, rtol=1e-9)
    assert ours.bijective == theirs.bijective
    for a, b in ((ours.domain, theirs.domain), (ours.codomain, theirs.codomain)):
        assert (a.event_dim, a.is_discrete) == (b.event_dim, b.is_discrete)
    if name in BIJECTIVE:
        det, det_theirs = ours.log_abs_det_jacobian(x, y), theirs.log_abs_det_jacobian(x_theirs, y_theirs)
        assert det.shape == tuple(det_theirs.shape)
        np.testing.assert_allclose(det, det_theirs, rtol=1e-9)
    else:
        with pytest.raises(NotImplementedError, match="log_abs_det_jacobian"):
            ours.log_abs_det_jacobian(x, y)
    if name not in ("cdf", "cat", "cat along an event", "stack", "lower Cholesky", "positive definite", "softmax",
                    "stick breaking", "reshape", "correlations", "abs", "composed with vectors"):  # fmt: skip
        np.testing.assert_array_equal(ours.sign, theirs.sign)
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", [name for name in CASES if "inverse" not in name and name != "nothing"])
def test_a_cache_gives_the_very_x_back(name):
    t, x = made(name)
    t = t.with_cache()
    assert t.with_cache() is t and (t.with_cache(0) == made(name)[0] or name == "cdf")
    y = t(x)
    if name not in ("composed", "composed with vectors", "cat", "cat along an event", "stack"):
        assert t(x) is y
    assert t.inv(y) is x or name in ("cat", "cat along an event", "stack")
    assert t(x.clone()) is not y


def test_a_cache_keeps_what_rounding_loses():
    x = tinyconv.tensor([40.0])
    assert not bool(D.TanhTransform().inv(D.TanhTransform()(x)).isfinite().all())
    squashed = D.TransformedDistribution(D.Normal(40.0, tinyconv.ones(1)), [D.TanhTransform(cache_size=1)])
    assert bool(squashed.log_prob(squashed.rsample()).isfinite().all())


def test_the_inverse_of_the_inverse_is_the_transform():
    for t in (D.ExpTransform(), D.ComposeTransform([D.ExpTransform(), D.TanhTransform()])):
        assert t.inv.inv is t


def test_equality_is_of_what_they_were_made_of():
    assert D.ExpTransform() == D.ExpTransform() != D.TanhTransform()
    assert D.AffineTransform(1.0, 2.0) == D.AffineTransform(1.0, 2.0) != D.AffineTransform(1.0, 3.0)
    assert D.AffineTransform(LOC, 2.0) == D.AffineTransform(LOC.clone(), 2.0) != D.AffineTransform(LOC + 1, 2.0)
    assert D.PowerTransform(2.0) != D.PowerTransform(3.0)
    assert D.ExpTransform().inv == D.ExpTransform().inv != D.ExpTransform()
    assert D.ComposeTransform([D.ExpTransform()]) == D.ComposeTransform([D.ExpTransform()]) != D.identity_transform
    assert len({D.ExpTransform(), D.ExpTransform()}) == 1

    class Own(D.Transform):
        pass

    class Made(D.Transform):
        def __init__(self, a, cache_size=0):
            super().__init__(cache_size)

    own = Own()
    assert own == own and own != Own() and own.with_cache()._cache_size == 1
    with pytest.raises(NotImplementedError, match="with_cache"):
        Made(3).with_cache()
    for call in (lambda: own(1), lambda: own.inv(1), lambda: own.log_abs_det_jacobian(1, 1), lambda: own.sign):
        with pytest.raises(NotImplementedError):
            call()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: D.ExpTransform(cache_size=2), "cache_size must be 0 or 1"),
        (lambda: D.ReshapeTransform((2, 3), (5,)), "different numbers"),
        (lambda: D.ReshapeTransform((2, 3), (6,))(real(3, 2)), "Shape mismatch"),
        (lambda: D.ReshapeTransform((2, 3), (6,))(real(3)), "Too few"),
        (lambda: D.IndependentTransform(D.ExpTransform(), 2)(real(3)), "Too few"),
        (lambda: D.IndependentTransform(D.ExpTransform(), 2).inv(real(3)), "Too few"),
        (lambda: D.StickBreakingTransform().forward_shape(()), "Too few"),
        (lambda: D.StickBreakingTransform().event_dim and D.ReshapeTransform((6,), (2, 3)).event_dim, "domain.event"),
        (lambda: D.CorrCholeskyTransform()(real(5)), "lower-diagonal"),
        (lambda: D.CorrCholeskyTransform().inverse_shape((2, 3)), "not square"),
        (lambda: D.CatTransform([D.ExpTransform()], 0, [1, 2]), "1 transforms and 2 lengths"),
        (lambda: D.CatTransform([3]), "expected transforms"),
        (lambda: D.CatTransform([D.ExpTransform()], 0, [2])(real(3)), "expected 2 along axis 0"),
        (lambda: D.StackTransform([D.ExpTransform()], 0)(real(3)), "expected 1 along axis 0"),
        (lambda: D.TransformedDistribution(D.Normal(0, 1), [3]), "must be a Transform"),
        (lambda: D.TransformedDistribution(D.Normal(0, 1), D.StickBreakingTransform()), "size at least 1"),
        (lambda: D.constraints.cat([D.constraints.real], 0, [1, 2]), "1 constraints and 2 lengths"),
    ],
)
def test_misuse(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# -------------------------------------------------------------------------------------------------- onto constraints

C = D.constraints
ONTO = [
    C.real, C.real_vector, C.positive, C.nonnegative, C.greater_than(2.0), C.greater_than_eq(-1.0), C.less_than(3.0),
    C.unit_interval, C.interval(-2.0, 5.0), C.half_open_interval(0.0, 2.0), C.simplex, C.lower_cholesky,
    C.positive_definite, C.independent(C.positive, 1), C.cat([C.positive, C.real], -1, [1, 2]),
    C.stack([C.positive, C.real, C.unit_interval], -1),
]  # fmt: skip


@pytest.mark.parametrize("constraint", ONTO, ids=str)
@pytest.mark.parametrize("registry", [D.transform_to, D.biject_to], ids=["transform_to", "biject_to"])
def test_a_transform_onto_a_constraint_satisfies_it(registry, constraint):
    if registry is D.biject_to and constraint in (C.lower_cholesky, C.positive_definite):
        with pytest.raises(NotImplementedError, match="Cannot transform"):
            registry(constraint)
        return
    t, x = registry(constraint), real(3, 3)
    assert t.bijective or registry is D.transform_to
    assert bool(constraint.check(t(x)).all())
    again = t(t.inv(t(x)))
    np.testing.assert_allclose(again, t(x), rtol=1e-8)


def test_more_constraints():
    t = tinyconv.tensor
    assert C.less_than(2).check(t([1.0, 2.0])).tolist() == [True, False]
    assert C.half_open_interval(0, 1).check(t([-1.0, 0.0, 1.0])).tolist() == [False, True, False]
    assert C.multinomial(3).check(t([[1.0, 2.0], [2.0, 2.0], [-1.0, 2.0]])).tolist() == [True, False, False]
    assert C.positive_integer.check(t([0.0, 1.0, 1.5])).tolist() == [False, True, False]
    assert C.corr_cholesky.check(t([[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]])).tolist() == [True, False]
    assert C.stack([C.positive, C.real], 0).check(t([[1.0, -1.0], [-1.0, math.nan]])).tolist() == [
        [True, False], [True, False],
    ]  # fmt: skip


def test_a_support_that_depends_on_a_parameter():
    class Own(D.Uniform):
        @C.dependent_property(is_discrete=False, event_dim=0)
        def support(self):
            return C.interval(self.low, 2 * self.high)

    class Plain(D.Uniform):
        @C.dependent_property
        def support(self):
            return C.interval(self.low, 3 * self.high)

    assert Own(0.0, 1.0).support.upper_bound == 2 and Plain(0.0, 1.0).support.upper_bound == 3


def test_a_transform_of_ones_own_constraint():
    class Even(C.Constraint):
        pass

    registry = type(D.biject_to)()
    registry.register(Even, lambda c: D.ExpTransform())
    assert registry(Even()) == D.ExpTransform()

    @registry.register(Even())
    def onto(constraint):
        return D.TanhTransform()

    assert registry(Even()) == D.TanhTransform()
    with pytest.raises(TypeError, match="Constraint subclass"):
        registry.register(3, onto)


# ---------------------------------------------------------------------------------------------------- distributions


def test_a_logistic_distribution():
    """The example of PyTorch's documentation: a + b * logit(u)."""
    a, b = tinyconv.tensor([0.5, -1.0], **DOUBLE), tinyconv.tensor([2.0, 0.3], **DOUBLE)
    base = D.Uniform(tinyconv.zeros(2, **DOUBLE), tinyconv.ones(2, **DOUBLE))
    logistic = D.TransformedDistribution(base, [D.SigmoidTransform().inv, D.AffineTransform(a, b)])
    theirs = stats.logistic(a.numpy(), b.numpy())
    x, p = real(5, 2), tinyconv.tensor([0.2, 0.9], **DOUBLE)
    np.testing.assert_allclose(logistic.log_prob(x), theirs.logpdf(x.numpy()), rtol=1e-9)
    np.testing.assert_allclose(logistic.cdf(x), theirs.cdf(x.numpy()), rtol=1e-9)
    np.testing.assert_allclose(logistic.icdf(p), theirs.ppf(p.numpy()), rtol=1e-9)
    tinyconv.manual_seed(4)
    for i, column in enumerate(logistic.sample((2000,)).numpy().T):
        assert stats.kstest(column, stats.logistic(float(a[i]), float(b[i])).cdf).pvalue > 1e-3
    falling = D.TransformedDistribution(D.Normal(tinyconv.zeros(1, **DOUBLE), 1.0), D.AffineTransform(0.0, -2.0))
    np.testing.assert_allclose(falling.cdf(x[:, :1]), stats.norm(0, 2).cdf(x[:, :1].numpy()), rtol=1e-9)
    np.testing.assert_allclose(falling.icdf(p), stats.norm(0, 2).ppf(p.numpy()), rtol=1e-9)


def transformed(library):
    d, zeros, ones = library.distributions if library is not tinyconv else D, library.zeros, library.ones
    return {
        "numbers": d.TransformedDistribution(d.Normal(zeros(2, 3), ones(2, 3)), [d.ExpTransform()]),
        "to vectors": d.TransformedDistribution(d.Normal(zeros(2, 3), ones(2, 3)), [d.StickBreakingTransform()]),
        "of vectors": d.TransformedDistribution(
            d.Independent(d.Normal(zeros(2, 3), ones(2, 3)), 1), [d.AffineTransform(1.0, 2.0)]
        ),
        "wider parameters": d.TransformedDistribution(d.Normal(0.0, 1.0), d.AffineTransform(zeros(3), 2 * ones(3))),
        "reshaped": d.TransformedDistribution(
            d.Normal(zeros(2, 6), ones(2, 6)), [d.ReshapeTransform((6,), (2, 3)), d.AffineTransform(zeros(3), 2.0)]
        ),
        "nothing": d.TransformedDistribution(d.Normal(zeros(2), ones(2)), []),
    }


@pytest.mark.parametrize("name", list(transformed(tinyconv)))
def test_shapes_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = transformed(tinyconv)[name], transformed(torch)[name]
    for a, b in ((ours, theirs), (ours.expand((4, *ours.batch_shape)), theirs.expand((4, *theirs.batch_shape)))):
        assert (a.batch_shape, a.event_shape) == (tuple(b.batch_shape), tuple(b.event_shape))
        x = a.sample((5,))
        assert x.shape == (5, *a.batch_shape, *a.event_shape) and a.rsample().shape == b.rsample().shape
        np.testing.assert_allclose(a.log_prob(x), b.log_prob(torch.tensor(x.numpy())), rtol=1e-4, atol=1e-4)
        assert a.support.event_dim == b.support.event_dim and a.has_rsample


def test_gradients_reach_the_transforms_parameters():
    scale = tinyconv.tensor(2.0, requires_grad=True)
    y = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.AffineTransform(0.0, scale), D.ExpTransform()])
    tinyconv.manual_seed(0)
    sample = y.rsample((50,))
    (found,) = tinyconv.autograd.grad(sample.log().sum(), scale)
    np.testing.assert_allclose(found, sample.detach().log().sum() / 2, rtol=1e-4)
    assert not y.sample().requires_grad


class Coupling(D.Transform):
    """RealNVP's layer (Dinh, Sohl-Dickstein and Bengio 2017): one half moves and scales the other."""

    domain = codomain = D.constraints.real_vector
    bijective = True

    def __init__(self, net, flipped):
        super().__init__()
        self.net, self.flipped = net, flipped

    def _parts(self, x):
        a, b = x.chunk(2, -1)
        a, b = (b, a) if self.flipped else (a, b)
        scale, shift = self.net(a).chunk(2, -1)
        return a, b, scale.tanh(), shift

    def _joined(self, a, b):
        return tinyconv.cat([b, a] if self.flipped else [a, b], -1)

    def _call(self, x):
        a, b, scale, shift = self._parts(x)
        return self._joined(a, b * scale.exp() + shift)

    def _inverse(self, y):
        a, b, scale, shift = self._parts(y)
        return self._joined(a, (b - shift) * (-scale).exp())

    def log_abs_det_jacobian(self, x, y):
        return self._parts(x)[2].sum(-1)


def test_a_flow_learns_two_moons():
    """Maximum likelihood: the learned density is nearer to the moons than the best normal distribution."""
    tinyconv.manual_seed(0)
    rng, n = np.random.default_rng(0), 512
    angle, noise = rng.uniform(0, np.pi, n), rng.normal(0, 0.08, (n, 2))
    sides = np.where(np.arange(n)[:, None] % 2, np.stack([np.cos(angle), np.sin(angle)], 1),
                     np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1))  # fmt: skip
    moons = sides + noise
    data = tinyconv.tensor((moons - moons.mean(0)) / moons.std(0), dtype=tinyconv.float32)
    nets = [tinyconv.nn.Sequential(tinyconv.nn.Linear(1, 24), tinyconv.nn.Tanh(), tinyconv.nn.Linear(24, 2))
            for _ in range(6)]  # fmt: skip
    layers = [Coupling(net, bool(i % 2)) for i, net in enumerate(nets)]
    flow = D.TransformedDistribution(D.Normal(tinyconv.zeros(2), tinyconv.ones(2)), layers)
    optimizer = tinyconv.optim.Adam([p for net in nets for p in net.parameters()], lr=0.01)
    for _ in range(200):
        loss = -flow.log_prob(data).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    covariance = np.cov(data.numpy().T)
    normal = -stats.multivariate_normal(data.numpy().mean(0), covariance).logpdf(data.numpy()).mean()
    assert loss < normal - 0.5
    x = flow.sample((256,))
    np.testing.assert_allclose(x.mean(0), [0, 0], atol=0.3)
    again = layers[0](layers[0].inv(x))
    np.testing.assert_allclose(again.detach(), x, atol=1e-4)
