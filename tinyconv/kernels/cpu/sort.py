"""Sorting along an axis, by NumPy, whose sorting of 64-bit integers is vectorized: so that is what we make of it.

A key holds a number, as an integer in the same order, above the place where the number was: keys differ, so that no
sorting can confuse equals, and the places come out with them. float32 has room for that, and integers of a small range.
Others are sorted by NumPy's fast but unstable way first, which is right if no two are equal.
"""

from __future__ import annotations

import numpy as np

from .. import reference
from .arrays import compiled_for, empty, flat
from .compile import jit
from .index import getitem
from .parallel import parallel_for
from .totals import largest, smallest

LINES = 16384  # elements of a work item, or a line
STRETCHES = 16  # of a line of which few elements are wanted


@jit
def _pack_lines(item, x, keys, N, lines, shift, least, descending):
    """Keys of integers: ``x - least`` above the place, or for the reverse order its complement."""
    for line in range(item * lines, min((item + 1) * lines, x.size // N)):
        source, out = x[line * N : (line + 1) * N], keys[line * N : (line + 1) * N]
        for i in range(out.size):
            key = np.int64(source[i]) - least
            out[i] = ((-1 - key if descending else key) << shift) + i


@jit
def _pack(items, x, keys, N, lines, shift, least, descending):
    parallel_for(_pack_lines, items, (x, keys, N, lines, shift, least, descending))


@jit
def _before(v, w, descending):
    """Whether v, met later, comes before w: if it is larger (smaller) in an order in which NaN is larger than all."""
    if descending:
        return (v > w) | ((v != v) & (w == w))  # without branches, which would keep a loop from becoming vectors
    return (v < w) | ((w != w) & (v == v))


@jit
def _lead_lines(item, x, values, places, N, count, lines, descending):
    """The first ``count`` of each line, in order. A line is cut into STRETCHES, and the count-th of their first ones is
    the bar: ``count`` elements reach it, so nothing beyond it is looked for, and few stretches are gone through."""
    firsts = np.empty(STRETCHES, x.dtype)
    for line in range(item * lines, min((item + 1) * lines, x.size // N)):
        row, out, where = x[line * N :], values[line * count :], places[line * count :]
        for s in range(STRETCHES):
            start, n = N * s // STRETCHES, N * (s + 1) // STRETCHES - N * s // STRETCHES
            firsts[s] = largest(row, start, n) if descending else smallest(row, start, n)
        bar, most = firsts[0], -1
        for s in range(STRETCHES):
            ahead = 0
            for k in range(STRETCHES):
                ahead += _before(firsts[k], firsts[s], descending)
            if most < ahead < count:
                bar, most = firsts[s], ahead
        found = 0
        for s in range(STRETCHES):
            if _before(bar, firsts[s], descending) and firsts[s] == firsts[s]:  # a NaN may hide what is smaller
                continue
            for i in range(N * s // STRETCHES, N * (s + 1) // STRETCHES):
                v, k = row[i], min(found, count - 1)
                if _before(bar, v, descending) or (found == count and not _before(v, out[k], descending)):
                    continue
                while k > 0 and _before(v, out[k - 1], descending):
                    out[k], where[k] = out[k - 1], where[k - 1]
                    k -= 1
                out[k], where[k] = v, i
                found = min(found + 1, count)


@jit
def _lead(items, x, values, places, N, count, lines, descending):
    parallel_for(_lead_lines, items, (x, values, places, N, count, lines, descending))


@jit
def _rank_chunk(item, bits, ranks):
    """Integers in the order of the float32 with these bits: two zeros that are equal, and NaN above infinity."""
    bits, ranks = bits[item * LINES : (item + 1) * LINES], ranks[item * LINES : (item + 1) * LINES]
    for i in range(ranks.size):
        b = bits[i]
        size = b & np.int32(0x7FFFFFFF)
        rank = size if b >= 0 else -size
        ranks[i] = np.int32(0x7FFFFFFF) if size > np.int32(0x7F800000) else rank


@jit
def _rank(items, bits, ranks):
    parallel_for(_rank_chunk, items, (bits, ranks))


def _keys(x, descending):
    """Keys of ``x``, sorted along its last axis by them, and how far they are shifted; or None if there is no room."""
    n, least = x.shape[-1], 0
    shift = (n - 1).bit_length()
    if x.dtype == np.float32:
        bits = x.view(np.int32).reshape(-1)
        x = np.empty(bits.shape, np.int32)
        _rank(-(-bits.size // LINES), bits, x)
        room = 32
    elif x.dtype.kind in "iub":
        x = x.view(np.uint8) if x.dtype.kind == "b" else x
        least = int(x.min())
        room = (int(x.max()) - least).bit_length() + 1
    else:
        return None
    if room + shift > 64:
        return None
    keys, lines = np.empty(x.size, np.int64), max(1, LINES // n)
    _pack(-(-x.size // (n * lines)), x.reshape(-1), keys, n, lines, shift, least, descending)
    return keys.reshape(-1, n), shift


def sort(x, axis, descending, count):
    lines = np.moveaxis(x, axis, -1)
    shape, N = (*lines.shape[:-1], count), x.shape[axis]
    if not x.size or not count or x.dtype.kind not in "fiub":
        return reference.sort(x, axis, descending, count)
    if compiled_for(x) and 2 * count <= STRETCHES and 4 * STRETCHES <= N:
        values, indices, some = empty(shape, x.dtype), empty(shape, np.int64), max(1, LINES // N)
        items = -(-x.size // (N * some))
        _lead(items, flat(lines), values.reshape(-1), indices.reshape(-1), N, count, some, descending)
        return tuple([np.array(np.moveaxis(y, -1, axis), order="C") for y in (values, indices)])
    lines = np.array(lines, order="C").reshape(-1, N)
    packed = _keys(lines, descending)
    if packed is not None:
        keys, shift = packed
        if count < keys.shape[1]:
            keys = np.partition(keys, count - 1, 1)[:, :count]
        keys = np.sort(keys, 1)
        indices = keys & ((1 << shift) - 1)
    else:
        indices = np.argsort(lines, 1)
        values = np.take_along_axis(lines, indices, 1)
        if not (values[:, :-1] < values[:, 1:]).all():
            return reference.sort(x, axis, descending, count)
        indices = np.ascontiguousarray((indices[:, ::-1] if descending else indices)[:, :count], np.int64)
    values = getitem(lines, (np.arange(len(lines))[:, None], indices))
    return tuple(np.array(np.moveaxis(y.reshape(shape), -1, axis), order="C") for y in (values, indices))
