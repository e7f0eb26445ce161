"""Looking in on the backward pass: hooks on gradients."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .deferred import written_down
from .function import AccumulateGrad, Node, edge_of


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


def add_hook(hooks: OrderedDict, hook: Any, prepend: bool = False) -> RemovableHandle:
    """Add a hook to those there are, behind them or (``prepend``) before them; returns the handle that takes it
    away."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_hook(self: Tensor, hook: Callable) -> RemovableHandle:
    """Call ``hook(grad)`` whenever this tensor's gradient is known; a tensor it returns replaces the gradient.

    Raises:
        RuntimeError: the tensor does not require grad.
    """
    if not self.requires_grad:
        raise RuntimeError("register_hook: the tensor does not require grad")
    node, index = edge_of(self)  # type: ignore[misc]
    node._pre_hooks = node._pre_hooks or {}
    return add_hook(node._pre_hooks.setdefault(index, _Hooks()), hook)


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


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable) -> RemovableHandle:
    """Call ``hook(tensor)`` whenever ``backward`` has added to this leaf's ``.grad``: an optimizer, say, may then use
    it and forget it.

    Raises:
        RuntimeError: the tensor is no leaf that requires grad.
    """
    if not (self.is_leaf and self.requires_grad):
        raise RuntimeError("register_post_accumulate_grad_hook: only leaf tensors that require grad can have one")
    accumulator: Any = edge_of(self)[0]  # type: ignore[index]
    hooks = accumulator.__dict__.get("_post_hooks")
    if hooks is None:
        hooks = accumulator._post_hooks = _Hooks()
        me = weakref.ref(self)  # the leaf owns its accumulator: no cycle

        def accumulate(g: Tensor, *arguments: Any) -> None:
            tensor = me()
            if tensor is not None:
                AccumulateGrad.accumulate(edge_of(tensor)[0], g, *arguments)  # type: ignore[index, arg-type]
                for each in list(hooks.values()):
                    each(tensor)

        accumulator.accumulate = accumulate
        accumulator._pre_hooks = accumulator._pre_hooks or {0: _Hooks()}  # so that it waits for the whole gradient
    return add_hook(hooks, hook)


def _register_node_hook(self: Node, fn: Callable) -> RemovableHandle:
    """Call ``fn(grad_inputs, grad_outputs)``, both tuples, whenever this node's backward has run; a tuple that it
    returns replaces the gradients of the inputs.

    Raises:
        RuntimeError: the node is a leaf's.
    """
    if isinstance(self, AccumulateGrad):
        raise RuntimeError("register_hook: a leaf's node has no inputs; use the tensor's register_hook")
    node: Any = self
    hooks = node.__dict__.get("_after")
    if hooks is None:
        hooks = node._after = _Hooks()
        derivative = node.backward

        def backward(ctx: Any, *gys: Tensor | None) -> tuple:
            gxs = derivative(ctx, *gys)
            gxs = tuple([written_down(g) for g in gxs]) if isinstance(gxs, (tuple, list)) else (written_down(gxs),)
            for hook in list(hooks.values()):
                replaced = hook(gxs, gys)
                gxs = gxs if replaced is None else tuple(replaced)
            return gxs

        node.backward = backward
        node.fresh_gradients = node.takes_deferred = False  # a hook may keep what it sees
    return add_hook(hooks, fn)


def _register_node_prehook(self: Node, fn: Callable) -> RemovableHandle:
    """Call ``fn(grad_outputs)``, a tuple, before this node's backward runs; a tuple that it returns replaces them."""
    self._pre_hooks = self._pre_hooks or {}
    return add_hook(self._pre_hooks.setdefault(None, _Hooks()), fn)


Node.register_hook = _register_node_hook
Node.register_prehook = _register_node_prehook
Tensor.register_hook = register_hook  # type: ignore[method-assign]
Tensor.register_post_accumulate_grad_hook = register_post_accumulate_grad_hook  # type: ignore[method-assign]
Tensor.retain_grad = retain_grad  # type: ignore[method-assign]
Tensor.retains_grad = property(_retains_grad)  # type: ignore[assignment, method-assign]
