"""Running totals along an axis: ``cumsum``, ``cumprod``, ``cummax``, ``cummin``; and ``prod``, where one ends.

In y[i] = x[0] + ... + x[i] each x[k] is in every total from k on, so gx is the running total of gy from the other end.
In a running product x[k] is in the same ones, and the slope of y[i] is the product of the others, y[i] / x[k]; where an
x is 0 the others must be multiplied without it.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from . import return_types
from .compare import eq, ne, where
from .convert import cast
from .elementary import logaddexp
from .elementwise import add, div, mul, sub
from .gather import index_along
from .index import Scatter, counting
from .inplace import change
from .join import cat
from .reduce import any_, axes_of, restored, sum
from .shape import atleast_1d, permute, reshape, unsqueeze, view
from .types import expect


class Cumsum(Function):
    """y[i] = sum of x[k], k <= i;  gx[k] = sum of gy[i], i >= k."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        ctx.axis = axis
        return wrap(kernels.of(x.array).cumsum(x.array, axis))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return _from_the_end(gy, ctx.axis), None


def _from_the_end(x: Tensor, axis: int) -> Tensor:
    """y[k] = sum of x[i], i >= k."""
    return x.flip(axis).cumsum(axis).flip(axis)


class Cumprod(Function):
    """y[i] = product of x[k], k <= i;  gx[k] = sum over i >= k of gy[i] * (the product of the other x[j], j <= i)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int) -> Tensor:
        y = wrap(kernels.of(x.array).cumprod(x.array, axis))
        ctx.axis = axis
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (x, y), axis = ctx.saved_tensors, ctx.axis
        if not any_(eq(x, 0)).item():
            return div(_from_the_end(mul(gy, y), axis), x), None
        # others[k, i] = product of x[j], j <= i and j != k: in row k of a square x[k] is taken for 1
        n = x.array.shape[axis]
        k = view(counting(n, x), [-1] + [1] * x.array.ndim)
        i = view(counting(n, x), [-1 if d == axis else 1 for d in range(x.array.ndim)])
        others = where(eq(k, i), 1.0, unsqueeze(x, 0)).cumprod(axis + 1)
        gx = sum(where(i >= k, mul(unsqueeze(gy, 0), others), 0.0), axis + 1)
        return permute(gx, [*range(1, axis + 1), 0, *range(axis + 1, x.array.ndim)]), None


class Prod(Function):
    """y = product of x over axes;  gx[k] = gy * (the product of the others)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple, keepdims: bool) -> Tensor:
        y = wrap(kernels.of(x.array).prod(x.array, axes, keepdims))
        ctx.axes, ctx.keepdims = axes, keepdims
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (x, y), axes = ctx.saved_tensors, ctx.axes
        shape = tuple(x.array.shape)
        gy, y = (restored(t, shape, axes, ctx.keepdims) for t in (gy, y))
        if not any_(eq(x, 0)).item() and not any_(eq(y, 0)).item():  # y may underflow to 0
            return div(mul(gy, y), x), None, None
        order = (*[d for d in range(len(shape)) if d not in axes], *axes)
        kept = [shape[d] for d in order[: len(shape) - len(axes)]]
        lines = reshape(permute(x, order), (*kept, math.prod([shape[d] for d in axes])))
        one = x.new_ones((*kept, 1))
        before, after = _products_before(lines, one), _products_before(lines.flip(-1), one).flip(-1)
        others = permute(
            reshape(mul(before, after), [shape[d] for d in order]), [order.index(d) for d in range(len(order))]
        )
        return mul(gy, others), None, None


def _products_before(x: Tensor, one: Tensor) -> Tensor:
    """y[k] = product of x[j], j < k, along the last axis."""
    return cat([one, x[..., :-1]], -1).cumprod(-1)


class Leaders(Function):
    """values = the largest (smallest) x so far, indices = where it is;  gx = each gy added where its value was."""

    kernel: str

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: str, axis: int) -> tuple:
        values, indices = [wrap(y) for y in getattr(kernels.of(x.array), kernel)(x.array, axis)]
        ctx.kernel, ctx.axis = kernel, axis
        ctx.save_for_backward(indices)
        return values, indices

    @staticmethod
    def backward(ctx: Any, gvalues: Tensor, gindices: Any) -> tuple:
        (indices,) = ctx.saved_tensors
        return Scatter.apply(gvalues, indices.array.shape, index_along(indices, ctx.axis)), None, None

    def operation(self) -> str:
        return self.kernel.capitalize()


def _running(input: Tensor, dim: int, dtype: Any, function: Any, name: str) -> Tensor:
    axes = axes_of(input, dim, name)
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    y = function.apply(input, axes[0]) if axes else function.apply(reshape(input, 1), 0).reshape(())
    return y if dtype is None else cast(y, dtypes.as_numpy(dtype))


def cumsum(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """``y[i] = input[0] + ... + input[i]`` along ``dim``; integers and bools add up as int64.

    Args:
        input: any shape.
        dim: the axis.
        dtype: cast to this type first.
    """
    return _running(input, dim, dtype, Cumsum, "cumsum")


def cumprod(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """``y[i] = input[0] * ... * input[i]`` along ``dim``; as :func:`cumsum`."""
    return _running(input, dim, dtype, Cumprod, "cumprod")


def _in_place(operation: Any) -> Any:
    """The in-place form of a running total, which stays in the type of its tensor."""

    @functools.wraps(operation)
    def method(input: Tensor, dim: int, *, dtype: dtypes.dtype | None = None) -> Tensor:
        if dtype not in (None, input.dtype):
            raise RuntimeError(f"{method.__name__}: dtype must be that of the tensor, {input.dtype}, got {dtype}")
        return change(input, method.__name__, operation, dim, dtype=input.dtype)

    method.__name__ = method.__qualname__ = f"{operation.__name__}_"
    method.__doc__ = f":func:`tinyconv.{operation.__name__}` in the type of this tensor, in place."
    return method


cumsum_, cumprod_ = _in_place(cumsum), _in_place(cumprod)


def logcumsumexp(input: Tensor, dim: int) -> Tensor:
    """``y[i] = log(e**input[0] + ... + e**input[i])`` along ``dim``, without overflow, and exact also where the first
    numbers are much smaller than the last.

    Each of log2(n) steps adds to every number the one 1, 2, 4, ... places before it (Hillis and Steele, "Data parallel
    algorithms", Communications of the ACM 29, 1986).
    """
    expect("logcumsumexp", "f", input=input)
    axes = axes_of(input, dim, "logcumsumexp")
    if not axes:
        return input.clone()
    y, (axis,), reach = input, axes, 1
    n = input.array.shape[axis]
    while reach < n:
        sums = logaddexp(y.narrow(axis, reach, n - reach), y.narrow(axis, 0, n - reach))
        y, reach = cat([y.narrow(axis, 0, reach), sums], axis), 2 * reach
    return y if y is not input else input.clone()


def _leaders(input: Tensor, dim: int, kernel: str) -> Any:
    axes = axes_of(input, dim, kernel)
    named = getattr(return_types, kernel)
    if axes:
        return named(*Leaders.apply(input, kernel, axes[0]))
    return named(*[y.reshape(()) for y in Leaders.apply(reshape(input, 1), kernel, 0)])


def cummax(input: Tensor, dim: int) -> Any:
    """(values, indices): the largest of ``input[0..i]`` along ``dim``, and where it is (the last of equals); NaN counts
    as largest."""
    return _leaders(input, dim, "cummax")


def cummin(input: Tensor, dim: int) -> Any:
    """(values, indices): the smallest of ``input[0..i]`` along ``dim``, and where it is (the last of equals); NaN
    counts as smallest."""
    return _leaders(input, dim, "cummin")


def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Tensor | None = None,
         append: Tensor | None = None) -> Tensor:  # fmt: skip
    """The differences of neighbours along ``dim``, ``n`` times; of bools whether they differ.

    Args:
        input: at least 1-D.
        n: how often.
        dim: the axis.
        prepend, append: joined to ``input`` first.

    Raises:
        RuntimeError: no dimensions, or a negative ``n``.
    """
    if not input.array.ndim:
        raise RuntimeError("diff: a tensor without dimensions has no neighbours")
    if n < 0:
        raise RuntimeError(f"diff: n must not be negative, got {n}")
    axis = axes_of(input, dim, "diff")[0]
    if prepend is not None or append is not None:
        input = cat([x for x in (prepend, input, append) if x is not None], axis)
    before = (slice(None),) * axis
    for _ in range(n if n < input.array.shape[axis] else input.array.shape[axis]):
        later, earlier = input[(*before, slice(1, None))], input[(*before, slice(-1))]
        input = ne(later, earlier) if input.dtype is dtypes.boolean else sub(later, earlier)
    return input


def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integral of a function by the trapezoidal rule: the mean of each two neighbours times their distance, summed.

    Args:
        y: its values.
        x: where they are: a vector, or a tensor that broadcasts to ``y``.
        dx: their distance, without ``x``.
        dim: the axis.

    Raises:
        RuntimeError: bools, or an ``x`` of another length.
    """
    axes = axes_of(y, dim, "trapezoid")
    if axes and not y.array.shape[axes[0]]:
        return sum(y, axes[0])
    areas, axis = _areas(y, x, dx, dim, "trapezoid")
    return div(sum(areas, axis), 2)


def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integrals from the first place to each of the others: :func:`trapezoid`, whose arguments these are, of the
    first two values, of the first three, and so on."""
    areas, axis = _areas(y, x, dx, dim, "cumulative_trapezoid")
    return div(cumsum(areas, axis), 2)


def _areas(y: Tensor, x: Tensor | None, dx: float, dim: int, name: str) -> tuple[Tensor, int]:
    """Twice the area under each two neighbours, and the axis they follow one another on."""
    expect(name, "iuf", y=y, **({} if x is None else {"x": x}))
    axes = axes_of(y, dim, name)
    if not axes:
        raise IndexError(f"{name}: y must have at least 1 dimension")
    (axis,) = axes
    n = y.array.shape[axis]
    steps: Any = dx
    if x is not None:
        if x.array.ndim == 1 and x.array.shape[0] != n:
            raise RuntimeError(f"{name}: x must have {n} elements, as y along dim {dim}, got {x.array.shape[0]}")
        if x.array.ndim == 1:
            x = reshape(x, [n if d == axis else 1 for d in range(y.array.ndim)])
        elif x.array.ndim < y.array.ndim:
            x = reshape(x, (1,) * (y.array.ndim - x.array.ndim) + tuple(x.array.shape))
        steps = diff(x, dim=axis)
    return mul(add(y.narrow(axis, 0, n - 1), y.narrow(axis, 1, n - 1)), steps), axis


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Vandermonde's matrix: a row for each element of a vector, of its powers from ``N - 1`` down to 0.

    Args:
        x: 1-D.
        N: how many powers; by default as many as elements.
        increasing: from 0 up.
    """
    if x.array.ndim != 1:
        raise RuntimeError(f"vander: x must be a vector, got shape {tuple(x.array.shape)}")
    N = x.array.shape[0] if N is None else N
    if N < 0:
        raise RuntimeError(f"vander: N must not be negative, got {N}")
    powers = _powers(x, N)
    return powers if increasing else powers.flip(1)


def linalg_vander(x: Tensor, *, N: int | None = None) -> Tensor:
    """Vandermonde's matrices ``(..., n, N)``: a row for each element of vectors ``(..., n)``, of its powers from 0 up
    to ``N - 1``.

    Args:
        x: any shape; at least 1-D without N.
        N: how many powers, at least 2; by default as many as elements.

    Raises:
        RuntimeError: no vectors, bools, or too few powers.
    """
    expect("linalg.vander", "iuf", x=x)
    N = x.array.shape[-1] if N is None and x.array.ndim else N
    if N is None or N < 2:
        raise RuntimeError(f"linalg.vander: expected vectors and N > 1, got shape {tuple(x.array.shape)} and N {N}")
    return _powers(atleast_1d(x), N)


def _powers(x: Tensor, N: int) -> Tensor:
    """The powers of each element from 0 to ``N - 1``, along a new last axis."""
    shape = x.array.shape
    rising = cumprod(unsqueeze(x, -1).expand(*shape, max(N - 1, 0)), -1)
    return cat([x.new_ones((*shape, 1), dtype=rising.dtype), rising], -1).narrow(-1, 0, N)


def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None) -> Tensor:
    """The product of all elements, or along ``dim``; 1 of nothing. Integers and bools multiply as int64.

    Args:
        input: any shape.
        dim: one axis, or None for all.
        keepdim: leave it as an axis of size 1.
        dtype: cast to this type first.
    """
    if dtype is not None:
        input = cast(input, dtypes.as_numpy(dtype))
    y = Prod.apply(input, axes_of(input, dim, "prod"), keepdim)
    return y if dtype is None else cast(y, dtypes.as_numpy(dtype))
