"""What kernels find wrong with their arguments, told later.

A kernel cannot raise, and to wait for it would cost more than it. It notes what it found in a few cells that stay on
the device, and ``runtime.check_faults`` looks into them the next time that the host waits anyway. A position is noted
by atomic maxima of ``(2**31 - 1 - position) << 32 | word``: the first position wins, and the words are its own.
"""

from __future__ import annotations

import numpy as np

from .language import atomic_max, int64

INDEX, LOW, HIGH, CLASSES, LENGTH = range(5)  # the cells
COUNT = 5
WORD = 2**32 - 1
LAST = 2**31 - 1


def note_index(fault):
    """An index is out of bounds."""
    atomic_max(fault, INDEX, int64(1))


def note_target(fault, position, target, C, L):
    """The target at ``position`` of ``(N, L)`` is none of C classes."""
    mark = (LAST - position) << 32
    atomic_max(fault, LOW, mark | (target & WORD))
    atomic_max(fault, HIGH, mark | ((target >> 32) & WORD))
    atomic_max(fault, CLASSES, mark | C)
    atomic_max(fault, LENGTH, mark | L)


def message(cells: np.ndarray) -> str | None:
    """What the cells say; None where nothing was found."""
    if cells[LOW]:
        position = LAST - int(cells[LOW] >> 32)
        low, high, C, L = (int(cells[cell]) & WORD for cell in (LOW, HIGH, CLASSES, LENGTH))
        target = (high << 32 | low) - ((high >> 31) << 64)  # two's complement
        return (
            f"Target {target} is out of bounds: classes must be in [0, {C}) or the index to ignore "
            f"(at {divmod(position, L)}), in one of the operations since the last that waited"
        )
    if cells[INDEX]:
        return "an index on the GPU was out of bounds, in one of the operations since the last that waited"
    return None
