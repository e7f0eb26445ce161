"""One thread per number: each of M*N threads walks along its row of a and down its column of b.

The first kernel that anybody writes, and right. But the 32 threads of a warp, which read at the same moment, lie below
each other (``threadIdx.x`` counts rows): they want 32 numbers of a that lie K apart, in 32 different pieces of memory,
and memory hands out pieces of 32 bytes. Seven eighths of what is fetched is thrown away.
"""

from tinyconv.kernels.cuda.kernel import kernel
from tinyconv.kernels.cuda.language import cuda, float32
from tinyconv.kernels.cuda.runtime import ceil_div, empty, launch

SIDE = 16


@kernel("float32*, float32*, float32*, int32, int32, int32", block=(SIDE, SIDE), registers=40)
def down_the_rows(a, b, c, M, N, K):
    """c[m, n] = sum over k of a[m, k] * b[k, n]."""
    m = cuda.blockIdx.x * SIDE + cuda.threadIdx.x
    n = cuda.blockIdx.y * SIDE + cuda.threadIdx.y
    if m < M and n < N:
        total = float32(0)
        for k in range(K):
            total += a[m * K + k] * b[k * N + n]
        c[m * N + n] = total


def matmul(a, b):
    """A block for each 16 x 16 of c."""
    (M, K), N = a.shape, b.shape[1]
    c = empty((M, N), a.dtype)
    launch(down_the_rows, (ceil_div(M, SIDE), ceil_div(N, SIDE)), a, b, c, M, N, K)
    return c
