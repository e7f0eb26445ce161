"""The LU decomposition, ``A = P L U``: Gauss's elimination, kept, and what is solved with it.

L is lower triangular with ones on its diagonal, U upper triangular, P a permutation of the rows. Packed, L (without its
ones) and U are in one matrix ``LU`` of A's shape; P is kept as LAPACK does, as *pivots*: int32, counted from 1, the row
that was swapped with row i in step i.

With ``A = P [[L1], [L2]] [U1 U2]``, L1 and U1 square, the gradient of A is P times

    L1^-T (tril(L1^T gL1 - gU2 U2^T, -1) + triu(gU1 U1^T - L2^T gL2)) U1^-T    L1^-T gU2
    gL2 U1^-T                                                                   0

(de Hoog, Anderssen and Lukas, "Differentiation of matrix functionals using triangular factorization", 2011).
"""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..kernels.contract import LinAlgError
from ..tensor import Tensor, wrap
from . import return_types
from .compare import eq, where
from .creation import tensor
from .decomposition import identity, matrices, solve, solve_triangular
from .diagonal import tril, triu
from .elementwise import add, sub
from .index import getitem
from .join import cat
from .matmul import matmul
from .shape import mT, unsqueeze
from .types import broadcast_shape, same_type


def _quarters(x: Tensor, K: int) -> tuple:
    """The parts of a matrix left and right of column K, above and below row K."""
    columns = (slice(K), slice(K, None))
    return tuple([getitem(x, (..., rows, part)) for rows in columns for part in columns])


class LU(Function):
    @staticmethod
    def forward(ctx: Any, A: Tensor) -> tuple:
        packed, pivots, info = map(wrap, kernels.of(A.array).lu(A.array))
        ctx.mark_non_differentiable(pivots, info)
        ctx.save_for_backward(packed, pivots)
        return packed, pivots, info

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> Tensor:
        packed, pivots = ctx.saved_tensors
        K = min(packed.array.shape[-2:])
        (square, U2, L2, _), (g1, gU2, gL2, corner) = _quarters(packed, K), _quarters(g, K)
        L1, U1 = add(tril(square, -1), identity(packed, K)), triu(square)
        left = tril(sub(matmul(mT(L1), tril(g1, -1)), matmul(gU2, mT(U2))), -1)
        right = triu(sub(matmul(triu(g1), mT(U1)), matmul(mT(L2), gL2)))

        def over_L(x: Tensor) -> Tensor:
            return solve(mT(L1), x)

        def over_U(x: Tensor) -> Tensor:
            return mT(solve(U1, mT(x)))

        rows = [cat([over_U(over_L(add(left, right))), over_L(gU2)], -1), cat([over_U(gL2), corner], -1)]
        return matmul(permutation(pivots, packed), cat(rows, -2))


def permutation(pivots: Tensor, like: Tensor) -> Tensor:
    """P of the pivots, in the type of ``like``, whose rows it permutes."""
    M = like.array.shape[-2]
    orders = []
    for swaps in pivots.reshape(-1, pivots.array.shape[-1]).tolist() if pivots.numel() else ():
        order = list(range(M))
        for i, other in enumerate(swaps):
            order[i], order[other - 1] = order[other - 1], order[i]
        orders.append(order)
    batch = pivots.array.shape[:-1]
    if not orders:
        return identity(like, M).expand(*batch, M, M)
    rows = tensor(orders, dtype=dtypes.int64, device=like.device).reshape(*batch, M)
    return mT(getitem(identity(like, M), (rows,)))


def _must_pivot(pivot: bool, name: str) -> None:
    if not pivot:
        raise NotImplementedError(f"{name}: pivot=False is not implemented, as in PyTorch on the CPU")


def _refuse(info: Tensor, name: str) -> None:
    """Raise an error if a matrix is singular."""
    found = [i for i in info.reshape(-1).tolist() if i]
    if found:
        raise LinAlgError(f"{name}: the diagonal element {found[0]} of U is zero: a matrix is singular")


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """-> (LU, pivots, info): :func:`lu_factor`, and int32 for each matrix the first place, counted from 1, where the
    diagonal of U is 0 (0: nowhere).

    Raises:
        LinAlgError: there is one, and ``check_errors``.
    """
    _must_pivot(pivot, "linalg.lu_factor_ex")
    found = LU.apply(matrices(A, "linalg.lu_factor_ex"))
    if check_errors:
        _refuse(found[2], "linalg.lu_factor_ex")
    return return_types.linalg_lu_factor_ex(*found)


def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """-> (LU, pivots): L and U in one matrix ``(..., M, N)``, and which rows were swapped, int32 ``(..., min(M, N))``;
    :func:`lu_solve` and :func:`lu_unpack` take them.

    Args:
        A: ``(..., M, N)``.
        pivot: must be True.

    Raises:
        RuntimeError: no matrices.
        LinAlgError: a diagonal element of U is 0.
    """
    _must_pivot(pivot, "linalg.lu_factor")
    packed, pivots, info = LU.apply(matrices(A, "linalg.lu_factor"))
    _refuse(info, "linalg.lu_factor")
    return return_types.linalg_lu_factor(packed, pivots)


def _unpacked(packed: Tensor) -> tuple[Tensor, Tensor]:
    M, N = packed.array.shape[-2:]
    K = min(M, N)
    ones = getitem(identity(packed, M), (..., slice(K)))
    return add(tril(getitem(packed, (..., slice(K))), -1), ones), triu(getitem(packed, (..., slice(K), slice(None))))


def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """-> (P, L, U) with ``P L U = A``: ``(..., M, M)``, ``(..., M, K)``, ``(..., K, N)`` with K = min(M, N).

    Args:
        A: ``(..., M, N)``.
        pivot: must be True.
    """
    _must_pivot(pivot, "linalg.lu")
    packed, pivots, _ = LU.apply(matrices(A, "linalg.lu"))
    return return_types.linalg_lu(permutation(pivots, packed), *_unpacked(packed))


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """-> (P, L, U) of what :func:`lu_factor` returned; empty ones that are not unpacked.

    Raises:
        RuntimeError: pivots that are not int32, or do not fit.
    """
    _check_pivots("lu_unpack", LU_data, LU_pivots)
    nothing = LU_data.new_empty(0)
    P = permutation(LU_pivots, LU_data) if unpack_pivots else nothing
    return return_types.lu_unpack(P, *(_unpacked(LU_data) if unpack_data else (nothing, nothing)))


def _check_pivots(name: str, packed: Tensor, pivots: Tensor) -> None:
    matrices(packed, name)
    if pivots.dtype is not dtypes.int32:
        raise RuntimeError(f"{name}: pivots must be int32, got {pivots.dtype}")
    *batch, M, N = packed.array.shape
    if tuple(pivots.array.shape) != (*batch, min(M, N)):
        raise RuntimeError(
            f"{name}: pivots of shape {tuple(pivots.array.shape)} do not fit LU of shape {tuple(packed.array.shape)}"
        )


def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """X with ``A X = B``, or ``X A = B`` if not ``left``, given what :func:`lu_factor` made of A.

    Args:
        LU: ``(..., N, N)``.
        pivots: int32 ``(..., N)``.
        B: ``(..., N, K)``, or ``(..., K, N)`` if not ``left``.
        left: on which side A stands.
        adjoint: solve with A^T.

    Raises:
        RuntimeError: shapes or types that do not fit.
        LinAlgError: A is singular.
    """
    name = "linalg.lu_solve"
    matrices(LU, name, square=True)
    matrices(B, name)
    same_type(name, LU=LU, B=B)
    _check_pivots(name, LU, pivots)
    a, b = tuple(LU.array.shape), tuple(B.array.shape)
    if b[-2 if left else -1] != a[-1]:
        raise RuntimeError(f"{name}: LU {a} and B {b} do not fit")
    broadcast_shape(a[:-2], b[:-2], name)
    if not left:
        return mT(lu_solve(LU, pivots, mT(B), adjoint=not adjoint))
    P = permutation(pivots, LU)
    if adjoint:
        Y = solve_triangular(mT(LU), B, upper=False)
        return matmul(P, solve_triangular(mT(LU), Y, upper=True, unitriangular=True))
    Y = solve_triangular(LU, matmul(mT(P), B), upper=False, unitriangular=True)
    return solve_triangular(LU, Y, upper=True)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """-> (result, info): :func:`~tinyconv.linalg.solve`, and int32 for each matrix 0, or where, counted from 1, the
    diagonal of its U is 0: then it is singular, and its result NaN.

    Raises:
        RuntimeError: shapes or types that do not fit.
        LinAlgError: A is singular, and ``check_errors``.
    """
    return return_types.linalg_solve_ex(*_solved(A, B, left, check_errors, "linalg.solve_ex"))


def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """-> (inverse, info): :func:`~tinyconv.linalg.inv`, and the info of :func:`solve_ex`.

    Raises:
        RuntimeError: not square.
        LinAlgError: singular, and ``check_errors``.
    """
    matrices(A, "linalg.inv_ex", square=True)
    B = identity(A, A.array.shape[-1]).expand(A.array.shape)
    return return_types.linalg_inv_ex(*_solved(A, B, True, check_errors, "linalg.inv_ex"))


def _solved(A: Tensor, B: Tensor, left: bool, check_errors: bool, name: str) -> tuple[Tensor, Tensor]:
    info = LU.apply(matrices(A, name, square=True).detach())[2]
    if check_errors:
        _refuse(info, name)
    regular = eq(info, 0)
    each = unsqueeze(unsqueeze(regular, -1), -1)
    X = solve(where(each, A, identity(A, A.array.shape[-1])), B, left=left)
    return where(unsqueeze(regular, -1) if X.array.ndim < A.array.ndim else each, X, float("nan")), info
