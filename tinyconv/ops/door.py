"""At the public door: what is handed to a function in place of a tensor is an error that names the argument.

``tinyconv.mean([1, 2])``: the functions ask a tensor for its array, and a list has none. Asking each argument first
would cost every call; here only the one that fails pays.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any

from ..tensor import Tensor

__all__ = ["name_what_is_no_tensor"]


def _named(function: Callable, tensors: list[str], module: str, name: str) -> Callable:
    """``function``, whose arguments ``tensors`` must be some; known as ``module.name``, where pickles look for it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except AttributeError:
            given = {**dict(zip(inspect.signature(function).parameters, args)), **kwargs}
            for argument in tensors:
                if argument in given and not isinstance(given[argument], Tensor):
                    got = type(given[argument]).__name__
                    raise TypeError(f"{name}: {argument} must be a tensor, got {got}") from None
            raise

    call.__module__, call.__name__, call.__qualname__ = module, name, name
    return call


def name_what_is_no_tensor(door: dict[str, Any], but: Collection[str] = ()) -> None:
    """Let the functions of a public module say which argument should be a tensor and is none.

    Args:
        door: the module's ``globals()``.
        but: functions that ask their arguments first, and are called so often that one step more is felt.
    """
    for name, function in door.items():
        if name in but:
            continue
        plain = inspect.unwrap(function) if inspect.isfunction(function) else None
        if plain is not None and plain.__module__.startswith(__package__):
            kinds = plain.__annotations__.items()
            tensors = [argument for argument, kind in kinds if kind == "Tensor" and argument != "return"]
            if tensors:
                door[name] = _named(function, tensors, door["__name__"], name)
