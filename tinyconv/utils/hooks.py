"""The handle that a hook is taken off with, where PyTorch keeps it."""

from __future__ import annotations

from ..autograd import RemovableHandle

__all__ = ["RemovableHandle"]
