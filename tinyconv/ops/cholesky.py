"""What is computed with Cholesky's decomposition, ``A = L L^T`` of a symmetric positive definite A."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd import no_grad
from ..kernels.contract import LinAlgError
from ..tensor import Tensor
from . import return_types
from .compare import eq, where
from .creation import tensor
from .decomposition import cholesky, identity, matrices, solve_triangular
from .index import getitem
from .shape import mT, reshape, unsqueeze
from .types import broadcast_shape, same_type


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """-> (L, info): :func:`~tinyconv.linalg.cholesky`, and int32 for each matrix 0, or the order of its first leading
    minor that is not positive definite: then there is no decomposition, and its L is NaN.

    Raises:
        RuntimeError: not square.
        LinAlgError: not positive definite, and ``check_errors``.
    """
    matrices(A, "linalg.cholesky_ex", square=True)
    with no_grad():
        info = _orders(A, upper)
    if check_errors:
        found = [i for i in info.reshape(-1).tolist() if i]
        if found:
            raise LinAlgError(
                f"linalg.cholesky_ex: the leading minor of order {found[0]} of a matrix is not positive definite"
            )
    definite = unsqueeze(unsqueeze(eq(info, 0), -1), -1)
    L = cholesky(where(definite, A, identity(A, A.array.shape[-1])), upper=upper)
    return return_types.linalg_cholesky_ex(where(definite, L, float("nan")), info)


def _orders(A: Tensor, upper: bool) -> Tensor:
    """The orders of the first leading minors that are not positive definite; 0 if all are."""
    batch, N = A.array.shape[:-2], A.array.shape[-1]

    def is_definite(minors: Tensor) -> bool:
        try:
            cholesky(minors, upper=upper)
        except LinAlgError:
            return False
        return True

    if is_definite(A):
        return A.new_zeros(batch, dtype=dtypes.int32)
    orders = []
    for each in reshape(A, (-1, N, N)).unbind(0):
        first = 0 if is_definite(each) else 1
        while first and is_definite(getitem(each, (slice(first), slice(first)))):
            first += 1
        orders.append(first)
    return tensor(orders, dtype=dtypes.int32, device=A.device).reshape(batch)


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with ``L L^T X = B``, or ``L^T L X = B`` if ``upper``.

    Args:
        B: ``(..., N, K)``.
        L: ``(..., N, N)``, lower triangular; upper triangular if ``upper``. The other triangle is not read.
        upper: which.

    Raises:
        RuntimeError: shapes or types that do not fit.
        LinAlgError: a 0 on the diagonal.
    """
    name = "cholesky_solve"
    matrices(L, name, square=True)
    matrices(B, name)
    same_type(name, L=L, B=B)
    if B.array.shape[-2] != L.array.shape[-1]:
        raise RuntimeError(f"{name}: B {tuple(B.array.shape)} and L {tuple(L.array.shape)} do not fit")
    broadcast_shape(B.array.shape[:-2], L.array.shape[:-2], name)
    lower = mT(L) if upper else L
    return solve_triangular(mT(lower), solve_triangular(lower, B, upper=False), upper=True)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``L L^T``, or of ``L^T L`` if ``upper``; L as :func:`cholesky_solve` has it."""
    matrices(L, "cholesky_inverse", square=True)
    return cholesky_solve(identity(L, L.array.shape[-1]).expand(L.array.shape), L, upper)
