"""Linear systems and decompositions of matrices, in batches ``(..., M, N)``.

==========  ===================  ======================================================================================
operation   what it solves       gradient of A
==========  ===================  ======================================================================================
solve       A X = B              gB = A^-T gX,  gA = -gB X^T
inv         A X = I              -X^T gX X^T
det         d = det A            gd d A^-T
slogdet     l = log abs det A    gl A^-T
cholesky    A = L L^T            half of S + S^T, with S = L^-T low(L^T gL) L^-1 and low: the lower triangle, its
                                 diagonal halved
qr          A = Q R              (gQ + Q sym(R gR^T - gQ^T Q)) R^-T, with sym: the lower triangle, mirrored
eigh        A = V diag(w) V^T    V (diag(gw) + skew(V^T gV) / 2 / E) V^T, with E_ij = w_j - w_i, skew(X) = X - X^T
svd         A = U diag(s) V^T    U ((skew(U^T gU) / E) s + s (skew(V^T gV) / E) + diag(gs)) V^T, with E_ij = s_j^2 -
                                 s_i^2, and what of gU and gV is outside of U and V
==========  ===================  ======================================================================================

(Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation", 2008; Murray,
"Differentiation of the Cholesky decomposition", 2016; Walter and Lehmann, "Algorithmic differentiation of linear
algebra functions", 2010; Townsend, "Differentiating the singular value decomposition", 2016.) Eigenvectors and singular
vectors are determined up to their signs; their gradients need eigenvalues, or singular values, that differ.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function, no_grad
from ..tensor import Tensor, wrap
from . import return_types
from .compare import eq, where
from .creation import eye
from .diagonal import diag_embed, diagonal, tril, triu
from .elementwise import add, div, mul, neg, sub
from .index import getitem
from .join import cat
from .matmul import matmul
from .shape import mT, unsqueeze
from .types import broadcast_shape, expect, same_type


def matrices(A: Any, name: str, square: bool = False) -> Tensor:
    """``A``, checked.

    Raises:
        RuntimeError: not floating point, or no matrices, or none that are square.
    """
    expect(name, "f", A=A)
    shape = tuple(A.array.shape)
    if A.array.dtype.itemsize < 4:
        raise RuntimeError(f"{name}: A must be float32 or float64, got {A.dtype}")
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        raise RuntimeError(f"{name}: A must be {'square ' * square}matrices (..., M, N), got shape {shape}")
    return A


def identity(A: Tensor, n: int) -> Tensor:
    """The identity of n rows, in the type of ``A``."""
    return eye(n, dtype=A.dtype, device=A.device)


# -------------------------------------------------------------------------------------------------------------- systems


class Solve(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor, B: Tensor) -> Tensor:
        X = wrap(kernels.of(A.array).solve(A.array, B.array))
        ctx.save_for_backward(A, X)
        return X

    @staticmethod
    def backward(ctx: Any, gX: Tensor) -> tuple:
        A, X = ctx.saved_tensors
        gB = Solve.apply(mT(A), gX)
        return neg(matmul(gB, mT(X))), gB


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """X with ``A X = B``, or ``X A = B`` if not ``left``.

    Args:
        A: ``(..., N, N)``.
        B: ``(..., N, K)``; or vectors ``(..., N)``, as many as there are matrices.
        left: on which side A stands.

    Raises:
        RuntimeError: shapes or types that do not fit.
        LinAlgError: A is singular.
    """
    name = "linalg.solve"
    matrices(A, name, square=True)
    same_type(name, A=A, B=B)
    a, b = tuple(A.array.shape), tuple(B.array.shape)
    if len(b) == 1 or b == a[:-1]:
        if not left:
            raise RuntimeError(f"{name}: with left=False B must be matrices, got shape {b}")
        return solve(A, unsqueeze(B, -1)).squeeze(-1)
    if not b or b[-2 if left else -1] != a[-1]:
        raise RuntimeError(f"{name}: A {a} and B {b} do not fit")
    broadcast_shape(a[:-2], b[:-2], name)
    return Solve.apply(A, B) if left else mT(Solve.apply(mT(A), mT(B)))


def solve_triangular(A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    """:func:`solve` with only one triangle of A, the diagonal taken as ones if ``unitriangular``."""
    matrices(A, "linalg.solve_triangular", square=True)
    T = (triu if upper else tril)(A, (1 if upper else -1) * unitriangular)
    return solve(add(T, identity(A, A.array.shape[-1])) if unitriangular else T, B, left=left)


def inv(A: Tensor) -> Tensor:
    """The inverse of square matrices.

    Raises:
        RuntimeError: not square.
        LinAlgError: singular.
    """
    matrices(A, "linalg.inv", square=True)
    return Solve.apply(A, identity(A, A.array.shape[-1]).expand(A.array.shape))


class Det(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        d = wrap(kernels.of(A.array).det(A.array))
        ctx.save_for_backward(A, d)
        return d

    @staticmethod
    def backward(ctx: Any, gd: Tensor) -> Tensor:
        A, d = ctx.saved_tensors
        return mul(_at_each(gd), _cofactors(A, d))


def _at_each(x: Tensor) -> Tensor:
    """A number for each matrix, as one that broadcasts over it."""
    return unsqueeze(unsqueeze(x, -1), -1)


def _cofactors(A: Tensor, d: Tensor) -> Tensor:
    """``d A^-T``; for (almost) singular matrices by what is left of it: of ``A = U diag(s) V^T`` the cofactors are
    ``det(U) det(V) U diag(products of the other s) V^T``."""
    if (matrix_rank(A) == A.array.shape[-1]).all().item():
        return mul(_at_each(d), mT(inv(A)))
    U, s, Vh = SVD.apply(A, False)
    others = where(identity(A, s.array.shape[-1]) > 0, 1.0, unsqueeze(s, -2)).prod(-1)
    return mul(_at_each(mul(Det.apply(U), Det.apply(Vh))), matmul(mul(U, unsqueeze(others, -2)), Vh))


def det(A: Tensor) -> Tensor:
    """Determinants: ``(..., N, N) -> (...)``."""
    return Det.apply(matrices(A, "linalg.det", square=True))


class Slogdet(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor) -> tuple:
        sign, size = map(wrap, kernels.of(A.array).slogdet(A.array))
        ctx.mark_non_differentiable(sign)
        ctx.save_for_backward(A)
        return sign, size

    @staticmethod
    def backward(ctx: Any, gsign: Any, gl: Tensor) -> Tensor:
        return mul(_at_each(gl), mT(inv(ctx.saved_tensors[0])))


def slogdet(A: Tensor) -> Any:
    """-> (sign, logabsdet): the sign of determinants, and the logarithm of their size, which does not overflow."""
    return return_types.linalg_slogdet(*Slogdet.apply(matrices(A, "linalg.slogdet", square=True)))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of determinants: -inf of 0, NaN of negative ones."""
    sign, size = slogdet(input)
    return where(eq(sign, -1), float("nan"), size)


# ------------------------------------------------------------------------------------------------------- decompositions


class Cholesky(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        L = wrap(kernels.of(A.array).cholesky(A.array))
        ctx.save_for_backward(L)
        return L

    @staticmethod
    def backward(ctx: Any, gL: Tensor) -> Tensor:
        (L,) = ctx.saved_tensors
        low = tril(matmul(mT(L), gL))
        low = sub(low, mul(diag_embed(diagonal(low, 0, -2, -1)), 0.5))
        half = solve(mT(L), low)
        S = mT(solve(mT(L), mT(half)))
        return mul(add(S, mT(S)), 0.5)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``L L^T = A``, or ``L^T`` if ``upper``, of symmetric positive definite matrices.

    Raises:
        RuntimeError: not square.
        LinAlgError: not positive definite.
    """
    matrices(A, "linalg.cholesky", square=True)
    L = Cholesky.apply(mT(A) if upper else A)
    return mT(L) if upper else L


class QR(Function):
    """A = Q R, of matrices that are not wider than high."""

    @staticmethod
    def forward(ctx: Any, A: Tensor, complete: bool) -> tuple:
        Q, R = map(wrap, kernels.of(A.array).qr(A.array, complete))
        ctx.complete = complete and A.array.shape[-2] > A.array.shape[-1]
        ctx.save_for_backward(Q, R)
        return Q, R

    @staticmethod
    def backward(ctx: Any, gQ: Tensor, gR: Tensor) -> tuple:
        if ctx.complete:
            raise RuntimeError("linalg.qr: there is no gradient of mode 'complete' for matrices higher than wide")
        Q, R = ctx.saved_tensors
        M = tril(sub(matmul(R, mT(gR)), matmul(mT(gQ), Q)))
        both = add(M, mT(tril(M, -1)))
        return mT(solve(R, mT(add(gQ, matmul(Q, both))))), None


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """-> (Q, R) with ``Q R = A``: Q's columns are orthonormal, R is upper triangular.

    Args:
        A: ``(..., M, N)``.
        mode: "reduced": Q ``(..., M, K)``, R ``(..., K, N)`` with K = min(M, N); "complete": K = M; "r": only R, and
            Q is empty.

    Raises:
        RuntimeError: no matrices, or an unknown mode.
    """
    matrices(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"linalg.qr: mode must be 'reduced', 'complete' or 'r', got {mode!r}")
    M, N = A.array.shape[-2:]
    Q, R = QR.apply(getitem(A, (..., slice(M))) if M < N else A, mode == "complete")
    if M < N:  # the columns to the right have no part in Q
        R = cat([R, matmul(mT(Q), getitem(A, (..., slice(M, None))))], -1)
    return return_types.linalg_qr(A.new_empty(0) if mode == "r" else Q, R)


class Eigh(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor) -> tuple:
        w, V = map(wrap, kernels.of(A.array).eigh(A.array))
        ctx.save_for_backward(w, V)
        return w, V

    @staticmethod
    def backward(ctx: Any, gw: Tensor, gV: Tensor) -> Tensor:
        w, V = ctx.saved_tensors
        turn = matmul(mT(V), gV)
        inner = div(mul(sub(turn, mT(turn)), 0.5), _apart(w))
        return matmul(V, matmul(_without_diagonal(inner, gw), mT(V)))


def _without_diagonal(x: Tensor, diagonal: Tensor) -> Tensor:
    """``x`` with another diagonal."""
    return where(identity(x, x.array.shape[-1]) > 0, diag_embed(diagonal), x)


def _apart(w: Tensor) -> Tensor:
    """``w_j - w_i``, and 1 on the diagonal."""
    return add(sub(unsqueeze(w, -2), unsqueeze(w, -1)), identity(w, w.array.shape[-1]))


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """-> (eigenvalues, eigenvectors) of symmetric matrices: w ``(..., N)``, rising, and V ``(..., N, N)`` with ``A =
    V diag(w) V^T``.

    Args:
        A: ``(..., N, N)``; only one triangle is read.
        UPLO: "L", the lower one, or "U".

    Raises:
        RuntimeError: not square, or another triangle.
    """
    matrices(A, "linalg.eigh", square=True)
    if str(UPLO).upper() not in ("L", "U"):
        raise RuntimeError(f"linalg.eigh: UPLO must be 'L' or 'U', got {UPLO!r}")
    return return_types.linalg_eigh(*Eigh.apply(mT(A) if str(UPLO).upper() == "U" else A))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, rising; as :func:`eigh`."""
    return eigh(A, UPLO)[0]


class SVD(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor, full: bool) -> tuple:
        U, s, Vh = map(wrap, kernels.of(A.array).svd(A.array, full))
        ctx.save_for_backward(U, s, Vh)
        return U, s, Vh

    @staticmethod
    def backward(ctx: Any, gU: Tensor, gs: Tensor, gVh: Tensor) -> tuple:
        U, s, Vh = ctx.saved_tensors
        K = s.array.shape[-1]  # what completes the bases has no gradient
        U, gU = (getitem(t, (..., slice(K))) for t in (U, gU))
        V, gV = (mT(getitem(t, (..., slice(K), slice(None)))) for t in (Vh, gVh))
        column, row = unsqueeze(s, -1), unsqueeze(s, -2)
        E = add(mul(sub(row, column), add(row, column)), identity(s, K))
        a, b = matmul(mT(U), gU), matmul(mT(V), gV)
        inner = add(mul(div(sub(a, mT(a)), E), row), mul(div(sub(b, mT(b)), E), column))
        gA = matmul(U, matmul(add(inner, diag_embed(gs)), mT(V)))
        if U.array.shape[-2] > K:
            outside = sub(gU, matmul(U, a))
            gA = add(gA, matmul(div(outside, row), mT(V)))
        if V.array.shape[-2] > K:
            outside = sub(gV, matmul(V, b))
            gA = add(gA, matmul(U, mT(div(outside, row))))
        return gA, None


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """-> (U, S, Vh) with ``U diag(S) Vh = A``: the columns of U and the rows of Vh are orthonormal, S falls.

    Args:
        A: ``(..., M, N)``.
        full_matrices: U and Vh are square; else they have K = min(M, N) columns and rows.
        driver: accepted.
    """
    return return_types.linalg_svd(*SVD.apply(matrices(A, "linalg.svd"), full_matrices))


def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values, falling: ``(..., M, N) -> (..., min(M, N))``."""
    return SVD.apply(matrices(A, "linalg.svdvals"), False)[1]


# ----------------------------------------------------------------------------------------------------------------- rank


def rank_tolerance(A: Tensor, largest: Tensor, atol: Any, rtol: Any) -> Tensor:
    """Up to this, ``(..., 1)``, a singular value counts as 0: ``max(atol, rtol * largest)``, as :func:`matrix_rank` has
    it."""
    if rtol is None:
        eps = 2.0**-23 if A.array.dtype.itemsize == 4 else 2.0**-52
        rtol = 0.0 if atol is not None else eps * max(A.array.shape[-2:])
    bound = mul(largest, unsqueeze(rtol, -1) if isinstance(rtol, Tensor) and rtol.array.ndim else rtol)
    if atol is None:
        return bound
    return bound.maximum(unsqueeze(atol, -1) if isinstance(atol, Tensor) else bound.new_full((), atol))


def matrix_rank(A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Tensor:
    """int64: how many singular values exceed ``max(atol, rtol * the largest)``; ``rtol`` is by default max(M, N) times
    the type's precision, or 0 if there is an ``atol``. ``hermitian`` is accepted."""
    with no_grad():
        s = svdvals(A)
        if not s.array.shape[-1]:
            return s.new_zeros(s.array.shape[:-1]).long()
        return (s > rank_tolerance(A, getitem(s, (..., slice(1))), atol, rtol)).sum(-1)
