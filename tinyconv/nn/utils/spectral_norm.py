"""Spectral normalization (Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018): a
weight divided by its largest singular value, which a step of the power method follows in training.

This is PyTorch's older form: a hook computes ``weight`` before every call. The newer one is in ``parametrizations.py``.
"""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...tensor import Tensor
from .. import functional as F
from ..conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..module import Module
from ..parameter import Parameter, is_lazy

__all__ = ["remove_spectral_norm", "spectral_norm"]


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """``(sizes[dim], all others)``."""
    return weight.movedim(dim, 0).reshape(weight.shape[dim], -1)


def power_steps(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float) -> None:
    """Turn ``v`` and then ``u``, in place, towards the singular vectors of the largest singular value."""
    with no_grad():
        matrix = matrix.detach()
        for _ in range(steps):
            v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=eps))
            u.copy_(F.normalize(matrix.mv(v), dim=0, eps=eps))


def start(size: int, like: Tensor, eps: float) -> Tensor:
    """A random direction."""
    return F.normalize(like.new_empty(size).normal_(), dim=0, eps=eps)


def default_dim(module: Module) -> int:
    """The output channels' axis of a layer's weight."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


class SpectralNorm:
    """The hook that computes the weight."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float):
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by ``u^T W v``, after a step of the power method or without one."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            power_steps(matrix, u, v, self.n_power_iterations, self.eps)
            u, v = u.clone(), v.clone()  # the next step changes them, and this weight's gradient needs them
        return weight / u.dot(matrix.mv(v))

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:  # fmt: skip
    """Divide a parameter, trained as ``{name}_orig``, by its largest singular value before every call.

    Args:
        module: whose it is.
        name: its name.
        n_power_iterations: steps of the power method a call in training.
        eps: against divisions by 0.
        dim: which axis makes the rows (default: the output channels').

    Returns:
        ``module``.

    Raises:
        ValueError: no step, or an uninitialized parameter.
        RuntimeError: it is normalized already.
    """
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
    if _hook(module, name) is not None:
        raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
            "forward before applying spectral normalization"
        )
    hook = SpectralNorm(name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    rows, columns = as_matrix(weight.detach(), hook.dim).shape
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())  # until the first call
    module.register_buffer(f"{name}_u", start(rows, weight, eps))
    module.register_buffer(f"{name}_v", start(columns, weight, eps))
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the parameter a plain one again, with the value it has now.

    Raises:
        ValueError: it is not normalized.
    """
    key = _hook(module, name)
    if key is None:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    hook: Any = module._forward_pre_hooks.pop(key)
    with no_grad():
        weight = hook.compute_weight(module, do_power_iteration=False)
    for part in (name, f"{name}_orig", f"{name}_u", f"{name}_v"):
        delattr(module, part)
    module.register_parameter(name, Parameter(weight.detach()))
    return module


def _hook(module: Module, name: str) -> int | None:
    """The key of the hook that normalizes this parameter."""
    hooks: dict[int, Any] = module._forward_pre_hooks
    return next((k for k, hook in hooks.items() if isinstance(hook, SpectralNorm) and hook.name == name), None)
