"""Linear systems and decompositions against NumPy and SciPy, and against PyTorch."""

import numpy as np
import pytest
import scipy.linalg

import tinyconv
from tinyconv import linalg
from tinyconv.ops.householder import geqrf

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 4, 4)), RNG.normal(size=(2, 4, 3))
TALL, WIDE = RNG.normal(size=(2, 5, 3)), RNG.normal(size=(2, 3, 5))
S = A @ A.swapaxes(1, 2) + np.eye(4)


def t(x):
    return tinyconv.from_numpy(np.array(x))


def test_systems():
    np.testing.assert_allclose(linalg.solve(t(A), t(B)).numpy(), np.linalg.solve(A, B))
    np.testing.assert_allclose(linalg.solve(t(A), t(B[..., 0])).numpy(), np.linalg.solve(A, B)[..., 0])
    np.testing.assert_allclose(linalg.solve(t(A), t(B.swapaxes(1, 2)), left=False).numpy() @ A, B.swapaxes(1, 2))
    np.testing.assert_allclose(linalg.inv(t(A)).numpy(), np.linalg.inv(A))
    np.testing.assert_allclose(t(A).inverse().numpy(), np.linalg.inv(A))
    found = linalg.solve_triangular(t(A[0]), t(B[0]), upper=False).numpy()
    np.testing.assert_allclose(found, scipy.linalg.solve_triangular(A[0], B[0], lower=True))
    found = linalg.solve_triangular(t(A[0]), t(B[0]), upper=True, unitriangular=True).numpy()
    np.testing.assert_allclose(found, scipy.linalg.solve_triangular(A[0], B[0], unit_diagonal=True))


def test_determinants():
    np.testing.assert_allclose(linalg.det(t(A)).numpy(), np.linalg.det(A))
    sign, size = tinyconv.slogdet(t(A))
    np.testing.assert_allclose((sign * size.exp()).numpy(), np.linalg.det(A))
    np.testing.assert_allclose(t(S).logdet().numpy(), np.log(np.linalg.det(S)))
    negative = np.diag([1.0, -1.0])
    assert tinyconv.logdet(t(negative)).isnan().item()
    assert tinyconv.logdet(tinyconv.zeros(2, 2)).item() == -np.inf


def test_the_gradient_of_the_determinant_of_singular_matrices():
    for x in (np.array([[1.0, 2], [2, 4]]), np.arange(9.0).reshape(3, 3), np.zeros((2, 2)), np.zeros((1, 1))):
        a = t(x).requires_grad_()
        linalg.det(a).backward()
        cofactors = np.empty_like(x)
        for i, j in np.ndindex(x.shape):
            rest = np.delete(np.delete(x, i, 0), j, 1)
            cofactors[i, j] = (-1) ** (i + j) * (np.linalg.det(rest) if rest.size else 1)
        np.testing.assert_allclose(a.grad.numpy(), cofactors, atol=1e-12)


@pytest.mark.parametrize("x", [A, TALL, WIDE], ids=["square", "tall", "wide"])
def test_decompositions(x):
    for mode in ("reduced", "complete"):
        Q, R = linalg.qr(t(x), mode)
        np.testing.assert_allclose((Q @ R).numpy(), x, atol=1e-12)
    assert linalg.qr(t(x), "r").Q.numel() == 0
    for full in (True, False):
        found = linalg.svd(t(x), full)
        K = min(x.shape[1:])
        np.testing.assert_allclose((found.U[..., :K] * found.S[:, None] @ found.Vh[:, :K]).numpy(), x, atol=1e-12)
    U, s, V = tinyconv.svd(t(x))
    np.testing.assert_allclose((U * s[:, None] @ V.mT).numpy(), x, atol=1e-12)
    np.testing.assert_allclose(linalg.svdvals(t(x)).numpy(), np.linalg.svd(x, compute_uv=False))


def test_symmetric_matrices():
    for upper in (True, False):
        L = linalg.cholesky(t(S), upper=upper)
        np.testing.assert_allclose((L.mT @ L if upper else L @ L.mT).numpy(), S)
    w, V = linalg.eigh(t(S))
    np.testing.assert_allclose((V * w[:, None] @ V.mT).numpy(), S)
    np.testing.assert_allclose(linalg.eigvalsh(t(np.triu(S)), "U").numpy(), w.numpy())


def test_ranks_and_conditions():
    assert linalg.matrix_rank(t(np.stack([np.ones((3, 4)), np.eye(3, 4)]))).tolist() == [1, 3]
    assert linalg.matrix_rank(t(np.diag([5.0, 1.0, 0.1])), atol=0.5).item() == 2
    assert linalg.matrix_rank(t(np.diag([5.0, 1.0, 0.1])), rtol=0.5).item() == 1
    for p in (None, 2, -2, "fro", "nuc", 1, -1, np.inf, -np.inf):
        np.testing.assert_allclose(linalg.cond(t(A), p).numpy(), np.linalg.cond(A, p))
    for order in (2, -2, "nuc"):
        expected = np.linalg.norm(A, order, (1, 2))
        np.testing.assert_allclose(linalg.matrix_norm(t(A), order).numpy(), expected)
        moved = linalg.matrix_norm(t(A.transpose(1, 0, 2)), order, (0, 2), keepdim=True)
        np.testing.assert_allclose(moved.numpy(), expected.reshape(1, 2, 1))
    np.testing.assert_allclose(tinyconv.norm(t(A[0]), "nuc").item(), np.linalg.norm(A[0], "nuc"))


def test_reflections():
    for a in (A, TALL, TALL[..., :1], np.triu(A), A[:, :1, :1], np.zeros((2, 3, 2))):
        h, tau = geqrf(t(a))
        Q = linalg.householder_product(h, tau).numpy()
        np.testing.assert_allclose(Q @ np.triu(h.numpy())[..., : a.shape[-1], :], a, atol=1e-12)
        np.testing.assert_allclose(
            Q.swapaxes(-1, -2) @ Q, np.broadcast_to(np.eye(a.shape[-1]), Q.shape[:-2] + Q.shape[-1:] * 2), atol=1e-12
        )
    (raw, scale) = np.linalg.qr(WIDE[0], mode="raw")
    h, tau = geqrf(t(WIDE[0]))
    np.testing.assert_allclose(h.numpy(), raw.T)
    np.testing.assert_allclose(tau.numpy(), scale, atol=1e-12)
    with pytest.raises(
        RuntimeError, match=r"householder_product: expected A .* got A \(2, 3\), tinyconv.float32, tau \(2"
    ):
        linalg.householder_product(tinyconv.zeros(2, 3), tinyconv.zeros(2))


CALLS = {
    "solve": (lambda m, a, b: m.linalg.solve(a, b), A, B),
    "inv": (lambda m, a: m.linalg.inv(a), A),
    "det": (lambda m, a: m.linalg.det(a), A),
    "slogdet": (lambda m, a: m.linalg.slogdet(a)[1], A),
    "cholesky": (lambda m, a: m.linalg.cholesky(a), S),
    "upper cholesky": (lambda m, a: m.linalg.cholesky(a, upper=True), S),
    "eigh": (lambda m, a: m.linalg.eigh(a)[1] ** 2, S),
    "eigvalsh": (lambda m, a: m.linalg.eigvalsh(a), S),
    **{f"qr {x.shape}": (lambda m, a: m.linalg.qr(a)[0] + m.linalg.qr(a)[1].sum((1, 2), keepdim=True), x)
       for x in (A, TALL, WIDE)},
    **{f"svd {x.shape}": (lambda m, a: m.linalg.svd(a, False)[2] ** 2, x) for x in (A, TALL, WIDE)},
    **{f"svd left {x.shape}": (lambda m, a: m.linalg.svd(a)[0][..., :3] ** 2, x) for x in (A, TALL, WIDE)},
    **{f"pinv {x.shape}": (lambda m, a: m.linalg.pinv(a), x) for x in (A, TALL, WIDE)},
    "matrix_exp": (lambda m, a: m.matrix_exp(a), A),
    "lstsq": (lambda m, a, b: m.linalg.lstsq(a, b)[0], TALL, TALL[..., :2] + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_as_pytorch(name):
    torch = pytest.importorskip("torch")
    function, *arrays = CALLS[name]
    found = []
    for library in (tinyconv, torch):
        xs = [library.tensor(x).requires_grad_() for x in arrays]
        y = function(library, *xs)
        (y * library.tensor(np.cos(np.arange(y.numel())).reshape(tuple(y.shape)))).sum().backward()
        found.append([y.detach().numpy(), *[x.grad.numpy() for x in xs]])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_misuse():
    with pytest.raises(linalg.LinAlgError, match="solve: Singular matrix"):
        linalg.inv(tinyconv.zeros(2, 2))
    assert issubclass(linalg.LinAlgError, RuntimeError)
    with pytest.raises(RuntimeError, match=r"linalg.inv: A must be square matrices .* got shape \(2, 3\)"):
        linalg.inv(tinyconv.zeros(2, 3))
    with pytest.raises(RuntimeError, match=r"linalg.solve: A \(2, 2\) and B \(\) do not fit"):
        linalg.solve(tinyconv.eye(2), tinyconv.tensor(1.0))
    with pytest.raises(RuntimeError, match="linalg.det: A must be floating point, got tinyconv.int64"):
        linalg.det(tinyconv.zeros(2, 2, dtype=tinyconv.int64))
    with pytest.raises(RuntimeError, match="no gradient of mode 'complete'"):
        linalg.qr(t(TALL).requires_grad_(), "complete").Q.sum().backward()
    with pytest.raises(RuntimeError, match="UPLO must be 'L' or 'U', got 'X'"):
        linalg.eigh(t(S), "X")
