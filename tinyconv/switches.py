"""What PyTorch lets a program switch, and tinyconv need not: the calls are accepted, and say here what holds anyway."""

from __future__ import annotations

from typing import Any

from .autograd import anomaly
from .autograd.anomaly import is_anomaly_enabled
from .dtypes import set_default_dtype
from .kernels.precision import PRECISION
from .ops.convert import TYPE_NAMES
from .tensor import device as Device
from .tensor import expect_default

__all__ = [
    "are_deterministic_algorithms_enabled",
    "compile",
    "get_default_device",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "set_anomaly_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
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
    """How exact matrix products of float32 are to be on a GPU. (Convolutions: ``backends.cudnn.allow_tf32``.)

    ``"highest"``, the default, multiplies and adds in float32. ``"high"`` lets tensor cores do it (from compute
    capability 8.0 on) with each number as the sum of two TF32 numbers: the error stays float32's, unlike that of
    PyTorch's TF32, a thousand times as large. It differs at the ends of float32's range: a number that is infinite, or
    closer to the largest than 1 in 4096, gives NaN, and numbers below 1e-31 may lose digits. ``"medium"`` is the same
    as ``"high"``. Elsewhere all three are ``"highest"``. (Tried in the simulator and compiled; no GPU has run it yet.)

    Raises:
        ValueError: ``precision`` is not "highest", "high" or "medium".
    """
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"set_float32_matmul_precision: expected 'highest', 'high' or 'medium', got {precision!r}")
    PRECISION["matmul"] = precision


def get_float32_matmul_precision() -> str:
    """What :func:`set_float32_matmul_precision` was given last."""
    return PRECISION["matmul"]


def set_num_interop_threads(num: int) -> None:
    """Accepted: operations follow one another, and each uses :func:`~tinyconv.set_num_threads` threads.

    Raises:
        RuntimeError: ``num`` is not positive.
    """
    if num < 1:
        raise RuntimeError(f"set_num_interop_threads: expected a positive integer, got {num}")


def get_num_interop_threads() -> int:
    """1: operations follow one another."""
    return 1


def set_anomaly_enabled(mode: bool, check_nan: bool = True) -> None:
    """:class:`tinyconv.autograd.set_detect_anomaly`, as a function: where does the NaN come from?"""
    anomaly.set_detect_anomaly(mode, check_nan)


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode, if it is on, stops at a NaN."""
    return anomaly.check_nan


def set_flush_denormal(mode: bool) -> bool:
    """False: numbers below the smallest normal one are kept, as IEEE 754 has it, whatever ``mode`` is. (PyTorch answers
    False where the processor cannot flush them to 0.)"""
    return False


def get_default_device() -> Device:
    """Where new tensors are made unless told otherwise: on the CPU."""
    return Device("cpu")


def set_default_device(device: Any) -> None:
    """Accepted for the CPU, which is the default.

    Raises:
        NotImplementedError: another device; say ``device=`` where tensors are made, and ``model.to(device)``.
    """
    expect_default(device, "set_default_device")


def set_default_tensor_type(t: Any) -> None:
    """PyTorch's older way to say :func:`~tinyconv.set_default_dtype`: ``tinyconv.DoubleTensor``, or its name.

    Raises:
        TypeError: no type of floating-point tensors.
        NotImplementedError: one on another device than the CPU.
    """
    name = t if isinstance(t, str) else f"{getattr(t, '__module__', '')}.{getattr(t, '__name__', t)}"
    *place, word = name.split(".")
    dtype = TYPE_NAMES.get(word.removesuffix("Tensor"))
    if dtype is None or not word.endswith("Tensor") or not dtype.is_floating_point:
        raise TypeError(f"set_default_tensor_type: expected a type of floating-point tensors, got {t!r}")
    set_default_device("cuda" if "cuda" in place else "cpu")
    set_default_dtype(dtype)
