"""Looking in on the backward pass: hooks on gradients, and a mark for gradients that cannot be differentiated again."""

from __future__ import annotations

import functools
import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .function import Function, edge_of
from .grad_mode import no_grad, state


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook away; also a context manager."""

    _ids = itertools.count()

    def __init__(self, hooks: dict):
        self._hooks = weakref.ref(hooks)
        self.id = next(self._ids)

    def remove(self) -> None:
        """Take the hook away (again does nothing)."""
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class _Hooks(OrderedDict):
    """A dict that can be weakly referenced."""


def register_hook(self: Tensor, hook: Callable) -> RemovableHandle:
    """Call ``hook(grad)`` whenever this tensor's gradient is known; a tensor it returns replaces the gradient.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: the tensor does not require grad")
    node, index = edge_of(self)  # type: ignore[misc]
    node._pre_hooks = node._pre_hooks or {}
    hooks = node._pre_hooks.setdefault(index, _Hooks())
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def retain_grad(self: Tensor) -> None:
    """Let ``backward`` fill ``.grad`` of this tensor although it is no leaf.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    if not self.requires_grad:
        raise RuntimeError("retain_grad: the tensor does not require grad")
    if self.is_leaf or self._retains_grad:
        return
    self._retains_grad = True
    me = weakref.ref(self)

    def keep(g: Tensor) -> None:
        tensor = me()
        if tensor is not None:
            tensor.grad = g.clone() if tensor.grad is None else tensor.grad + g

    node, index = edge_of(self)  # type: ignore[misc]
    node._pre_hooks = node._pre_hooks or {}
    node._retained = {**node._retained, index: keep}


def _retains_grad(self: Tensor) -> bool:
    """Whether :func:`retain_grad` was called on this result."""
    return self._retains_grad


Tensor.register_hook = register_hook  # type: ignore[method-assign]
Tensor.retain_grad = retain_grad  # type: ignore[method-assign]
Tensor.retains_grad = property(_retains_grad)  # type: ignore[assignment, method-assign]


class _NotTwice(Function):
    """Stands where a gradient that was not recorded would have its history, and raises if that is ever needed."""

    @staticmethod
    def forward(ctx: Any, name: str, g: Tensor, *_: Tensor) -> Tensor:
        ctx.owner = name
        return g.detach()

    @staticmethod
    def backward(ctx: Any, *gys: Tensor) -> tuple:
        raise RuntimeError(
            f"{ctx.owner}: its backward is marked once_differentiable, but a second derivative was asked for"
        )


def once_differentiable(backward: Callable) -> Callable:
    """Decorate a ``backward`` that is not written in differentiable operations: a second derivative through it
    raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *gys: Any) -> Any:
        with no_grad():
            gxs = backward(ctx, *gys)
        if not state.recording or not any([isinstance(g, Tensor) and g.requires_grad for g in gys]):
            return gxs
        single = not isinstance(gxs, tuple)
        marked = [g if g is None else _NotTwice.apply(type(ctx).__name__, g, *gys) for g in ((gxs,) if single else gxs)]
        return marked[0] if single else tuple(marked)

    return wrapper
