"""Hooks of modules: functions that look in on a module, and may change what goes through it.

A module without hooks is called without a detour; see :meth:`~tinyconv.nn.Module.__call__`. Hooks on the backward pass
need to see the gradients of all outputs, or of all inputs, together: a Function that passes tensors on unchanged stands
before ``forward`` and after it, and its backward calls them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autograd import Function, RemovableHandle, is_grad_enabled
from ..autograd.hooks import add_hook
from ..tensor import Tensor

__all__ = ["Hooked"]


@dataclass(frozen=True)
class _WithKwargs:
    """A hook that is given the arguments by name, too."""

    hook: Callable


class Hooked:
    """The part of :class:`~tinyconv.nn.Module` that keeps hooks and calls them."""

    forward: Callable[..., Any]
    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_hooks: OrderedDict[int, Any]
    _backward_pre_hooks: OrderedDict[int, Callable]
    _backward_hooks: OrderedDict[int, Callable]

    def _call_with_hooks(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        for hook in list(self._forward_pre_hooks.values()):
            if isinstance(hook, _WithKwargs):
                replaced = hook.hook(self, args, kwargs)
                if replaced is not None:
                    if not (isinstance(replaced, tuple) and len(replaced) == 2):
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                            f"but got {replaced}."
                        )
                    args, kwargs = replaced
            else:
                replaced = hook(self, args)
                if replaced is not None:
                    args = replaced if isinstance(replaced, tuple) else (replaced,)
        backward = _Backward(self) if self._backward_pre_hooks or self._backward_hooks else None
        if backward is not None:
            args = backward.watch_inputs(args)
        out = self.forward(*args, **kwargs)
        for hook in list(self._forward_hooks.values()):
            named = isinstance(hook, _WithKwargs)
            replaced = hook.hook(self, args, kwargs, out) if named else hook(self, args, out)
            if replaced is not None:
                out = replaced
        return out if backward is None else backward.watch_outputs(out)

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before ``forward``; arguments that it returns replace the given ones.

        Args:
            hook: returns None, the new args (a tuple, or one value), or with ``with_kwargs`` a tuple (args, kwargs).
            prepend: call it before the hooks already there.
            with_kwargs: call ``hook(module, args, kwargs)``.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(self._forward_pre_hooks, _WithKwargs(hook) if with_kwargs else hook, prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after ``forward``; a value that it returns replaces the output.

        Args:
            hook: returns None or the new output.
            prepend: call it before the hooks already there.
            with_kwargs: call ``hook(module, args, kwargs, output)``.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(self._forward_hooks, _WithKwargs(hook) if with_kwargs else hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the module's outputs are known, before those of its
        parameters and inputs are; gradients that it returns replace them.

        Args:
            hook: gets a tuple with a gradient for each output, None for what is no tensor or is not used.
            prepend: call it before the hooks already there.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the gradients of the module's inputs are known; those
        that it returns replace them. If no input needs a gradient, it is called once those of the outputs are.

        Args:
            hook: gets two tuples: a gradient for each positional argument (None for what needs none), and for each
                output.
            prepend: call it before the hooks already there.

        Returns:
            A handle whose ``remove()`` takes the hook away.
        """
        return add_hook(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """PyTorch's older name of :meth:`register_full_backward_hook`."""
        return self.register_full_backward_hook(hook)


def has_hooks(module: Hooked) -> bool:
    """Whether anybody looks at what goes through a module. (Asked at every call: Python finds entries of a dict in a
    fraction of the time that attributes take where a class has a ``__getattr__``.)

    Raises:
        AttributeError: before ``Module.__init__()``.
    """
    own = module.__dict__
    try:
        return bool(
            own["_forward_pre_hooks"] or own["_forward_hooks"] or own["_backward_pre_hooks"] or own["_backward_hooks"]
        )
    except KeyError:
        raise AttributeError(f"cannot call a {type(module).__name__} before Module.__init__() call") from None


class _PassOn(Function):
    """y = x for several tensors at once;  gx = what ``watch`` makes of gy."""

    fresh_gradients = False

    @staticmethod
    def forward(ctx: Any, watch: Callable[[tuple], tuple], zeros: bool, *xs: Tensor) -> tuple:
        ctx.watch = watch
        ctx.set_materialize_grads(zeros)
        return xs

    @staticmethod
    def backward(ctx: Any, *gys: Tensor | None) -> tuple:
        return (None, None, *ctx.watch(gys))


class _Backward:
    """One call of a module with hooks on its backward pass."""

    def __init__(self, module: Hooked):
        self.module = module
        self.hooks, self.pre_hooks = list(module._backward_hooks.values()), list(module._backward_pre_hooks.values())
        self.grad_outputs: tuple = ()
        self.inputs = 0  # the number of positional arguments
        self.inputs_watched = False

    def watch_inputs(self, args: tuple) -> tuple:
        self.inputs = len(args)
        watched, where = _watched(args, self._inputs_arrived, zeros=True)
        self.inputs_watched = bool(where)
        return watched

    def watch_outputs(self, out: Any) -> Any:
        outs = out if isinstance(out, tuple) else (out,)
        self.outputs = len(outs)
        watched, _ = _watched(outs, self._outputs_arrived, zeros=False)
        return watched if isinstance(out, tuple) else watched[0]

    def _outputs_arrived(self, gys: tuple, where: list[int]) -> tuple:
        grads = _spread(gys, where, self.outputs)
        for hook in self.pre_hooks:
            grads = _replaced(hook(self.module, grads), grads, "grad_output")
        self.grad_outputs = grads
        if not self.inputs_watched:
            for hook in self.hooks:
                if hook(self.module, (None,) * self.inputs, grads) is not None:
                    raise RuntimeError(
                        "backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return tuple([grads[i] for i in where])

    def _inputs_arrived(self, gys: tuple, where: list[int]) -> tuple:
        grads = _spread(gys, where, self.inputs)
        for hook in self.hooks:
            grads = _replaced(hook(self.module, grads, self.grad_outputs), grads, "grad_input")
        return tuple([grads[i] for i in where])


def _watched(values: tuple, arrived: Callable[[tuple, list[int]], tuple], zeros: bool) -> tuple[tuple, list[int]]:
    """``values`` with the tensors that need a gradient passed on together, and where those are. ``zeros`` stand for the
    gradients of those that nobody used."""
    where = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad and is_grad_enabled()]
    if not where:
        return values, where
    passed = _PassOn.apply(lambda gys: arrived(gys, where), zeros, *[values[i] for i in where])
    new = list(values)
    for i, x in zip(where, passed, strict=True):
        new[i] = x
    return tuple(new), where


def _spread(gys: tuple, where: list[int], n: int) -> tuple:
    """Gradients at their places among n values, None at the others."""
    grads: list[Any] = [None] * n
    for i, g in zip(where, gys, strict=True):
        grads[i] = g
    return tuple(grads)


def _replaced(result: Any, grads: tuple, name: str) -> tuple:
    """``grads``, or what a hook returned in their place."""
    if result is None:
        return grads
    result = result if isinstance(result, tuple) else (result,)
    if len(result) != len(grads):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {name}, got {len(result)}, expected {len(grads)}"
        )
    return result
