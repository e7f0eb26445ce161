"""Packing: b is first copied into the order in which the tile reads it.

Where it lay, each step of the tile read from another row of b, kilobytes further: a new page, and where the rows are a
power of two apart, the same few places of the cache again and again. Packed into panels of NR columns, it is read
straight through. DEPTH rows of a panel stay in the first-level cache while ROWS rows of a, which stay in the
second-level cache, pass by; a itself is read along its rows, and lies well as it is.

Goto, van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit

from ..tile import FREE, MR, NR, tile, whole
from .tile import filled_up

ROWS, DEPTH = 96, 192


@jit
def pack(p, b, panels):
    """Columns p*NR, p*NR + 1, ... of b, as NR numbers for each k; zeros fill the last panel."""
    width = min(NR, b.shape[1] - p * NR)
    for k in range(len(b)):
        line, source = panels[p, k], b[k, p * NR :]
        for j in range(width):
            line[j] = source[j]
        for j in range(width, NR):
            line[j] = 0


@jit
def block(item, a, panels, c, starts):
    """Rows item*ROWS, item*ROWS + 1, ... of c."""
    (M, K), N, first = a.shape, c.shape[1], item * ROWS
    for k in range(0, K, DEPTH):
        depth = min(DEPTH, K - k)
        for p in range(len(panels)):
            for i in range(first, min(M, first + ROWS), MR):
                tile(depth, a, i * K + k, K, 1, panels, (p * K + k) * NR, starts, FREE, 0, c, i * N + p * NR, N)


@jit
def steps(a, b, panels, c, starts):
    """One panel, then one block after another."""
    for p in range(len(panels)):
        pack(p, b, panels)
    for item in range((len(a) + ROWS - 1) // ROWS):
        block(item, a, panels, c, starts)


def matmul(a, b, all_steps=steps):
    """Pack, multiply, cut to size."""
    (M, K), N = a.shape, b.shape[1]
    panels = np.empty((whole(N, NR) // NR, K, NR), a.dtype)
    c = np.zeros((whole(M, MR), whole(N, NR)), a.dtype)
    all_steps(filled_up(a, MR, 1), b, panels, c, np.arange(DEPTH) * NR)
    return c[:M, :N].copy()
