"""Indexing: ``x[...]`` by ints and slices is a view; by arrays it gathers, scatters or adds.

An index by arrays is brought to one form: a view of ``x`` from which one axis per index array has been taken, and for
each place that the arrays name together an *offset*, the sum of index times stride. Then ``y[i] = x[rest of i] +
offset``, where the axes of the index arrays stand in the result as NumPy has it: in the place of the indexed ones if
those are neighbours, else in front.

Floats are added where they are indexed in an order that never changes: the places are sorted by their offsets, and one
thread adds all that belong to one. (A number indexed very often is one thread's long work.)
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .array import DeviceArray, dense_strides
from .arrays import BLOCK, RAW, R, _writable, assign, broadcast_to, cast, dense, from_host, full, to_host
from .elementwise import add_
from .faults import note_index
from .kernel import FLOATS, element_type, kernel
from .language import atomic_add, cuda, int64, quotient, store_any
from .layout import collapsed, stretched
from .runtime import ceil_div, empty, faults, launch
from .sort import sort

# -------------------------------------------------------------------------------------------------------------- kernels


@kernel("int64*, int64*, int64*, int32, int32, int32, int32", block=BLOCK, registers=32)
def add_offsets(index, offsets, fault, n, size, stride, first):
    """offsets (+)= index * stride, negative indexes counted from the end; one out of bounds is noted, and read as 0."""
    i = cuda.grid(1)
    if i < n:
        k = index[i]
        if k < 0:
            k += size
        if k < 0 or k >= size:
            note_index(fault)
            k = int64(0)
        offsets[i] = k * stride if first != 0 else offsets[i] + k * stride


@kernel("U*, int64*, U*, int32, int32[R], int32[R], int32[R]", U=tuple(RAW.values()), R=(1, 2, 3), block=BLOCK,
        registers=40)  # fmt: skip
def gather(x, offsets, y, n, shape, sx, so):
    """y = x[offsets], y dense."""
    i = cuda.grid(1)
    if i < n:
        rest = i
        at = int64(0)
        which = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(rest, shape[axis])
            k = rest - outer * shape[axis]
            at += k * sx[axis]
            which += k * so[axis]
            rest = outer
        y[i] = x[at + rest * sx[0] + offsets[which + rest * so[0]]]


@kernel("U*, int64*, U*, int32, int32[R], int32[R], int32[R], int32[R]", U=tuple(RAW.values()), R=(1, 2, 3),
        block=BLOCK, registers=48)  # fmt: skip
def scatter(x, offsets, y, n, shape, sx, so, sy):
    """x[offsets] = y."""
    i = cuda.grid(1)
    if i < n:
        at = int64(0)
        which = int64(0)
        source = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(i, shape[axis])
            k = i - outer * shape[axis]
            at += k * sx[axis]
            which += k * so[axis]
            source += k * sy[axis]
            i = outer
        store_any(x, at + i * sx[0] + offsets[which + i * so[0]], y[source + i * sy[0]])


@kernel("T*, int64*, T*, int32, int32[R], int32[R], int32[R], int32[R]", T=(np.int32, np.int64), R=(1, 2, 3),
        block=BLOCK, registers=48)  # fmt: skip
def scatter_add(x, offsets, y, n, shape, sx, so, sy):
    """x[offsets] += y, in any order: of integers, the sum is the same."""
    i = cuda.grid(1)
    if i < n:
        at = int64(0)
        which = int64(0)
        source = int64(0)
        for axis in range(R - 1, 0, -1):
            outer = quotient(i, shape[axis])
            k = i - outer * shape[axis]
            at += k * sx[axis]
            which += k * so[axis]
            source += k * sy[axis]
            i = outer
        atomic_add(x, at + i * sx[0] + offsets[which + i * so[0]], y[source + i * sy[0]])


@kernel("T*, int64*, int64*, T*, int32, int32, int32, int32, int32[R], int32[R], int32[R]", T=FLOATS, R=(1, 2, 3),
        block=BLOCK, registers=56)  # fmt: skip
def add_in_order(x, offsets, order, y, n, places, rest, step, shape, sx, sy):
    """x[offsets] += y where the offsets are sorted and ``order`` says which place each was; ``rest`` numbers a place.

    The thread at the first of equal offsets adds all of their numbers, in the order of their places: the sum is the
    same at every run, which atomic additions are not.
    """
    i = cuda.grid(1)
    if i < n:
        k = quotient(i, rest)
        at = offsets[k]
        if k == 0 or offsets[k - 1] != at:
            which = i - k * rest
            source = int64(0)
            to = at
            for axis in range(R - 1, 0, -1):
                outer = quotient(which, shape[axis])
                to += (which - outer * shape[axis]) * sx[axis]
                source += (which - outer * shape[axis]) * sy[axis]
                which = outer
            to += which * sx[0]
            source += which * sy[0]
            total = x[to]
            while k < places and offsets[k] == at:
                total += y[source + order[k] * step]
                k += 1
            x[to] = total


# --------------------------------------------------------------------------------------------------------- the contract


def getitem(x, index):
    at, arrays, target = _taken_apart(x, index)
    if not arrays:
        return at
    shape, sx, offsets, so = target
    y = empty(shape, x.dtype)
    lengths, sx, so = collapsed(shape, sx, so)
    launch(
        gather, ceil_div(y.size, BLOCK), at, offsets, y, y.size, lengths, sx, so,
        U=RAW[x.dtype.itemsize], R=len(lengths),
    )  # fmt: skip
    return y


def setitem(x, index, y):
    _write(scatter, x, index, y)


def index_add(x, index, y):
    _write(scatter_add, x, index, y)


def _write(how: Any, x: DeviceArray, index: Any, y: Any) -> None:
    _writable(x)
    at, arrays, target = _taken_apart(x, index)
    if not arrays:
        if how is scatter:
            assign(at, y)
        else:
            add_(at, y)
        return
    floating = x.dtype.kind == "f"
    if how is scatter_add and not floating and element_type(x.dtype) not in how.constants["T"]:
        wide = cast(x, np.dtype(np.int64))
        _write(how, wide, index, cast(y, np.dtype(np.int64)))
        assign(x, wide)
        return
    y = cast(y, x.dtype) if isinstance(y, DeviceArray) else full((), y, x.dtype)  # cast copies: y may overlap x
    shape, sx, offsets, so = target
    while y.ndim > len(shape):
        y = y.viewed(y.shape[1:], y.strides[1:])
    if how is scatter_add and floating:
        _add_in_order(at, shape, sx, offsets, so, y)
        return
    lengths, sx, so, sy = collapsed(shape, sx, so, stretched(y.shape, y.strides, shape))
    n = math.prod(shape)
    constants = {"U": RAW[x.dtype.itemsize]} if how is scatter else {}
    launch(how, ceil_div(n, BLOCK), at, offsets, y, n, lengths, sx, so, sy, R=len(lengths), **constants)


def _add_in_order(
    x: DeviceArray, shape: tuple[int, ...], sx: tuple[int, ...], offsets: DeviceArray, so: tuple[int, ...],
    y: DeviceArray,
) -> None:  # fmt: skip
    """x[offsets] += y for floats, whose sums depend on the order; ``y`` is nobody else's memory."""
    if 0 in shape:
        return
    sy = stretched(y.shape, y.strides, shape)
    places = [axis for axis, step in enumerate(so) if step]
    (lengths, steps) = collapsed(offsets.shape, tuple(sy[axis] for axis in places))
    if len(lengths) > 1:  # no one step leads from place to place
        _add_in_order(x, shape, sx, offsets, so, dense(broadcast_to(y, shape)))
        return
    values, order = sort(offsets.viewed((offsets.size,), (1,)), 0, False, offsets.size)
    others = [axis for axis, step in enumerate(so) if not step]
    rest, rest_x, rest_y = collapsed(*(tuple(v[axis] for axis in others) for v in (shape, sx, sy)))
    n = math.prod(shape)
    launch(add_in_order, ceil_div(n, BLOCK), x, values, order, y, n, offsets.size, n // offsets.size, steps[0], rest,
           rest_x, rest_y, R=len(rest))  # fmt: skip


def _taken_apart(x: DeviceArray, index: Any) -> tuple[DeviceArray, list[DeviceArray], Any]:
    """The view of ``x`` by the index's ints and slices, its index arrays, and what they give together.

    Returns:
        (view, arrays, target): without arrays the view is the answer. With arrays, their axes are still whole in the
        view, and ``target`` is (shape of the answer, for each of its axes the stride in the view, the array of offsets,
        for each axis the stride in that).
    """
    parts = _spelled_out(x, index if isinstance(index, tuple) else (index,))
    fancy = any(isinstance(p, (DeviceArray, _NewAxis)) for p in parts)
    shape: list[int] = []
    strides: list[int] = []
    chosen: list[tuple[int, DeviceArray | None]] = []  # for each axis of the view the part it stems from, and its array
    axis = offset = 0
    for place, part in enumerate(parts):
        if part is None or isinstance(part, _NewAxis):
            shape.append(1)
            strides.append(0)
            chosen.append((place, part.index if part is not None else None))
            continue
        n, stride = x.shape[axis], x.strides[axis]
        axis += 1
        if isinstance(part, slice):
            start, stop, step = part.indices(n)
            length = len(range(start, stop, step))
            offset += start * stride if length else 0
            shape.append(length)
            strides.append(stride * step)
            chosen.append((place, None))
        elif isinstance(part, DeviceArray):
            shape.append(n)
            strides.append(stride)
            chosen.append((place, part))
        elif not -n <= part < n:
            raise IndexError(f"index {part} is out of bounds for axis {axis - 1} with size {n}")
        elif fancy:  # beside arrays a number is an array too
            shape.append(n)
            strides.append(stride)
            chosen.append((place, from_host(np.array(part % n))))
        else:
            offset += part % n * stride
    view = x.viewed(tuple(shape), tuple(strides), 0 if 0 in shape else offset)
    arrays = [array for _, array in chosen if array is not None]
    return view, arrays, _target(view, chosen) if arrays else None


class _NewAxis:
    """A mask without axes (True or False): a new axis that is there, or empty."""

    def __init__(self, there: bool):
        self.index = from_host(np.zeros(int(there), np.int64))


def _spelled_out(x: DeviceArray, index: tuple) -> list[Any]:
    """The index with a part for every axis: Ellipsis and what is missing at the end become slices, masks arrays."""
    parts: list[Any] = []
    for part in index:
        if isinstance(part, DeviceArray) and part.dtype.kind == "b" and part.ndim:
            used = sum(p is not None and p is not Ellipsis and not isinstance(p, _NewAxis) for p in parts)
            before_ellipsis = not any(p is Ellipsis for p in parts)
            expected = x.shape[used : used + part.ndim]
            if before_ellipsis and part.shape != expected:
                raise IndexError(f"the mask's shape {part.shape} does not fit the indexed axes' {expected}")
            parts += [from_host(np.ascontiguousarray(a)) for a in np.nonzero(to_host(part))]
        elif isinstance(part, DeviceArray) and part.dtype.kind == "b":
            parts.append(_NewAxis(bool(to_host(part))))
        elif isinstance(part, (bool, np.bool_)):
            parts.append(_NewAxis(bool(part)))
        elif part is None or part is Ellipsis or isinstance(part, (slice, DeviceArray)):
            parts.append(part)
        else:
            parts.append(operator.index(part))
    missing = x.ndim - sum(not (p is None or p is Ellipsis or isinstance(p, _NewAxis)) for p in parts)
    if missing < 0:
        raise IndexError(f"too many indices: the array has {x.ndim} axes, {x.ndim - missing} were indexed")
    at = next((i for i, p in enumerate(parts) if p is Ellipsis), None)
    if at is None:
        at = len(parts)
        parts.append(Ellipsis)
    return [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]


def _target(view: DeviceArray, chosen: list[tuple[int, DeviceArray | None]]) -> tuple:
    """Where the answer's elements come from; see :func:`_taken_apart`."""
    places = [place for place, array in chosen if array is not None]
    together = np.broadcast_shapes(*(array.shape for _, array in chosen if array is not None))
    offsets = empty(together, np.int64)
    first = 1
    for axis, (_, array) in enumerate(chosen):
        if array is None:
            continue
        n = view.shape[axis]
        if n == 0 and offsets.size:
            raise IndexError(f"index out of bounds for axis {axis} with size 0")
        each = dense(broadcast_to(cast(array, np.dtype(np.int64)), together))
        launch(
            add_offsets, ceil_div(offsets.size, BLOCK), each, offsets, faults(), offsets.size, n, view.strides[axis],
            first,
        )  # fmt: skip
        first = 0
    rest = [axis for axis, (_, array) in enumerate(chosen) if array is None]
    neighbours = places[-1] - places[0] + 1 == len(places)
    front = sum(chosen[axis][0] < places[0] for axis in rest) if neighbours else 0
    lengths, sx = [view.shape[a] for a in rest], [view.strides[a] for a in rest]
    zeros = (0,) * len(together)
    return (
        (*lengths[:front], *together, *lengths[front:]),
        (*sx[:front], *zeros, *sx[front:]),
        offsets,
        (*[0] * front, *dense_strides(together), *[0] * (len(rest) - front)),
    )
