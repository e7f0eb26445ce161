"""Matrix products on the register tile of ``tile.py``.

C = A @ B is cut into blocks of rows and columns of C, one work item each. An item walks over K in slices of DEPTH;
for each slice, and each panel of B as wide as the tile, it copies the panel into a small dense buffer that then stays
in the first-level cache (where B is stored transposed the copy turns it), and runs the tile down the rows of A. For few
rows that is not worth a copy: a panel stored by rows is read where it lies. So is A, by rows or by columns. The cut
depends on the shapes alone, so the sums have one order whatever the threads.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import formulas, reference
from .arrays import compiled_for, empty, flat, lanes_of, workspace
from .compile import jit
from .lanes import to_lanes
from .parallel import parallel_for
from .tile import ADD, MR, NV, ZERO, panel_rows, panel_unit

ROWS, DEPTH = 128, 256  # of A's part in a work item, at most: 128 KiB of float32, half a second-level cache
FEW, FEW_ROWS = 2, 32  # of work items, for which items have fewer rows, down to these: each packs its columns again
DIRECT = 128  # rows of A up to which B is not copied
BAND, BANDS = 8, 4  # rows of A, all columns: such items have a thread read and write the images that are its own
SMALL = 2**18  # multiply-adds that are done before another thread has begun
ODD = 3, 5, 7  # of work items, of which two threads would have unequal shares: one less then, and wider
LARGE = 64  # work items from which on an item takes four panels, so that A is read from memory less often


@jit
def _block(item, A, a_row, a_step, a_batch, B, b_step, b_column, b_batch, C, M, N, K, bias, relu, height, width):
    """One block of C, with ``relu`` cut at 0. A[i, k] is at i*a_row + k*a_step, B[k, j] at k*b_step + j*b_column; one
    of each pair is 1."""
    lanes = lanes_of(C)
    panel, direct = NV * lanes, b_column == 1 and M <= DIRECT
    down, across = (M + height - 1) // height, (N + width - 1) // width
    batch, place = item // (down * across), item % (down * across)
    first_i, first_j = place // across * height, place % across * width
    last_i, last_j = min(first_i + height, M), min(first_j + width, N)
    a, b, c = batch * a_batch, batch * b_batch, batch * M * N
    packed, starts = workspace(0 if direct else DEPTH * panel, C), np.empty(lanes, np.int64)
    rows, columns = np.empty(MR, np.int64), np.empty(min(DEPTH, K), np.int64)
    for i in range(MR):
        rows[i] = i * a_row
    for q in range(columns.size):
        columns[q] = q * (b_step if direct else panel)
    for k in range(0, K, DEPTH):
        depth = min(DEPTH, K - k)
        start = ADD if k else ZERO
        for j in range(first_j, last_j, panel):
            n = min(panel, last_j - j)
            V, v = (B, b + k * b_step + j) if direct else (packed, 0)
            if b_column == 1 and not direct:
                for q in range(depth):
                    row, source = packed[q * panel :], B[b + (k + q) * b_step + j :]
                    for r in range(n):
                        row[r] = source[r]
            elif not direct:
                for r in range(0, n, lanes):
                    for lane in range(lanes):
                        starts[lane] = (j + r + lane) * b_column if r + lane < n else -1
                    to_lanes(packed, r, columns, B, b + k, starts, depth, C)
            for i in range(first_i, last_i, MR):
                m = min(MR, last_i - i)
                s, o = a + i * a_row + k * a_step, c + i * N + j
                if a_row == 1:
                    panel_unit(depth, A, s, a_step, V, v, columns, C, o, N, m, n, start)
                else:
                    panel_rows(depth, A, s, 1, rows, V, v, columns, C, o, N, m, n, start)
    for i in range(first_i, last_i if relu or bias.size or K == 0 else first_i):
        row = C[c + i * N + first_j : c + i * N + last_j]
        if K == 0:
            row[:] = 0
        if bias.size:
            for j in range(row.size):
                row[j] += bias[first_j + j]
        if relu:
            for j in range(row.size):
                row[j] = formulas.relu(row[j])


@jit(apart=True)
def _product(items, A, a_row, a_step, a_batch, B, b_step, b_column, b_batch, C, M, N, K, bias, relu, height, width):
    arguments = A, a_row, a_step, a_batch, B, b_step, b_column, b_batch, C, M, N, K, bias, relu, height, width
    parallel_for(_block, items, arguments)


@functools.lru_cache(maxsize=1024)
def _cut(batch, M, K, N, panel, by_rows):
    """Work items, and the rows and columns of the block of C that each computes. ``by_rows``: so B is stored."""
    work, panels, height = batch * M * K * N, -(-N // panel), ROWS
    if work < SMALL:
        return batch * -(-M // height) * -(-N // (4 * panel)), height, 4 * panel
    if by_rows and BAND * BANDS <= M <= DIRECT and work < BANDS * LARGE * SMALL:
        height = -(-M // (BANDS * MR)) * MR
        return batch * -(-M // height), height, N
    while height > FEW_ROWS and batch * -(-M // height) * panels < FEW:
        height //= 2
    items = batch * -(-M // height) * panels
    width = 4 * panel if items >= LARGE else panel
    if panels > 1 and items in ODD:
        width = -(-N // ((panels - 1) * panel // NV)) * panel // NV
    return batch * -(-M // height) * -(-N // width), height, width


def _stored(x):
    """A matrix (P, Q), or a stack of them (batch, P, Q), as flat memory and the distances between its rows, columns and
    matrices; copied unless its rows or its columns lie dense, one after another."""
    p, q = x.shape[-2:]
    flags = x.flags
    if flags.carray:
        return x.ravel(), q, 1, p * q
    if flags.writeable and flags.aligned:
        turned = x.swapaxes(-1, -2)
        if turned.flags.c_contiguous:
            return turned.ravel(), 1, p, p * q
    return x.copy(order="C").ravel(), q, 1, p * q


def product(x, y, bias=None, relu=False):
    """(M, K) @ (K, N) + bias -> (M, N), or the same with a leading batch axis, where a matrix serves a whole batch;
    float32 or float64. With ``relu``, cut at 0."""
    (M, K), N = x.shape[-2:], y.shape[-1]
    A, a_row, a_step, a_batch = _stored(x)
    B, b_step, b_column, b_batch = _stored(y)
    batch = 1
    if x.ndim == 2:
        a_batch = 0
    else:
        batch = len(x)
    if y.ndim == 2:
        b_batch = 0
    else:
        batch = len(y)
    C = empty((M, N) if x.ndim == y.ndim == 2 else (batch, M, N), x.dtype)
    if not C.size:
        return C
    items, height, width = _cut(batch, M, K, N, NV * lanes_of(x), b_column == 1)
    c = C.ravel()
    bias = c[:0] if bias is None else bias if bias.flags.carray else bias.copy()
    _product(items, A, a_row, a_step, a_batch, B, b_step, b_column, b_batch, c, M, N, K, bias, relu, height, width)
    return C


@jit
def _gradients(gy, y, x, w, gx, gw, gb, M, O, I, of_input, of_weight):
    """All gradients of a linear layer with M rows, I inputs and O outputs; an empty array is one not wanted."""
    gz, none = gy, gy[:0]
    if y.size:
        gz = workspace(M * O, gy)
        for k in range(M * O):
            gz[k] = formulas.relu_gx(gy[k], y[k])
    if gb.size:
        sums = np.zeros(O)
        for i in range(M):
            row = gz[i * O : (i + 1) * O]
            for o in range(O):
                sums[o] += row[o]
        for o in range(O):
            gb[o] = sums[o]
    if gx.size:
        items, height, width = of_input
        _product(items, gz, O, 1, 0, w, I, 1, 0, gx, M, I, O, none, False, height, width)
    if gw.size:
        items, height, width = of_weight
        _product(items, gz, 1, O, 0, x, I, 1, 0, gw, O, I, M, none, False, height, width)


def gradients(gy, y, x, w, bias):
    """``linear_gradients`` in one call, which is right for a small layer: calling is what takes time there."""
    (M, O), I, none = gy.shape, (w if x is None else x).shape[1], np.empty(0, gy.dtype)
    gx, gw = (none if a is None else np.empty(s, gy.dtype) for a, s in ((w, (M, I)), (x, (O, I))))
    gb = np.empty(O if bias else 0, gy.dtype)
    panel = NV * lanes_of(gy)
    cuts = _cut(1, M, O, I, panel, True), _cut(1, O, M, I, panel, True)
    given = [none if a is None else flat(a) for a in (gy, y, x, w)]
    _gradients(*given, gx.ravel(), gw.ravel(), gb, M, O, I, *cuts)
    return None if w is None else gx, None if x is None else gw, gb if bias else None


def matmul(x, y):
    if not compiled_for(x):
        return reference.matmul(x, y)
    if x.ndim == 2 and y.ndim == 2:
        return product(x, y)
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    if y.ndim == 2 and x.flags.c_contiguous:  # one right-hand matrix for all: a single tall product
        rows = math.prod(x.shape[:-1])
        return product(x.reshape(rows, x.shape[-1]), y).reshape(*lead, x.shape[-2], y.shape[-1])
    batch = math.prod(lead)
    x, y = (a if a.ndim == 2 else np.broadcast_to(a, lead + a.shape[-2:]) for a in (x, y))
    x, y = (a if a.ndim == 2 else a.reshape(batch, *a.shape[-2:]) for a in (x, y))
    return product(x, y).reshape(*lead, x.shape[-2], y.shape[-1])


def linear(x, w, b):
    if not compiled_for(x):
        return reference.linear(x, w, b)
    return product(x, w.T, b)
