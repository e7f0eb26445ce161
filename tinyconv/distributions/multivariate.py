"""The normal distribution of vectors, by a whole matrix of covariances or by one of low rank."""

from __future__ import annotations

from typing import Any

from ..ops import broadcast_shapes, eye
from ..ops.decomposition import cholesky, inv, solve_triangular
from ..tensor import Tensor
from . import constraints
from .distribution import LOG_2PI, Distribution

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]


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


class LowRankMultivariateNormal(Distribution):
    """Normal vectors with the covariance ``W W^T + diag(d)``: the Cholesky factor that is needed is of a matrix of the
    rank's size, ``C = I + W^T diag(d)^-1 W`` (Woodbury's identity and the determinant lemma).

    Args:
        loc: the mean ``(..., n)``.
        cov_factor: W, ``(..., n, rank)``.
        cov_diag: d, ``(..., n)``, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: other shapes, or a d that is not positive.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.dim() < 2 or cov_factor.shape[-2] != n:
            raise ValueError(f"cov_factor must be a batch of {n} x m matrices, got {tuple(cov_factor.shape)}")
        if cov_diag.shape[-1:] != loc.shape[-1:]:
            raise ValueError(f"cov_diag must be a batch of vectors with shape ({n},), got {tuple(cov_diag.shape)}")
        batch = broadcast_shapes(loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1])
        self.loc, self.cov_diag = loc.expand(*batch, n), cov_diag.expand(*batch, n)
        self.cov_factor = cov_factor.expand(*batch, *cov_factor.shape[-2:])
        super().__init__(batch, (n,), validate_args)
        rank = cov_factor.shape[-1]
        self._over_d = (cov_factor / cov_diag.unsqueeze(-1)).mT
        identity = eye(rank, dtype=loc.dtype, device=loc.device)
        self._capacitance_tril = cholesky(identity + self._over_d @ cov_factor)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return (self.cov_factor**2).sum(-1) + self.cov_diag

    @property
    def covariance_matrix(self) -> Tensor:
        """``W W^T + diag(d)``."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        half = solve_triangular(self._capacitance_tril, self._over_d, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - half.mT @ half

    @property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        root = self.cov_diag.sqrt().unsqueeze(-1)
        scaled = self.cov_factor / root
        identity = eye(self._event_shape[0], dtype=self.loc.dtype, device=self.loc.device)
        return root * cholesky(identity + scaled @ scaled.mT)  # whose eigenvalues are not below 1

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        common = self.loc.new_empty((*shape[:-1], self.cov_factor.shape[-1])).normal_()
        own = self.loc.new_empty(shape).normal_()
        return self.loc + (self.cov_factor @ common.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * own

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        x = value - self.loc
        common = squared_distance(self._capacitance_tril, (self._over_d @ x.unsqueeze(-1)).squeeze(-1))
        distance = (x**2 / self.cov_diag).sum(-1) - common
        return -0.5 * (self._event_shape[0] * LOG_2PI + distance) - self.half_log_det()

    def half_log_det(self) -> Tensor:
        """Half the logarithm of the covariance's determinant."""
        capacitance = self._capacitance_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return capacitance + 0.5 * self.cov_diag.log().sum(-1)

    def entropy(self) -> Tensor:
        return 0.5 * self._event_shape[0] * (1 + LOG_2PI) + self.half_log_det()


def squared_distance(tril: Tensor, x: Tensor) -> Tensor:
    """``x^T (L L^T)^-1 x`` (Mahalanobis)."""
    shape = broadcast_shapes(tril.shape[:-1], x.shape)
    x = x.expand(shape).unsqueeze(-1)
    tril = tril.expand(*shape, shape[-1])
    return (solve_triangular(tril, x, upper=False) ** 2).sum((-2, -1))
