"""What is solved with Cholesky's decomposition, against SciPy and NumPy."""

import numpy as np
import pytest
import scipy.linalg

import tinyconv
from tinyconv import linalg

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 4)), RNG.normal(size=(2, 4, 3))
S = A @ A.swapaxes(1, 2) + np.eye(4)


def t(x):
    return tinyconv.from_numpy(np.array(x))


@pytest.mark.parametrize("upper", [False, True])
def test_solving(upper):
    L = linalg.cholesky(t(S), upper=upper)
    noise = (tinyconv.tril if upper else tinyconv.triu)(t(A), -1 if upper else 1)  # the other triangle is not read
    np.testing.assert_allclose(tinyconv.cholesky_solve(t(B), L + noise, upper).numpy(), np.linalg.solve(S, B))
    np.testing.assert_allclose(t(B).cholesky_solve(L[0], upper=upper)[1].numpy(), np.linalg.solve(S[0], B[1]))
    np.testing.assert_allclose(tinyconv.cholesky_inverse(L + noise, upper).numpy(), np.linalg.inv(S))


@pytest.mark.parametrize("upper", [False, True])
def test_matrices_that_are_not_definite(upper):
    x = np.stack([S[0], np.diag([1.0, 2.0, -1.0, 1.0]), -np.eye(4)]).reshape(3, 1, 4, 4)
    L, info = linalg.cholesky_ex(t(x), upper=upper)
    assert info.tolist() == [[0], [3], [1]] and info.dtype is tinyconv.int32
    np.testing.assert_allclose(L[0, 0].numpy(), scipy.linalg.cholesky(S[0], lower=not upper), atol=1e-15)
    assert L[1:].isnan().all()
    assert linalg.cholesky_ex(t(S)).info.tolist() == [0, 0]
    with pytest.raises(linalg.LinAlgError, match="the leading minor of order 3 of a matrix is not positive definite"):
        linalg.cholesky_ex(t(x), check_errors=True)
    x = t(x).requires_grad_()
    linalg.cholesky_ex(x).L[0].sum().backward()
    assert x.grad[0].abs().sum() > 0 and (x.grad[1:] == 0).all()


def test_errors():
    L = linalg.cholesky(t(S))
    with pytest.raises(RuntimeError, match="do not fit"):
        tinyconv.cholesky_solve(t(B[:, :3]), L)
    with pytest.raises(RuntimeError, match="must be matrices"):
        tinyconv.cholesky_solve(t(B[0, :, 0]), L)


def test_nan_is_not_positive_definite():
    A = tinyconv.tensor([[1.0, float("nan")], [float("nan"), 2.0]])
    with pytest.raises(linalg.LinAlgError, match="not positive definite"):
        linalg.cholesky(A)
    assert linalg.cholesky_ex(A).info == 2 and linalg.cholesky_ex(A * float("nan")).info == 1
