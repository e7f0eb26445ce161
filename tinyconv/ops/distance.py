"""How far apart vectors are, how alike their directions, and vectors brought to length 1."""

from __future__ import annotations

from ..autograd import no_grad
from ..tensor import Tensor
from .compare import clamp_min
from .elementwise import add, div, mul, sub
from .linalg import norm, vector_norm
from .out import write
from .types import broadcast_shape, operands, same_type


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None) -> Tensor:
    """``x / max(|x|, eps)``, with the p-norm along ``dim``.

    Args:
        input: any shape.
        p: of the norm.
        dim: the axis (or axes) of the vectors.
        eps: what a shorter vector is divided by.
        out: a tensor to write the result into.
    """
    y = div(input, clamp_min(norm(input, p, dim, True), eps))
    return y if out is None else write(out, y, "normalize")


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """``x1 . x2 / (max(|x1|, eps) * max(|x2|, eps))`` along ``dim``: the cosine of the angle between them.

    Args:
        x1, x2: tensors that broadcast.
        dim: the axis of the vectors.
        eps: what a shorter length counts as.

    Returns:
        The broadcast shape without ``dim``.

    Raises:
        RuntimeError: the shapes do not broadcast.
    """
    a, b = operands(x1, x2, "cosine_similarity")
    same_type("cosine_similarity", x1=a)
    shape = broadcast_shape(a.array.shape, b.array.shape, "cosine_similarity")
    a, b = (x if x.array.shape == shape else x.expand(shape) for x in (a, b))
    return mul(div(a, _length(a, dim, eps)), div(b, _length(b, dim, eps))).sum(dim)


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """The length along ``dim``, but ``eps`` at least; its gradient does not notice (and is 0 at 0)."""
    length = vector_norm(x, 2, dim, True).clone()
    with no_grad():
        length.copy_(clamp_min(length, eps))
    return length


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last axis.

    Args:
        x1, x2: ``(..., D)``, shapes that broadcast.
        p: of the norm.
        eps: keeps the gradient finite where the two are equal.
        keepdim: leave the last axis, with size 1.

    Returns:
        ``(...)``.

    Raises:
        RuntimeError: the shapes do not broadcast.
    """
    return vector_norm(add(sub(x1, x2), eps), p, -1, keepdim)
