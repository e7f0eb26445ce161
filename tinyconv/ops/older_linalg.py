"""PyTorch's older names of what ``tinyconv.linalg`` has: ``tinyconv.qr(x, some)`` is ``tinyconv.linalg.qr(x, mode)``.

Some take other arguments than their successors, or return named tuples of another class.
"""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import decomposition, lu, matrix_products, pseudoinverse, return_types
from .shape import mT


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """:func:`tinyconv.linalg.cholesky`."""
    return decomposition.cholesky(input, upper=upper)


def det(input: Tensor) -> Tensor:
    """:func:`tinyconv.linalg.det`."""
    return decomposition.det(input)


def inverse(input: Tensor) -> Tensor:
    """:func:`tinyconv.linalg.inv`."""
    return decomposition.inv(input)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """:func:`tinyconv.linalg.lu_solve`, with the right side first."""
    return lu.lu_solve(LU_data, LU_pivots, b)


def matrix_exp(input: Tensor) -> Tensor:
    """:func:`tinyconv.linalg.matrix_exp`."""
    return matrix_products.matrix_exp(input)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """:func:`tinyconv.linalg.pinv` with ``rtol = rcond``."""
    return pseudoinverse.pinv(input, rtol=rcond)


def qr(input: Tensor, some: bool = True) -> Any:
    """-> (Q, R): :func:`tinyconv.linalg.qr`, reduced if ``some``."""
    return return_types.qr(*decomposition.qr(input, "reduced" if some else "complete"))


def slogdet(input: Tensor) -> Any:
    """-> (sign, logabsdet): :func:`tinyconv.linalg.slogdet`."""
    return return_types.slogdet(*decomposition.slogdet(input))


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """-> (U, S, V) with ``U diag(S) V^T = input``: :func:`tinyconv.linalg.svd`, reduced if ``some``; without
    ``compute_uv`` U and V are zeros."""
    U, S, Vh = decomposition.svd(input, not some)
    if not compute_uv:
        M, N = input.array.shape[-2:]
        U, Vh = (S.new_zeros((*input.array.shape[:-2], n, n)) for n in (M, N))
    return return_types.svd(U, S, mT(Vh))
