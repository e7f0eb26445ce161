"""Variable: what tensors with gradients were called before PyTorch 0.4."""

from __future__ import annotations

from typing import Any

from ..caller import warn
from ..tensor import Tensor

__all__ = ["Variable"]


class _Meta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_Meta):
    """``Variable(x)`` is ``x`` without its history, and every tensor is a Variable.

    Args:
        data: a tensor.
        requires_grad: whether to ask for its gradient.
        volatile: had the effect that ``no_grad`` has now; warns.
    """

    def __new__(cls, data: Tensor, requires_grad: bool = False, volatile: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            warn("volatile was removed and now has no effect. Use `with tinyconv.no_grad():` instead.")
        return data.detach().requires_grad_(requires_grad)
