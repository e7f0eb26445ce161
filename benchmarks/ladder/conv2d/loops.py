"""The formula: a loop for each of its indices.

Compiled, but as slow as it gets: each output is one long sum, and each addition waits four cycles for the one before
it, while the core could do two a cycle, on 16 numbers each. The compiler may not help: adding in another order rounds
differently.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit


@jit
def conv2d(x, w):
    """One output after another."""
    (N, C, H, W), (O, _, KH, KW) = x.shape, w.shape
    y = np.empty((N, O, H - KH + 1, W - KW + 1), x.dtype)
    for n in range(N):
        for o in range(O):
            for i in range(H - KH + 1):
                for j in range(W - KW + 1):
                    total = x.dtype.type(0)
                    for c in range(C):
                        for kh in range(KH):
                            for kw in range(KW):
                                total += w[o, c, kh, kw] * x[n, c, i + kh, j + kw]
                    y[n, o, i, j] = total
    return y
