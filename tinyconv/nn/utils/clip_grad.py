"""Clipping gradients (Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013).

One step against a steep wall can throw the parameters far away. Clipping by norm shortens the whole gradient to at most
``max_norm`` and keeps its direction; clipping by value cuts each component on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ... import kernels
from ...autograd import no_grad
from ...caller import warn
from ...ops import minimum, ones_like, stack, tensor
from ...tensor import Tensor

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def _norm(x: Tensor, p: float) -> Tensor:
    """The p-norm of all elements, ``sum(|x|**p) ** (1/p)``; its limits for p = ±inf; for p = 0 how many are not 0."""
    if p == 2:
        return (x * x).sum().sqrt()
    if math.isinf(p):
        return x.abs().max() if p > 0 else x.abs().min()
    if p == 0:
        return (x != 0).sum().to(x.dtype)
    return (x.abs() ** p).sum() ** (1 / p)


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The p-norm of all elements of all ``tensors`` together, a 0-d tensor.

    Args:
        tensors: one or several.
        norm_type: p, ``inf`` for the largest absolute value.
        error_if_nonfinite: raise if the norm is infinite or NaN.
        foreach: accepted for PyTorch's sake; without effect.

    Raises:
        RuntimeError: the norm is not finite, and ``error_if_nonfinite``.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return tensor(0.0)
    norm_type = float(norm_type)
    total = _norm(stack([_norm(x, norm_type) for x in tensors]), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients, in place, by ``min(1, max_norm / (total_norm + 1e-6))``: :func:`clip_grad_norm_` with a norm
    that is already known.

    Args:
        parameters: whose gradients; those without one are passed over.
        max_norm: the norm allowed.
        total_norm: the norm they have, see :func:`get_total_norm`.
        foreach: accepted for PyTorch's sake; without effect.
    """
    _shorten(_gradients(parameters), max_norm, total_norm)


def _shorten(grads: list[Tensor], max_norm: float, total: Tensor) -> None:
    scale = minimum(float(max_norm) / (total + 1e-6), ones_like(total))
    for g in grads:
        g.mul_(scale)


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients, in place, by ``min(1, max_norm / (norm + 1e-6))``, with the norm of all together.

    Args:
        parameters: whose gradients; those without one are passed over.
        max_norm: the norm allowed.
        norm_type: p of the p-norm, ``inf`` for the largest absolute value.
        error_if_nonfinite: raise if the norm is infinite or NaN, instead of making all gradients zero or NaN.
        foreach: accepted for PyTorch's sake; without effect.

    Returns:
        The norm before clipping, a 0-d tensor.

    Raises:
        RuntimeError: the norm is not finite, and ``error_if_nonfinite``. The gradients are unchanged then.
    """
    grads = _gradients(parameters)
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    _shorten(grads, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of :func:`clip_grad_norm_`, with a FutureWarning."""
    warn("nn.utils.clip_grad_norm is now called clip_grad_norm_", FutureWarning)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Cut every component of the gradients, in place, to [-clip_value, clip_value].

    Args:
        parameters: whose gradients; those without one are passed over.
        clip_value: the largest absolute value allowed.
        foreach: accepted for PyTorch's sake; without effect.
    """
    clip_value = float(clip_value)
    for g in _gradients(parameters):
        backend = kernels.of(g.array)
        backend.assign(g.array, backend.minimum(backend.maximum(g.array, -clip_value), clip_value))
        g._bump()
