"""NumPy's names of arguments: ``x.sum(axis=0, keepdims=True)`` is ``x.sum(dim=0, keepdim=True)``.

PyTorch takes both wherever its own functions are compiled; so do ours, by one step at the public door. Inside the
engine the functions are called by their own names and without this step.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

NUMPY = {"axis": "dim", "keepdims": "keepdim"}

# PyTorch has these in Python, where `dim` is the only name.
PYTHON = {"norm", "norm_of", "normalize", "split", "split_of", "unflatten", "unique", "unique_consecutive"}


@functools.cache
def numpy_spelled(function: Callable) -> Callable:
    """``function``, which takes NumPy's names for its ``dim`` and ``keepdim``; itself if it has none."""
    plain = inspect.unwrap(function)
    if not inspect.isfunction(plain) or plain.__name__ in PYTHON:
        return function
    code = plain.__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if "dim" not in own:
        return function
    others = {numpy: name for numpy, name in NUMPY.items() if name in own}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for numpy in others.keys() & kwargs.keys():
                if others[numpy] in kwargs:
                    raise TypeError(f"{plain.__name__}: got both {others[numpy]} and {numpy}, which mean the same")
                kwargs[others[numpy]] = kwargs.pop(numpy)
        return function(*args, **kwargs)

    return call
