"""Transforms onto the simplex and onto matrices with a form."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ...ops import eye, logsigmoid, pad, softplus, tril_indices
from ...ops.decomposition import cholesky
from ...tensor import Size, Tensor
from .. import constraints
from .base import Transform
from .elementwise import clipped_sigmoid

__all__ = [
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StickBreakingTransform",
]


class SoftmaxTransform(Transform):
    """Vectors to probabilities, ``y = exp(x) / sum(exp(x))``. It is not bijective: a constant added to x is lost."""

    domain, codomain = constraints.real_vector, constraints.simplex
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def forward_shape(self, shape: Any) -> Size:
        return _at_least(shape, 1)

    def inverse_shape(self, shape: Any) -> Size:
        return _at_least(shape, 1)


class StickBreakingTransform(Transform):
    """Vectors of n numbers to n + 1 probabilities: each number says what share of the rest of a stick is broken off.

    0 stands for equal shares: ``z[i] = sigmoid(x[i] - log(n - i))``, ``y[i] = z[i] * prod of 1 - z[j] for j < i``.
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        share = clipped_sigmoid(x - _parts_left(x).log())
        rest = (1 - share).cumprod(-1)
        return pad(share, [0, 1], value=1.0) * pad(rest, [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        broken = y[..., :-1]
        rest = (1 - broken.cumsum(-1)).clamp(min=dtypes.finfo(y.dtype).tiny)  # rounding may leave nothing, or less
        return broken.log() - rest.log() + _parts_left(broken).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - _parts_left(x).log()
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)  # 1 - sigmoid(x) = exp(-x) * sigmoid(x)

    def forward_shape(self, shape: Any) -> Size:
        shape = _at_least(shape, 1)
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        shape = _at_least(shape, 1)
        return Size((*shape[:-1], shape[-1] - 1))


def _parts_left(x: Tensor) -> Tensor:
    """n, n - 1, ..., 1 for vectors of n."""
    n = x.shape[-1]
    return n + 1 - x.new_ones(n).cumsum(-1)


def _at_least(shape: Any, dims: int) -> Size:
    if len(shape) < dims:
        raise ValueError("Too few dimensions on input")
    return Size(shape)


class LowerCholeskyTransform(Transform):
    """Matrices to lower triangular ones with a positive diagonal: what is above it is lost, its logarithm is given."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """Matrices to positive definite ones, ``y = L L^T`` with the L of :class:`LowerCholeskyTransform`."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        tril = LowerCholeskyTransform()(x)
        return tril @ tril.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(cholesky(y))


class CorrCholeskyTransform(Transform):
    """Vectors of ``n (n - 1) / 2`` numbers to Cholesky factors of ``n x n`` correlation matrices, row by row: each
    tanh is broken off what the row's squares have left of 1 (Lewandowski, Kurowicka and Joe 2009)."""

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True
    _made_of = ()

    def _call(self, x: Tensor) -> Tensor:
        eps = dtypes.finfo(x.dtype).eps
        x = x.tanh().clamp(-1 + eps, 1 - eps)
        n = self.forward_shape(x.shape)[-1]
        rows, columns = tril_indices(n, n, -1, device=x.device)
        r = x.new_zeros((*x.shape[:-1], n * n))
        r = r.index_add(-1, rows * n + columns, x).reshape(*x.shape[:-1], n, n)
        rest = (1 - r**2).sqrt().cumprod(-1)
        return (r + eye(n, dtype=x.dtype, device=x.device)) * pad(rest[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y: Tensor) -> Tensor:
        rest = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1.0)
        t = _below_the_diagonal(y, -1) / _below_the_diagonal(rest, -1).sqrt()
        return (t.log1p() - (-t).log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        rest = _below_the_diagonal(1 - (y * y).cumsum(-1), -2)
        return 0.5 * rest.log().sum(-1) - 2 * (x + softplus(-2 * x) - math.log(2)).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        shape = _at_least(shape, 1)
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError(f"Input is not a flattened lower-diagonal number: {shape[-1]} is not n (n - 1) / 2")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Size:
        shape = _at_least(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        n = shape[-1]
        return Size((*shape[:-2], n * (n - 1) // 2))


def _below_the_diagonal(matrices: Tensor, offset: int) -> Tensor:
    """Row by row, what lies on the diagonal number ``offset`` and below it."""
    n = matrices.shape[-1]
    rows, columns = tril_indices(n, n, offset, device=matrices.device)
    return matrices[..., rows, columns]
