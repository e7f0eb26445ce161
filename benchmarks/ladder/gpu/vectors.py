"""Four at a time: 128-bit loads and stores, a quarter of the instructions for the same bytes.

An instruction takes its turn whether it moves 4 bytes or 16, and the rung below spends one on each number. So a
thread's rows and columns come in groups of four now, half a tile apart: both groups are read from shared memory with
one instruction each, as are four numbers from the device's memory. a is turned on the way, from rows to k by k.
"""

from tinyconv.kernels.cuda.kernel import kernel
from tinyconv.kernels.cuda.language import cuda, float32, load4, local, shared, store4

from .whole import (
    ACROSS,
    BK,
    BM,
    BN,
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


def multiply_column(slab_a, from_a, slab_b, from_b, results):
    """For one k: the outer product of TM numbers of a and TN of b, added to the results."""
    column_a, row_b = local(TM, float32), local(TN, float32)
    for i in range(0, TM, 4):
        column_a[i], column_a[i + 1], column_a[i + 2], column_a[i + 3] = load4(slab_a, from_a + i // 4 * (BM * 4 // TM))
    for j in range(0, TN, 4):
        row_b[j], row_b[j + 1], row_b[j + 2], row_b[j + 3] = load4(slab_b, from_b + j // 4 * (BN * 4 // TN))
    for i in range(TM):
        for j in range(TN):
            results[i * TN + j] += column_a[i] * row_b[j]


def store_tile(c, m, n, N, results):
    """Write a thread's results, four at a time."""
    for i in range(TM):
        for j in range(0, TN, 4):
            at = (m + i // 4 * (BM * 4 // TM) + i % 4) * N + n + j // 4 * (BN * 4 // TN)
            r = i * TN + j
            store4(c, at, results[r], results[r + 1], results[r + 2], results[r + 3])


@kernel("float32*, float32*, float32*, int32, int32", block=threads_of, registers=128, **WALKED)
def by_fours(a, b, c, N, K):
    """A tile of c; all sizes are multiples of the tile's."""
    slab_a, slab_b = shared(SLAB_A, float32), shared(SLAB_B, float32)
    results = local(RESULTS, float32)
    thread = cuda.threadIdx.x
    x, y = thread % ACROSS * 4, thread // ACROSS * 4
    n, m = cuda.blockIdx.x * BN, cuda.blockIdx.y * BM
    for i in range(RESULTS):
        results[i] = float32(0)
    for k in range(0, K, BK):
        for u in range(HELD_A // 4):
            i = (thread + u * THREADS) * 4
            at = i % BK * ROW_A + i // BK
            numbers = load4(a, (m + i // BK) * K + k + i % BK)
            slab_a[at] = numbers[0]
            slab_a[at + ROW_A] = numbers[1]
            slab_a[at + 2 * ROW_A] = numbers[2]
            slab_a[at + 3 * ROW_A] = numbers[3]
        for u in range(HELD_B // 4):
            i = (thread + u * THREADS) * 4
            numbers = load4(b, (k + i // BN) * N + n + i % BN)
            store4(slab_b, i, numbers[0], numbers[1], numbers[2], numbers[3])
        cuda.syncthreads()
        for step in range(BK):
            multiply_column(slab_a, step * ROW_A + y, slab_b, step * BN + x, results)
        cuda.syncthreads()
    store_tile(c, m + y, n + x, N, results)


def matmul(a, b, tile=LARGE):
    """A block for each tile of c."""
    return multiply(by_fours, a, b, tile)
