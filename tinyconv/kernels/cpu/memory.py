"""Keeping freed memory.

A training step allocates the same arrays every time. glibc gives blocks of more than 128 KiB back to the system when
they are freed, and the next step faults every page of them in again, zeroed: a LeNet-5 step of batch 64 spends a
third of its time on 850 such faults. Two settings of ``mallopt`` (see its manual page) make glibc keep what it has;
then a step faults in nothing. The process holds on to its peak memory in return. ``TINYCONV_MALLOPT=0`` leaves the
allocator as it was.
"""

from __future__ import annotations

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_MMAP_THRESHOLD = 32 * 1024 * 1024  # glibc accepts no more; larger blocks are still mapped one by one
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed memory for reuse; whether it took it (False on other systems, or where switched off)."""
    if sys.platform != "linux" or os.environ.get("TINYCONV_MALLOPT") == "0":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD) and mallopt(M_TRIM_THRESHOLD, NEVER))
