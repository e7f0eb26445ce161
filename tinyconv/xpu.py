"""Intel's GPUs, by ``torch.xpu``'s names: tinyconv uses none."""

from __future__ import annotations

__all__ = ["device_count", "is_available", "manual_seed", "manual_seed_all"]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0"""
    return 0


def manual_seed(seed: int) -> None:
    """Nothing: no numbers are drawn there."""


def manual_seed_all(seed: int) -> None:
    """Nothing: no numbers are drawn there."""
