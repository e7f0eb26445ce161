"""Device memory, kept for reuse: asking the driver for memory stops the GPU, and training asks for the same again.

Sizes are rounded up to *classes* (eight between one power of two and the next: at most an eighth is wasted), and a
block that is no longer needed waits among those of its class for the next taker, who gets the lowest address: so each
step of a training loop soon finds its arrays where the last one had them, whatever order those died in. All work runs
on one stream, in order, so a block can be reused at once: what still computes on it was launched before whatever its
next owner launches. Where the driver has no more, everything that waits goes back to it, and it is asked again.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Callable
from dataclasses import dataclass

SMALLEST = 512  # bytes; what the driver aligns to, so every block begins on a multiple of 256


class OutOfMemoryError(RuntimeError):
    """The device has no memory left for an array."""


def size_class(nbytes: int) -> int:
    """``nbytes`` rounded up to three leading bits and what they leave."""
    nbytes = max(nbytes, SMALLEST)
    step = max(SMALLEST, 1 << (nbytes.bit_length() - 4))
    return -(-nbytes // step) * step


@dataclass
class Statistics:
    """Bytes: in arrays, the most there have been, and with those that wait for reuse; and the calls of the driver."""

    allocated: int = 0
    max_allocated: int = 0
    reserved: int = 0
    driver_calls: int = 0


class Block:
    """A piece of device memory; it returns to its allocator when the last array on it has died."""

    __slots__ = ("allocator", "nbytes", "pointer")

    def __init__(self, allocator: Allocator, pointer: int, nbytes: int):
        self.allocator, self.pointer, self.nbytes = allocator, pointer, nbytes

    def __del__(self) -> None:
        self.allocator.give_back(self.pointer, self.nbytes)


class Allocator:
    """Blocks by size class.

    Args:
        allocate: the driver's: bytes to an address; raises MemoryError.
        free: the driver's.
        total: bytes on the device, for messages.
    """

    def __init__(self, allocate: Callable[[int], int], free: Callable[[int], None], total: int):
        self._allocate, self._free, self.total = allocate, free, total
        self._waiting: dict[int, list[int]] = {}
        self.statistics = Statistics()

    def take(self, nbytes: int) -> Block:
        """A block of at least ``nbytes``.

        Raises:
            OutOfMemoryError: there is none, even after everything unused has been returned to the driver.
        """
        size, s = size_class(nbytes), self.statistics
        waiting = self._waiting.get(size)
        pointer = heapq.heappop(waiting) if waiting else self._from_driver(size)
        s.allocated += size
        s.max_allocated = max(s.max_allocated, s.allocated)
        return Block(self, pointer, size)

    def _from_driver(self, size: int) -> int:
        s = self.statistics
        s.driver_calls += 1
        try:
            pointer = self._allocate(size)
        except MemoryError:
            self.trim()
            try:
                pointer = self._allocate(size)
            except MemoryError:
                raise OutOfMemoryError(
                    f"out of memory on the GPU: an array needs {size / 2**20:,.1f} MiB, others hold "
                    f"{s.allocated / 2**20:,.1f} of {self.total / 2**20:,.1f} MiB; a smaller batch needs less"
                ) from None
        s.reserved += size
        return pointer

    def give_back(self, pointer: int, size: int) -> None:
        """Keep a block for its next taker."""
        self.statistics.allocated -= size
        heapq.heappush(self._waiting.setdefault(size, []), pointer)

    def trim(self) -> None:
        """Return to the driver what waits for reuse."""
        for size, pointers in self._waiting.items():
            for pointer in pointers:
                self._free(pointer)
            self.statistics.reserved -= size * len(pointers)
        self._waiting.clear()


class Pool(Allocator):
    """Blocks that return here alone: what a graph's launches write at every replay must be nobody else's.

    It counts in its parent's statistics, and its memory goes back to the driver when the graph and all arrays are gone.
    """

    def __init__(self, parent: Allocator):
        super().__init__(parent._allocate, parent._free, parent.total)
        self._parent, self.statistics = parent, parent.statistics

    def trim(self) -> None:
        """Return to the driver what waits in the parent: what waits here is written to by launches already recorded."""
        self._parent.trim()

    def __del__(self) -> None:
        if not sys.is_finalizing():
            super().trim()
