"""Automatic mixed precision, for programs written with it: ``torch.amp``'s names, in full precision.

Everything is computed in the types of its tensors, so gradients do not underflow and need no scaling. A program that
uses these gets float32's results.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import dtypes

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "get_autocast_dtype", "is_autocast_enabled"]


class autocast:
    """A block, or a decorated function, in which nothing is cast.

    Args:
        device_type, dtype, enabled, cache_enabled: accepted for PyTorch's sake; without effect.
    """

    def __init__(
        self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ):
        self.device, self.fast_dtype = device_type, dtype

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def __call__(self, function: Callable) -> Callable:
        return function


class GradScaler:
    """Scales losses by 1: ``scaler.scale(loss).backward(); scaler.step(optimizer); scaler.update()``.

    Args:
        device, init_scale, growth_factor, backoff_factor, growth_interval, enabled: accepted for PyTorch's sake;
            without effect.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ):
        pass

    def scale(self, outputs: Any) -> Any:
        """``outputs``."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Nothing: no gradient is scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Nothing: the scale stays 1."""

    def get_scale(self) -> float:
        """1.0"""
        return 1.0

    def is_enabled(self) -> bool:
        """False: nothing is scaled."""
        return False

    def state_dict(self) -> dict[str, Any]:
        """An empty dict: there is nothing to remember."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Nothing: there is nothing to remember."""


def custom_fwd(fwd: Callable | None = None, *, device_type: str = "cuda", cast_inputs: Any = None) -> Callable:
    """``fwd`` itself: nothing is cast. Also a decorator with options."""
    return functools.partial(custom_fwd, device_type=device_type) if fwd is None else fwd


def custom_bwd(bwd: Callable | None = None, *, device_type: str = "cuda") -> Callable:
    """``bwd`` itself: nothing is cast. Also a decorator with options."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """False, inside an :class:`autocast` too: nothing is cast."""
    return False


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """float32: nothing is cast to less."""
    return dtypes.float32
