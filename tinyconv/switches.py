"""What PyTorch lets a program switch, and tinyconv need not: the calls are accepted, and say here what holds anyway."""

from __future__ import annotations

from typing import Any

from .tensor import device as Device

__all__ = [
    "are_deterministic_algorithms_enabled",
    "compile",
    "get_default_device",
    "get_float32_matmul_precision",
    "set_default_device",
    "set_float32_matmul_precision",
    "use_deterministic_algorithms",
]


def compile(model: Any = None, **options: Any) -> Any:
    """``model`` itself: the kernels are compiled, models need not be. Also a decorator, with options or without."""
    if model is None:
        return lambda function: function
    if not callable(model):
        raise TypeError(f"compile: expected a model or a function, got {type(model).__name__}")
    return model


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Accepted: results never depend on the number of threads or on timing, whatever ``mode`` is."""


def are_deterministic_algorithms_enabled() -> bool:
    """True, always."""
    return True


def set_float32_matmul_precision(precision: str) -> None:
    """Accepted: float32 products are computed in float32.

    Raises:
        ValueError: ``precision`` is not "highest", "high" or "medium".
    """
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: expected 'highest', 'high' or 'medium', got {precision!r}")


def get_float32_matmul_precision() -> str:
    """``"highest"``, always."""
    return "highest"


def get_default_device() -> Device:
    """Where new tensors are made unless told otherwise: on the CPU."""
    return Device("cpu")


def set_default_device(device: Any) -> None:
    """Accepted for the CPU, which is the default.

    Raises:
        NotImplementedError: another device; say ``device=`` where tensors are made, and ``model.to(device)``.
    """
    if device is not None and Device(device).type != "cpu":
        raise NotImplementedError(
            f"set_default_device: new tensors are made on the CPU unless told otherwise; say device={str(device)!r} "
            "where they are made, and model.to(device)"
        )
