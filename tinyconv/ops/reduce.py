"""Reductions: sums, means and extremes along axes.

A sum copies its gradient to everything that was summed (each term has slope 1), and its mirror image, repeating a value
(:func:`~tinyconv.ops.shape.expand`), sums the gradients of the copies: the two are adjoint, each the other's gradient.
A maximum sends its gradient to the element that won.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor
from .compare import eq, where
from .convert import cast
from .elementwise import div, mul
from .shape import Expand


def axes_of(x: Tensor, dim: Any, name: str) -> tuple[int, ...]:
    """``dim`` (an int, a sequence of them, or None for all) as a sorted tuple of non-negative axes.

    Raises:
        IndexError: a dim out of range.
        RuntimeError: a dim named twice.
    """
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


def _restore(g: Tensor, shape: tuple, axes: tuple[int, ...], keepdims: bool) -> Tensor:
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
        return Tensor(kernels.of(x.array).sum(x.array, axes, keepdims))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Expand.apply(_restore(gy, ctx.shape, ctx.axes, ctx.keepdims), ctx.shape), None, None


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
        input = cast(input, dtype.numpy)
    return Sum.apply(input, axes_of(input, None if dim == () else dim, "sum"), keepdim)


def mean(input: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """Arithmetic mean over ``dim`` (NaN over nothing); as :func:`sum`.

    Raises:
        RuntimeError: ``input`` is not floating point (say ``x.float().mean()``).
    """
    if dtype is not None:
        input = cast(input, dtype.numpy)
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"mean: input must be floating point, got {input.dtype}; use x.float().mean()")
    axes = axes_of(input, None if dim == () else dim, "mean")
    count = 1
    for axis in axes:
        count *= input.array.shape[axis] if input.array.ndim else 1
    return div(Sum.apply(input, axes, keepdim), count)


def sum_to(input: Tensor, *size: Any) -> Tensor:
    """``input`` summed to a shape that broadcasts to its own: the adjoint of broadcasting."""
    shape = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    extra = input.array.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        [i + extra for i, n in enumerate(shape) if n == 1 != input.array.shape[i + extra]]
    )
    if axes:
        input = Sum.apply(input, axes, True)
    return input.reshape(shape) if extra else input


class Extreme(Function):
    """y = max (or min) of x over axes;  gx = gy shared equally among the elements that equal y."""

    kernel: str

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: str, axes: tuple, keepdims: bool) -> Tensor:
        y = Tensor(getattr(kernels.of(x.array), kernel)(x.array, axes, keepdims))
        ctx.axes, ctx.keepdims, ctx.kernel = axes, keepdims, kernel
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, y = ctx.saved_tensors
        gy, y = (_restore(t, x.array.shape, ctx.axes, ctx.keepdims) for t in (gy, y))
        winners = cast(eq(x, y), x.array.dtype)
        return mul(winners, div(gy, Sum.apply(winners, ctx.axes, True) if ctx.axes else winners)), None, None, None

    def name(self) -> str:
        return self.kernel.capitalize()


def _extreme(input: Tensor, kernel: str, dim: Any, keepdim: bool) -> Tensor:
    axes = axes_of(input, None if dim == () else dim, kernel)
    if not input.numel() and any([input.array.shape[a] == 0 for a in axes]):
        raise RuntimeError(f"{kernel}: no extreme of nothing: input has shape {tuple(input.array.shape)}, dim is {dim}")
    return Extreme.apply(input, kernel, axes, keepdim)


def amax(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Maximum over ``dim`` (() for all); equals share the gradient.

    Raises:
        RuntimeError: a reduced axis is empty.
    """
    return _extreme(input, "amax", dim, keepdim)


def amin(input: Tensor, dim: Any = (), keepdim: bool = False) -> Tensor:
    """Minimum over ``dim`` (() for all); equals share the gradient."""
    return _extreme(input, "amin", dim, keepdim)


def _arg(input: Tensor, kernel: str, dim: int | None, keepdim: bool) -> Tensor:
    x = input.detach()
    if dim is None:
        x = x.reshape(-1)
    axis = axes_of(x, 0 if dim is None else dim, kernel)
    if any([x.array.shape[a] == 0 for a in axis]):
        raise RuntimeError(f"{kernel}: no extreme of nothing: input has shape {tuple(input.array.shape)}, dim is {dim}")
    if not axis:  # 0-d
        return Tensor(kernels.of(x.array).full((), 0, dtypes.int64.numpy))
    out = Tensor(getattr(kernels.of(x.array), kernel)(x.array, axis[0]))
    if not keepdim:
        return out
    return out.reshape((1,) * input.array.ndim) if dim is None else out.unsqueeze(axis[0])


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """int64: where the maximum is along ``dim`` (None: in the flattened tensor). The first of equals; NaN counts as
    largest."""
    return _arg(input, "argmax", dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """int64: where the minimum is along ``dim`` (None: in the flattened tensor). The first of equals; NaN counts as
    smallest."""
    return _arg(input, "argmin", dim, keepdim)


class ValuesAndIndices(NamedTuple):
    """What ``max`` and ``min`` along a dim return."""

    values: Tensor
    indices: Tensor


class Pick(Function):
    """y = x at one index along an axis (kept, with size 1);  gx = gy there, 0 elsewhere."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, indices: Tensor, axis: int, kernel: str) -> Tensor:
        ctx.axis, ctx.size = axis, x.array.shape[axis]
        ctx.save_for_backward(indices)
        return Tensor(getattr(kernels.of(x.array), kernel)(x.array, (axis,), True))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (indices,) = ctx.saved_tensors
        shape = [1] * indices.array.ndim
        shape[ctx.axis] = ctx.size
        backend = kernels.of(gy.array)
        places = Tensor(backend.arange(0, ctx.size, 1, dtypes.int64.numpy)).reshape(shape)
        return where(eq(places, indices), gy, 0), None, None, None


def _extreme_along(input: Tensor, dim: int, keepdim: bool, kernel: str) -> ValuesAndIndices:
    axis = axes_of(input, dim, kernel[1:])
    if not axis:
        return ValuesAndIndices(input.clone(), _arg(input, "arg" + kernel[1:], None, False))
    indices = _arg(input, "arg" + kernel[1:], axis[0], True)
    values = Pick.apply(input, indices, axis[0], kernel)
    if not keepdim:
        values, indices = values.squeeze(axis[0]), indices.squeeze(axis[0])
    return ValuesAndIndices(values, indices)


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """``max(x)``: the largest element. ``max(x, dim)``: (values, indices) along ``dim``, the gradient goes to that
    index. ``max(x, y)``: :func:`tinyconv.maximum`."""
    if isinstance(dim, Tensor):
        return input.maximum(dim)
    return amax(input) if dim is None else _extreme_along(input, dim, keepdim, "amax")


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """``min(x)``: the smallest element. ``min(x, dim)``: (values, indices) along ``dim``. ``min(x, y)``:
    :func:`tinyconv.minimum`."""
    if isinstance(dim, Tensor):
        return input.minimum(dim)
    return amin(input) if dim is None else _extreme_along(input, dim, keepdim, "amin")


def all(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """bool: whether all elements (along ``dim``) are non-zero."""
    return eq(sum(eq(input, 0), dim, keepdim), 0)


def any_(input: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """bool: whether any element (along ``dim``) is non-zero."""
    return sum(eq(input, 0).logical_not(), dim, keepdim) > 0


def contains(input: Tensor, element: Any) -> bool:
    """Whether any element equals ``element``: ``3 in x``."""
    return bool(any_(eq(input, element)))
