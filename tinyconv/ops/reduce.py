"""Reductions: sums, means and extremes along axes.

A sum copies its gradient to everything that was summed (each term has slope 1), and its mirror image, repeating a value
(:func:`~tinyconv.ops.shape.expand`), sums the gradients of the copies: the two are adjoint, each the other's gradient.
A maximum sends its gradient to the element that won.
"""

from __future__ import annotations

import math
from numbers import Number
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from . import return_types
from .compare import eq, ne, where
from .convert import cast
from .elementary import exp, log
from .elementwise import abs, add, div, mul, sub
from .logic import logical_and, logical_or
from .shape import Expand, sizes
from .types import floating


def axes_of(x: Tensor, dim: Any, name: str) -> tuple[int, ...]:
    """``dim`` (an int, a sequence of them, or None for all) as a sorted tuple of non-negative axes.

    Raises:
        IndexError: a dim out of range.
        RuntimeError: a dim named twice.
        TypeError: ``x`` is no tensor.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}: input must be a tensor, got {type(x).__name__}")
    n = x.array.ndim
    if dim is None:
        return tuple(range(n))
    if type(dim) is int and 0 <= dim < n:
        return (dim,)
    axes, limit = [], n or 1  # a 0-d tensor's dims are named as a 1-d one's
    for d in (dim,) if isinstance(dim, int) else tuple(dim):
        if not -limit <= d < limit:
            raise IndexError(
                f"{name}: dim {d} is out of range for a tensor of {n} dimensions (shape {tuple(x.array.shape)})"
            )
        axes.append(d % n if n else 0)
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"{name}: a dim appears twice in {dim}")
    return tuple(sorted(axes)) if n else ()


def restored(g: Tensor, shape: tuple, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """``g`` with the reduced axes back as axes of size 1, so that it broadcasts to ``shape``. (Leading ones need not
    come back.)"""
    if keepdims or axes == tuple(range(len(axes))):
        return g
    return g.reshape(tuple([1 if i in axes else n for i, n in enumerate(shape)]))


class Sum(Function):
    """y = sum of x over axes;  gx = gy, repeated along them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple, keepdims: bool) -> Tensor:
        ctx.shape, ctx.axes, ctx.keepdims = x.array.shape, axes, keepdims
        return wrap(kernels.of(x.array).sum(x.array, axes, keepdims))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Expand.apply(restored(gy, ctx.shape, ctx.axes, ctx.keepdims), ctx.shape), None, None


def sum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """Sum over ``dim`` (an int or several; None or () for all).

    Args:
        input: any shape; integers and bools are summed as int64.
        dim: the axes to sum over.
        keepdim: leave them as axes of size 1.
        dtype: cast to this type first.

    Raises:
        IndexError: ``dim`` out of range.
    """
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    y = Sum.apply(input, axes_of(input, None if dim == () else dim, "sum"), keepdim)
    return y if dtype is None else cast(y, dtypes.as_numpy(dtype))


def _single(x: Tensor) -> Tensor:
    """float16 as float32: a sum, or the number of its terms, may be above float16's largest number, 65504."""
    return cast(x, np.float32) if x.array.dtype == np.float16 else x


class Mean(Function):
    """y = sum of x over axes / n, n their number of elements;  gx = gy / n, repeated along them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple, keepdims: bool) -> Tensor:
        ctx.shape, ctx.axes, ctx.keepdims = x.array.shape, axes, keepdims
        return cast(div(Sum.apply(_single(x), axes, keepdims), elements_along(x, axes)), x.array.dtype)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        n = math.prod([ctx.shape[axis] for axis in ctx.axes])
        g = gy if n == 0 else cast(div(_single(gy), n), gy.array.dtype)
        return Expand.apply(restored(g, ctx.shape, ctx.axes, ctx.keepdims), ctx.shape), None, None


class WithoutNaN(Function):
    """y = x, with 0 for NaN;  gx = gy, times 0 there."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        known = eq(x, x)
        ctx.save_for_backward(known)
        return where(known, x, 0)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return mul(gy, ctx.saved_tensors[0])


def nansum(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """:func:`sum` with NaN counted as 0."""
    return sum(WithoutNaN.apply(input), dim, keepdim, dtype=dtype)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """Arithmetic mean over ``dim`` (NaN over nothing); as :func:`sum`.

    Raises:
        RuntimeError: ``input`` is not floating point (say ``x.float().mean()``).
    """
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"mean: input must be floating point, got {input.dtype}; use x.float().mean()")
    axes = axes_of(input, None if dim == () else dim, "mean")
    return Mean.apply(input, axes, keepdim)


def elements_along(x: Tensor, axes: tuple[int, ...]) -> int:
    """How many elements become one."""
    return math.prod([x.array.shape[axis] for axis in axes])


def nanmean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """Arithmetic mean of the elements that are not NaN; NaN where there are none.

    Raises:
        RuntimeError: ``input`` is not floating point.
    """
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"nanmean: input must be floating point, got {input.dtype}")
    return div(nansum(input, dim, keepdim, dtype=dtype), sum(eq(input, input), dim, keepdim))


def sum_to(input: Tensor, *size: Any) -> Tensor:
    """``input`` summed to a shape that broadcasts to its own: the adjoint of broadcasting."""
    shape = sizes(size)
    extra = input.array.ndim - len(shape)
    if extra < 0 or any([n not in (1, m) for n, m in zip(shape, input.array.shape[extra:])]):
        raise RuntimeError(
            f"sum_to_size: a tensor of shape {tuple(input.array.shape)} is no expansion of one of shape {shape}"
        )
    new, ones = tuple(range(extra)), [i + extra for i, n in enumerate(shape) if n == 1 != input.array.shape[i + extra]]
    if ones:
        input = Sum.apply(input, (*new, *ones), True)
        return input.reshape(shape) if extra else input
    return Sum.apply(input, new, False) if extra else input


def shared_among_equals(gy: Tensor, x: Tensor, y: Tensor, axes: tuple, of_nans: bool) -> Tensor:
    """The gradient of elements ``y`` picked out of ``x`` along ``axes``: shared equally by all that equal the one that
    was picked (NaN equals NaN here, where ``of_nans`` says so)."""
    same = logical_or(eq(x, y), logical_and(ne(x, x), ne(y, y))) if of_nans else eq(x, y)
    winners = cast(same, x.array.dtype)
    return mul(winners, div(gy, Sum.apply(winners, axes, True) if axes else winners))


class Extreme(Function):
    """y = max (or min) of x over axes, by the kernel "amax" or "amin";  gx = gy shared equally among the elements that
    equal y (NaN equals NaN here, where ``of_all`` says so)."""

    kernel: str

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: str, axes: tuple, keepdims: bool, of_all: bool = False) -> Tensor:
        y = wrap(getattr(kernels.of(x.array), kernel)(x.array, axes, keepdims))
        ctx.axes, ctx.keepdims, ctx.kernel, ctx.of_all = axes, keepdims, kernel, of_all
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, y = ctx.saved_tensors
        gy, y = (restored(t, x.array.shape, ctx.axes, ctx.keepdims) for t in (gy, y))
        return shared_among_equals(gy, x, y, ctx.axes, ctx.of_all), None, None, None, None

    def operation(self) -> str:
        return self.kernel.capitalize()


def _check_elements(input: Tensor, axes: tuple[int, ...], dim: Any, name: str) -> None:
    """Raise if there is nothing to choose from: an IndexError if a dim was named (or a place is asked for), else a
    RuntimeError."""
    if any([input.array.shape[a] == 0 for a in axes]):
        error = RuntimeError if dim in (None, ()) and not name.startswith("arg") else IndexError
        raise error(f"{name}: no extreme of nothing: input has shape {tuple(input.array.shape)}, dim is {dim}")


def _extreme(input: Tensor, kernel: str, dim: Any, keepdim: bool) -> Tensor:
    """The extreme over ``dim``, by the kernel "amax" or "amin"."""
    axes = axes_of(input, None if dim == () else dim, kernel)
    _check_elements(input, axes, dim, kernel)
    return Extreme.apply(input, kernel, axes, keepdim, dim is None)


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Maximum over ``dim`` (() for all); equals share the gradient.

    Raises:
        IndexError: a reduced axis is empty (a RuntimeError if ``dim`` is not given).
    """
    return _extreme(input, "amax", dim, keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Minimum over ``dim`` (() for all); equals share the gradient."""
    return _extreme(input, "amin", dim, keepdim)


def _place_of(input: Tensor, kernel: str, dim: int | None, keepdim: bool) -> Tensor:
    """Where the extreme is along ``dim`` (None: in the flattened tensor), by the kernel "argmax" or "argmin"; bools,
    too."""
    x = input.detach()
    if dim is None:
        x = x.reshape(-1)
    axis = axes_of(x, 0 if dim is None else dim, kernel)
    _check_elements(x, axis, dim, kernel)
    if not axis:  # 0-d
        return wrap(kernels.of(x.array).full((), 0, dtypes.int64.numpy))
    out = wrap(getattr(kernels.of(x.array), kernel)(x.array, axis[0]))
    if not keepdim:
        return out
    return out.reshape((1,) * input.array.ndim) if dim is None else out.unsqueeze(axis[0])


def check_order(input: Tensor, name: str) -> None:
    """Raise a RuntimeError for bools, as PyTorch does."""
    if input.dtype is dtypes.boolean:
        raise RuntimeError(f"{name}: bool has no order; say x.int() first")


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """int64: where the maximum is along ``dim`` (None: in the flattened tensor). The first of equals; NaN counts as
    largest."""
    check_order(input, "argmax")
    return _place_of(input, "argmax", dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """int64: where the minimum is along ``dim`` (None: in the flattened tensor). The first of equals; NaN counts as
    smallest."""
    check_order(input, "argmin")
    return _place_of(input, "argmin", dim, keepdim)


class Pick(Function):
    """y = the extreme of x along an axis (kept, with size 1), which is at ``indices``;  gx = gy there, 0 elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, axis: int, kernel: str) -> Tensor:
        ctx.axis, ctx.size = axis, x.array.shape[axis]
        ctx.save_for_backward(indices)
        return wrap(getattr(kernels.of(x.array), kernel)(x.array, (axis,), True))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (indices,) = ctx.saved_tensors
        shape = [1] * indices.array.ndim
        shape[ctx.axis] = ctx.size
        backend = kernels.of(gy.array)
        places = wrap(backend.arange(0, ctx.size, 1, dtypes.int64.numpy)).reshape(shape)
        return where(eq(places, indices), gy, 0), None, None, None


def _extreme_along(input: Tensor, dim: int, keepdim: bool, name: str) -> Any:
    """(values, indices) of "max" or "min" along ``dim``: each gradient goes to the one place that was picked."""
    axis, named = axes_of(input, dim, name), getattr(return_types, name)
    if not axis:
        return named(input.clone(), _place_of(input, f"arg{name}", None, False))
    indices = _place_of(input, f"arg{name}", axis[0], True)
    values = Pick.apply(input, indices, axis[0], f"a{name}")
    if not keepdim:
        values, indices = values.squeeze(axis[0]), indices.squeeze(axis[0])
    return named(values, indices)


def max(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """``max(x)``: the largest element. ``max(x, dim)``: (values, indices) along ``dim``, the gradient goes to that
    index. ``max(x, y)``: :func:`tinyconv.maximum`."""
    if isinstance(dim, Tensor) or other is not None:
        return input.maximum(dim if other is None else other)
    return amax(input, None) if dim is None else _extreme_along(input, dim, keepdim, "max")


def min(input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None) -> Any:
    """``min(x)``: the smallest element. ``min(x, dim)``: (values, indices) along ``dim``. ``min(x, y)``:
    :func:`tinyconv.minimum`."""
    if isinstance(dim, Tensor) or other is not None:
        return input.minimum(dim if other is None else other)
    return amin(input, None) if dim is None else _extreme_along(input, dim, keepdim, "min")


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(min, max) of all elements or along ``dim``, as :func:`amin` and :func:`amax` say."""
    return return_types.aminmax(amin(input, () if dim is None else dim, keepdim),
                                amax(input, () if dim is None else dim, keepdim))  # fmt: skip


def _truth(input: Tensor, answer: Tensor) -> Tensor:
    """bool, but uint8 of uint8: PyTorch's bools of old."""
    return cast(answer, input.array.dtype) if input.dtype is dtypes.uint8 else answer


def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """bool: whether all elements (along ``dim``) are non-zero."""
    return _truth(input, eq(sum(eq(input, 0), dim, keepdim), 0))


def any_(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """bool: whether any element (along ``dim``) is non-zero."""
    return _truth(input, sum(ne(input, 0), dim, keepdim) > 0)


def count_nonzero(input: Tensor, dim: Any = None) -> Tensor:
    """int64: how many elements (along ``dim``) are not zero."""
    return sum(ne(input, 0), dim)


def logsumexp(input: Tensor, dim: Any, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` over ``dim``, without overflow: the maximum is taken out first.

    Args:
        input: any shape; integers are taken as the default float type.
        dim: an axis, or several.
        keepdim: leave them as axes of size 1.
    """
    x = floating(input)
    axes = axes_of(x, dim, "logsumexp")
    if not x.numel():
        return log(Sum.apply(exp(x), axes, keepdim))
    top = Extreme.apply(x.detach(), "amax", axes, True)
    top = where(eq(abs(top), float("inf")), 0.0, top)
    y = add(log(Sum.apply(exp(sub(x, top)), axes, True)), top)
    return y if keepdim or not axes else y.squeeze(axes)


def contains(input: Tensor, element: Any) -> bool:
    """Whether any element equals ``element``: ``3 in x``.

    Raises:
        RuntimeError: ``element`` is neither a number nor a tensor.
    """
    if not isinstance(element, (Number, Tensor, np.generic)):
        raise RuntimeError(f"in: only a number or a tensor can be in a tensor, got {type(element).__name__}")
    return bool(any_(eq(input, element)))
