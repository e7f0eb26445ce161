"""Functions of functions, under the names of ``torch.func``: gradients as functions, and modules as functions of their
parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .autograd import enable_grad
from .autograd import grad as _gradients
from .nn import Module
from .nn.utils import stateless
from .tensor import Tensor

__all__ = ["functional_call", "grad", "grad_and_value"]


def functional_call(module: Module, parameter_and_buffer_dicts: Any, args: Any = None,
                    kwargs: Mapping[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:  # fmt: skip
    """:func:`tinyconv.nn.utils.stateless.functional_call`, also of several dicts, in which no path may occur twice.

    Raises:
        ValueError: a path in two dicts; neither a dict nor several.
    """
    tensors = parameter_and_buffer_dicts
    if isinstance(tensors, Sequence):
        merged: dict[str, Tensor] = {}
        for part in tensors:
            if twice := merged.keys() & part.keys():
                raise ValueError(f"functional_call: {sorted(twice)} are in two of the dicts")
            merged.update(part)
        tensors = merged
    elif not isinstance(tensors, Mapping):
        raise ValueError(f"functional_call: expected a dict or a sequence of dicts, got {type(tensors).__name__}")
    return stateless.functional_call(module, tensors, args, kwargs, tie_weights=tie_weights, strict=strict)


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that returns (gradients, value) of ``func``, which returns one number.

    Args:
        func: a function of tensors, or of lists, tuples and dicts of them.
        argnums: for which arguments the gradient is wanted: a number, or a tuple of numbers, which gives a tuple.
        has_aux: ``func`` returns (value, anything), and the new function (gradients, (value, anything)).

    Raises:
        RuntimeError: when called, and the value has more elements than one.
    """

    def both(*args: Any, **kwargs: Any) -> tuple:
        wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        leaves: list[Tensor] = []
        with enable_grad():
            copies = list(args)
            for place in wanted:
                copies[place] = _mapped(lambda x: _collected(x, leaves), args[place])
            found = func(*copies, **kwargs)
            value, aux = found if has_aux else (found, None)
            if not isinstance(value, Tensor) or value.dim():
                shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise RuntimeError(f"grad: func must return a 0-d tensor, got {shape}")
            further = any(x.requires_grad for x in _tensors([args, kwargs]))  # someone outside differentiates, too
            slopes = iter(_gradients(value, leaves, create_graph=further, allow_unused=True))
        zeros = iter(leaves)

        def slope(_: Tensor) -> Tensor:
            g, x = next(slopes), next(zeros)
            return x.new_zeros(x.shape) if g is None else g

        grads = tuple([_mapped(slope, args[place]) for place in wanted])
        value = value if further else value.detach()
        return grads[0] if isinstance(argnums, int) else grads, (value, aux) if has_aux else value

    return both


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """A function that returns the gradient of ``func``, with the arguments of :func:`grad_and_value`; with ``has_aux``
    (gradient, anything)."""
    both = grad_and_value(func, argnums, has_aux)

    def slope(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return slope


def _collected(x: Tensor, leaves: list[Tensor]) -> Tensor:
    """A tensor to differentiate by: a view of one that has a history already, so that it goes on."""
    own = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
    leaves.append(own)
    return own


def _mapped(function: Callable[[Tensor], Any], tree: Any) -> Any:
    """``tree`` with every tensor replaced."""
    if isinstance(tree, Tensor):
        return function(tree)
    if isinstance(tree, (list, tuple)):
        return type(tree)([_mapped(function, item) for item in tree])
    if isinstance(tree, Mapping):
        return {key: _mapped(function, value) for key, value in tree.items()}
    return tree


def _tensors(tree: Any) -> list[Tensor]:
    found: list[Tensor] = []
    _mapped(found.append, tree)
    return found
