"""Weight normalization (Salimans and Kingma, "Weight normalization", NeurIPS 2016): ``w = g * v / |v|``, a length and a
direction that are trained apart.

This is PyTorch's older form: a hook computes ``weight`` before every call. The newer one is in ``parametrizations.py``.
"""

from __future__ import annotations

from typing import Any

from ...ops.linalg import vector_norm
from ...tensor import Tensor
from ..module import Module
from ..parameter import Parameter, is_lazy

__all__ = ["remove_weight_norm", "weight_norm"]


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The lengths of the slices along ``dim``, in a shape that broadcasts to ``v``; of all of ``v`` if it is None."""
    if dim is None or dim == -1:
        return vector_norm(v)
    axes = [axis for axis in range(v.dim()) if axis != dim % v.dim()]
    return vector_norm(v, dim=axes, keepdim=True) if axes else v.abs()


def normalized(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """``g * v / |v|``."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The hook that computes the weight."""

    def __init__(self, name: str, dim: int | None):
        self.name, self.dim = name, dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight, from its length and its direction."""
        return normalized(getattr(module, f"{self.name}_v"), getattr(module, f"{self.name}_g"), self.dim)

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a parameter as ``{name}_g``, its lengths along ``dim`` (None: of the whole), and ``{name}_v``.

    Returns:
        ``module``.

    Raises:
        RuntimeError: it is normalized already.
        ValueError: an uninitialized parameter.
    """
    if _hook(module, name) is not None:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    weight = getattr(module, name)
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy forward "
            "before applying weight normalization"
        )
    delattr(module, name)
    module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight, dim).detach()))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    hook = WeightNorm(name, dim)
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the parameter a plain one again.

    Raises:
        ValueError: it is not normalized.
    """
    key = _hook(module, name)
    if key is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    weight = module._forward_pre_hooks.pop(key).compute_weight(module)
    for part in (name, f"{name}_g", f"{name}_v"):
        delattr(module, part)
    setattr(module, name, Parameter(weight.detach()))
    return module


def _hook(module: Module, name: str) -> int | None:
    """The key of the hook that normalizes this parameter."""
    hooks: dict[int, Any] = module._forward_pre_hooks
    return next((k for k, hook in hooks.items() if isinstance(hook, WeightNorm) and hook.name == name), None)
