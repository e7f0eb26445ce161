"""Householder reflections: an orthogonal matrix as a product of mirrors (Householder, "Unitary triangularization of a
nonsymmetric matrix", 1958).

``H = I - tau v v^T`` mirrors at the plane orthogonal to v, if ``tau = 2 / |v|^2``. The product of N of them, each v
having its first 1 one place below the last one's, is ``I - V T V^T`` with one triangular matrix
``T = (I + D U)^-1 D``, where ``D = diag(tau)`` and U is what ``V^T V`` has above the diagonal (Schreiber and Van Loan,
"A storage-efficient WY representation for products of Householder transformations", 1989).
"""

from __future__ import annotations

from typing import Any

from ..autograd import no_grad
from ..tensor import Tensor
from . import return_types
from .creation import eye
from .decomposition import identity, matrices, solve_triangular
from .diagonal import diag_embed, tril, triu
from .elementwise import add, mul, sub
from .matmul import matmul
from .shape import mT, unsqueeze


def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first N columns of ``H_1 H_2 ... H_K``, ``H_i = I - tau_i v_i v_i^T``.

    Args:
        A: ``(..., M, N)`` with M >= N: v_i is 1 at i, 0 above, and below it what column i has there.
        tau: ``(..., K)``, K <= N.

    Returns:
        ``(..., M, N)``, with orthonormal columns if every ``tau_i`` is ``2 / |v_i|^2`` or 0.

    Raises:
        RuntimeError: shapes that do not fit, or not floating point.
    """
    name = "linalg.householder_product"
    matrices(A, name)
    *lead, M, N = A.array.shape
    K = tau.array.shape[-1] if tau.array.ndim else 0
    if M < N or tau.array.shape != (*lead, K) or K > N or tau.dtype is not A.dtype:
        raise RuntimeError(
            f"{name}: expected A (..., M, N), M >= N, and tau (..., K), K <= N, of one type; got "
            f"A {tuple(A.array.shape)}, {A.dtype}, tau {tuple(tau.array.shape)}, {tau.dtype}"
        )
    E = eye(M, N, dtype=A.dtype, device=A.device)
    V = add(tril(A, -1), E)[..., :K]
    T = add(identity(A, K), mul(unsqueeze(tau, -1), triu(matmul(mT(V), V), 1)))
    T = solve_triangular(T, diag_embed(tau), upper=True)
    return sub(E, matmul(matmul(V, T), mT(V[..., :N, :])))


def geqrf(input: Tensor) -> Any:
    """The reflections that make a matrix triangular: if M >= N, ``input = householder_product(a, tau) @ R`` with
    ``R = triu(a)[..., :N, :]``. Without a gradient, as in PyTorch.

    Args:
        input: ``(..., M, N)``, floating point.

    Returns:
        (a, tau): what :func:`householder_product` takes, with the triangular factor in and above the diagonal, and
        ``(..., min(M, N))``.

    Raises:
        RuntimeError: no matrices, or not floating point.
    """
    with no_grad():
        a = matrices(input, "geqrf").clone()
        *lead, M, N = a.array.shape
        tau = a.new_zeros((*lead, min(M, N)))
        for k in range(min(M - 1, N)):
            column, rest = a[..., k:, k], a[..., k:, k + 1 :]
            first, below = column[..., 0], column[..., 1:]
            moved = (below != 0).any(-1)  # else nothing is left to mirror: tau is 0, as LAPACK has it
            length = -first.sign().where(first != 0, 1.0) * column.norm(dim=-1)
            t = ((length - first) / length.where(moved, 1.0)).where(moved, 0.0)
            v = unsqueeze(below / unsqueeze((first - length).where(moved, 1.0), -1), -1)
            w = unsqueeze(t, -1) * (rest[..., 0, :] + (v * rest[..., 1:, :]).sum(-2))
            tau[..., k] = t
            a[..., k, k] = length.where(moved, first)
            a[..., k + 1 :, k] = v.squeeze(-1)
            a[..., k, k + 1 :] -= w
            a[..., k + 1 :, k + 1 :] -= v * unsqueeze(w, -2)
        return return_types.geqrf(a, tau)
