"""Indexing with lists of places. (Slices are NumPy's views, and masks, too, are left to it.)

Two kinds of index come down to the same loops, in which an array is seen as (O, N, S), its axis of N places in the
middle. A list of places along an axis takes whole slices: ``y[o, r, s] = x[o, i[r], s]``. The index of ``gather`` names
a place for every element, which keeps its own along all other axes: ``y[o, r, s] = x[o, i[o, r, s], s]``.

Taking is cut along o and r. Where values are added up, those of one place must follow each other in order, so the work
is cut along o and s.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .. import reference
from ..reference.index import is_basic
from .arrays import SAME_SIZE, empty, flat
from .compile import jit
from .parallel import parallel_for

CHUNK = 16384  # elements of a work item
FEW = 1024  # elements that NumPy has moved before a compiled loop has begun
ADDED = (np.float32, np.float64, np.int64)


# How the places of a list are counted: all from the axis' start (0 and more); some from its end (-1 and less); or some
# are no places of the axis at all. Of several lists the largest of these holds.
FROM_START, FROM_END, OUTSIDE = range(3)


@jit
def _counted(places, start, stop, N):
    """How ``places[start:stop]``, on an axis of N, are counted."""
    places, least, most = places[start:stop], 0, 0
    for r in range(places.size):
        least, most = min(least, places[r]), max(most, places[r])
    return OUTSIDE if least < -N or most >= N else FROM_END if least < 0 else FROM_START


@jit
def _count_chunk(item, places, N, counted):
    counted[item] = _counted(places, item * CHUNK, (item + 1) * CHUNK, N)


@jit
def _take_item(item, x, index, own, O, N, R, S, lines, step, y, counted):
    """Some lines o, or of one of them the places from r = low on; nothing if they are not counted from the start.
    ``own``: each o (and s) has places of its own."""
    blocks = -(-R // step)
    first, low = item // blocks * lines, item % blocks * step
    last, high = min(first + lines, O), min(low + step, R)
    if own:
        counted[item] = _counted(index, (first * R + low) * S, ((last - 1) * R + high) * S, N)
    else:
        counted[item] = _counted(index, low, high, N)
    if counted[item] == FROM_START:
        _take_lines(first, last, low, high, x, index, own, N, R, S, y)


@jit
def _take_lines(first, last, low, high, x, index, own, N, R, S, y):
    for o in range(first, last):
        source, start = x[o * N * S : (o + 1) * N * S], o * R if own else 0
        if S == 1:
            places, out = index[start + low : start + high], y[o * R + low : o * R + high]
            for r in range(out.size):
                out[r] = source[np.uint64(places[r])]
        elif own:
            for r in range(start + low, start + high):
                places, out = index[r * S : (r + 1) * S], y[r * S : (r + 1) * S]
                for s in range(out.size):
                    out[s] = source[np.uint64(places[s] * S + s)]
        else:
            for r in range(low, high):
                row, out = source[index[r] * S : (index[r] + 1) * S], y[(o * R + r) * S : (o * R + r + 1) * S]
                for s in range(out.size):
                    out[s] = row[s]


@jit
def _put_item(item, x, index, own, O, N, R, S, lines, width, y, adding):
    """Some lines o, and of each place the elements s from ``left`` on; a value is added to what is there, or takes its
    place."""
    blocks = -(-S // width)
    first, left = item // blocks * lines, item % blocks * width
    right = min(left + width, S)
    for o in range(first, min(first + lines, O)):
        target, start = x[o * N * S : (o + 1) * N * S], o * R if own else 0
        if S == 1:
            places, values = index[start : start + R], y[o * R : (o + 1) * R]
            for r in range(values.size):
                k = np.uint64(places[r])
                target[k] = target[k] + values[r] if adding else values[r]
        elif own:
            for r in range(start, start + R):
                places, values = index[r * S + left : r * S + right], y[r * S + left : r * S + right]
                for s in range(values.size):
                    k = np.uint64(places[s] * S + left + s)
                    target[k] = target[k] + values[s] if adding else values[s]
        else:
            for r in range(R):
                values = y[(o * R + r) * S + left : (o * R + r) * S + right]
                row = target[index[r] * S + left : index[r] * S + right]
                for s in range(row.size):
                    row[s] = row[s] + values[s] if adding else values[s]


@jit
def _count(items, places, N):
    """How the places of a list are counted, looked up by all threads."""
    counted = np.empty(items, np.int64)
    parallel_for(_count_chunk, items, (places, N, counted))
    return counted.max()


@jit
def _take(items, x, index, own, O, N, R, S, lines, step, y):
    """Take the places, without the work items in which not all are counted FROM_START; returns how all are counted."""
    counted = np.empty(items, np.int64)
    parallel_for(_take_item, items, (x, index, own, O, N, R, S, lines, step, y, counted))
    return counted.max()


@jit
def _put(items, x, index, own, O, N, R, S, lines, width, y, adding):
    parallel_for(_put_item, items, (x, index, own, O, N, R, S, lines, width, y, adding))


class Places(NamedTuple):
    """An index as the loops take it: the list; whether every element has a place of its own; sizes; the shape of what
    it selects."""

    places: np.ndarray
    own: bool
    O: int
    N: int
    R: int
    S: int
    shape: tuple[int, ...]

    def from_start(self) -> Places:
        """This index with the places that are counted from the end counted from the start instead."""
        return self._replace(places=np.where(self.places < 0, self.places + self.N, self.places))


def _places(x, index):
    """``index`` into ``x`` as :class:`Places`; None if it is of another form, or short."""
    parts = index if isinstance(index, tuple) else (index,)
    lists = [part for part in parts if isinstance(part, np.ndarray)]
    if not lists or len(parts) > x.ndim or any(part.dtype.kind not in "iu" or not part.size for part in lists):
        return None
    axis, own = len(parts) - 1, len(lists) > 1
    if own:
        axis = _gathered_axis(x, parts) if len(lists) == len(parts) == x.ndim else None
        if axis is None:
            return None
    elif lists[0] is not parts[axis] or any(part != slice(None) for part in parts[:axis]):
        return None
    list_, before, N, behind = parts[axis], x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    shape = list_.shape if own else before + list_.shape + behind
    if math.prod(shape) <= FEW:
        return None
    R, list_ = list_.shape[axis] if own else list_.size, flat(list_.astype(np.int64, copy=False))
    return Places(list_, own, math.prod(before), N, R, math.prod(behind), shape)


def _gathered_axis(x, parts):
    """The axis along which an index of lists alone names places, if along all others elements keep their own."""
    shape = np.broadcast_shapes(*[part.shape for part in parts])
    if len(shape) != x.ndim:
        return None
    for axis, part in enumerate(parts):
        others = [d for d in range(x.ndim) if d != axis]
        if part.shape == shape and all(shape[d] == x.shape[d] and _counts(parts[d], d, shape) for d in others):
            return axis
    return None


def _counts(part, axis, shape):
    """Whether a list is 0, 1, ..., along its axis."""
    n = shape[axis]
    line = part.shape == tuple(n if d == axis else 1 for d in range(len(shape)))
    return line and np.array_equal(part.reshape(-1), np.arange(n))


def getitem(x, index):
    places = _places(x, index) if x.dtype.itemsize in SAME_SIZE and x.dtype.kind in "fiub" else None
    if places is None or (not x.flags.carray and x.size > math.prod(places.shape)):
        return reference.getitem(x, index)
    list_, own, O, N, R, S, shape = places
    lines = max(1, CHUNK // (R * S))
    step = R if lines > 1 else max(1, min(R, CHUNK // S))
    y, bits = empty(shape, x.dtype), SAME_SIZE[x.dtype.itemsize]
    dense = (x if x.flags.carray else x.copy(order="C")).view(bits).reshape(-1)
    items, sizes = -(-O // lines) * -(-R // step), (own, O, N, R, S, lines, step, y.view(bits).reshape(-1))
    counted = _take(items, dense, list_, *sizes)
    if counted == FROM_END:
        counted = _take(items, dense, places.from_start().places, *sizes)
    return reference.getitem(x, index) if counted == OUTSIDE else y  # which says what is wrong


def _write(x, index, y, adding):
    """Add or write ``y`` at a list of places; whether that was possible here."""
    if x.dtype not in ADDED or not x.flags.carray or (y.dtype is not x.dtype if type(y) is np.ndarray else adding):
        return False
    places = _places(x, index)
    if places is None:
        return False
    counted = _count(-(-places.places.size // CHUNK), places.places, places.N)
    if counted == OUTSIDE:
        return False
    list_, own, O, N, R, S, shape = places if counted == FROM_START else places.from_start()
    if type(y) is not np.ndarray or y.shape != shape or not y.flags.carray:
        y = np.array(np.broadcast_to(y, shape), x.dtype, order="C")
    if np.may_share_memory(x, y) or np.may_share_memory(x, list_):
        return False
    lines = max(1, CHUNK // (R * S))
    width = S if O > 1 or S < 128 else max(64, -(-S // 16))
    items = -(-O // lines) * -(-S // width)
    _put(items, x.reshape(-1), list_, own, O, N, R, S, lines, width, y.reshape(-1), adding)
    return True


def setitem(x, index, y):
    if not _write(x, index, y, False):
        reference.setitem(x, index, y)


def index_add(x, index, y):
    parts = index if isinstance(index, tuple) else (index,)
    if all(is_basic(part) or (isinstance(part, np.ndarray) and part.dtype.kind == "b") for part in parts):
        x[index] += y  # nothing occurs twice
    elif not _write(x, index, y, True):
        reference.index_add(x, index, y)
