"""A kernel of your own: im2col on all cores, plugged into tinyconv, checked and raced.

From the root of the repository::

    python -m examples.own_kernel                                                            # race
    python -m pytest -p examples.own_kernel tests/kernels/test_conv.py -k "unfold and cpu"   # check

``benchmarks/README.md`` explains each step.
"""

import numpy as np

from tinyconv.kernels import cpu
from tinyconv.kernels.cpu.arrays import compiled_for, flat
from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.parallel import parallel_for


@jit
def one_plane(item, x, y, SH, SW, PH, PW, DH, DW):  # y[item, kh, kw, i, j] = x[item, i*SH + kh*DH - PH, ...]
    (_, H, W), (_, KH, KW, OH, OW) = x.shape, y.shape
    for kh in range(KH):
        for kw in range(KW):
            for i in range(OH):
                h, line = i * SH + kh * DH - PH, y[item, kh, kw, i]
                for j in range(OW):
                    w = j * SW + kw * DW - PW
                    line[j] = x[item, h, w] if 0 <= h < H and 0 <= w < W else 0


@jit
def all_planes(n, x, y, SH, SW, PH, PW, DH, DW):
    parallel_for(one_plane, n, (x, y, SH, SW, PH, PW, DH, DW))


def unfold(x, kernel_size, stride, padding, dilation):
    if not compiled_for(x):
        return original(x, kernel_size, stride, padding, dilation)
    (N, C, H, W), (KH, KW) = x.shape, kernel_size
    OH = (H + 2 * padding[0] - dilation[0] * (KH - 1) - 1) // stride[0] + 1
    OW = (W + 2 * padding[1] - dilation[1] * (KW - 1) - 1) // stride[1] + 1
    y = np.empty((N * C, KH, KW, OH, OW), x.dtype)
    all_planes(N * C, flat(x).reshape(N * C, H, W), y, *stride, *padding, *dilation)
    return y.reshape(N, C * KH * KW, OH * OW)


original, cpu.unfold = cpu.unfold, unfold  # plugged in: from here on all of tinyconv uses it

if __name__ == "__main__":
    from argparse import Namespace

    from benchmarks.harness import compare

    images = np.random.default_rng(0).standard_normal((64, 6, 14, 14), np.float32)
    call = images, (5, 5), (1, 1), (0, 0), (1, 1)
    assert np.array_equal(unfold(*call), original(*call))
    row = compare(lambda: unfold(*call), lambda: original(*call), Namespace(repeats=25, block=0.02)).row(1, "calls")
    print(f"{row['ours_calls']:,.0f} calls a second beside {row['peer_calls']:,.0f}: {row['ratio']:.2f} times as fast")
