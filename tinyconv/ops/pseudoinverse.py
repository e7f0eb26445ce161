"""The pseudo-inverse (Moore and Penrose), and least squares by it.

For ``A = U diag(s) V^T`` it is ``X = V diag(1/s) U^T``, with 0 in place of 1/s where s counts as 0. So ``X B`` is the
matrix whose product with A comes closest to B, and the shortest of them if there are several. Where the rank does not
change, its differential is (Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
problems whose variables separate", 1973)

    dX = -X dA X + X X^T dA^T (I - A X) + (I - X A) dA^T X^T X
"""

from __future__ import annotations

from typing import Any

from ..autograd import Function
from ..tensor import Tensor
from . import return_types
from .compare import where
from .decomposition import SVD, matrices, matrix_rank, rank_tolerance, svdvals
from .elementwise import add, div, mul, neg, sub
from .index import getitem
from .matmul import matmul
from .shape import mT, unsqueeze
from .types import same_type


class Pinv(Function):
    """X = A^+;  gA = -X^T gX X^T + (I - A X) gX^T X X^T + X^T X gX^T (I - X A)."""

    @staticmethod
    def forward(ctx: Any, A: Tensor, atol: Any, rtol: Any) -> Tensor:
        U, s, Vh = SVD.apply(A, False)
        kept = s > rank_tolerance(A, getitem(s, (..., slice(1))), atol, rtol)
        X = matmul(mul(mT(Vh), unsqueeze(where(kept, div(1.0, where(kept, s, 1.0)), 0.0), -2)), mT(U))
        ctx.save_for_backward(A, X)
        return X

    @staticmethod
    def backward(ctx: Any, gX: Tensor) -> tuple:
        A, X = ctx.saved_tensors
        Xt, gt = mT(X), mT(gX)
        gA = neg(matmul(Xt, matmul(gX, Xt)))
        left = matmul(matmul(gt, X), Xt)
        right = matmul(Xt, matmul(X, gt))
        gA = add(gA, sub(left, matmul(A, matmul(X, left))))
        return add(gA, sub(right, matmul(matmul(right, X), A))), None, None


def pinv(A: Tensor, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Tensor:
    """The pseudo-inverse (Moore and Penrose): ``(..., M, N) -> (..., N, M)``. Singular values up to ``max(atol, rtol *
    the largest)`` count as 0, as in :func:`matrix_rank`."""
    matrices(A, "linalg.pinv")
    if not A.numel():
        return mT(A).clone()
    return Pinv.apply(A, atol, rtol)


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """-> (solution, residuals, rank, singular_values): the X for which ``A X`` comes closest to B, the shortest if
    there are several.

    Args:
        A: ``(..., M, N)``.
        B: ``(..., M, K)``.
        rcond: singular values below this, times the largest, count as 0.
        driver: LAPACK's name of a method. All give the same solution, and besides: "gelsy" (the default) ranks; "gels"
            residuals; "gelsd" and "gelss" ranks, residuals and singular values. What is not given is an empty tensor.

    Returns:
        X ``(..., N, K)``; the residuals' sums of squares ``(..., K)``, where M > N and all ranks are N, else empty.

    Raises:
        RuntimeError: shapes or types that do not fit, or another driver.
    """
    matrices(A, "linalg.lstsq")
    same_type("linalg.lstsq", A=A, B=B)
    if B.array.ndim < 2 or B.array.shape[-2] != A.array.shape[-2]:
        raise RuntimeError(f"linalg.lstsq: A {tuple(A.array.shape)} and B {tuple(B.array.shape)} do not fit")
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"linalg.lstsq: driver must be 'gels', 'gelsy', 'gelsd' or 'gelss', got {driver!r}")
    X = matmul(pinv(A, rtol=rcond), B)
    M, N = A.array.shape[-2:]
    rank, nothing = matrix_rank(A, rtol=rcond), A.new_empty(0)
    residuals = s = nothing
    if driver not in (None, "gelsy") and M > N and bool((rank == N).all()):
        residuals = sub(matmul(A, X), B).square().sum(-2)
    if driver in ("gelsd", "gelss"):
        s = svdvals(A).detach()
    return return_types.linalg_lstsq(X, residuals, nothing.long() if driver == "gels" else rank, s)
