"""The register tile: a thread makes 8 x 8 numbers of c, and keeps them in registers to the end.

Shared memory hands a warp 32 numbers per cycle, in which it could do 32 multiply-adds: the rung below waits for its two
numbers for each. Here a thread reads 8 numbers of a and 8 of b for 64 multiply-adds, four for each number read. Its
rows lie DOWN apart and its columns ACROSS, so that neighbouring threads read neighbouring numbers, from different banks
of shared memory. There a lies k by k: what is read together lies together.
"""

from tinyconv.kernels.cuda.kernel import kernel
from tinyconv.kernels.cuda.language import cuda, float32, local, shared

from .whole import (
    ACROSS,
    BK,
    BM,
    BN,
    DOWN,
    HELD_A,
    HELD_B,
    LARGE,
    RESULTS,
    ROW_A,
    SLAB_A,
    SLAB_B,
    THREADS,
    TM,
    TN,
    WALKED,
    multiply,
    threads_of,
)  # fmt: skip


@kernel("float32*, float32*, float32*, int32, int32", block=threads_of, registers=176, **WALKED)
def by_tiles(a, b, c, N, K):
    """A tile of c; all sizes are multiples of the tile's."""
    slab_a, slab_b = shared(SLAB_A, float32), shared(SLAB_B, float32)
    results = local(RESULTS, float32)
    column_a, row_b = local(TM, float32), local(TN, float32)
    thread = cuda.threadIdx.x
    x, y = thread % ACROSS, thread // ACROSS
    n, m = cuda.blockIdx.x * BN, cuda.blockIdx.y * BM
    for i in range(RESULTS):
        results[i] = float32(0)
    for k in range(0, K, BK):
        for u in range(HELD_A):
            i = thread + u * THREADS
            slab_a[i % BK * ROW_A + i // BK] = a[(m + i // BK) * K + k + i % BK]
        for u in range(HELD_B):
            i = thread + u * THREADS
            slab_b[i] = b[(k + i // BN) * N + n + i % BN]
        cuda.syncthreads()
        for step in range(BK):
            for i in range(TM):
                column_a[i] = slab_a[step * ROW_A + y + i * DOWN]
            for j in range(TN):
                row_b[j] = slab_b[step * BN + x + j * ACROSS]
            for i in range(TM):
                for j in range(TN):
                    results[i * TN + j] += column_a[i] * row_b[j]
        cuda.syncthreads()
    for i in range(TM):
        for j in range(TN):
            c[(m + y + i * DOWN) * N + n + x + j * ACROSS] = results[i * TN + j]


def matmul(a, b, tile=LARGE):
    """A block for each tile of c."""
    return multiply(by_tiles, a, b, tile)
