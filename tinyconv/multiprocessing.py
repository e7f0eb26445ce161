"""Processes, by ``torch.multiprocessing``'s names: Python's own module.

A tensor that is sent to another process is copied: processes share no tensors here.
"""

from __future__ import annotations

import multiprocessing
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(multiprocessing, name)


def __dir__() -> list[str]:
    return dir(multiprocessing)
