"""Distributions against SciPy's, against PyTorch's, and samples against the distributions they are of."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import tinyconv
from tinyconv import distributions as D

LOC, SCALE = [0.5, -1.0, 2.0], [1.0, 0.3, 2.5]
PROBS = [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]]
LOGITS = [[0.0, 1.0, -2.0], [3.0, 3.0, 3.0]]

COVARIANCE = [[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]]
TRIL = [[1.5, 0.0, 0.0], [0.5, 0.8, 0.0], [-0.2, 0.3, 1.1]]

# name, parameters, values, SciPy's
CASES = {
    "Normal": ({"loc": LOC, "scale": SCALE}, [-0.3, 0.0, 7.0], lambda: stats.norm(LOC, SCALE)),
    "LogNormal": (
        {"loc": LOC, "scale": SCALE}, [0.3, 0.1, 7.0], lambda: stats.lognorm(SCALE, scale=np.exp(LOC)),
    ),
    "HalfNormal": ({"scale": SCALE}, [0.3, 0.0, 7.0], lambda: stats.halfnorm(scale=SCALE)),
    "Laplace": ({"loc": LOC, "scale": SCALE}, [-0.3, 0.0, 7.0], lambda: stats.laplace(LOC, SCALE)),
    "Exponential": ({"rate": SCALE}, [0.3, 0.0, 7.0], lambda: stats.expon(scale=1 / np.array(SCALE))),
    "Uniform": (
        {"low": [0.0, -1.0, 2.0], "high": [1.0, 3.0, 2.5]}, [0.3, -1.0, 2.25],
        lambda: stats.uniform([0, -1, 2], [1, 4, 0.5]),
    ),
    "Gamma": (
        {"concentration": [0.7, 2.0, 9.0], "rate": SCALE}, [0.3, 0.1, 7.0],
        lambda: stats.gamma([0.7, 2, 9], scale=1 / np.array(SCALE)),
    ),
    "Chi2": ({"df": [1.5, 4.0, 9.0]}, [0.3, 0.1, 7.0], lambda: stats.chi2([1.5, 4, 9])),
    "StudentT": (
        {"df": [9.0, 12.0, 30.0], "loc": LOC, "scale": SCALE}, [-0.3, 0.0, 7.0],
        lambda: stats.t([9, 12, 30], LOC, SCALE),
    ),
    "Beta": (
        {"concentration1": [0.7, 2.0, 9.0], "concentration0": [0.4, 3.0, 1.0]}, [0.3, 0.1, 0.9],
        lambda: stats.beta([0.7, 2, 9], [0.4, 3, 1]),
    ),
    "InverseGamma": (
        {"concentration": [9.0, 12.0, 7.0], "rate": SCALE}, [0.3, 0.1, 7.0],
        lambda: stats.invgamma([9, 12, 7], scale=SCALE),
    ),
    "FisherSnedecor": (
        {"df1": [9.0, 12.0, 7.0], "df2": [20.0, 30.0, 40.0]}, [0.3, 0.1, 7.0],
        lambda: stats.f([9, 12, 7], [20, 30, 40]),
    ),
    "Cauchy": ({"loc": LOC, "scale": SCALE}, [-0.3, 0.0, 7.0], lambda: stats.cauchy(LOC, SCALE)),
    "HalfCauchy": ({"scale": SCALE}, [0.3, 0.0, 7.0], lambda: stats.halfcauchy(scale=SCALE)),
    "Weibull": (
        {"scale": SCALE, "concentration": [1.5, 2.0, 4.0]}, [0.3, 0.1, 2.0],
        lambda: stats.weibull_min([1.5, 2, 4], scale=SCALE),
    ),
    "Pareto": (
        {"scale": SCALE, "alpha": [9.0, 7.0, 8.0]}, [1.3, 0.4, 7.0], lambda: stats.pareto([9, 7, 8], scale=SCALE),
    ),
    "GeneralizedPareto": (
        {"loc": LOC, "scale": SCALE, "concentration": [0.1, 0.05, -0.5]}, [1.3, 0.4, 4.0],
        lambda: stats.genpareto([0.1, 0.05, -0.5], LOC, SCALE),
    ),
    "Kumaraswamy": ({"concentration1": [0.7, 2.0, 9.0], "concentration0": [1.4, 3.0, 1.0]}, [0.3, 0.1, 0.9], None),
    "LogisticNormal": ({"loc": LOC, "scale": SCALE}, [0.1, 0.2, 0.3, 0.4], None),
    "LowRankMultivariateNormal": (
        {"loc": [LOC, SCALE], "cov_factor": [[1.0, 0.5], [0.2, -0.7], [0.0, 2.0]], "cov_diag": [0.5, 1.0, 2.0]},
        [-0.3, 0.0, 7.0], None,
    ),
    "VonMises": (
        {"loc": LOC, "concentration": [0.3, 2.0, 50.0]}, [-0.3, 0.0, 7.0], None,
    ),
    "Poisson": ({"rate": [0.3, 4.0, 30.0]}, [0.0, 3.0, 33.0], lambda: stats.poisson([0.3, 4, 30])),
    "Binomial": (
        {"total_count": [7.0, 7.0, 7.0], "probs": [0.3, 0.9, 0.5]}, [0.0, 7.0, 3.0],
        lambda: stats.binom([7, 7, 7], [0.3, 0.9, 0.5]),
    ),
    "Binomial by logits": ({"total_count": [7.0, 7.0, 7.0], "logits": [0.3, -2.0, 0.0]}, [0.0, 7.0, 3.0], None),
    "NegativeBinomial": (
        {"total_count": [7.0, 2.0, 30.0], "probs": [0.3, 0.9, 0.5]}, [0.0, 7.0, 3.0],
        lambda: stats.nbinom([7, 2, 30], [0.7, 0.1, 0.5]),
    ),
    "NegativeBinomial by logits": ({"total_count": [7.0, 2.5, 0.5], "logits": [0.3, -2.0, 0.0]}, [0.0, 7.0, 3.0], None),
    "ContinuousBernoulli": ({"probs": [0.3, 0.9, 0.5]}, [0.3, 0.0, 1.0], None),
    "ContinuousBernoulli by logits": ({"logits": [0.3, -2.0, 0.8]}, [0.3, 0.9, 1.0], None),
    "Dirichlet": ({"concentration": [[0.7, 2.0, 9.0], [0.3, 1.9, 0.5]]}, [0.25, 0.25, 0.5], None),
    "Gumbel": ({"loc": LOC, "scale": SCALE}, [-0.3, 0.0, 7.0], lambda: stats.gumbel_r(LOC, SCALE)),
    "MultivariateNormal": (
        {"loc": LOC, "covariance_matrix": COVARIANCE}, [-0.3, 0.0, 7.0],
        lambda: stats.multivariate_normal(LOC, COVARIANCE),
    ),
    "MultivariateNormal by L": ({"loc": [LOC, SCALE], "scale_tril": TRIL}, [-0.3, 0.0, 7.0], None),
    "MultivariateNormal by precision": (
        {"loc": LOC, "precision_matrix": [COVARIANCE] * 2}, [[0.1, 1.0, 2.0]] * 2, None,
    ),
    "Bernoulli": ({"probs": [0.3, 0.9, 0.5]}, [1.0, 0.0, 1.0], lambda: stats.bernoulli([0.3, 0.9, 0.5])),
    "Bernoulli by logits": ({"logits": [0.3, -2.0, 0.0]}, [1.0, 0.0, 1.0], None),
    "Geometric": ({"probs": [0.3, 0.9, 0.5]}, [1.0, 0.0, 4.0], lambda: stats.geom([0.3, 0.9, 0.5], loc=-1)),
    "Geometric by logits": ({"logits": [0.3, -2.0, 0.0]}, [1.0, 0.0, 4.0], None),
    "Categorical": ({"probs": PROBS}, [2, 0], None),
    "Categorical by logits": ({"logits": LOGITS}, [2, 0], None),
    "OneHotCategorical": ({"probs": PROBS}, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], None),
    "OneHotCategorical by logits": ({"logits": LOGITS}, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], None),
}  # fmt: skip
NAMES = list(CASES)
every_case = pytest.mark.parametrize("name", NAMES)


def made(library, name, requires_grad=False):
    options, value, _ = CASES[name]
    tensors = {k: library.tensor(v, requires_grad=requires_grad) for k, v in options.items()}
    found = library.distributions if library is not tinyconv else D
    return getattr(found, name.split()[0])(**tensors), library.tensor(value), list(tensors.values())


def numbers(x):
    return x.detach().numpy() if hasattr(x, "detach") else x


def test_vectors_as_scipy():
    d, value, _ = made(tinyconv, "MultivariateNormal")
    theirs = CASES["MultivariateNormal"][2]()
    np.testing.assert_allclose(d.log_prob(value), theirs.logpdf(value.numpy()), rtol=1e-5)
    np.testing.assert_allclose(d.entropy(), theirs.entropy(), rtol=1e-5)
    tinyconv.manual_seed(5)
    np.testing.assert_allclose(np.cov(d.sample((40000,)).numpy().T), COVARIANCE, atol=0.04)
    for form in ("covariance_matrix", "precision_matrix", "scale_tril"):
        again = D.MultivariateNormal(d.loc, **{form: getattr(d, form)})
        np.testing.assert_allclose(again.covariance_matrix, COVARIANCE, rtol=1e-5, atol=1e-6)
    diagonal = D.MultivariateNormal(tinyconv.zeros(3), tinyconv.diag(tinyconv.tensor([1.0, 4.0, 9.0])))
    plain = D.Independent(D.Normal(tinyconv.zeros(3), tinyconv.tensor([1.0, 2.0, 3.0])), 1)
    np.testing.assert_allclose(diagonal.log_prob(value), plain.log_prob(value), rtol=1e-6)
    np.testing.assert_allclose(
        D.kl_divergence(d, diagonal), 0.5 * (
            np.log(36 / np.linalg.det(COVARIANCE)) - 3 + np.trace(np.diag([1, 1 / 4, 1 / 9]) @ COVARIANCE)
            + np.array(LOC) ** 2 @ [1, 1 / 4, 1 / 9]
        ), rtol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("name", [name for name in NAMES if CASES[name][2] and name != "MultivariateNormal"])
def test_as_scipy(name):
    d, value, _ = made(tinyconv, name)
    theirs = CASES[name][2]()
    log = theirs.logpdf if hasattr(theirs.dist, "pdf") else theirs.logpmf
    checks = [(d.log_prob(value), log(value.numpy()))]
    if "Cauchy" not in name:  # which has none
        checks += [(d.mean, theirs.mean()), (d.variance, theirs.var()), (d.stddev, theirs.std())]
    if type(d).entropy is not D.Distribution.entropy:
        checks.append((d.entropy(), [float(each) for each in np.atleast_1d(theirs.entropy())]))
    for found, expected in checks:
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)
    if type(d).cdf is not D.Distribution.cdf:
        np.testing.assert_allclose(d.cdf(value), theirs.cdf(value.numpy()), rtol=1e-5, atol=1e-6)
    if type(d).icdf is not D.Distribution.icdf:
        p = tinyconv.tensor([0.1, 0.5, 0.9])
        np.testing.assert_allclose(d.icdf(p), theirs.ppf(p.numpy()), rtol=1e-5, atol=1e-6)


ASKED = {
    "matrices": lambda d, v: getattr(d, "covariance_matrix", None), "tril": lambda d, v: getattr(d, "scale_tril", None),
    "log_prob": lambda d, v: d.log_prob(v), "entropy": lambda d, v: d.entropy(), "mean": lambda d, v: d.mean,
    "mode": lambda d, v: d.mode, "variance": lambda d, v: d.variance, "perplexity": lambda d, v: d.perplexity(),
    "repr": lambda d, v: repr(d).replace("tinyconv.", "torch."), "batch_shape": lambda d, v: tuple(d.batch_shape),
    "event_shape": lambda d, v: tuple(d.event_shape),
    "expanded": lambda d, v: d.expand((2, *d.batch_shape)).log_prob(v),
    "support": lambda d, v: "" if repr(d).startswith(("Uniform", "Pareto", "General", "Binom")) else repr(d.support),
    "enumerated": lambda d, v: d.enumerate_support() if d.has_enumerate_support else None,
    "briefly": lambda d, v: d.enumerate_support(expand=False) if d.has_enumerate_support else None,
    "sampled": lambda d, v: (tuple(d.sample((4,)).shape), str(d.sample().dtype).split(".")[1]),
    "probs": lambda d, v: getattr(d, "probs", None), "logits": lambda d, v: getattr(d, "logits", None),
    "support's check": lambda d, v: d.support.check(v), "has_rsample": lambda d, v: d.has_rsample,
}  # fmt: skip


ONLY_OURS = {
    *[(name, asked) for name in ("FisherSnedecor", "VonMises", "Poisson", "NegativeBinomial", "LogisticNormal")
      for asked in ("entropy", "perplexity")],
    *[("LogisticNormal", asked) for asked in ("mean", "mode", "variance")],
    ("ContinuousBernoulli", "mode"),
    ("Kumaraswamy", "mode"),  # which PyTorch says is NaN
    ("Binomial", "perplexity"),  # by the count: rounding
}  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
@every_case
def test_as_pytorch(name, asked):
    torch = pytest.importorskip("torch")
    if (name.split()[0], asked) in ONLY_OURS:
        return
    results = []
    for library in (tinyconv, torch):
        d, value, parameters = made(library, name, requires_grad=True)
        y = ASKED[asked](d, value)
        gradients = []
        if hasattr(y, "requires_grad") and y.requires_grad:
            gradients = library.autograd.grad((y * y).sum(), parameters, allow_unused=True)
        results.append((numbers(y), [None if g is None else numbers(g) for g in gradients]))
    (ours, our_slopes), (theirs, their_slopes) = results
    if isinstance(theirs, np.ndarray):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    else:
        assert ours == theirs
    for a, b in zip(our_slopes, their_slopes, strict=True):
        np.testing.assert_allclose(0 if a is None else a, 0 if b is None else b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Cauchy", "HalfCauchy", "LogisticNormal",
                                                                         "VonMises")])  # fmt: skip
def test_samples_have_the_mean_and_the_variance(name):
    d, _, _ = made(tinyconv, name)
    tinyconv.manual_seed(1)
    if isinstance(d, D.Categorical):
        found = (d.sample((20000,)).unsqueeze(-1) == tinyconv.arange(3)).float()
        mean, variance = d.probs, d.probs * (1 - d.probs)
    else:
        found, mean, variance = d.sample((20000,)), d.mean, d.variance
    if isinstance(d, D.LogNormal):  # whose tails are too long for this
        found, mean, variance = found.log(), d.loc, d.scale**2
    assert found.shape == (20000, *d.batch_shape, *(d.event_shape or mean.shape[len(d.batch_shape) :]))
    error = (variance / 20000).sqrt()
    assert bool(((found.mean(0) - mean).abs() <= 5 * error + 1e-6).all())
    np.testing.assert_allclose(found.var(0), variance, rtol=0.12)
    assert bool(d.support.check(d.sample((50,))).all())


@pytest.mark.parametrize("name", ["Cauchy", "HalfCauchy", "Weibull", "Pareto", "GeneralizedPareto", "Kumaraswamy",
                                  "Gumbel", "VonMises", "ContinuousBernoulli"])  # fmt: skip
def test_samples_have_the_cdf(name):
    d, _, parameters = made(tinyconv, name, requires_grad=True)
    tinyconv.manual_seed(11)
    x = d.sample((3000,))
    assert not x.requires_grad and bool(d.support.check(x).all())
    d._validate_args = False  # each of the three is asked about the samples of one
    for i in range(3):
        loc, k = (float(p[i].detach()) for p in parameters[:2]) if name == "VonMises" else (0.0, 0.0)
        theirs = lambda v, i=i: d.cdf(tinyconv.tensor(v).float().unsqueeze(-1))[..., i].detach().numpy()  # noqa: E731
        found = x[:, i].numpy()
        if name == "VonMises":
            theirs, found = stats.vonmises(k).cdf, (found - loc + np.pi) % (2 * np.pi) - np.pi
        assert stats.kstest(found, theirs).pvalue > 1e-3
    if d.has_rsample:  # the inverse of the cdf, with its gradient
        p = tinyconv.tensor([0.1, 0.5, 0.9])
        np.testing.assert_allclose(d.cdf(d.icdf(p)).detach(), p, rtol=1e-4)
        slopes = tinyconv.autograd.grad(d.cdf(d.icdf(p)).sum(), parameters)
        np.testing.assert_allclose(tinyconv.stack(slopes), 0, atol=2e-5)


@pytest.mark.parametrize("name", ["Normal", "LogNormal", "HalfNormal", "Laplace", "Exponential", "Uniform", "Gamma",
                                  "Beta", "Gumbel", "InverseGamma", "FisherSnedecor"])  # fmt: skip
def test_gradients_go_through_the_values(name):
    """d/dp E[x] by the samples' own derivatives is the derivative of the mean."""
    d, _, parameters = made(tinyconv, name, requires_grad=True)
    assert not d.sample().requires_grad
    tinyconv.manual_seed(2)
    values = d.rsample((20000,))
    if name == "LogNormal":
        values, expected = values.log(), d.loc
    else:
        expected = d.mean
    found = tinyconv.autograd.grad(values.mean(0).sum(), parameters)
    wanted = tinyconv.autograd.grad(expected.sum(), parameters, allow_unused=True)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, 0 if b is None else b, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("dtype", [tinyconv.float32, tinyconv.float64])
def test_samples_are_finite_at_the_ends_of_the_random_numbers(dtype, monkeypatch):
    one = tinyconv.ones((), dtype=dtype)
    largest = 1 - tinyconv.finfo(dtype).eps / 2
    for u in (0.0, largest):
        monkeypatch.setattr(D.continuous, "rand", lambda shape, u=u, **options: tinyconv.full(shape, u, **options))
        for made in (D.Laplace(one, one), D.Exponential(one), D.Uniform(0 * one, one)):
            assert made.sample((2,)).isfinite().all()


def test_a_generalized_pareto_distribution_without_concentration_is_exponential():
    k = tinyconv.tensor(0.0, dtype=tinyconv.float64, requires_grad=True)
    d, e = D.GeneralizedPareto(0.0, 2.0 * tinyconv.ones_like(k), k), D.Exponential(0.5)
    x, p = tinyconv.tensor(3.0, dtype=tinyconv.float64), tinyconv.tensor(0.3)
    for a, b in ((d.log_prob(x), e.log_prob(x)), (d.cdf(x), e.cdf(x)), (d.icdf(p), e.icdf(p))):
        np.testing.assert_allclose(a.detach(), b, rtol=1e-6)
    for of in (d.log_prob, d.icdf):
        near = [(D.GeneralizedPareto(0.0, 2.0, tinyconv.tensor(h, dtype=k.dtype)), h) for h in (1e-4, -1e-4)]
        value = x if of == d.log_prob else p
        expected = sum(getattr(g, of.__name__)(value) * np.sign(h) for g, h in near) / 2e-4
        np.testing.assert_allclose(tinyconv.autograd.grad(of(value), k)[0], expected, rtol=1e-4)
    assert d.log_cdf(x).exp().item() == pytest.approx(d.cdf(x).item())


@pytest.mark.parametrize("by", ["probs", "logits"])
def test_counts_of_classes(by):
    given = {"probs": [[1.0, 2.0, 5.0], [0.5, 0.5, 0.0]], "logits": LOGITS}[by]
    d = D.Multinomial(6, **{by: tinyconv.tensor(given)})
    p = d.probs.numpy().astype(float)
    p /= p.sum(-1, keepdims=True)
    value = tinyconv.tensor([[1.0, 2.0, 3.0], [4.0, 2.0, 0.0]])
    expected = [stats.multinomial(6, row).logpmf(v) for row, v in zip(p, value.numpy(), strict=True)]
    np.testing.assert_allclose(d.log_prob(value), expected, rtol=1e-5)
    np.testing.assert_allclose(d.entropy(), [stats.multinomial(6, row).entropy() for row in p], rtol=1e-4)
    tinyconv.manual_seed(2)
    x = d.sample((10000,))
    assert x.shape == (10000, 2, 3) and bool((x.sum(-1) == 6).all()) and bool(d.support.check(x).all())
    np.testing.assert_allclose(x.mean(0), d.mean, atol=0.06)
    np.testing.assert_allclose(x.var(0), d.variance, rtol=0.1, atol=1e-6)
    wide = d.expand((4, 2))
    assert wide.sample((5,)).shape == (5, 4, 2, 3) and wide.log_prob(value).shape == (4, 2)
    assert repr(d) == "Multinomial()" and d.param_shape == (2, 3) and d.logits.shape == (2, 3)
    with pytest.raises(NotImplementedError, match="inhomogeneous"):
        D.Multinomial(tinyconv.tensor([3, 4]), d.probs)


def test_counts_at_the_ends():
    zero = D.NegativeBinomial(tinyconv.tensor([0.0, 3.0]), 0.5)
    assert zero.sample((50,))[:, 0].max() == 0 and zero.log_prob(tinyconv.zeros(2))[0] == 0
    with pytest.raises(NotImplementedError, match="all counts must be equal"):
        D.Binomial(tinyconv.tensor([3.0, 4.0]), 0.5).entropy()
    for call in (lambda: D.Binomial(3), lambda: D.Binomial(3, 0.5, 0.5), lambda: D.Binomial(-1, 0.5),
                 lambda: D.Poisson(-1.0), lambda: D.NegativeBinomial(3, 1.0),
                 lambda: D.Binomial(3, 0.5).log_prob(tinyconv.tensor(4.0))):  # fmt: skip
        with pytest.raises(ValueError, match="probs|Poisson|Binomial"):
            call()


def test_matrices_of_low_rank():
    d, value, _ = made(tinyconv, "LowRankMultivariateNormal")
    whole = D.MultivariateNormal(d.loc, d.covariance_matrix)
    np.testing.assert_allclose(d.log_prob(value), whole.log_prob(value), rtol=1e-5)
    for form in ("scale_tril", "precision_matrix", "variance"):
        np.testing.assert_allclose(getattr(d, form), getattr(whole, form), rtol=1e-4, atol=1e-5)
    tinyconv.manual_seed(5)
    np.testing.assert_allclose(np.cov(d.sample((40000,))[:, 0].numpy().T), d.covariance_matrix[0], atol=0.1)
    loc, factor = tinyconv.zeros(3), tinyconv.ones(3, 2)
    for arguments, message in (
        ((loc[0], factor, loc + 1), "at least one-dim"),
        ((loc, factor[:2], loc + 1), "cov_factor must be"),
        ((loc, factor, loc[:2] + 1), "cov_diag must be"),
        ((loc, factor, loc), "cov_diag"),
    ):
        with pytest.raises(ValueError, match=message):
            D.LowRankMultivariateNormal(*arguments)


def test_numbers_and_the_shapes_of_batches():
    d = D.Normal(0, 1)
    assert repr(d) == "Normal(loc: 0.0, scale: 1.0)" and d.batch_shape == () and d.sample().shape == ()
    assert d.log_prob(tinyconv.zeros(2, 3)).shape == (2, 3) and d.sample((2, 3)).shape == (2, 3)
    d = D.Normal(tinyconv.zeros(3), tinyconv.ones(2, 1, dtype=tinyconv.float64))
    assert d.batch_shape == (2, 3) and d.sample((4,)).shape == (4, 2, 3) and d.sample().dtype is tinyconv.float64
    assert repr(d) == "Normal(loc: tinyconv.Size([2, 3]), scale: tinyconv.Size([2, 3]))"
    assert D.Categorical(tinyconv.ones(3)).sample() in (0, 1, 2)
    assert D.Bernoulli(0.5).expand((2, 2)).sample().shape == (2, 2)


def test_independent_numbers_are_one_event():
    base = D.Normal(tinyconv.zeros(2, 3), 2 * tinyconv.ones(2, 3))
    d = D.Independent(base, 1)
    x = tinyconv.randn(5, 2, 3)
    assert d.batch_shape == (2,) and d.event_shape == (3,) and d.has_rsample and d.rsample((4,)).shape == (4, 2, 3)
    np.testing.assert_allclose(d.log_prob(x), base.log_prob(x).sum(-1), rtol=1e-6)
    np.testing.assert_allclose(d.entropy(), base.entropy().sum(-1), rtol=1e-6)
    assert D.Independent(base, 2).log_prob(x).shape == (5,) and D.Independent(base, 0).event_shape == ()
    assert d.expand((4, 2)).batch_shape == (4, 2) and repr(d).startswith("Independent(Normal(loc: ")
    assert d.mean.shape == d.variance.shape == d.mode.shape == (2, 3)
    assert d.support.check(x).shape == (5, 2)
    with pytest.raises(ValueError, match="reinterpreted_batch_ndims"):
        D.Independent(base, 3)
    with pytest.raises(NotImplementedError, match="cartesian"):
        D.Independent(D.Bernoulli(tinyconv.ones(2) / 2), 1).enumerate_support()
    assert D.Independent(D.Bernoulli(0.5), 0).enumerate_support().tolist() == [0, 1]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: D.Normal(0.0, -1.0), r"parameter scale .* GreaterThan\(lower_bound=0.0\).*invalid values"),
        (lambda: D.Normal(math.nan, 1.0), "parameter loc .* Real"),
        (lambda: D.Bernoulli(1.5), "parameter probs .* Interval"),
        (lambda: D.Bernoulli(), "Either `probs` or `logits`"),
        (lambda: D.Categorical(tinyconv.ones(2), tinyconv.ones(2)), "Either `probs` or `logits`"),
        (lambda: D.Categorical(tinyconv.tensor(1.0)), "at least one-dimensional"),
        (lambda: D.Categorical(tinyconv.tensor([1.0, -0.5])), "parameter probs .* Simplex"),
        (lambda: D.Categorical(logits=tinyconv.tensor([math.nan, 0.5])), "parameter logits .* Independent"),
        (lambda: D.Uniform(1, 1), "not defined when low"),
        (lambda: D.Geometric(0.0), "to be positive"),
        (lambda: D.MultivariateNormal(tinyconv.zeros(2), -tinyconv.eye(2)), "covariance_matrix .* PositiveDefinite"),
        (
            lambda: D.MultivariateNormal(tinyconv.zeros(2), scale_tril=tinyconv.ones(2, 2)),
            "scale_tril .* LowerCholesky",
        ),
        (lambda: D.MultivariateNormal(tinyconv.zeros(2)), "Exactly one of"),
        (lambda: D.MultivariateNormal(tinyconv.zeros(2), tinyconv.ones(2)), "at least two-dimensional"),
        (lambda: D.MultivariateNormal(tinyconv.zeros(()), tinyconv.eye(2)), "at least one-dimensional"),
        (lambda: D.Normal("0", 1), "numbers or tensors"),
        (lambda: D.Normal(0, 1).log_prob(3), "must be a Tensor"),
        (lambda: D.Normal(0, 1).log_prob(tinyconv.tensor(math.nan)), "support"),
        (lambda: D.Bernoulli(0.5).log_prob(tinyconv.tensor(0.5)), r"support \(Boolean\(\)\)"),
        (lambda: D.Categorical(tinyconv.ones(3)).log_prob(tinyconv.tensor(3)), "IntegerInterval"),
        (lambda: D.Uniform(0, 1).log_prob(tinyconv.tensor(2.0)), "support"),
        (lambda: D.Normal(tinyconv.zeros(3), 1).log_prob(tinyconv.zeros(2)), "not broadcastable"),
        (lambda: D.OneHotCategorical(tinyconv.ones(3)).log_prob(tinyconv.zeros(2)), "event_shape"),
        (lambda: D.Distribution.set_default_validate_args(3), "expected a bool"),
    ],
)
def test_misuse(call, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        call()


def test_what_is_not_checked_and_what_there_is_not():
    assert D.Normal(0.0, -1.0, validate_args=False).scale == -1
    D.Distribution.set_default_validate_args(False)
    try:
        assert D.Uniform(0, 1).log_prob(tinyconv.tensor(2.0)) == -math.inf
    finally:
        D.Distribution.set_default_validate_args(True)
    for call in (D.Bernoulli(0.5).rsample, D.Normal(0, 1).enumerate_support, D.Distribution().entropy,
                 lambda: D.Bernoulli(0.5).cdf(tinyconv.ones(())), lambda: D.Distribution().mean,
                 lambda: D.Distribution().log_prob(1), lambda: D.Bernoulli(0.5).icdf(0.5)):  # fmt: skip
        with pytest.raises(NotImplementedError):
            call()
    with pytest.raises(AttributeError, match="no attribute 'prob'"):
        D.Bernoulli(0.5).prob  # noqa: B018


# ----------------------------------------------------------------------------------------------------------- divergence

PAIRS = [("Normal", "Normal"), ("LogNormal", "LogNormal"), ("HalfNormal", "HalfNormal"), ("Laplace", "Laplace"),
         ("Exponential", "Exponential"), ("Uniform", "Uniform"), ("Uniform", "Normal"), ("Normal", "Laplace"),
         ("Bernoulli", "Bernoulli by logits"), ("Geometric", "Geometric by logits"),
         ("Categorical", "Categorical by logits"), ("MultivariateNormal", "MultivariateNormal by L"),
         ("OneHotCategorical", "OneHotCategorical by logits"), ("Gamma", "Gamma"), ("Beta", "Beta"),
         ("Dirichlet", "Dirichlet")]  # fmt: skip


def other(d):
    """Another of its kind, which can have all values that it has."""
    if isinstance(d, D.Uniform):
        return D.Uniform(d.low - 0.3, d.high + 0.2)
    if isinstance(d, D.Exponential):
        return D.Exponential(d.rate * 1.5)
    return type(d)(**{k: getattr(d, k) * 1.4 + 0.1 for k in d._given()})


@pytest.mark.parametrize("p, q", PAIRS)
def test_the_divergence_is_the_mean_of_the_difference(p, q):
    p, q = made(tinyconv, p)[0], other(made(tinyconv, q)[0]) if p == q else made(tinyconv, q)[0]
    p = p.expand(q.batch_shape)
    tinyconv.manual_seed(3)
    x = p.sample((40000,))
    difference = p.log_prob(x) - q.log_prob(x)
    found = D.kl_divergence(p, q)
    assert found.shape == p.batch_shape
    assert bool(((difference.mean(0) - found).abs() < 5 * difference.std(0) / 200 + 1e-5).all())
    assert D.kl_divergence(p, p).abs().max() < 1e-5


def test_divergences_of_what_cannot_be_and_of_events():
    assert D.kl_divergence(D.Uniform(0, 2), D.Uniform(0, 1)) == math.inf
    assert D.kl_divergence(D.Bernoulli(0.5), D.Bernoulli(1.0)) == math.inf
    assert D.kl_divergence(D.Bernoulli(1.0), D.Bernoulli(0.5)).item() == pytest.approx(math.log(2))
    p, q = (D.Categorical(tinyconv.tensor(v)) for v in ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]))
    assert D.kl_divergence(p, q) == math.inf
    base = D.Normal(tinyconv.zeros(2, 3), 1.0), D.Normal(tinyconv.ones(2, 3), 1.0)
    assert D.kl_divergence(*(D.Independent(b, 1) for b in base)).tolist() == [1.5, 1.5]
    with pytest.raises(NotImplementedError, match="different events"):
        D.kl_divergence(D.Independent(base[0], 1), D.Independent(base[1], 2))
    with pytest.raises(NotImplementedError, match=r"p type Normal and q type Bernoulli"):
        D.kl_divergence(D.Normal(0, 1), D.Bernoulli(0.5))


def test_a_formula_of_ones_own():
    class Special(D.Normal):
        pass

    class Other(D.Distribution):
        pass

    @D.register_kl(D.Normal, Other)
    def known(p, q):
        return p.loc * 3

    assert D.kl_divergence(Special(2, 1), Other()) == 6
    assert D.kl_divergence(Special(2, 1), D.Normal(2, 1)) == 0
    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(int, Other)


def test_a_shape_that_is_no_number_is_not_waited_for():
    values = D.Gamma(tinyconv.tensor([math.nan, 2.0]), 1.0, validate_args=False).sample((3,))
    assert values.isnan().tolist() == [[True, False]] * 3


def test_a_policy_learns():
    """REINFORCE on a bandit: the arm that pays is found."""
    tinyconv.manual_seed(0)
    logits = tinyconv.zeros(3, requires_grad=True)
    optimizer = tinyconv.optim.Adam([logits], lr=0.1)
    for _ in range(60):
        arms = D.Categorical(logits=logits)
        action = arms.sample((16,))
        loss = -(arms.log_prob(action) * (action == 2).float()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert D.Categorical(logits=logits).probs[2] > 0.9


@pytest.mark.parametrize("dtype", [tinyconv.float32, tinyconv.float64])
def test_von_mises_of_any_concentration(dtype, monkeypatch):
    """No end of the range lets the rounds of rejection go on and on; at the one it is uniform, at the other normal."""
    rounds = itertools.count()

    def rand(*args, **kwargs):
        assert next(rounds) < 200
        return tinyconv.rand(*args, **kwargs)

    monkeypatch.setattr("tinyconv.distributions.von_mises.rand", rand)
    tinyconv.manual_seed(3)
    k = tinyconv.tensor([0.0, 1e-38, 1e10, 1e20, float("inf"), float("nan")], dtype=dtype)
    x = tinyconv.distributions.VonMises(0.0, k, validate_args=False).sample((2000,)).to(dtype=tinyconv.float64).numpy()
    for i in 0, 1:
        assert stats.kstest(x[:, i], stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    assert stats.kstest(x[:, 2] * 1e5, "norm").pvalue > 1e-3
    assert (abs(x[:, 3:5]) < 1e-9).all() and np.isnan(x[:, 5]).all()


def test_the_cdf_is_as_exact_as_the_value():
    """Of a number's float32 scale no float32 multiple is made."""
    x = np.linspace(0.1, 3, 20)
    for made, theirs in (D.Normal(0.0, 1.0), stats.norm), (D.HalfNormal(1.0), stats.halfnorm):
        np.testing.assert_allclose(made.cdf(tinyconv.tensor(x)), theirs.cdf(x), rtol=1e-14)
