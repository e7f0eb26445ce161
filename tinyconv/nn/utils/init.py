"""Modules without the work of initializing them."""

from __future__ import annotations

import inspect
from typing import Any

from ..module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """``module_cls(*args, **kwargs)`` whose parameters hold nothing that may be relied on, since they will be loaded.
    (Here they are initialized all the same: it takes milliseconds.)

    Raises:
        RuntimeError: ``module_cls`` is no Module, or takes no ``device``, as PyTorch wants it.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    return module_cls(*args, **kwargs)
