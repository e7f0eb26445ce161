"""Sorting along an axis, by NumPy, whose sorting of 64-bit integers is vectorized: so that is what we make of it.

A key holds a number, as an integer in the same order, above the place where the number was: keys differ, so that no
sorting can confuse equals, and the places come out with them. float32 has room for that, and integers of a small range.
Others are sorted by NumPy's fast but unstable way first, which is right if no two are equal.
"""

from __future__ import annotations

import numpy as np

from .. import reference
from .compile import jit
from .index import getitem
from .parallel import parallel_for

LINES = 16384  # elements of a work item, or a line


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
    shape = (*lines.shape[:-1], count)
    if not x.size or not count or x.dtype.kind not in "fiub":
        return reference.sort(x, axis, descending, count)
    lines = np.array(lines, order="C").reshape(-1, x.shape[axis])
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
