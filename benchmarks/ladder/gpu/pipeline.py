"""Double buffering: the next slab sets out while this one is multiplied.

A number takes several hundred cycles from the device's memory, and in the rungs below all threads of a block wait for
it at the barrier. Here there are two slabs. The loads of the next one are issued first, into registers, the
multiplication of this one runs meanwhile, and only then are they laid down, in the other slab. As nobody reads that
one at the time, one barrier per slab is enough.
"""

from tinyconv.kernels.cuda.kernel import kernel
from tinyconv.kernels.cuda.language import cuda, float32, load4, local, shared, store4

from .vectors import multiply_column, store_tile
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
    TWO_A,
    TWO_B,
    WALKED,
    multiply,
    threads_of,
)  # fmt: skip


def fetch(a, b, m, n, k, N, K, thread, held_a, held_b):
    """Read a thread's share of a slab into registers."""
    for u in range(HELD_A // 4):
        i = (thread + u * THREADS) * 4
        h = 4 * u
        held_a[h], held_a[h + 1], held_a[h + 2], held_a[h + 3] = load4(a, (m + i // BK) * K + k + i % BK)
    for u in range(HELD_B // 4):
        i = (thread + u * THREADS) * 4
        h = 4 * u
        held_b[h], held_b[h + 1], held_b[h + 2], held_b[h + 3] = load4(b, (k + i // BN) * N + n + i % BN)


def lay_down(slab_a, slab_b, here, thread, held_a, held_b):
    """Write it to slab number ``here``."""
    for u in range(HELD_A // 4):
        i = (thread + u * THREADS) * 4
        for q in range(4):
            slab_a[here * SLAB_A + (i % BK + q) * ROW_A + i // BK] = held_a[4 * u + q]
    for u in range(HELD_B // 4):
        i = (thread + u * THREADS) * 4
        h = 4 * u
        store4(slab_b, here * SLAB_B + i, held_b[h], held_b[h + 1], held_b[h + 2], held_b[h + 3])


@kernel("float32*, float32*, float32*, int32, int32", block=threads_of, registers=128, **WALKED)
def in_two_slabs(a, b, c, N, K):
    """A tile of c; all sizes are multiples of the tile's."""
    slab_a, slab_b = shared(TWO_A, float32), shared(TWO_B, float32)
    results = local(RESULTS, float32)
    held_a, held_b = local(HELD_A, float32), local(HELD_B, float32)
    thread = cuda.threadIdx.x
    x, y = thread % ACROSS * 4, thread // ACROSS * 4
    n, m = cuda.blockIdx.x * BN, cuda.blockIdx.y * BM
    for i in range(RESULTS):
        results[i] = float32(0)
    fetch(a, b, m, n, 0, N, K, thread, held_a, held_b)
    lay_down(slab_a, slab_b, 0, thread, held_a, held_b)
    cuda.syncthreads()
    here = 0
    for k in range(BK, K + BK, BK):
        if k < K:
            fetch(a, b, m, n, k, N, K, thread, held_a, held_b)
        for step in range(BK):
            from_a, from_b = here * SLAB_A + step * ROW_A, here * SLAB_B + step * BN
            multiply_column(slab_a, from_a + y, slab_b, from_b + x, results)
        here = 1 - here
        if k < K:
            lay_down(slab_a, slab_b, here, thread, held_a, held_b)
        cuda.syncthreads()
    store_tile(c, m + y, n + x, N, results)


def matmul(a, b, tile=LARGE):
    """A block for each tile of c."""
    return multiply(in_two_slabs, a, b, tile)
