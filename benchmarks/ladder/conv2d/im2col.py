"""A matrix product: every window of the image becomes a column (*im2col*), and the weights are a matrix with a row for
each output channel.

    y (O, OH*OW)  =  w (O, C*KH*KW)  @  columns (C*KH*KW, OH*OW)                                      for each image

Matrix products are what everybody has a fast kernel for. The price: each pixel is written KH*KW times over, and the
columns of a batch are tens of megabytes that go out to memory and come back.

Chellapilla, Puri, Simard, "High Performance Convolutional Neural Networks for Document Processing", 2006.
"""

import numpy as np

from tinyconv.kernels import cpu
from tinyconv.kernels.cpu.compile import jit


@jit
def im2col(x, KH, KW):
    """(N, C, H, W) -> (N, C*KH*KW, OH*OW): row (c, kh, kw) is the image shifted by (kh, kw)."""
    N, C, H, W = x.shape
    OH, OW = H - KH + 1, W - KW + 1
    columns = np.empty((N, C, KH, KW, OH, OW), x.dtype)
    for n in range(N):
        for c in range(C):
            for kh in range(KH):
                for kw in range(KW):
                    for i in range(OH):
                        for j in range(OW):
                            columns[n, c, kh, kw, i, j] = x[n, c, i + kh, j + kw]
    return columns.reshape(N, C * KH * KW, OH * OW)


def conv2d(x, w):
    """im2col, then one product an image."""
    (N, _, H, W), (O, _, KH, KW) = x.shape, w.shape
    return cpu.matmul(w.reshape(O, -1), im2col(x, KH, KW)).reshape(N, O, H - KH + 1, W - KW + 1)
