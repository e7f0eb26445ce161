"""The device beside the CPU, whatever it is: ``torch.accelerator``'s names. Here it is a CUDA GPU or none."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from .tensor import device

__all__ = ["current_accelerator", "current_device_index", "device_count", "is_available", "synchronize"]


def _cuda() -> Any:
    return import_module("tinyconv.cuda") if find_spec("tinyconv.cuda") else None


def is_available() -> bool:
    """Whether there is one that works."""
    cuda = _cuda()
    return cuda is not None and cuda.is_available()


def device_count() -> int:
    """How many there are."""
    return _cuda().device_count() if is_available() else 0


def current_accelerator(check_available: bool = False) -> device | None:
    """``device("cuda")``, or None if there is none that works.

    Args:
        check_available: accepted for PyTorch's sake: it is always checked.
    """
    return device("cuda") if is_available() else None


def current_device_index() -> int:
    """The number of the one in use.

    Raises:
        RuntimeError: there is none.
    """
    if not is_available():
        raise RuntimeError("accelerator.current_device_index: there is no accelerator")
    return _cuda().current_device()


def synchronize(device: Any = None) -> None:
    """Wait until it has done all it was asked for; without one there is nothing to wait for."""
    if is_available():
        _cuda().synchronize(device)
