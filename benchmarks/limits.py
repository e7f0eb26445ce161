"""What the machine can do at most: copy memory, and multiply and add."""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Callable

import numpy as np

from tinyconv.kernels.cpu.arrays import empty
from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.parallel import parallel_for
from tinyconv.kernels.cpu.target import VECTOR_BYTES
from tinyconv.kernels.cpu.tile import ADD, MR, NV, panel_rows

from .harness import compare, take_turns


@jit
def _copy_part(i, x, y, size):
    y[i * size : (i + 1) * size] = x[i * size : (i + 1) * size]


@jit
def _copy(parts, x, y, size):
    parallel_for(_copy_part, parts, (x, y, size))


@jit
def _negate_part(i, x, y, size):
    x, y = x[i * size : (i + 1) * size], y[i * size : (i + 1) * size]
    for k in range(y.size):
        y[k] = -x[k]


@jit
def _negate(parts, x, y, size):
    parallel_for(_negate_part, parts, (x, y, size))


@jit
def _multiply_part(i, steps, S, rows, V, columns, out, size):
    for _ in range(steps):
        panel_rows(columns.size, S, 0, 1, rows, V, 0, columns, out, i * MR * size, size, MR, size, ADD)


@jit
def _multiply(parts, steps, S, rows, V, columns, out, size):
    parallel_for(_multiply_part, parts, (steps, S, rows, V, columns, out, size))


class Limits:
    """What the machine can do with so many threads."""

    def __init__(self, threads: int, options: argparse.Namespace):
        self.threads, self.options = threads, options

    def copy(self, moved: int) -> Callable[[], None]:
        """A copy that moves ``moved`` bytes: half of them are read, half written. Which way is fastest depends on the
        size, so it is the fastest of three: ``memcpy`` of one stretch per thread, of pieces of 64 KiB, and a loop over
        vectors (it also turns the sign, or the compiler would call ``memcpy``)."""
        return self._copies(moved)[self._fastest(round(math.log2(moved)))]

    def _copies(self, moved: int) -> list[Callable[[], None]]:
        """The three ways, between two arrays of ones: memory that was never written would be one page of zeros, read
        again and again."""
        x, y = (empty((max(self.threads, moved // 8),), np.float32) for _ in range(2))
        x[:], y[:] = 1, 1
        ways = ((_copy, -(-x.size // self.threads)), (_copy, 16384), (_negate, 16384))
        return [functools.partial(loop, -(-x.size // size), x, y, size) for loop, size in ways]

    @functools.cache  # noqa: B019  (it lives as long as the program)
    def _fastest(self, size_class: int) -> int:
        """Which of the three ways is the fastest where 2**size_class bytes move: its place in the list."""
        times, _ = take_turns(self._copies(2**size_class), self.options)
        return int(np.argmin([np.median(way) for way in times]))

    @functools.cached_property
    def peak(self) -> float:
        """Multiplications and additions per second of the register tile, on data in the first-level cache, in the
        best block."""
        size, depth, steps = NV * VECTOR_BYTES // 4, 64, 200
        S, V = np.zeros(MR * depth, np.float32), np.zeros(depth * size, np.float32)
        rows, columns = np.arange(MR) * depth, np.arange(depth) * size
        out = np.zeros(self.threads * MR * size, np.float32)
        times = compare(lambda: _multiply(self.threads, steps, S, rows, V, columns, out, size), None, self.options).ours
        return 2 * self.threads * steps * MR * size * depth / times.min()
