"""LU decompositions and what is solved with them, against SciPy and NumPy; PyTorch's answers are in the battery."""

import numpy as np
import pytest
import scipy.linalg

import tinyconv
from tinyconv import linalg

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 4)), RNG.normal(size=(2, 4, 3))


def t(x):
    return tinyconv.from_numpy(np.array(x))


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 4, 3), (2, 0, 3), (0, 2, 2)])
def test_factors(shape):
    x = t(RNG.normal(size=shape))
    P, L, U = linalg.lu(x)
    np.testing.assert_allclose((P @ L @ U).numpy(), x.numpy(), atol=1e-14)
    if x.numel():
        for ours, theirs in zip((P, L, U), scipy.linalg.lu(x.numpy()), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-14)
    packed, pivots = linalg.lu_factor(x)
    assert pivots.dtype is tinyconv.int32
    for ours, theirs in zip(tinyconv.lu_unpack(packed, pivots), (P, L, U), strict=True):
        assert ours.equal(theirs)
    assert [part.numel() for part in tinyconv.lu_unpack(packed, pivots, False, False)] == [0, 0, 0]


@pytest.mark.parametrize("adjoint", [False, True])
def test_solving(adjoint):
    factors = linalg.lu_factor(t(A))
    a = A.swapaxes(1, 2) if adjoint else A
    np.testing.assert_allclose(linalg.lu_solve(*factors, t(B), adjoint=adjoint).numpy(), np.linalg.solve(a, B))
    right = linalg.lu_solve(*factors, t(B).mT, left=False, adjoint=adjoint)
    np.testing.assert_allclose((right @ t(a)).numpy(), B.swapaxes(1, 2))
    np.testing.assert_allclose(tinyconv.lu_solve(t(B), *factors).numpy(), np.linalg.solve(A, B))
    assert linalg.lu_solve(factors[0][0], factors[1][0], t(B)).shape == B.shape  # one matrix, two right sides


def test_singular_matrices():
    x = t([np.eye(2), [[1.0, 1.0], [1.0, 1.0]], np.zeros((2, 2))])
    assert linalg.lu_factor_ex(x).info.tolist() == [0, 2, 1]
    inverse, info = linalg.inv_ex(x)
    assert info.tolist() == [0, 2, 1] and info.dtype is tinyconv.int32
    assert inverse[0].tolist() == np.eye(2).tolist() and inverse[1:].isnan().all()
    result, info = linalg.solve_ex(x, tinyconv.ones(3, 2, dtype=tinyconv.float64))
    assert info.tolist() == [0, 2, 1] and result[0].tolist() == [1, 1] and result[1:].isnan().all()
    assert linalg.solve_ex(x[0], tinyconv.ones(2, dtype=tinyconv.float64)).info.shape == ()
    for attempt in (
        lambda: linalg.lu_factor(x),
        lambda: linalg.lu_factor_ex(x, check_errors=True),
        lambda: linalg.inv_ex(x, check_errors=True),
        lambda: linalg.solve_ex(x, x, check_errors=True),
    ):
        with pytest.raises(linalg.LinAlgError, match="the diagonal element 2 of U is zero"):
            attempt()


def test_a_gradient_of_regular_matrices_beside_singular_ones():
    x = t([np.eye(2) * 2, np.zeros((2, 2))]).requires_grad_()
    linalg.inv_ex(x).inverse[0].sum().backward()
    assert x.grad.tolist() == [[[-0.25, -0.25], [-0.25, -0.25]], [[0, 0], [0, 0]]]


def test_errors():
    packed, pivots = linalg.lu_factor(t(A))
    for attempt in (lambda: linalg.lu(t(A), pivot=False), lambda: linalg.lu_factor(t(A), pivot=False)):
        with pytest.raises(NotImplementedError, match="pivot=False"):
            attempt()
    with pytest.raises(RuntimeError, match="pivots must be int32, got tinyconv.int64"):
        tinyconv.lu_unpack(packed, pivots.long())
    with pytest.raises(RuntimeError, match=r"pivots of shape \(4,\) do not fit"):
        linalg.lu_solve(packed, pivots[0], t(B))
    with pytest.raises(RuntimeError, match="do not fit"):
        linalg.lu_solve(packed, pivots, t(B[:, :3]))
