"""Powers of matrices, their exponential, and products of several, against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.linalg

import tinyconv
from tinyconv import linalg

RNG = np.random.default_rng(0)
A = RNG.normal(size=(2, 4, 4))
t = tinyconv.from_numpy


@pytest.mark.parametrize("n", range(-2, 7))
def test_powers_of_matrices(n):
    x = np.random.default_rng(0).standard_normal((2, 3, 3))
    np.testing.assert_allclose(tinyconv.matrix_power(tinyconv.from_numpy(x), n).array, np.linalg.matrix_power(x, n))


def test_powers_that_are_errors():
    with pytest.raises(RuntimeError, match=r"expected square matrices, got shape \(2, 3\)"):
        tinyconv.ones(2, 3).matrix_power(2)
    with pytest.raises(tinyconv.linalg.LinAlgError, match="Singular matrix"):
        tinyconv.zeros(2, 2).matrix_power(-1)


def test_exponentials():
    np.testing.assert_allclose(linalg.matrix_exp(t(3 * A)).numpy(), scipy.linalg.expm(3 * A), rtol=1e-10)
    np.testing.assert_allclose(tinyconv.matrix_exp(tinyconv.zeros(2, 2)).numpy(), np.eye(2))
    bad = np.stack([3 * A[0], np.full_like(A[0], np.nan), np.where(np.eye(len(A[0])), np.inf, A[0])])
    found = linalg.matrix_exp(t(bad)).numpy()
    np.testing.assert_allclose(found[0], scipy.linalg.expm(3 * A[0]), rtol=1e-10)
    assert np.isnan(found[1:]).all()


def test_chains():
    chain = [RNG.normal(size=shape) for shape in ((4, 4), (4, 3), (3, 5), (5, 3))]
    np.testing.assert_allclose(linalg.multi_dot([*map(t, chain)]).numpy(), np.linalg.multi_dot(chain))
    vectors = [RNG.normal(size=4), *chain, RNG.normal(size=3)]
    np.testing.assert_allclose(linalg.multi_dot([*map(t, vectors)]).item(), np.linalg.multi_dot(vectors))
