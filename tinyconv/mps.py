"""Apple's GPUs, by ``torch.mps``'s names: tinyconv uses none, so that there is nothing to empty or to wait for."""

from __future__ import annotations

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0"""
    return 0


def empty_cache() -> None:
    """Nothing: no memory is kept there."""


def synchronize() -> None:
    """Nothing: no work is under way there."""


def manual_seed(seed: int) -> None:
    """Nothing: no numbers are drawn there."""
