"""The normal distribution of vectors."""

from __future__ import annotations

from typing import Any

from ..ops import broadcast_shapes
from ..ops.decomposition import cholesky, inv, solve_triangular
from ..tensor import Tensor
from . import constraints
from .distribution import LOG_2PI, Distribution

__all__ = ["MultivariateNormal"]


class MultivariateNormal(Distribution):
    """Normal vectors, ``loc + L z`` with independent normal z and ``L L^T`` = the covariance.

    Args:
        loc: the mean ``(..., n)``.
        covariance_matrix: ``(..., n, n)``, symmetric and positive definite; or
        precision_matrix: its inverse; or
        scale_tril: L, lower triangular with a positive diagonal. The other two are worked out of it.
        validate_args: whether to check these and values.

    Raises:
        ValueError: not one of the three, or not as they must be; no axis.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None):  # fmt: skip
        forms = {"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril}
        given = {name: matrix for name, matrix in forms.items() if matrix is not None}
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        n, batch = loc.shape[-1], broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(*batch, n)
        setattr(self, name, matrix.expand(*batch, n, n))
        super().__init__(batch, (n,), validate_args)
        if name == "scale_tril":
            self._tril: Tensor = matrix
        else:
            self._tril = cholesky(matrix if name == "covariance_matrix" else inv(matrix))

    def __getattr__(self, name: str) -> Any:
        if "_tril" in vars(self):
            own = (*self._batch_shape, *self._event_shape, *self._event_shape)
            if name == "scale_tril":
                return self._tril.expand(own)
            if name == "covariance_matrix":
                return (self._tril @ self._tril.mT).expand(own)
            if name == "precision_matrix":
                return inv(self._tril @ self._tril.mT).expand(own)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self._tril**2).sum(-1).expand(self._extended_shape())

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        noise = self.loc.new_empty(self._extended_shape(sample_shape)).normal_()
        return self.loc + (self._tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        distance = squared_distance(self._tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * LOG_2PI + distance) - self.half_log_det()

    def half_log_det(self) -> Tensor:
        """Half the logarithm of the covariance's determinant."""
        return self._tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def entropy(self) -> Tensor:
        h = 0.5 * self._event_shape[0] * (1 + LOG_2PI) + self.half_log_det()
        return h.expand(self._batch_shape)


def squared_distance(tril: Tensor, x: Tensor) -> Tensor:
    """``x^T (L L^T)^-1 x`` (Mahalanobis)."""
    shape = broadcast_shapes(tril.shape[:-1], x.shape)
    x = x.expand(shape).unsqueeze(-1)
    tril = tril.expand(*shape, shape[-1])
    return (solve_triangular(tril, x, upper=False) ** 2).sum((-2, -1))
