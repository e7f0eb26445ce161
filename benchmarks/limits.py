"""What the machine can do at most: copy memory, and multiply and add."""

from __future__ import annotations

import argparse
import functools

import numpy as np

from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.parallel import parallel_for
from tinyconv.kernels.cpu.target import VECTOR_BYTES
from tinyconv.kernels.cpu.tile import ADD, MR, NV, panel_rows

from .harness import compare


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
    """What the machine can do with so many threads: the best block of each measurement, not the median."""

    def __init__(self, threads: int, options: argparse.Namespace):
        self.threads, self.options = threads, options

    @functools.cache  # noqa: B019  (it lives as long as the program)
    def copying(self, size_class: int) -> float:
        """Bytes a second, read and written ones, of a copy that moves 2**size_class bytes. Which way is fastest depends
        on the size, so the fastest of three counts: ``memcpy`` of one stretch a thread, of pieces of 64 KiB, and a loop
        over vectors (it also turns the sign, or the compiler would call ``memcpy``). Ones, for memory that was never
        written is one page of zeros, read again and again."""
        n = max(self.threads, 2**size_class // 8)
        x, y = np.ones(n, np.float32), np.ones(n, np.float32)
        rates = []
        for loop, size in ((_copy, -(-n // self.threads)), (_copy, 16384), (_negate, 16384)):
            times = compare(lambda loop=loop, size=size: loop(-(-n // size), x, y, size), None, self.options).ours
            rates.append(8 * n / times.min())
        return max(rates)

    @functools.cached_property
    def peak(self) -> float:
        """Multiplications and additions a second of the register tile, on data in the first-level cache."""
        size, depth, steps = NV * VECTOR_BYTES // 4, 64, 200
        S, V = np.zeros(MR * depth, np.float32), np.zeros(depth * size, np.float32)
        rows, columns = np.arange(MR) * depth, np.arange(depth) * size
        out = np.zeros(self.threads * MR * size, np.float32)
        times = compare(lambda: _multiply(self.threads, steps, S, rows, V, columns, out, size), None, self.options).ours
        return 2 * self.threads * steps * MR * size * depth / times.min()
