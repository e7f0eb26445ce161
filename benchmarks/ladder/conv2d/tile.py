"""The register tile, without columns: it finds their numbers in the image (*implicit GEMM*).

Row (c, kh, kw) of the columns is the image itself, read from another start: c*H*W + kh*W + kw. So a table of starts
replaces the matrix, and the product is the tile of ``ladder/tile.py``. The positions of the output run through whole
rows of the image, and the last KW - 1 of each row are a waste: their windows reach over into the next row, and are
dropped when the sums are copied out.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit

from ..tile import FREE, MR, NR, pack, tile


@jit
def image(n, x, packed, starts, y):
    """One image: y[n] from x[n]."""
    (_, C, H, W), (_, O, OH, OW) = x.shape, y.shape
    columns = ((OH - 1) * W + OW + NR - 1) // NR * NR
    source = np.zeros(C * H * W + NR + W, x.dtype)  # what a tile reads behind the image is 0
    source[: C * H * W] = x[n].copy().reshape(-1)
    sums = np.zeros(packed.shape[0] * MR * columns, x.dtype)
    for p in range(packed.shape[0]):
        for j in range(0, columns, NR):
            w0, y0 = p * starts.size * MR, p * MR * columns + j
            tile(starts.size, packed, w0, 1, MR, source, j, starts, FREE, 0, sums, y0, columns)
    for o in range(O):
        for i in range(OH):
            y[n, o, i] = sums[o * columns + i * W :][:OW]


@jit
def images(x, packed, starts, y):
    """One image after another."""
    for n in range(len(x)):
        image(n, x, packed, starts, y)


def conv2d(x, w):
    """Tables, then the tile over every image."""
    (N, C, H, W), (O, _, KH, KW) = x.shape, w.shape
    c, kh, kw = np.indices((C, KH, KW)).reshape(3, -1)
    y = np.empty((N, O, H - KH + 1, W - KW + 1), x.dtype)
    images(x, pack(w.reshape(O, -1)), c * H * W + kh * W + kw, y)
    return y
