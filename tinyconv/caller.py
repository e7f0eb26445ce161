"""Warnings that point to the line of the user's program, however many of our own calls lie between."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn"]

_OWN = __name__.partition(".")[0]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """:func:`warnings.warn` from the first frame outside of this package: that line is shown, and by it Python tells
    whether the warning was given before."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _OWN:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
