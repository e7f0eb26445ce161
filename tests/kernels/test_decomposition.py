"""Linear systems and decompositions by what defines them, in batches and in every layout."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.kernels.contract import LinAlgError

RNG = np.random.default_rng(0)
SHAPES = [(3, 3), (5, 3), (3, 5), (2, 4, 4), (2, 2, 5, 3), (0, 3, 3)]


def close(a, b, dtype):
    assert a.dtype == dtype
    np.testing.assert_allclose(a, b, rtol=0, atol=200 * np.finfo(dtype).eps)


def drawn(shape, dtype, square=False, layout=True):
    shape = (*shape[:-2], shape[-1], shape[-1]) if square else shape
    x = RNG.normal(size=shape).astype(dtype)
    return np.asarray(np.asfortranarray(x) if layout else x)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
class TestDefinitions:
    def test_solve_and_determinants(self, kernels, shape, dtype):
        x = drawn(shape, dtype, square=True) + 3 * np.eye(shape[-1], dtype=dtype)
        y = drawn(shape[:-2] + (shape[-1], 2), dtype)
        close(x @ kernels.solve(x, y), y, dtype)
        sign, size = kernels.slogdet(x)
        np.testing.assert_allclose(sign * np.exp(size), kernels.det(x), rtol=1e-4)
        np.testing.assert_allclose(kernels.det(x), np.linalg.det(x.astype("float64")), rtol=1e-4)

    def test_cholesky(self, kernels, shape, dtype):
        x = drawn(shape, dtype, square=True)
        x = x @ x.swapaxes(-1, -2) + np.eye(shape[-1], dtype=dtype)
        L = kernels.cholesky(x)
        close(L @ L.swapaxes(-1, -2), x, dtype)
        np.testing.assert_array_equal(L, np.tril(L))
        np.testing.assert_array_equal(kernels.cholesky(np.tril(x)), L)  # the upper triangle is not read

    def test_eigh(self, kernels, shape, dtype):
        x = drawn(shape, dtype, square=True)
        x = x + x.swapaxes(-1, -2)
        w, v = kernels.eigh(x)
        close(v * w[..., None, :] @ v.swapaxes(-1, -2), x, dtype)
        assert (np.diff(w) >= 0).all()
        np.testing.assert_array_equal(kernels.eigh(np.tril(x))[0], w)

    def test_lu(self, kernels, shape, dtype):
        x = drawn(shape, dtype)
        before = x.copy()
        lu, pivots, info = kernels.lu(x)
        M, K = shape[-2], min(shape[-2:])
        assert lu.dtype == dtype and pivots.dtype == info.dtype == np.int32
        assert lu.shape == shape and pivots.shape == (*shape[:-2], K) and info.shape == shape[:-2]
        assert (info == 0).all()
        np.testing.assert_array_equal(x, before)
        swapped = x.copy()
        for batch in np.ndindex(*shape[:-2]):
            for i, other in enumerate(pivots[batch] - 1):
                swapped[batch][[i, other]] = swapped[batch][[other, i]]
        lower = np.tril(lu[..., :K], -1) + np.eye(M, K, dtype=dtype)
        close(lower @ np.triu(lu[..., :K, :]), swapped, dtype)
        assert (abs(lower) <= 1).all()

    @pytest.mark.parametrize("complete", [True, False])
    def test_qr(self, kernels, shape, dtype, complete):
        x = drawn(shape, dtype)
        q, r = kernels.qr(x, complete)
        K = shape[-2] if complete else min(shape[-2:])
        assert q.shape == (*shape[:-1], K) and r.shape == (*shape[:-2], K, shape[-1])
        close(q @ r, x, dtype)
        close(q.swapaxes(-1, -2) @ q, np.broadcast_to(np.eye(K), (*shape[:-2], K, K)), dtype)
        np.testing.assert_array_equal(r, np.triu(r))

    @pytest.mark.parametrize("full", [True, False])
    def test_svd(self, kernels, shape, dtype, full):
        x = drawn(shape, dtype)
        u, s, vh = kernels.svd(x, full)
        (M, N), K = shape[-2:], min(shape[-2:])
        assert u.shape == (*shape[:-1], M if full else K) and vh.shape == (*shape[:-2], N if full else K, N)
        close(u[..., :K] * s[..., None, :] @ vh[..., :K, :], x, dtype)
        close(vh @ vh.swapaxes(-1, -2), np.broadcast_to(np.eye(vh.shape[-2]), (*vh.shape[:-1], vh.shape[-2])), dtype)
        assert (np.diff(s) <= 0).all() and (s >= 0).all()


def test_errors(kernels):
    with pytest.raises(LinAlgError, match="solve: Singular matrix"):
        kernels.solve(np.zeros((2, 2)), np.ones((2, 1)))
    with pytest.raises(LinAlgError, match="cholesky: Matrix is not positive definite"):
        kernels.cholesky(-np.eye(2))


def test_lu_says_where_its_diagonal_is_zero(kernels):
    x = np.stack([np.eye(3), np.diag([1.0, 0, 1]), np.zeros((3, 3))])
    lu, pivots, info = kernels.lu(x)
    assert info.tolist() == [0, 2, 1]
    assert pivots.tolist() == [[1, 2, 3]] * 3
    np.testing.assert_array_equal(lu, x)
    assert kernels.lu(np.zeros((2, 0, 3)))[1].shape == (2, 0)
