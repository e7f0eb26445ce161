"""A module as a function of its parameters: call it with other tensors in their places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ...tensor import Tensor
from ..module import Module

__all__ = ["functional_call"]


def functional_call(module: Module, parameters_and_buffers: Mapping[str, Tensor], args: Any = None,
                    kwargs: Mapping[str, Any] | None = None, *, tie_weights: bool = True,
                    strict: bool = False) -> Any:  # fmt: skip
    """``module(*args, **kwargs)`` with these tensors, by their paths, in place of its parameters and buffers. They may
    have a history, and gradients go back to them; what the module has is not touched.

    Args:
        module: what to call.
        parameters_and_buffers: as ``dict(module.named_parameters())`` names them.
        args: a tuple of arguments, or the only one.
        kwargs: arguments by name.
        tie_weights: a parameter that the module has in several places is replaced in all.
        strict: all parameters and buffers must be given.

    Raises:
        RuntimeError: paths that the module does not have, or lacks one with ``strict``.
        ValueError: a parameter that is in several places is given twice, and not as the same tensor.
    """
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _replaced(module: Module, tensors: Mapping[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    places: dict[str, tuple[Any, str, Any]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for registry in (owner._parameters, owner._buffers):
            for name, value in registry.items():
                if value is not None:
                    places[f"{path}.{name}" if path else name] = registry, name, value
    unexpected, missing = sorted(tensors.keys() - places.keys()), sorted(places.keys() - tensors.keys())
    known = {id(places[path][2]): tensors[path] for path in tensors if path in places}
    if tie_weights:
        missing = [path for path in missing if id(places[path][2]) not in known]
        for path in tensors.keys() & places.keys():
            if tensors[path] is not known[id(places[path][2])]:
                raise ValueError(f"functional_call got multiple values for a tied parameter: {path} is one of them")
    if unexpected or (strict and missing):
        raise RuntimeError(f"functional_call: unexpected {_listed(unexpected)}, missing {_listed(missing)}")
    replaced = {path: tensors[path] for path in places if path in tensors}
    if tie_weights:
        replaced |= {path: known[id(value)] for path, (_, _, value) in places.items() if id(value) in known}
    try:
        for path, tensor in replaced.items():
            registry, name, _ = places[path]
            registry[name] = tensor
        yield
    finally:
        for path in replaced:  # only these: what the call itself assigned to a buffer stays
            registry, name, value = places[path]
            registry[name] = value


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
