"""In pieces that fit the cache: DEPTH rows of a panel of b, which the first level holds, are used for every row of a
before the next ones are touched.

Before, each MR rows of c read all of b, which for large matrices comes from the last cache or from memory every time.
Now the sums of a tile come in K / DEPTH parts, which are added up in c.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit

from ..tile import FREE, MR, NR, tile
from .tile import filled_up

DEPTH = 192


@jit
def tiles(a, b, c, starts):
    """One piece of b after another."""
    (M, K), N = a.shape, b.shape[1]
    for k in range(0, K, DEPTH):
        for j in range(0, N, NR):
            for i in range(0, M, MR):
                tile(min(DEPTH, K - k), a, i * K + k, K, 1, b, k * N + j, starts, FREE, 0, c, i * N + j, N)


def matmul(a, b):
    """Whole tiles, then cut to size."""
    M, N = len(a), b.shape[1]
    a, b = filled_up(a, MR, 1), filled_up(b, 1, NR)
    c = np.zeros((len(a), b.shape[1]), a.dtype)
    tiles(a, b, c, np.arange(DEPTH) * b.shape[1])
    return c[:M, :N].copy()
