"""Padding: more elements around a tensor, constants or the tensor's own continued beyond its edges.

Along an axis of n elements, place ``i`` outside ``[0, n)`` shows

===========  ==============================  =====================
constant     ``value``                       ``0 0 | a b c d | 0 0``
reflect      the mirror image, edge not      ``c b | a b c d | c b``
             repeated
replicate    the edge                        ``a a | a b c d | d d``
circular     the axis again                  ``c d | a b c d | a b``
===========  ==============================  =====================

All but the first are an index with repetitions, so their gradient adds up over the places where an element shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .index import getitem
from .shape import sizes
from .types import number


class Pad(Function):
    """y = value everywhere, with x in the middle;  gx = the middle of gy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple, middle: tuple, value: float) -> Tensor:
        ctx.middle = middle
        backend = kernels.of(x.array)
        y = backend.full(shape, value, x.array.dtype)
        backend.setitem(y, middle, x.array)
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy[ctx.middle], None, None, None


def _reflected(i: int, n: int) -> int:
    i = abs(i)
    return i if i < n else 2 * (n - 1) - i


PLACES: dict[str, Callable[[int, int], int]] = {
    "reflect": _reflected,
    "replicate": lambda i, n: min(max(i, 0), n - 1),
    "circular": lambda i, n: i % n,
}


def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` with more elements around it, or fewer where a number is negative.

    Args:
        input: any tensor; modes other than "constant" pad the last 1, 2 or 3 axes, with at most two axes before them.
        pad: how many elements before and after, last axis first: ``(left, right, top, bottom, ...)``.
        mode: "constant", "reflect", "replicate" or "circular": see the head of this file.
        value: of the new elements (default: 0), for "constant" alone.

    Returns:
        A copy; axis ``-1 - i`` is longer by ``pad[2*i] + pad[2*i + 1]``.

    Raises:
        RuntimeError: an odd number of numbers, more than two an axis, or more taken from an axis than it has; a
            reflection wider than the axis less one, or more than once around.
        NotImplementedError: another mode, or one that is not made for these axes.
    """
    shape, amounts = input.array.shape, sizes((tuple(pad),))
    if len(amounts) % 2 or len(amounts) > 2 * len(shape):
        raise RuntimeError(
            f"pad: pad must hold a pair of numbers for each of at most {len(shape)} axes of input, got {amounts}"
        )
    value = 0 if value is None else number(value, "pad: value")
    missing = len(shape) - len(amounts) // 2
    pairs = [(0, 0)] * missing + [amounts[i : i + 2] for i in range(len(amounts) - 2, -1, -2)]
    if any([min(before, 0) + n + min(after, 0) < 0 for n, (before, after) in zip(shape, pairs)]):
        raise RuntimeError(f"pad: {amounts} takes more from input of shape {tuple(shape)} than it has")
    if mode != "constant":
        return _continued(input, pairs, missing, mode, value)
    full = tuple([before + n + after for n, (before, after) in zip(shape, pairs)])
    kept = tuple([slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(shape, pairs)])
    middle = tuple([slice(max(before, 0), n - max(after, 0)) for n, (before, after) in zip(full, pairs)])
    return Pad.apply(input[kept] if min(amounts, default=0) < 0 else input, full, middle, value)


def _continued(x: Tensor, pairs: list, leading: int, mode: str, value: float | None) -> Tensor:
    """``x`` continued beyond its edges, along all axes but the ``leading`` ones."""
    if mode not in PLACES:
        raise NotImplementedError(f"pad: mode must be 'constant', 'reflect', 'replicate' or 'circular', got {mode!r}")
    if value:
        raise RuntimeError(f"pad: mode {mode!r} takes no value, got {value}")
    if not 1 <= len(pairs) - leading <= 3 or not 1 <= leading <= 2:
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 axes of a tensor with one or two axes before them, got "
            f"{2 * (len(pairs) - leading)} numbers for shape {tuple(x.array.shape)}"
        )
    for axis, (before, after) in enumerate(pairs):
        n = x.array.shape[axis]
        if not before and not after:
            continue
        widest = {"reflect": n - 1, "circular": n}.get(mode, max(before, after) if n else 0)
        if max(before, after) > widest:
            raise RuntimeError(
                f"pad: mode {mode!r} can add at most {max(widest, 0)} elements on a side of dimension {axis}, which "
                f"has {n}, got ({before}, {after}) (input: {tuple(x.array.shape)})"
            )
        places = [PLACES[mode](i, n) for i in range(-before, n + after)]
        x = getitem(x, (*[slice(None)] * axis, places)) if places else x[(*[slice(None)] * axis, slice(0))]
    return x
