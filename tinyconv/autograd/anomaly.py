"""Where does the NaN come from? In anomaly mode every operation notes where it was called, and the backward pass stops
at the first NaN with the name of the operation and that place.

It is slow, and off unless asked for. Like PyTorch's it holds for all threads.
"""

from __future__ import annotations

import traceback
from typing import Any

from ..tensor import Tensor

__all__ = ["detect_anomaly", "is_anomaly_enabled", "set_detect_anomaly"]

enabled = False
check_nan = True


class set_detect_anomaly:
    """Switch anomaly mode on or off: at once, and as a context manager until its end.

    Args:
        mode: on or off.
        check_nan: stop at a NaN; False only notes where operations were called.
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        self._before = enabled, globals()["check_nan"]
        _switch(bool(mode), bool(check_nan))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _switch(*self._before)


class detect_anomaly(set_detect_anomaly):
    """Anomaly mode in a block: ``with autograd.detect_anomaly(): loss.backward()``. The forward pass belongs inside
    too, so that the place can be told."""

    def __init__(self, check_nan: bool = True):
        super().__init__(True, check_nan)


def _switch(mode: bool, check: bool) -> None:
    global enabled, check_nan
    enabled, check_nan = mode, check


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return enabled


def note(node: Any) -> None:
    """Note where the operation of ``node`` was called."""
    node._called_at = "".join(traceback.format_stack()[:-3])


def check(node: Any, gxs: Any) -> None:
    """Raise RuntimeError if one of the gradients that ``node`` computed is NaN."""
    if not check_nan:
        return
    for i, g in enumerate(gxs):
        if isinstance(g, Tensor) and g.is_floating_point() and (g != g).any().item():
            where = getattr(node, "_called_at", None)
            raise RuntimeError(
                f"{node.operation()}: backward returned nan values for argument {i}. "
                + (f"The operation was called here:\n{where}" if where else "It was recorded outside anomaly mode")
            )
