"""Special functions against SciPy, and against PyTorch."""

import numpy as np
import pytest
import scipy.special

import tinyconv
from tinyconv import special

X = np.concatenate([np.random.default_rng(0).normal(size=40) * 3, [0.0, 0.5, 1.0, 2.0, 20.0]])
P = np.concatenate([np.random.default_rng(1).uniform(0, 1, 20), [0.0, 1.0, 0.5]])
SCIPY = {"polygamma": None, "round": None, "logsumexp": None, "softmax": None, "log_softmax": None, "zeta": None,
         "multigammaln": None, "xlogy": None, "xlog1py": None, "sinc": np.sinc}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(special.__all__) - {k for k, v in SCIPY.items() if v is None}))
def test_as_scipy(name):
    x = P if name in ("erfinv", "ndtri", "logit", "log1p", "entr") else X
    formula = SCIPY.get(name) or getattr(scipy.special, name, getattr(np, name, None))
    with np.errstate(all="ignore"):
        expected = formula(x)
    np.testing.assert_allclose(getattr(special, name)(tinyconv.tensor(x)).numpy(), expected, rtol=1e-10, atol=1e-14)


def test_of_two_numbers():
    a, b = np.abs(X[:20]) + 1.1, np.abs(X[20:40]) + 0.1
    s, q = tinyconv.tensor(a), tinyconv.tensor(b)
    np.testing.assert_allclose(special.zeta(s, q).numpy(), scipy.special.zeta(a, b))
    np.testing.assert_allclose(special.zeta(2, q).numpy(), scipy.special.zeta(2.0, b))
    np.testing.assert_allclose(special.xlog1py(s, q).numpy(), scipy.special.xlog1py(a, b))
    assert special.xlog1py(tinyconv.tensor([0.0, 0.0]), -1).tolist() == [0, 0]
    np.testing.assert_allclose(special.multigammaln(tinyconv.tensor(a + 1), 3).numpy(),
                               [scipy.special.multigammaln(x, 3) for x in a + 1])  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_polygamma(n):
    x = np.abs(X) + 0.1
    np.testing.assert_allclose(tinyconv.polygamma(n, tinyconv.tensor(x)).numpy(), scipy.special.polygamma(n, x))
    np.testing.assert_allclose(tinyconv.tensor(x).polygamma(n).numpy(), scipy.special.polygamma(n, x))


def test_trigamma_below_zero():
    """By its definition, the second derivative of lgamma, and by reflection."""
    x = np.array([-0.3, -1.5, -2.75])
    expected = np.pi**2 / np.sin(np.pi * x) ** 2 - scipy.special.polygamma(1, 1 - x)
    np.testing.assert_allclose(tinyconv.polygamma(1, tinyconv.tensor(x)).numpy(), expected)
    t = tinyconv.tensor(x, requires_grad=True)
    (first,) = tinyconv.autograd.grad(tinyconv.lgamma(t).sum(), t, create_graph=True)
    (second,) = tinyconv.autograd.grad(first.sum(), t)
    np.testing.assert_allclose(second.numpy(), expected)


@pytest.mark.parametrize("name", ["gammaln", "digamma", "i0", "i1", "i0e", "i1e", "ndtr", "log_ndtr", "erfcx",
                                  "erfinv", "ndtri", "entr"])  # fmt: skip
def test_gradients_as_pytorch(name):
    torch = pytest.importorskip("torch")
    x = P[:20] if name in ("erfinv", "ndtri", "entr") else np.abs(X[:40]) + 0.1
    found = []
    for library in (tinyconv, torch):
        t = library.tensor(x).requires_grad_()
        y = getattr(library.special, name)(t)
        y.sum().backward()
        found.append([y.detach().numpy(), t.grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)


def test_integers_methods_and_misuse():
    assert tinyconv.lgamma(tinyconv.tensor([1, 2, 3])).dtype is tinyconv.float32
    x = tinyconv.tensor([0.5, 0.25])
    assert x.clone().erfinv_().tolist() == tinyconv.erfinv(x).tolist()
    with pytest.raises(RuntimeError, match="n must not be negative, got -1"):
        tinyconv.polygamma(-1, x)
    with pytest.raises(RuntimeError, match="p must be at least 1, got 0"):
        tinyconv.mvlgamma(x, 0)
    with pytest.raises(NotImplementedError, match="no gradient of its first argument"):
        special.zeta(x.requires_grad_() + 2, 1.0).sum().backward()
