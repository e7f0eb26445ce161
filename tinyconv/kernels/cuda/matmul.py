"""Matrix products: the register tile of ``tile.py`` on operands that are read as they lie, transposed or not.

An operand has a dense axis: along k, and four numbers of one row come with one 128-bit load; or across its rows, and
four rows' numbers for one k do. Where it has none, or does not lie on multiples of 16 bytes, numbers come one by one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from .array import DeviceArray
from .kernel import FLOATS, T, kernel
from .language import cuda, load4
from .runtime import MOST_BLOCKS, ceil_div, empty, launch
from .tile import (
    A_BATCH,
    A_K,
    A_ROW,
    ALONG_K,
    ALONG_ROWS,
    B_BATCH,
    B_K,
    B_ROW,
    BY_TENSOR_CORES,
    DOUBLE,
    FLAT,
    GATHERED,
    LARGE,
    MEDIUM,
    NARROW,
    PARAMETERS,
    SMALL,
    Operand,
    arithmetic,
    constants,
    parts_of,
    product,
    tile_for,
)


def place_a(table, p, batch, row):
    """Where the row begins, and the step from k to k."""
    return batch * p[A_BATCH] + row * p[A_ROW], p[A_K], 0


def place_b(table, p, batch, row):
    return batch * p[B_BATCH] + row * p[B_ROW], p[B_K], 0


def along_k(x, table, p, start, step, _, k, end):
    """Four numbers of one row, dense and aligned."""
    if k < end:
        return load4(x, start + k)
    return T(0), T(0), T(0), T(0)


def along_rows(x, table, p, start, step, _, k, end):
    """Four rows' numbers for one k, dense and aligned."""
    if k < end:
        return load4(x, start + k * step)
    return T(0), T(0), T(0), T(0)


def one_by_one(x, table, p, start, step, _, k, end):
    """Four numbers of one row, wherever they lie."""
    zero, at = T(0), start + k * step
    return (
        x[at] if k < end else zero,
        x[at + step] if k + 1 < end else zero,
        x[at + 2 * step] if k + 2 < end else zero,
        x[at + 3 * step] if k + 3 < end else zero,
    )


def column_of_matrix(p, n):
    """Where column n lies in a row of a dense matrix."""
    return n


@kernel("T*, T*, T*, int32, int32, int32, int32, int32", T=FLOATS, block=256, registers=40)
def add_parts(parts, bias, y, n, count, columns, biased, step):
    """y[i] = the sum of ``count`` parts' element i, in their order, and a bias for each column."""
    i = cuda.grid(1)
    if i < n:
        total = T(0)
        for part in range(count):
            total += parts[part * n + i]
        if biased:
            total += bias[i % columns * step]
        y[i] = total


_WAYS = {ALONG_K: along_k, ALONG_ROWS: along_rows, GATHERED: one_by_one}

_LEAN = {(ALONG_K, ALONG_ROWS), (ALONG_ROWS, ALONG_K)}

for _a, _b in itertools.product(_WAYS, _WAYS):
    if (_a == GATHERED) == (_b == GATHERED):  # the mixed ones have nothing that these have not
        _operands = Operand(place_a, _WAYS[_a], _a), Operand(place_b, _WAYS[_b], _b)
        for _tile in (LARGE if (_a, _b) in _LEAN else MEDIUM, SMALL, FLAT, DOUBLE):
            _T = FLOATS[_tile is DOUBLE]
            product.walk(T=_T, **constants(_tile, *_operands, column_of_matrix, PARAMETERS))
        for _tile in (NARROW, SMALL):
            _chosen = constants(_tile, *_operands, column_of_matrix, PARAMETERS, BY_TENSOR_CORES)
            product.walk(T=FLOATS[0], **_chosen)


def _operand(x: DeviceArray, row_axis: int, k_axis: int, place: Callable) -> Operand:
    """How to read a matrix whose rows lie along ``row_axis``, and k along ``k_axis``, -1 and -2 or the other way."""
    if x.pointer % (4 * x.dtype.itemsize) == 0:
        for way, dense in ((ALONG_K, k_axis), (ALONG_ROWS, row_axis)):
            if x.shape[dense] % 4:
                continue
            others = [s for axis, (s, n) in enumerate(zip(x.strides, x.shape)) if axis != x.ndim + dense and n > 1]
            if x.strides[dense] == 1 and all(s % 4 == 0 for s in others):
                return Operand(place, _WAYS[way], way)
    return Operand(place, one_by_one, GATHERED)


def _multiply(x: DeviceArray, y: DeviceArray, bias: DeviceArray | None, out: DeviceArray) -> None:
    """``out[b] = x[b] @ y[b].T + bias``: x (batch, M, K), y (batch, N, K), out (batch, M, N) of dense rows; steps of 0
    repeat a matrix."""
    batch, M, N = out.shape
    K = x.shape[2]
    a, b = _operand(x, -2, -1, place_a), _operand(y, -2, -1, place_b)
    how = arithmetic("matmul", M, x.dtype.itemsize)
    tile = tile_for(M, N, x.dtype.itemsize, (a.way, b.way) in _LEAN, how)
    tiles = ceil_div(M, tile.BM) * ceil_div(N, tile.BN) * batch
    parts = parts_of(tiles, K)
    to = out if parts == 1 else empty((parts, *out.shape), out.dtype)
    step = 0 if bias is None else bias.strides[0]
    added = bias if parts == 1 else None
    chosen = constants(tile, a, b, column_of_matrix, PARAMETERS, how)
    p = (x.strides[1], x.strides[2], x.strides[0], y.strides[1], y.strides[2], y.strides[0], N, to.strides[-3],
         out.size, int(N % 4 == 0), int(added is not None), 0, step, 0)  # fmt: skip
    for first, top in itertools.product(range(0, batch, MOST_BLOCKS // parts), range(0, M, MOST_BLOCKS * tile.BM)):
        n, rows = min(batch - first, MOST_BLOCKS // parts), min(M - top, MOST_BLOCKS * tile.BM)
        grid = (ceil_div(N, tile.BN), ceil_div(rows, tile.BM), n * parts)
        some_x = x.viewed((n, rows, K), x.strides, first * x.strides[0] + top * x.strides[1])
        some_y = y.viewed((n, N, K), y.strides, first * y.strides[0])
        target = to.viewed((*to.shape[:-3], n, rows, N), to.strides, first * to.strides[-3] + top * N)
        launch(product, grid, some_x, None, some_y, None, added, target, rows, N, K, parts, p, **chosen)
    if parts > 1:
        launch(add_parts, ceil_div(out.size, 256), to, bias, out, out.size, parts, N, int(bias is not None), step)


def matmul(x, y):
    """See the contract. Floating types only, as in PyTorch on a GPU."""
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise TypeError(f"matmul: on the GPU float32 or float64, got {x.dtype}")
    lead = _broadcast(x.shape[:-2], y.shape[:-2])
    M, N = x.shape[-2], y.shape[-1]
    out = empty((*lead, M, N), x.dtype)
    if out.size:
        _into(_repeated(x, lead), _repeated(_swapped(y), lead), out)
    return out


def linear(x, w, b):
    out = empty((x.shape[0], w.shape[0]), x.dtype)
    if out.size:
        _multiply(_stacked(x), _stacked(w), b, _stacked(out))
    return out


def _into(x: DeviceArray, y: DeviceArray, out: DeviceArray) -> None:
    """Leading axes of one length each; those that do not lie evenly in memory are looped over, the outermost first."""
    lead = out.shape[:-2]
    if 0 not in lead and all(s == 0 or n == 1 for s, n in zip(y.strides[:-2], lead)):
        rows = _one_step((*lead, out.shape[-2]), x.strides[:-1])
        if rows is not None:  # one matrix y: the batch is more rows of x
            M, K, N = math.prod(out.shape[:-1]), x.shape[-1], out.shape[-1]
            tall = x.viewed((1, M, K), (0, rows, x.strides[-1]))
            _multiply(tall, y.viewed((1, N, K), (0, *y.strides[-2:])), None, out.viewed((1, M, N), (0, N, 1)))
            return
    step_x, step_y = (_one_step(lead, v.strides[:-2]) for v in (x, y))
    if step_x is not None and step_y is not None:
        matrices = [
            v.viewed((math.prod(lead), *v.shape[-2:]), (step, *v.strides[-2:]))
            for v, step in ((x, step_x), (y, step_y), (out, math.prod(out.shape[-2:])))
        ]
        _multiply(matrices[0], matrices[1], None, matrices[2])
        return
    for i in range(lead[0]):
        _into(*(v.viewed(v.shape[1:], v.strides[1:], i * v.strides[0]) for v in (x, y, out)))


def _one_step(shape: tuple[int, ...], steps: tuple[int, ...]) -> int | None:
    """The one step that leads through all axes, as if they were one; None if there is none."""
    long = [(n, s) for n, s in zip(shape, steps) if n != 1]
    if not long:
        return 0
    for (_, outer), (n, inner) in itertools.pairwise(long):
        if outer != n * inner:
            return None
    return long[-1][1]


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    n = max(len(a), len(b))
    pairs = zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b)
    return tuple(q if p == 1 else p for p, q in pairs)


def _repeated(x: DeviceArray, lead: tuple[int, ...]) -> DeviceArray:
    """``x`` with the leading axes ``lead``."""
    own = x.shape[:-2]
    steps = (0,) * (len(lead) - len(own)) + tuple(0 if n == 1 else s for n, s in zip(own, x.strides))
    return x.viewed((*lead, *x.shape[-2:]), (*steps, *x.strides[-2:]))


def _swapped(x: DeviceArray) -> DeviceArray:
    """The last two axes the other way round."""
    return x.viewed((*x.shape[:-2], x.shape[-1], x.shape[-2]), (*x.strides[:-2], x.strides[-1], x.strides[-2]))


def _stacked(x: DeviceArray) -> DeviceArray:
    """A matrix as a batch of one."""
    return x.viewed((1, *x.shape), (0, *x.strides))
