"""Scattering with a choice of what becomes of elements that meet: their sum, product, mean, maximum or minimum.

Sums are added up where they go. For the others the elements are sorted by where they go; then neighbours with one
destination are combined in pairs, and the results in pairs again, until each destination has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd import Function
from ..tensor import Tensor, wrap
from .compare import clamp_min, eq, maximum, minimum, ne, where
from .convert import cast
from .creation import ones_like
from .cumulative import cummax
from .elementwise import add, div, mul, remainder, sub
from .gather import _fitting, _line_index, _slices, _values_of
from .index import Gather, Scatter, Write, counting
from .join import cat
from .logic import logical_and, logical_not
from .shape import atleast_1d, reshape
from .sort import argsort
from .types import expect

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def combined(v: Tensor, places: Tensor, combine: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """The elements of ``v`` (along its first axis) that have one place combined, and the places, each once and in
    order."""
    order = argsort(places, stable=True).array
    v, places = Gather.apply(v, (order,)), Gather.apply(places, (order,))
    while True:
        n = places.array.shape[0]
        is_first = cat([places.new_ones(1) > 0, ne(places[1:], places[:-1])])
        at = counting(n, places)
        rank = sub(at, cummax(where(is_first, at, 0), 0).values)
        if not (rank > 0).any().item():
            return v, places
        kept = eq(remainder(rank, 2), 0)
        met = logical_and(kept[:-1], logical_not(is_first[1:]))  # the next one goes to the same place
        pairs = combine(v[:-1], v[1:])
        met = met.reshape(-1, *[1] * (v.array.ndim - 1))
        v = cat([where(met, pairs, v[:-1]), v[-1:]])
        v, places = Gather.apply(v, kept.array), Gather.apply(places, kept.array)


class ScatterExtreme(Function):
    """y[i] = max (or min) of the v that go to place i, and with ``include_self`` of x[i];  gx, gv = gy shared equally
    among those that equal y."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, v: Tensor, places: Tensor, reduce: str, include_self: bool) -> Tensor:
        combine = maximum if reduce == "amax" else minimum
        best, once = combined(v, places, combine)
        if include_self:
            best = combine(best, Gather.apply(x, (once.array,)))
        y = Write.apply(x, (once.array,), best)
        ctx.include_self = include_self
        ctx.save_for_backward(x, v, places, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, v, places, y = ctx.saved_tensors
        index, dtype = (places.array,), gy.array.dtype
        own = cast(eq(x, y), dtype)
        if not ctx.include_self:
            own = Write.apply(own, index, 0)
        won = cast(eq(v, Gather.apply(y, index)), dtype)
        share = div(gy, clamp_min(add(own, Scatter.apply(won, own.array.shape, index)), 1))  # none is NaN's
        return mul(own, share), mul(won, Gather.apply(share, index)), None, None, None


def _at(x: Tensor, places: Tensor, v: Tensor, reduce: str, include_self: bool) -> Tensor:
    """``scatter_reduce`` of vectors."""
    index = (places.array,)
    if reduce in ("amax", "amin"):
        return ScatterExtreme.apply(x, v, places, reduce, include_self)
    if reduce == "prod":
        products, once = combined(v, places, mul)
        own = Gather.apply(x, (once.array,))
        return Write.apply(x, (once.array,), mul(own, products) if include_self else products)
    total = add(x if include_self else Write.apply(x, index, 0), Scatter.apply(v, x.array.shape, index))
    if reduce == "sum":
        return total
    count = Scatter.apply(ones_like(v.detach()), x.array.shape, index)
    count = add(count, 1) if include_self else clamp_min(count, 1)
    return div(total, count, rounding_mode=None if x.array.dtype.kind == "f" else "floor")


def scatter_reduce(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *,
                   include_self: bool = True) -> Tensor:  # fmt: skip
    """A copy of ``input`` in which values that go to one place along ``dim`` are reduced to one: for dim 1 ``y[i, k]``
    is the sum (or ...) of the ``src[i, j]`` with ``index[i, j] = k``.

    Args:
        input: any shape. Bools add up as ``or``, and have no mean.
        dim: the axis.
        index: int64, as :func:`scatter` takes it.
        src: of the type of ``input``, at least as large as ``index``.
        reduce: "sum", "prod", "mean" (of integers rounded down), "amax" or "amin". The gradient of an extreme is shared
            equally among those that reach it.
        include_self: whether what is in ``input`` at such a place takes part.

    Raises:
        RuntimeError: an unknown reduction, a place out of bounds, an index of another type, or shapes that do not fit.
    """
    name = "scatter_reduce"
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"{name}: reduce must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    expect(name, "iuf" if reduce == "mean" else "biuf", input=input, src=src)
    if input.array.dtype.kind == src.array.dtype.kind == "b":
        y = scatter_reduce(input.long(), dim, index, src.long(), reduce, include_self=include_self)
        return cast(y, input.array.dtype)
    if not input.array.ndim or not index.array.ndim or not src.array.ndim:  # a number is a vector of one
        vectors = (atleast_1d(input), dim, atleast_1d(index), atleast_1d(src))
        return reshape(scatter_reduce(*vectors, reduce, include_self=include_self), input.array.shape)
    lines = _line_index(input, dim, index, name)
    if not index.numel():
        return input.clone()
    values = _values_of(src, input, index, name)
    places = wrap(lines[0])
    for line, length in zip(lines[1:], input.array.shape[1:]):
        places = add(mul(places, length), wrap(line))
    y = _at(reshape(input, -1), reshape(places, -1), reshape(values, -1), reduce, include_self)
    return reshape(y, input.array.shape)


def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *,
                 include_self: bool = True) -> Tensor:  # fmt: skip
    """:func:`scatter_reduce` of whole slices: slice j of ``source`` along ``dim`` goes to slice ``index[j]``.

    Args:
        input: any shape.
        dim: the axis.
        index: int64, a vector.
        source: of the type and shape of ``input``, but for ``dim``, where it is as long as the index.
        reduce: "prod", "mean", "amax" or "amin".
        include_self: whether the slice of ``input`` takes part.

    Raises:
        RuntimeError: an unknown reduction, or types or shapes that do not fit.
        IndexError: a place out of bounds.
    """
    name = "index_reduce"
    if reduce not in REDUCTIONS[1:]:
        raise RuntimeError(f"{name}: reduce must be one of {', '.join(REDUCTIONS[1:])}, got {reduce!r}")
    x, axis, places = _slices(input, dim, index, name)
    source = _fitting(x, source, places, axis, name)
    line = reshape(wrap(places[-1]), [-1 if d == axis else 1 for d in range(x.array.ndim)])
    y = scatter_reduce(x, axis, line.expand(source.array.shape), source, reduce, include_self=include_self)
    return reshape(y, input.array.shape)
