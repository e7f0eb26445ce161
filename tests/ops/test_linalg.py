"""Norms and distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import tinyconv
from tests import strategies as sts

ORDERS = [0, 0.5, 1, 2, 3, -1, np.inf, -np.inf]


@given(st.data(), st.sampled_from(ORDERS), st.booleans())
def test_norm_of_vectors(data, order, keepdim):
    x = data.draw(sts.arrays(shape=sts.shapes(min_dims=1, min_side=1)))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    expected = np.linalg.norm(x.astype("float64"), order, axis, keepdim)
    t = tinyconv.from_numpy(x)
    for ours in (t.norm(order, axis, keepdim), tinyconv.linalg.norm(t, order, axis, keepdim),
                 tinyconv.linalg.vector_norm(t, order, axis, keepdim)):  # fmt: skip
        np.testing.assert_allclose(ours.array, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(t.norm().item(), np.linalg.norm(x.ravel().astype("float64")), rtol=1e-5)


@pytest.mark.parametrize("order", ["fro", 1, -1, np.inf, -np.inf, None])
def test_norm_of_matrices(order):
    x = np.random.default_rng(0).standard_normal((3, 4))
    ours = tinyconv.linalg.norm(tinyconv.from_numpy(x), order)
    assert ours.item() == pytest.approx(np.linalg.norm(x, order))
    if order is not None:
        batch = tinyconv.from_numpy(np.stack([x, 2 * x], 1))
        found = tinyconv.linalg.matrix_norm(batch, order, (0, 2), keepdim=True)
        np.testing.assert_allclose(found.array, np.linalg.norm(x, order) * np.array([[[1], [2]]]))


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, np.inf])
def test_the_gradient_at_zero_is_zero(p):
    x = tinyconv.tensor([[0.0, 0.0], [0.0, -2.0]], dtype=tinyconv.float64, requires_grad=True)
    x.norm(p, 1).sum().backward()
    np.testing.assert_allclose(x.grad.array, [[0, 0], [0, -1]])


@pytest.mark.parametrize("p", [1, 2, 3, np.inf])
def test_distances(p):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    s, t = tinyconv.from_numpy(a), tinyconv.from_numpy(b)
    ours = tinyconv.cdist(s, t, p)
    np.testing.assert_allclose(ours.array, cdist(a, b, "minkowski", p=p) if p != np.inf else cdist(a, b, "chebyshev"))
    assert tinyconv.dist(tinyconv.from_numpy(a[0]), tinyconv.from_numpy(b[0]), p).item() == pytest.approx(
        ours[0, 0].item()
    )


def test_errors():
    x = tinyconv.ones(2, 3)
    for error, match, call in (
        (RuntimeError, "vector_norm: input must be floating point, got tinyconv.int64", lambda: x.long().norm()),
        (RuntimeError, "no norm of order inf of nothing", lambda: x[:0].norm(float("inf"))),
        (RuntimeError, "matrix_norm: expected at least 2 dimensions", lambda: tinyconv.linalg.norm(x[0], "fro")),
        (RuntimeError, 'must be "fro", "nuc", 1, -1, 2, -2, inf or -inf', lambda: tinyconv.linalg.norm(x, 3)),
        (RuntimeError, "norm: p must be 'fro', 'nuc' or a number, got 'max'", lambda: x.norm("max")),
        (RuntimeError, "rows of one length, got shapes", lambda: tinyconv.cdist(x, x[:, :1])),
        (RuntimeError, "a vector or a matrix is expected", lambda: tinyconv.linalg.norm(x[None], 1)),
    ):
        with pytest.raises(error, match=match):
            call()


def test_vector_products():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((2, 3))
    s, t = tinyconv.from_numpy(a), tinyconv.from_numpy(b)
    np.testing.assert_allclose(tinyconv.cross(s, t).array, np.cross(a, b))
    np.testing.assert_allclose(s.T.cross(t.T).array, np.cross(a, b).T)  # along the first dim of size 3
    np.testing.assert_allclose(tinyconv.linalg.cross(s, t[:1]).array, np.cross(a, b[:1]))
    with pytest.raises(RuntimeError, match="cross: a dim of size 3 is needed, got dim 0"):
        tinyconv.cross(s[:, :2], t[:, :2])


def test_renorm():
    x = tinyconv.tensor([[3.0, 4.0], [0.3, 0.4]])
    np.testing.assert_allclose(x.renorm(2, 0, 1.0).array, [[0.6, 0.8], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(x.renorm(1, 1, 3.3).array, x.array * [[1, 3.3 / 4.4]], rtol=1e-6)


def test_products_of_vectors():
    x, y = np.random.default_rng(0).normal(size=(2, 2, 4, 3))
    found = tinyconv.linalg.vecdot(tinyconv.from_numpy(x), tinyconv.from_numpy(y[..., :1]), dim=1)
    np.testing.assert_allclose(found.numpy(), (x * y[..., :1]).sum(1))


def test_tensors_as_matrices():
    A, B = np.random.default_rng(0).normal(size=(2, 3, 6)), np.random.default_rng(1).normal(size=(2, 3))
    ours = tinyconv.linalg.tensorinv(tinyconv.tensor(A))
    np.testing.assert_allclose(ours.numpy(), np.linalg.tensorinv(A))
    x = tinyconv.linalg.tensorsolve(tinyconv.tensor(A), tinyconv.tensor(B))
    np.testing.assert_allclose(x.numpy(), np.linalg.tensorsolve(A, B))
    moved = tinyconv.linalg.tensorsolve(tinyconv.tensor(A), tinyconv.tensor(B.reshape(6)), dims=(0, 1))
    np.testing.assert_allclose(moved.numpy(), np.linalg.tensorsolve(A, B.reshape(6), axes=(0, 1)))
    with pytest.raises(RuntimeError, match="has 2 rows and 18 columns, if ind is 1"):
        tinyconv.linalg.tensorinv(tinyconv.tensor(A), ind=1)
    with pytest.raises(RuntimeError, match="make no square system"):
        tinyconv.linalg.tensorsolve(tinyconv.tensor(A[:, :, :5]), tinyconv.tensor(B))
