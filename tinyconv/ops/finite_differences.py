"""The derivative of a function that is known at some places: ``gradient``.

A parabola through three neighbours, at distances l and r of the middle one, has there the slope

    -r / (l (l + r)) y[i-1] + (r - l) / (l r) y[i] + l / (r (l + r)) y[i+1],

and at its ends it is the slope of the line through two (``edge_order=1``) or of the parabola through three
(``edge_order=2``) that are outermost. (Fornberg, "Generation of finite difference formulas on arbitrarily spaced
grids", 1988.)
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .cumulative import diff
from .elementwise import add, div, mul, sub
from .join import cat
from .reduce import axes_of
from .shape import view
from .types import expect


def gradient(input: Tensor, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple:
    """The partial derivatives of a function, whose values on a grid ``input`` holds.

    Args:
        input: any shape; integers are taken as the default type.
        spacing: the distance of neighbours: a number for all axes, a sequence with one for each, or with a vector of
            coordinates for each.
        dim: the axis or axes to derive along; by default all.
        edge_order: 1 or 2, how the ends are estimated.

    Returns:
        A tuple with a tensor in the shape of ``input`` for each axis.

    Raises:
        RuntimeError: bools; an axis with fewer than ``edge_order + 1`` places; a spacing for more or fewer axes, or
            coordinates that are no vectors.
    """
    expect("gradient", "iuf", input=input)
    if input.dtype is dtypes.uint8:
        raise RuntimeError("gradient: differences of uint8 may be negative, use another type")
    if edge_order not in (1, 2):
        raise RuntimeError(f"gradient: edge_order must be 1 or 2, got {edge_order!r}")
    dims = range(input.array.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    if isinstance(spacing, Tensor) and not spacing.array.ndim:
        spacing = spacing.item()
    steps = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * len(dims)
    if len(steps) != len(dims):
        raise RuntimeError(f"gradient: spacing must have an element for each of {len(dims)} axes, got {len(steps)}")
    axes_of(input, dim, "gradient")  # which names what is wrong with them
    axes = [d % input.array.ndim for d in dims] if input.array.ndim else []
    for axis in axes:
        if input.array.shape[axis] < edge_order + 1:
            raise RuntimeError(
                f"gradient: each axis needs at least edge_order + 1 = {edge_order + 1} places, input has shape "
                f"{tuple(input.array.shape)}"
            )
    return tuple([_along(input, axis, step, edge_order) for axis, step in zip(axes, steps)])


def _along(x: Tensor, axis: int, spacing: Any, edge_order: int) -> Tensor:
    n = x.array.shape[axis]
    if isinstance(spacing, Tensor):
        if spacing.array.ndim != 1:
            raise RuntimeError(f"gradient: coordinates must be vectors, got shape {tuple(spacing.array.shape)}")
        if spacing.array.shape[0] != n:
            raise RuntimeError(f"gradient: axis {axis} has {n} places, but {spacing.array.shape[0]} coordinates")
        spacing = view(diff(spacing), [-1 if d == axis else 1 for d in range(x.array.ndim)])

    def part(whole: Any, start: int, count: int) -> Any:
        """``count`` places of the values, or of the distances to the next ones (which may be one number)."""
        return whole.narrow(axis, start, count) if isinstance(whole, Tensor) else whole

    def weighted(values: list[Tensor], weights: Sequence[Any]) -> Tensor:
        return functools.reduce(add, [mul(value, weight) for value, weight in zip(values, weights)])

    def line(start: int) -> Tensor:
        """The slope of the line through the two places from ``start`` on."""
        return div(sub(part(x, start + 1, 1), part(x, start, 1)), part(spacing, start, 1))

    def parabola(start: int, place: int) -> Tensor:
        """The slope at the first (0) or last (2) of the three places from ``start`` on."""
        h, k = (part(spacing, start + i, 1) for i in ((0, 1) if place == 0 else (1, 0)))
        weights = [-(2.0 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))]
        if place == 2:  # seen from the other end
            weights = [-w for w in reversed(weights)]
        return weighted([part(x, start + i, 1) for i in range(3)], weights)

    inner = []
    if n > 2:
        before, middle, after = (part(x, i, n - 2) for i in range(3))
        if isinstance(spacing, Tensor):
            h, k = part(spacing, 0, n - 2), part(spacing, 1, n - 2)
            weights = -k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k))
            inner = [weighted([before, middle, after], weights)]
        else:
            inner = [div(sub(after, before), 2 * spacing)]
    if edge_order == 1:
        return cat([line(0), *inner, line(n - 2)], axis)
    return cat([parabola(0, 0), *inner, parabola(n - 3, 2)], axis)
