"""Gamma-distributed numbers against SciPy's, and their gradient against SciPy's quantiles and PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

import tinyconv
from tinyconv.ops.gamma import standard_gamma, standard_gamma_grad

SHAPES = [0.001, 0.01, 0.2, 0.7, 1.0, 1.5, 5.0, 40.0, 1e3, 1e6]


@pytest.mark.parametrize("a", [0.05, 0.7, 1.0, 2.5, 100.0])
def test_samples(a):
    tinyconv.manual_seed(8)
    x = standard_gamma(tinyconv.full((4000,), a, dtype=tinyconv.float64)).numpy()
    assert stats.kstest(x, stats.gamma(a).cdf).pvalue > 1e-3


@pytest.mark.parametrize("a", SHAPES)
def test_the_gradient_is_that_of_the_quantiles(a):
    p = np.array([0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999])
    x = special.gammaincinv(a, p)
    p, x = p[x > 1e-250], x[x > 1e-250]
    h = 1e-4 * a
    quantile = lambda a: special.gammaincinv(a, p)  # noqa: E731
    expected = (8 * (quantile(a + h) - quantile(a - h)) - quantile(a + 2 * h) + quantile(a - 2 * h)) / (12 * h)
    found = standard_gamma_grad(tinyconv.full(x.shape, a, dtype=tinyconv.float64), tinyconv.tensor(x))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("dtype", [tinyconv.float32, tinyconv.float64])
def test_as_pytorch(dtype):
    torch = pytest.importorskip("torch")
    a = np.repeat(SHAPES[:-1], 7)
    x = special.gammaincinv(a, np.tile([0.001, 0.05, 0.3, 0.5, 0.7, 0.95, 0.999], len(SHAPES) - 1))
    a, x = a[x > 1e-30], x[x > 1e-30]
    found = standard_gamma_grad(tinyconv.tensor(a, dtype=dtype), tinyconv.tensor(x, dtype=dtype))
    expected = torch._standard_gamma_grad(torch.tensor(a), torch.tensor(x))  # an approximation itself
    assert found.dtype is dtype
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3)


def test_the_gradient_of_the_mean_is_one():
    tinyconv.manual_seed(1)
    a = tinyconv.tensor([0.3, 3.0, 30.0], requires_grad=True)
    standard_gamma(a.expand(20_000, 3)).mean(0).sum().backward()
    np.testing.assert_allclose(a.grad, [1, 1, 1], rtol=0.03)


def test_samples_in_float32_where_the_shape_is_large():
    """There the terms of the bound, and a logarithm of the sample, would round away what is random."""
    tinyconv.manual_seed(2)
    x = standard_gamma(tinyconv.full((4000,), 1e12)).numpy().astype(np.float64)
    assert np.isclose(x.std(), 1e6, rtol=0.04) and len(np.unique(x)) > 50
