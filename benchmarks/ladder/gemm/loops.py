"""The formula: a loop for each of its indices.

Each element is one long sum whose additions wait for each other, and b is read down a column: a new cache line for
every number.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit


@jit
def matmul(a, b):
    """One element after another."""
    (M, K), N = a.shape, b.shape[1]
    c = np.empty((M, N), a.dtype)
    for i in range(M):
        for j in range(N):
            total = a.dtype.type(0)
            for k in range(K):
                total += a[i, k] * b[k, j]
            c[i, j] = total
    return c
