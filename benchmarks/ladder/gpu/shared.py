"""Fetched once per block: squares of a and b are first laid down in shared memory, which the block's threads all read.

A thread still needs two numbers for each multiply-add, but they come from the memory of its own multiprocessor: from
the device's each number is read once by a block, not once by each of its 32 rows or columns. Two barriers a square: one
before it is read (all must have written), one before the next overwrites it (all must have read).
"""

from tinyconv.kernels.cuda.kernel import Constant, kernel
from tinyconv.kernels.cuda.language import cuda, float32
from tinyconv.kernels.cuda.language import shared as shared_memory
from tinyconv.kernels.cuda.runtime import empty, launch

from .whole import cut, filled_up

SIDE, AREA = Constant("SIDE"), Constant("AREA")


@kernel("float32*, float32*, float32*, int32, int32", SIDE=(32,), AREA=(1024,),
        block=lambda SIDE, AREA: (SIDE, SIDE), registers=48)  # fmt: skip
def by_squares(a, b, c, N, K):
    """A square of c, one number per thread; all sizes are multiples of SIDE."""
    square_a = shared_memory(AREA, float32)
    square_b = shared_memory(AREA, float32)
    x, y = cuda.threadIdx.x, cuda.threadIdx.y
    n = cuda.blockIdx.x * SIDE + x
    m = cuda.blockIdx.y * SIDE + y
    total = float32(0)
    for k in range(0, K, SIDE):
        square_a[y * SIDE + x] = a[m * K + k + x]
        square_b[y * SIDE + x] = b[(k + y) * N + n]
        cuda.syncthreads()
        for i in range(SIDE):
            total += square_a[y * SIDE + i] * square_b[i * SIDE + x]
        cuda.syncthreads()
    c[m * N + n] = total


def matmul(a, b, side=32):
    """A block for each side x side of c; what sticks out is filled up with zeros."""
    M, N = a.shape[0], b.shape[1]
    a, b = filled_up(a, side, side), filled_up(b, side, side)
    c = empty((a.shape[0], b.shape[1]), a.dtype)
    grid = c.shape[1] // side, c.shape[0] // side
    launch(by_squares, grid, a, b, c, c.shape[1], a.shape[1], SIDE=side, AREA=side * side)
    return cut(c, M, N)
