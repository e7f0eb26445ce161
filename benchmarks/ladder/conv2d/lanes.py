"""Images in the lanes: a vector is one pixel of LANES images, not LANES pixels of one image.

Turned into the layout (C, H, W, LANES), LANES images are convolved exactly like one image whose pixels are vectors:
whatever the size of the image and of the kernel, no vector is half empty, none straddles two rows, and none lies
askew. A tile takes NV output positions, wherever they are: the table ``places`` says where their windows begin.
"""

import numpy as np

from tinyconv.kernels.cpu.compile import jit

from ..tile import LANES, MR, NV, pack, tile, whole


@jit
def group(item, x, packed, starts, places, y):
    """LANES images: y[n:m] from x[n:m]."""
    (N, C, H, W), (_, O, OH, OW) = x.shape, y.shape
    n, m = item * LANES, min(item * LANES + LANES, N)
    source = np.zeros((C * H * W, LANES), x.dtype)
    for k in range(n, m):
        pixels = x[k].copy().reshape(-1)
        for p in range(pixels.size):
            source[p, k - n] = pixels[p]
    sums = np.zeros((packed.shape[0] * MR, places.size, LANES), x.dtype)
    for j in range(0, places.size, NV):
        for p in range(packed.shape[0]):
            w0, y0 = p * starts.size * MR, (p * MR * places.size + j) * LANES
            tile(starts.size, packed, w0, 1, MR, source, 0, starts, places, j, sums, y0, places.size * LANES)
    for k in range(n, m):
        for o in range(O):
            for i in range(OH):
                for j in range(OW):
                    y[k, o, i, j] = sums[o, i * OW + j, k - n]


@jit
def groups(n, x, packed, starts, places, y):
    """One group of images after another."""
    for item in range(n):
        group(item, x, packed, starts, places, y)


def conv2d(x, w, over_groups=groups):
    """Tables, then the tile over every group of images."""
    (N, C, H, W), (O, _, KH, KW) = x.shape, w.shape
    OH, OW = H - KH + 1, W - KW + 1
    c, kh, kw = np.indices((C, KH, KW)).reshape(3, -1)
    i, j = np.indices((OH, OW)).reshape(2, -1)
    places = np.zeros(whole(OH * OW, NV), np.int64)  # the last tile may do position 0 again
    places[: OH * OW] = (i * W + j) * LANES
    y = np.empty((N, O, OH, OW), x.dtype)
    over_groups(whole(N, LANES) // LANES, x, pack(w.reshape(O, -1)), (c * H * W + kh * W + kw) * LANES, places, y)
    return y
