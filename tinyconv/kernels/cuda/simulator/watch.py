"""Stepping through a block: who is at which line, with which numbers."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from .lanes import LANES
from .rewrite import UNSET


@dataclass
class Step:
    """One line, about to run.

    Attributes:
        line: its number in the file.
        text: the line itself.
        active: bool per thread, who runs it.
        variables: for each variable its value, an array with a number per thread (or one number, the same for all).
    """

    line: int
    text: str
    active: np.ndarray
    variables: dict[str, Any]


@contextmanager
def watch(kernel: Any, show: Callable[[Step], None]) -> Iterator[None]:
    """Call ``show`` before every line that the kernel runs in the simulator, within the ``with`` block."""
    name, file = kernel.function.__name__, kernel.function.__code__.co_filename

    last: list[Any] = [0, None]

    def lines(frame: FrameType, event: str, argument: Any) -> Any:
        again = frame.f_lineno == last[0] and LANES.active is last[1]  # a line may have several parts
        if event == "line" and LANES.count and not again:
            last[:] = frame.f_lineno, LANES.active
            known = {k: v for k, v in frame.f_locals.items() if not k.startswith("_") and v is not UNSET}
            show(Step(frame.f_lineno, linecache.getline(file, frame.f_lineno).rstrip(), LANES.active, known))
        return lines

    def calls(frame: FrameType, event: str, argument: Any) -> Any:
        inside = frame.f_code.co_name == name and frame.f_code.co_filename == file
        return lines if event == "call" and inside else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        yield
    finally:
        sys.settrace(before)
