"""The register tile: MR rows and NR columns of c stay in registers for the whole sum (``ladder/tile.py``).

The row loop loads two vectors and stores one for each multiply-add, which is far more than a core can load and store.
The tile loads MR scalars and NV vectors for MR*NV multiply-adds. It reads a and b where they lie, in matrices that are
first filled up with zeros to whole tiles.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit

from ..tile import FREE, MR, NR, tile, whole


@jit
def tiles(a, b, c, starts):
    """One tile of c after another."""
    (M, K), N = a.shape, b.shape[1]
    for i in range(0, M, MR):
        for j in range(0, N, NR):
            tile(K, a, i * K, K, 1, b, j, starts, FREE, 0, c, i * N + j, N)


def matmul(a, b):
    """Whole tiles, then cut to size."""
    (M, K), N = a.shape, b.shape[1]
    a, b = filled_up(a, MR, 1), filled_up(b, 1, NR)
    c = np.zeros((len(a), b.shape[1]), a.dtype)
    tiles(a, b, c, np.arange(K) * b.shape[1])
    return c[:M, :N].copy()


def filled_up(x, rows, columns):
    """``x`` in a matrix of whole multiples of ``rows`` and ``columns``."""
    shape = whole(x.shape[0], rows), whole(x.shape[1], columns)
    if shape == x.shape:
        return x
    y = np.zeros(shape, x.dtype)
    y[: x.shape[0], : x.shape[1]] = x
    return y
