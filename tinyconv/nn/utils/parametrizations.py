"""Parametrizations that are ready to use: weight and spectral normalization."""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from .. import functional as F
from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, default_dim, power_steps, start
from .weight_norm import norm_except_dim, normalized

__all__ = ["spectral_norm", "weight_norm"]


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
