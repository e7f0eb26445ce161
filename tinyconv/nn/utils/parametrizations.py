"""Parametrizations that are ready to use: orthogonal matrices, weight and spectral normalization."""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...dtypes import finfo
from ...ops import cat, eye, matrix_exp, randn
from ...ops.decomposition import qr, solve
from ...ops.householder import geqrf, householder_product
from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, default_dim, power_steps, start
from .weight_norm import norm_except_dim, normalized

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

ORTHOGONAL_MAPS = "matrix_exp", "cayley", "householder"


class _WeightNorm(Module):
    """``w = g * v / |v|``."""

    def __init__(self, dim: int | None = 0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normalized(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """(length, direction) of a weight."""
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a parameter as its lengths along ``dim`` (None: of the whole), ``parametrizations.{name}.original0``, and
    its direction, ``original1``. See ``weight_norm.py``.

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such parameter.
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    """``w / u^T w v``, with u and v as the power method finds them."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12):
        super().__init__()
        if not -weight.dim() <= dim < weight.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.dim()}, {weight.dim() - 1}] but got "
                f"{dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % weight.dim()
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        if weight.dim() > 1:
            matrix = as_matrix(weight.detach(), self.dim)
            self.register_buffer("_u", start(matrix.shape[0], weight, eps))
            self.register_buffer("_v", start(matrix.shape[1], weight, eps))
            power_steps(matrix.t(), self._v, self._u, 15, eps)  # u is turned first here

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            power_steps(matrix.t(), self._v, self._u, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()  # the next step changes them, and this weight's gradient needs them
        return weight / u.dot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself: it is assumed to be normalized."""
        return value


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Any:  # fmt: skip
    """Divide a parameter, trained as ``parametrizations.{name}.original``, by its largest singular value. See
    ``spectral_norm.py``.

    Args:
        module: whose it is.
        name: its name.
        n_power_iterations: steps of the power method each time the weight is computed in training.
        eps: against divisions by 0.
        dim: which axis makes the rows (default: the output channels').

    Returns:
        ``module``.

    Raises:
        ValueError: no such parameter, or no step.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    dim = default_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, if those are fewer) as a function of any matrix of its shape.

    Two of the maps make a rotation of the skew-symmetric ``A = L - L^T``, L being what is in and below the diagonal:
    ``exp(A)``, or Cayley's ``(I - A/2)^-1 (I + A/2)``. The third takes what is below the diagonal for Householder's
    reflections. With ``base`` the result is turned by a fixed rotation: what training starts from, where the map's own
    matrix is almost zero (Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019).
    """

    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool):
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            V = X.tril(-1)
            Q = householder_product(V, 2.0 / (1.0 + (V * V).sum(-2)))
            Q = Q * X.detach().diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)  # 1 or -1: a mirror more
        else:
            L = X.tril()
            L = cat([L, L.new_zeros((*L.shape[:-1], n - k))], -1)
            A = L - L.mT
            I = eye(n, dtype=A.dtype, device=A.device)
            Q = matrix_exp(A) if self.orthogonal_map == "matrix_exp" else solve(I - A / 2, I + A / 2)
            Q = Q[..., :k]
        if self.use_trivialization:
            Q = self.base @ Q
        return Q.mT if wide else Q

    @no_grad()
    def right_inverse(self, Q: Tensor) -> Tensor:
        """What gives Q, or if its columns (or rows) are not orthonormal, the first factor of its QR decomposition."""
        if Q.shape != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got {Q.shape}.")
        wide = Q.shape[-2] < Q.shape[-1]
        tall = Q.mT if wide else Q
        n, k = tall.shape[-2:]
        if self.use_trivialization:
            more = randn(*tall.shape[:-1], n - k, dtype=tall.dtype, device=tall.device)
            self.base = _orthonormal(cat([tall, more], -1))
            X = Q.new_zeros(Q.shape)
            X.diagonal(dim1=-2, dim2=-1).fill_(-1.0)  # of which every map makes the identity
            return X
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        a, tau = geqrf(tall)
        diagonal = a.diagonal(dim1=-2, dim2=-1)
        diagonal.sign_().mul_(1 - 2 * (tau == 0))  # without a mirror the sign is the other
        return a.mT if wide else a


def _orthonormal(A: Tensor) -> Tensor:
    """Q of ``A = QR`` with a positive diagonal of R; A itself if it is orthogonal already."""
    I = eye(A.shape[-1], dtype=A.dtype, device=A.device)
    if (A.mT @ A).allclose(I, atol=10 * A.shape[-1] * finfo(A.dtype).eps):
        return A.clone()
    Q, R = qr(A)
    return Q * R.diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keep a matrix orthogonal: of its rows and columns, the fewer are orthonormal.

    Args:
        module: whose it is.
        name: its name. It has at least two dimensions; the last two are the matrix's.
        orthogonal_map: "matrix_exp", "cayley" or "householder", what makes it of the trained
            ``parametrizations.{name}.original``. Default: the first for square matrices, the last for others.
        use_trivialization: start from the matrix as it is now, or is assigned later (made orthogonal), by a rotation
            that is kept in the buffer ``parametrizations.{name}.0.base``. Otherwise only "householder" can be assigned
            to.

    Returns:
        ``module``.

    Raises:
        ValueError: no such parameter, less than two dimensions, or another map.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.dim() < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ORTHOGONAL_MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
