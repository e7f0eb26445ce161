"""Loops along rows: the innermost one runs along a row of the output.

A row of y gets one weight times a row of x. These additions are independent of each other and their numbers lie side
by side, so the compiler does a whole vector of them at a time. The price: every sum goes back to memory after each of
its terms, two loads and a store for one multiply-add.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit


@jit
def conv2d(x, w):
    """One weight after another, each for a whole row."""
    (N, C, H, W), (O, _, KH, KW) = x.shape, w.shape
    OH, OW = H - KH + 1, W - KW + 1
    y = np.zeros((N, O, OH, OW), x.dtype)
    for n in range(N):
        for o in range(O):
            for c in range(C):
                for i in range(OH):
                    line = y[n, o, i]
                    for kh in range(KH):
                        for kw in range(KW):
                            weight, source = w[o, c, kh, kw], x[n, c, i + kh, kw : kw + OW]
                            for j in range(OW):
                                line[j] += weight * source[j]
    return y
