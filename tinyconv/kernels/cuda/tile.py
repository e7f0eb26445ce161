"""The register tile: matrix products, and every convolution as one.

``y[m, n] = sum over k of a(m, k) * b(n, k)``. A block of threads makes a tile of BM x BN results; each thread keeps TM
x TN of them in registers. Along k the block goes in slabs of BK: a slab of a and one of b lie in shared memory, k by k,
and for each k a thread reads its TM + TN numbers (as 128-bit loads) for TM * TN multiply-adds: with 8 x 8, four
multiply-adds per number read.

*Double buffering.* There are two slabs: while one is multiplied, the next is already on its way from global memory to
registers, and is written to the other slab when the multiplication is done. One barrier per slab.

*No bank conflicts.* A row of a slab holds BM (BN) numbers and 4 more. A thread's rows are groups of four, BM/(TM/4)
apart, so that neighbouring threads read neighbouring 128 bits; threads that share rows read one address, a broadcast.

*Operands are functions.* What tells a matrix product from a convolution is only where a(m, k) lies in memory. An
operand has a *place* function, called once per thread for its row (where does it begin? which pixel is it?), and a
*fetch* function, called for each slab, that returns four numbers: of one row, for k to k+3, or of four rows for one k.
Beyond the last k it returns zeros; in the place of rows beyond the last, the last is fetched, and what comes of it is
not stored. So no size need be a multiple of anything. Threads share out the fetching in one of three ways (``ALONG_K``,
``ALONG_ROWS``, ``GATHERED``), such that neighbouring threads touch neighbouring addresses.

*Tensor cores.* How a slab is multiplied is a function, too. ``BY_TENSOR_CORES`` has each number as the sum of two TF32
numbers, big + small, and adds up three of the four products (3xTF32: Ootomo and Yokota, "Recovering single precision
accuracy from Tensor Cores", 2022). The fourth, small * small, is about float32's last bit.

*Split k.* Where a product has few tiles and a long k (weight gradients), several blocks share one tile, each with its
part of k, and write to a workspace; ``add_parts`` adds the parts in a fixed order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..precision import PRECISION
from .kernel import OLDEST_GPU, TF32_GPU, Constant, T, kernel
from .language import WARP, cuda, int32, load4, local, multiply_add_16x8x8, quotient, remainder, shared, store4, tf32
from .reduce import block_sum
from .runtime import ceil_div, device

# How a block's threads share out a slab: four numbers per thread, along k with k the fastest (rows that are dense along
# k); along the rows (dense across them); or along k with the row the fastest (gathered one by one).
ALONG_K, ALONG_ROWS, GATHERED = 0, 1, 2

BM, BN, BK, TM, TN = (Constant(name) for name in ("BM", "BN", "BK", "TM", "TN"))
THREADS, ACROSS = Constant("THREADS"), Constant("ACROSS")
ROW_A, ROW_B, SLAB_A, SLAB_B = Constant("ROW_A"), Constant("ROW_B"), Constant("SLAB_A"), Constant("SLAB_B")
BOTH_A, BOTH_B, RESULTS = Constant("BOTH_A"), Constant("BOTH_B"), Constant("RESULTS")
FETCHES_A, FETCHES_B, PLACES_A, PLACES_B = (Constant(f"{w}_{x}") for w in ("FETCHES", "PLACES") for x in "AB")
HELD_A, HELD_B = Constant("HELD_A"), Constant("HELD_B")
WAY_A, WAY_B, P = Constant("WAY_A"), Constant("WAY_B"), Constant("P")
PLACE_A, PLACE_B, FETCH_A, FETCH_B = (Constant(f"{w}_{x}") for w in ("PLACE", "FETCH") for x in "AB")
COLUMN, PUT_DOWN, MULTIPLY, PUT = (Constant(name) for name in ("COLUMN", "PUT_DOWN", "MULTIPLY", "PUT"))

# p, the numbers that operands and results are found by, begins with: for a and b the steps from row to row, k to k and
# batch to batch; for y the steps from row to row, batch to batch and part to part, and whether four
# neighbouring columns lie side by side on a multiple of 16 bytes; whether there is a bias, and its steps from row to
# row, column to column and batch to batch. Operands may have more.
A_ROW, A_K, A_BATCH, B_ROW, B_K, B_BATCH, Y_ROW, Y_BATCH, Y_PART, ALIGNED = range(10)
BIASED, BIAS_ROW, BIAS_COLUMN, BIAS_BATCH = range(10, 14)
PARAMETERS = 14


def row_of(u, thread, way, rows, BK, THREADS):
    """The row that a thread fetches from in its turn u."""
    t = thread + u * THREADS
    if way == ALONG_K:
        return t // (BK // 4)
    if way == ALONG_ROWS:
        return t % (rows // 4) * 4
    return t % rows


def k_of(u, thread, way, rows, BK, THREADS):
    """The k, counted from the slab's first, that a thread fetches from in its turn u."""
    t = thread + u * THREADS
    if way == ALONG_K:
        return t % (BK // 4) * 4
    if way == ALONG_ROWS:
        return t // (rows // 4)
    return t // rows * 4


def put_down(slab, at, row, k, stride, way, a, b, c, d):
    """Write four fetched numbers into a slab that begins at ``at``."""
    if way == ALONG_ROWS:
        i = at + k * stride + row
        slab[i] = a
        slab[i + 1] = b
        slab[i + 2] = c
        slab[i + 3] = d
    else:
        i = at + k * stride + row
        slab[i] = a
        slab[i + stride] = b
        slab[i + 2 * stride] = c
        slab[i + 3 * stride] = d


def multiply_column(slab_a, from_a, slab_b, from_b, results):
    """The outer product of a thread's TM numbers of a and TN of b, for one k, added to its results."""
    column_a = local(TM, T)
    column_b = local(TN, T)
    for g in range(TM // 4):
        numbers = load4(slab_a, from_a + g * (BM // (TM // 4)))
        column_a[4 * g] = numbers[0]
        column_a[4 * g + 1] = numbers[1]
        column_a[4 * g + 2] = numbers[2]
        column_a[4 * g + 3] = numbers[3]
    for g in range(TN // 4):
        numbers = load4(slab_b, from_b + g * (BN // (TN // 4)))
        column_b[4 * g] = numbers[0]
        column_b[4 * g + 1] = numbers[1]
        column_b[4 * g + 2] = numbers[2]
        column_b[4 * g + 3] = numbers[3]
    for i in range(TM):
        for j in range(TN):
            results[i * TN + j] += column_a[i] * column_b[j]


def multiply_by_threads(slab_a, at_a, slab_b, at_b, thread, results):
    """A slab's products, each thread its own rows and columns: groups of four."""
    from_a = at_a + thread // ACROSS * 4
    from_b = at_b + thread % ACROSS * 4
    for step in range(0, BK, 8):  # eight at a time, so that the loop costs little
        row_a = from_a + step * ROW_A
        row_b = from_b + step * ROW_B
        multiply_column(slab_a, row_a, slab_b, row_b, results)
        multiply_column(slab_a, row_a + ROW_A, slab_b, row_b + ROW_B, results)
        multiply_column(slab_a, row_a + 2 * ROW_A, slab_b, row_b + 2 * ROW_B, results)
        multiply_column(slab_a, row_a + 3 * ROW_A, slab_b, row_b + 3 * ROW_B, results)
        multiply_column(slab_a, row_a + 4 * ROW_A, slab_b, row_b + 4 * ROW_B, results)
        multiply_column(slab_a, row_a + 5 * ROW_A, slab_b, row_b + 5 * ROW_B, results)
        multiply_column(slab_a, row_a + 6 * ROW_A, slab_b, row_b + 6 * ROW_B, results)
        multiply_column(slab_a, row_a + 7 * ROW_A, slab_b, row_b + 7 * ROW_B, results)


def put_down_split(slab, at, row, k, stride, way, a, b, c, d):
    """Write each of four fetched numbers as big + small, two TF32 numbers, into a slab: all small parts lie behind all
    big ones. Done here, and not where slabs are read, it is done once for each number."""
    p, q, r, s = tf32(a), tf32(b), tf32(c), tf32(d)
    put_down(slab, at, row, k, stride, way, p, q, r, s)
    p, q, r, s = tf32(a - p), tf32(b - q), tf32(c - r), tf32(d - s)
    put_down(slab, at + BK * stride, row, k, stride, way, p, q, r, s)


def warp_row(thread):
    """The first row of the tile that a thread has results in, if its warp makes 8 TM x 4 TN of them."""
    warp = thread // WARP
    return warp // (ACROSS // 4) * (8 * TM) + thread % WARP // 4


def warp_column(thread):
    """The first column of the tile that a thread's warp has results in."""
    return thread // WARP % (ACROSS // 4) * (4 * TN)


def multiply_by_tensor_cores(slab_a, at_a, slab_b, at_b, thread, results):
    """A slab's products, each warp TM/2 x TN/2 matrices of 16 x 8; for float32.

    A matrix's k and k + 4 are the slab's 2k and 2k + 1: then the threads of a warp read from 32 different banks. A
    tensor core rounds sums towards zero; so that this does not add up, only eight of k are summed there, and added to
    the results outside.
    """
    lane = thread % WARP
    from_a = at_a + lane % 4 * 2 * ROW_A + warp_row(thread)
    from_b = at_b + lane % 4 * 2 * ROW_B + warp_column(thread) + lane // 4
    big, small = local(TN, T), local(TN, T)
    zero = T(0)
    for step in range(0, BK, 8):
        for j in range(TN):  # two numbers for each of TN/2 matrices
            at = from_b + (step + j % 2) * ROW_B + j // 2 * 8
            big[j] = slab_b[at]
            small[j] = slab_b[at + BK * ROW_B]
        for i in range(0, TM, 2):
            at = from_a + step * ROW_A + i * 8
            p, q, r, s = slab_a[at], slab_a[at + 8], slab_a[at + ROW_A], slab_a[at + ROW_A + 8]
            at += BK * ROW_A
            t, u, v, w = slab_a[at], slab_a[at + 8], slab_a[at + ROW_A], slab_a[at + ROW_A + 8]
            for j in range(0, TN, 2):
                x = multiply_add_16x8x8(t, u, v, w, big[j], big[j + 1], zero, zero, zero, zero)
                x = multiply_add_16x8x8(p, q, r, s, small[j], small[j + 1], x[0], x[1], x[2], x[3])
                x = multiply_add_16x8x8(p, q, r, s, big[j], big[j + 1], x[0], x[1], x[2], x[3])
                results[i * TN + j] += x[0]
                results[i * TN + j + 1] += x[1]
                results[(i + 1) * TN + j] += x[2]
                results[(i + 1) * TN + j + 1] += x[3]


def biased(bias, p, batch, m, n, value):
    """A result with its bias."""
    if p[BIASED]:
        value += bias[m * p[BIAS_ROW] + n * p[BIAS_COLUMN] + batch * p[BIAS_BATCH]]
    return value


def put_rows(y, bias, p, batch, start, m, n, M, N, results, column):
    """Write a thread's results in four columns of the tile, from ``column`` on, all TM rows of them.

    (Row by row in so many words, because a loop would have to index the results, which lie in registers.)
    """
    c0, c1, c2, c3 = COLUMN(p, n), COLUMN(p, n + 1), COLUMN(p, n + 2), COLUMN(p, n + 3)
    put_four(y, bias, p, batch, start, m, n, M, N, c0, c1, c2, c3, results, column)
    put_four(y, bias, p, batch, start, m + 1, n, M, N, c0, c1, c2, c3, results, column + TN)
    put_four(y, bias, p, batch, start, m + 2, n, M, N, c0, c1, c2, c3, results, column + 2 * TN)
    put_four(y, bias, p, batch, start, m + 3, n, M, N, c0, c1, c2, c3, results, column + 3 * TN)
    if TM == 8:
        m += BM // 2
        put_four(y, bias, p, batch, start, m, n, M, N, c0, c1, c2, c3, results, column + 4 * TN)
        put_four(y, bias, p, batch, start, m + 1, n, M, N, c0, c1, c2, c3, results, column + 5 * TN)
        put_four(y, bias, p, batch, start, m + 2, n, M, N, c0, c1, c2, c3, results, column + 6 * TN)
        put_four(y, bias, p, batch, start, m + 3, n, M, N, c0, c1, c2, c3, results, column + 7 * TN)


def put_four(y, bias, p, batch, start, m, n, M, N, c0, c1, c2, c3, results, j):
    """Write four neighbours of row m, results j to j+3, to the columns c0 to c3."""
    at = start + m * p[Y_ROW]
    if m < M and n < N:
        a = biased(bias, p, batch, m, n, results[j])
        if p[ALIGNED]:  # N is a multiple of four, and the columns lie side by side
            store4(y, at + c0, a, biased(bias, p, batch, m, n + 1, results[j + 1]),
                   biased(bias, p, batch, m, n + 2, results[j + 2]),
                   biased(bias, p, batch, m, n + 3, results[j + 3]))  # fmt: skip
        else:
            y[at + c0] = a
            if n + 1 < N:
                y[at + c1] = biased(bias, p, batch, m, n + 1, results[j + 1])
            if n + 2 < N:
                y[at + c2] = biased(bias, p, batch, m, n + 2, results[j + 2])
            if n + 3 < N:
                y[at + c3] = biased(bias, p, batch, m, n + 3, results[j + 3])


def put_by_threads(y, bias, p, batch, start, first_m, first_n, M, N, thread, results):
    """Write what :func:`multiply_by_threads` has made."""
    m = first_m + thread // ACROSS * 4
    n = first_n + thread % ACROSS * 4
    put_rows(y, bias, p, batch, start, m, n, M, N, results, 0)
    if TN == 8:
        put_rows(y, bias, p, batch, start, m, n + BN // 2, M, N, results, 4)


def put_two(y, bias, p, batch, start, m, n, M, N, c0, c1, results, j):
    """Write two neighbours of row m, results j and j+1, to the columns c0 and c1."""
    at = start + m * p[Y_ROW]
    if m < M and n < N:
        y[at + c0] = biased(bias, p, batch, m, n, results[j])
        if n + 1 < N:
            y[at + c1] = biased(bias, p, batch, m, n + 1, results[j + 1])


def put_columns(y, bias, p, batch, start, m, n, M, N, results, column):
    """Write a thread's results in two columns, from ``column`` on, all TM rows of them."""
    c0, c1 = COLUMN(p, n), COLUMN(p, n + 1)
    put_two(y, bias, p, batch, start, m, n, M, N, c0, c1, results, column)
    put_two(y, bias, p, batch, start, m + 8, n, M, N, c0, c1, results, column + TN)
    put_two(y, bias, p, batch, start, m + 16, n, M, N, c0, c1, results, column + 2 * TN)
    put_two(y, bias, p, batch, start, m + 24, n, M, N, c0, c1, results, column + 3 * TN)
    if TM == 8:
        put_two(y, bias, p, batch, start, m + 32, n, M, N, c0, c1, results, column + 4 * TN)
        put_two(y, bias, p, batch, start, m + 40, n, M, N, c0, c1, results, column + 5 * TN)
        put_two(y, bias, p, batch, start, m + 48, n, M, N, c0, c1, results, column + 6 * TN)
        put_two(y, bias, p, batch, start, m + 56, n, M, N, c0, c1, results, column + 7 * TN)


def put_by_warps(y, bias, p, batch, start, first_m, first_n, M, N, thread, results):
    """Write what :func:`multiply_by_tensor_cores` has made."""
    m = first_m + warp_row(thread)
    n = first_n + warp_column(thread) + thread % 4 * 2
    put_columns(y, bias, p, batch, start, m, n, M, N, results, 0)
    put_columns(y, bias, p, batch, start, m, n + 8, M, N, results, 2)
    if TN == 8:
        put_columns(y, bias, p, batch, start, m, n + 16, M, N, results, 4)
        put_columns(y, bias, p, batch, start, m, n + 24, M, N, results, 6)


class Tile(NamedTuple):
    """The sizes of a tile: BM x BN results per block, TM x TN per thread, BK of k per slab."""

    BM: int
    BN: int
    BK: int
    TM: int
    TN: int

    @property
    def threads(self) -> int:
        return (self.BM // self.TM) * (self.BN // self.TN)

    def constants(self, way_a: int, way_b: int, parts: int = 1) -> dict[str, int]:
        """What the kernel must know at compilation; ``parts`` is how many numbers a slab has for one."""
        row_a, row_b = self.BM + 4, self.BN + 4
        fetches = [max(1, rows * self.BK // 4 // self.threads) for rows in (self.BM, self.BN)]
        return {
            **self._asdict(), "THREADS": self.threads, "ACROSS": self.BN // self.TN, "RESULTS": self.TM * self.TN,
            "ROW_A": row_a, "ROW_B": row_b, "SLAB_A": parts * self.BK * row_a, "SLAB_B": parts * self.BK * row_b,
            "BOTH_A": 2 * parts * self.BK * row_a, "BOTH_B": 2 * parts * self.BK * row_b,
            "FETCHES_A": fetches[0], "FETCHES_B": fetches[1], "HELD_A": 4 * fetches[0], "HELD_B": 4 * fetches[1],
            "PLACES_A": 3 * fetches[0], "PLACES_B": 3 * fetches[1], "WAY_A": way_a, "WAY_B": way_b,
        }  # fmt: skip


LARGE = Tile(128, 128, 8, 8, 8)
MEDIUM = Tile(128, 64, 16, 8, 4)  # for operands whose fetching takes more registers
NARROW = Tile(128, 64, 8, 8, 4)  # for tensor cores, whose numbers are two
SMALL = Tile(64, 64, 16, 4, 4)
DOUBLE = Tile(64, 64, 8, 4, 4)  # for float64, each of which takes two registers
FLAT = Tile(16, 128, 16, 4, 4)  # for few rows: channels of a first layer, classes
TOY = Tile(8, 8, 8, 4, 4)  # four threads: the same text, at a size that a simulator (and a reader) can follow


# Their values are other modules'.
OPERANDS: Any = dict.fromkeys(("T", "P", "PLACE_A", "PLACE_B", "FETCH_A", "FETCH_B", "COLUMN"), ())
CONSTANTS: Any = {**OPERANDS, **dict.fromkeys(("PUT_DOWN", "MULTIPLY", "PUT", *TOY.constants(GATHERED, GATHERED)), ())}


def _oldest(MULTIPLY, **_):
    return TF32_GPU if MULTIPLY is multiply_by_tensor_cores else OLDEST_GPU


@kernel("T*, int32*, T*, int32*, T*, T*, int32, int32, int32, int32, int32[P]",
        block=lambda THREADS, **_: THREADS, registers=176, resident=2, oldest=_oldest, **CONSTANTS)  # fmt: skip
def product(a, table_a, b, table_b, bias, y, M, N, K, splits, p):
    """A tile of ``y[m, n] = sum of a(m, k) b(n, k)``: block x along n, y along m, z the batch and the part of k."""
    slab_a = shared(BOTH_A, T)
    slab_b = shared(BOTH_B, T)
    results = local(RESULTS, T)
    held_a = local(HELD_A, T)
    held_b = local(HELD_B, T)
    places_a = local(PLACES_A, int32)
    places_b = local(PLACES_B, int32)

    thread = cuda.threadIdx.x
    first_m = cuda.blockIdx.y * BM
    first_n = cuda.blockIdx.x * BN
    batch = quotient(cuda.blockIdx.z, splits)
    part = remainder(cuda.blockIdx.z, splits)
    length = (quotient(K + splits - 1, splits) + BK - 1) // BK * BK
    begin = int32(part * length)  # 32 bits, because registers are what there is least of
    end = int32(min(K, begin + length))
    last_m = M - 1
    last_n = N - 1
    if WAY_A == ALONG_ROWS:
        last_m = M - 4
    if WAY_B == ALONG_ROWS:
        last_n = N - 4

    for i in range(RESULTS):
        results[i] = T(0)
    for u in range(FETCHES_A):
        place = PLACE_A(table_a, p, batch, min(first_m + row_of(u, thread, WAY_A, BM, BK, THREADS), last_m))
        places_a[3 * u] = place[0]
        places_a[3 * u + 1] = place[1]
        places_a[3 * u + 2] = place[2]
    for u in range(FETCHES_B):
        place = PLACE_B(table_b, p, batch, min(first_n + row_of(u, thread, WAY_B, BN, BK, THREADS), last_n))
        places_b[3 * u] = place[0]
        places_b[3 * u + 1] = place[1]
        places_b[3 * u + 2] = place[2]

    here = 0
    for k in range(int32(begin - BK), end, int32(BK)):
        if k + BK < end:  # the next slab's numbers set out
            for u in range(FETCHES_A):
                at = k + BK + k_of(u, thread, WAY_A, BM, BK, THREADS)
                numbers = FETCH_A(a, table_a, p, places_a[3 * u], places_a[3 * u + 1], places_a[3 * u + 2], at, end)
                held_a[4 * u] = numbers[0]
                held_a[4 * u + 1] = numbers[1]
                held_a[4 * u + 2] = numbers[2]
                held_a[4 * u + 3] = numbers[3]
            for u in range(FETCHES_B):
                at = k + BK + k_of(u, thread, WAY_B, BN, BK, THREADS)
                numbers = FETCH_B(b, table_b, p, places_b[3 * u], places_b[3 * u + 1], places_b[3 * u + 2], at, end)
                held_b[4 * u] = numbers[0]
                held_b[4 * u + 1] = numbers[1]
                held_b[4 * u + 2] = numbers[2]
                held_b[4 * u + 3] = numbers[3]
        if k >= begin:  # this slab is multiplied
            MULTIPLY(slab_a, here * SLAB_A, slab_b, here * SLAB_B, thread, results)
        if k + BK < end:  # and the next one put down, beside it
            here = 1 - here
            for u in range(FETCHES_A):
                if thread + u * THREADS < BM * BK // 4:
                    row = row_of(u, thread, WAY_A, BM, BK, THREADS)
                    at = k_of(u, thread, WAY_A, BM, BK, THREADS)
                    PUT_DOWN(slab_a, here * SLAB_A, row, at, ROW_A, WAY_A,
                             held_a[4 * u], held_a[4 * u + 1], held_a[4 * u + 2], held_a[4 * u + 3])  # fmt: skip
            for u in range(FETCHES_B):
                if thread + u * THREADS < BN * BK // 4:
                    row = row_of(u, thread, WAY_B, BN, BK, THREADS)
                    at = k_of(u, thread, WAY_B, BN, BK, THREADS)
                    PUT_DOWN(slab_b, here * SLAB_B, row, at, ROW_B, WAY_B,
                             held_b[4 * u], held_b[4 * u + 1], held_b[4 * u + 2], held_b[4 * u + 3])  # fmt: skip
        cuda.syncthreads()

    start = part * p[Y_PART] + batch * p[Y_BATCH]
    PUT(y, bias, p, batch, start, first_m, first_n, M, N, thread, results)


ONE_BY_ONE = 128  # threads per block where a thread, or a block, has one result


@kernel("T*, int32*, T*, int32*, T*, T*, int32, int32, int32, int32[P]", block=ONE_BY_ONE, registers=80,
        **OPERANDS)  # fmt: skip
def one_a_thread(a, table_a, b, table_b, bias, y, M, N, K, p):
    """What :func:`product` computes, without a tile: one result per thread, where k is short and a tile would be mostly
    empty.

    (Block x along n; y is m, z the batch.)
    """
    m, n, batch = cuda.blockIdx.y, cuda.grid(1), cuda.blockIdx.z
    at_a = PLACE_A(table_a, p, batch, m)
    at_b = PLACE_B(table_b, p, batch, min(n, N - 1))
    total = T(0)
    for k in range(0, K, 4):
        u = FETCH_A(a, table_a, p, at_a[0], at_a[1], at_a[2], k, K)
        v = FETCH_B(b, table_b, p, at_b[0], at_b[1], at_b[2], k, K)
        total += u[0] * v[0] + u[1] * v[1] + u[2] * v[2] + u[3] * v[3]
    if n < N:
        y[batch * p[Y_BATCH] + m * p[Y_ROW] + COLUMN(p, n)] = biased(bias, p, batch, m, n, total)


@kernel("T*, int32*, T*, int32*, T*, T*, int32, int32, int32, int32[P]", block=ONE_BY_ONE, registers=80,
        **OPERANDS)  # fmt: skip
def one_a_block(a, table_a, b, table_b, bias, y, M, N, K, p):
    """What :func:`product` computes, where there are few results and a long k: one result per block, whose threads
    share out k."""
    m, n, batch = cuda.blockIdx.y, cuda.blockIdx.x, cuda.blockIdx.z
    at_a = PLACE_A(table_a, p, batch, m)
    at_b = PLACE_B(table_b, p, batch, min(n, N - 1))
    total = T(0)
    for k in range(4 * cuda.threadIdx.x, K, 4 * ONE_BY_ONE):
        u = FETCH_A(a, table_a, p, at_a[0], at_a[1], at_a[2], k, K)
        v = FETCH_B(b, table_b, p, at_b[0], at_b[1], at_b[2], k, K)
        total += u[0] * v[0] + u[1] * v[1] + u[2] * v[2] + u[3] * v[3]
    total = block_sum(total, T)
    if cuda.threadIdx.x == 0:
        y[batch * p[Y_BATCH] + m * p[Y_ROW] + COLUMN(p, n)] = biased(bias, p, batch, m, n, total)


class Operand(NamedTuple):
    """How one side of a product is read.

    Attributes:
        place: ``(table, p, batch, row) -> (three ints)``: what is to be known of a row.
        fetch: ``(x, table, p, *place, k, end) -> (four numbers)``.
        way: how threads share out the fetching.
    """

    place: Callable
    fetch: Callable
    way: int


class Arithmetic(NamedTuple):
    """How numbers are put down in slabs, how slabs are multiplied, and how a thread's results are written."""

    PUT_DOWN: Callable
    MULTIPLY: Callable
    PUT: Callable


BY_THREADS = Arithmetic(put_down, multiply_by_threads, put_by_threads)
BY_TENSOR_CORES = Arithmetic(put_down_split, multiply_by_tensor_cores, put_by_warps)


def constants(
    tile: Tile, a: Operand, b: Operand, column: Callable, p: int, how: Arithmetic = BY_THREADS
) -> dict[str, Any]:
    """The constants of :func:`product`, but for T; ``column`` is ``(p, n) -> where column n of y is``, and ``p`` how
    many numbers p holds."""
    parts = 2 if how is BY_TENSOR_CORES else 1
    return {**how._asdict(), **tile.constants(a.way, b.way, parts), **functions(a, b, column, p)}


def arithmetic(what: str, M: int, itemsize: int) -> Arithmetic:
    """How to multiply: by tensor cores, if ``PRECISION`` asks for them, the GPU has them, and a warp has rows for them.

    Args:
        what: "matmul" or "conv".
        M: rows of the result.
        itemsize: bytes per number.
    """
    possible = itemsize == 4 and M > FLAT.BM and device().tf32
    return BY_TENSOR_CORES if PRECISION[what] != "highest" and possible else BY_THREADS


def functions(a: Operand, b: Operand, column: Callable, p: int) -> dict[str, Any]:
    """The constants of :func:`one_a_thread` and :func:`one_a_block`, but for T."""
    return {
        "P": p, "PLACE_A": a.place, "PLACE_B": b.place, "FETCH_A": a.fetch, "FETCH_B": b.fetch, "COLUMN": column
    }  # fmt: skip


def tile_for(M: int, N: int, itemsize: int, lean: bool, how: Arithmetic = BY_THREADS) -> Tile:
    """The largest tile of which there are enough to keep a GPU's multiprocessors busy.

    Args:
        M, N: the sizes of the result.
        itemsize: bytes per number.
        lean: whether fetching the operands leaves registers for the largest tile of all.
        how: of :func:`arithmetic`.
    """
    tile = NARROW if how is BY_TENSOR_CORES else LARGE if lean else MEDIUM
    if itemsize == 8:
        return DOUBLE
    if M <= FLAT.BM:
        return FLAT
    few = ceil_div(M, tile.BM) * ceil_div(N, tile.BN) < 128
    return SMALL if few or M <= SMALL.BM else tile


def parts_of(tiles: int, K: int) -> int:
    """Into how many parts to split k, so that there are blocks enough: parts of at least 256."""
    return max(1, min(ceil_div(256, tiles), K // 256)) if tiles < 128 else 1
