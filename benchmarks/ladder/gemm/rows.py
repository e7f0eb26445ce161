"""Loops along rows: in the order i, k, j, a row of c gets a[i, k] times a row of b.

The innermost additions are independent of each other and their numbers lie side by side: the compiler does a whole
vector of them at a time, and memory is read in the order in which it lies.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit


@jit
def matmul(a, b):
    """One row after another, in vectors."""
    (M, K), N = a.shape, b.shape[1]
    c = np.zeros((M, N), a.dtype)
    for i in range(M):
        line = c[i]
        for k in range(K):
            factor, source = a[i, k], b[k]
            for j in range(N):
                line[j] += factor * source[j]
    return c
