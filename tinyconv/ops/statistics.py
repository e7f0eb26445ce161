"""Variance, standard deviation, covariance, and counts: ``var``, ``std``, ``cov``, ``histc``,
``histogram``, ``bincount``."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd import Function
from ..tensor import Tensor
from . import return_types
from .compare import clamp, eq, where
from .convert import cast
from .creation import linspace
from .diagonal import diagonal
from .elementary import sqrt
from .elementwise import div, mul, sub
from .index import Scatter
from .matmul import matmul
from .reduce import Sum, axes_of, elements_along, mean, restored, sum
from .shape import reshape, squeeze, t, unsqueeze
from .sort import searchsorted
from .types import expect, floating, number


class Variance(Function):
    """y = sum((x - mean)**2) / f over axes;  gx = gy * 2 / f * (x - mean). (What the mean passes on is 0 in sum.)"""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple, keepdims: bool, freedom: float) -> Tensor:
        ctx.axes, ctx.keepdims, ctx.freedom = axes, keepdims, freedom
        ctx.save_for_backward(x)
        off = sub(x, mean(x, axes, True))
        return div(Sum.apply(mul(off, off), axes, keepdims), freedom)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (x,) = ctx.saved_tensors
        off = sub(x, mean(x, ctx.axes, True))
        return mul(div(mul(restored(gy, x.array.shape, ctx.axes, ctx.keepdims), 2), ctx.freedom), off), None, None, None


def _variance(
    x: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any, name: str, wider: bool = False
) -> tuple[Tensor, tuple]:
    """Variance ``sum((x - mean)**2) / (n - correction)`` over ``dim``, and the axes that this means; ``unbiased`` says
    a correction of 1. ``wider``: in a type that holds the squares of all numbers like ``x``; float16 is always
    added up in a wider one."""
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if x.array.dtype.kind != "f":
        raise RuntimeError(f"{name}: input must be floating point, got {x.dtype}")
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{name}: expected unbiased or correction, got both")
        correction = int(unbiased)
    axes = axes_of(x, None if dim == () else dim, name)
    freedom = max(0, elements_along(x, axes) - (1 if correction is None else correction))
    wide = dtypes.float32 if x.dtype is dtypes.float16 else dtypes.float64 if wider else x.dtype
    variance = Variance.apply(cast(x, wide.numpy), axes, keepdim, freedom)
    return (variance if wider else cast(variance, x.array.dtype)), axes


def _deviation(
    input: Tensor, dim: Any, unbiased: Any, keepdim: bool, correction: Any, name: str
) -> tuple[Tensor, tuple]:
    """The standard deviation, and the axes; as :func:`_variance`."""
    variance, axes = _variance(input, dim, unbiased, keepdim, correction, name, wider=True)
    return cast(root(variance), input.array.dtype), axes


def root(x: Tensor) -> Tensor:
    """The square root, whose gradient at 0 is taken for 0, not infinity: where all elements are equal, or all are 0,
    none has a direction to go."""
    zero = eq(x, 0)
    return where(zero, 0.0, sqrt(where(zero, 1.0, x)))


def var(input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = None) -> Tensor:  # fmt: skip
    """Variance over ``dim``: ``sum((x - mean)**2) / (n - correction)``.

    Args:
        input: floating point.
        dim: an axis, several, or None for all. ``var(x, False)`` is ``var(x, unbiased=False)``.
        unbiased: the older way to say ``correction=1`` (True) or 0.
        keepdim: leave the axes with size 1.
        correction: default 1, Bessel's.

    Raises:
        RuntimeError: ``input`` is not floating point.
    """
    return _variance(input, dim, unbiased, keepdim, correction, "var")[0]


def std(input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
        correction: float | None = None) -> Tensor:  # fmt: skip
    """Standard deviation: the square root of :func:`var`."""
    return _deviation(input, dim, unbiased, keepdim, correction, "std")[0]


def var_mean(input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(variance, mean) over ``dim``; as :func:`var`."""
    variance, axes = _variance(input, dim, unbiased, keepdim, correction, "var_mean")
    return variance, mean(input, axes, keepdim)


def std_mean(input: Tensor, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *,
             correction: float | None = None) -> tuple[Tensor, Tensor]:  # fmt: skip
    """(standard deviation, mean) over ``dim``; as :func:`var`."""
    deviation, axes = _deviation(input, dim, unbiased, keepdim, correction, "std_mean")
    return deviation, mean(input, axes, keepdim)


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of ``bins`` equal intervals of [min, max]; those outside are not counted.

    Args:
        input: floating point, any shape.
        bins: how many.
        min, max: if equal, the extremes of ``input``.

    Returns:
        ``(bins,)``, of the type of ``input``.

    Raises:
        RuntimeError: no bins, ``max < min``, limits that are not finite, or integers.
    """
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"histc: input must be floating point, got {input.dtype}")
    x = reshape(input.detach(), -1)
    low, high = number(min, "histc: min"), number(max, "histc: max")
    if bins < 1:
        raise RuntimeError(f"histc: bins must be positive, got {bins}")
    if low == high and x.numel():
        low, high = x.amin().item(), x.amax().item()
    if low == high:
        low, high = low - 1, high + 1
    if not float("-inf") < low < high < float("inf"):
        raise RuntimeError(f"histc: min and max must be finite and in order, got {low} and {high}")
    x = x[(x >= low) & (x <= high)]
    place = cast(mul(div(sub(x, low), high - low), bins), dtypes.int64.numpy)
    place = where(eq(place, bins), bins - 1, place)
    return Scatter.apply(x.new_ones(x.shape), (bins,), place.array)


def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many elements fall into each interval [edge, next edge); the last one has its right edge, too.

    Args:
        input: floating point, any shape.
        bins: how many equal intervals, or the edges: 2 or more, increasing, of the type of ``input``.
        range: the first and the last edge of equal intervals (default: the extremes of ``input``); if both are the
            same, 0.5 less and 0.5 more.
        weight: what each element counts, of the shape and type of ``input``; 1 if not given.
        density: divide by the total and by each interval's width, so that the area is 1.

    Returns:
        A named tuple (hist, bin_edges) of the type of ``input``.

    Raises:
        RuntimeError: no bins, limits that are not finite or in the wrong order, other types, a ``weight`` of
            another shape.
    """
    if input.array.dtype.kind != "f":
        raise RuntimeError(f"histogram: input must be floating point, got {input.dtype}")
    x = reshape(input.detach(), -1)
    if isinstance(bins, Tensor):
        edges = bins.detach().clone()
        if range is not None:
            raise TypeError("histogram: range is for a number of bins; the edges were given")
        if edges.array.ndim != 1 or edges.numel() < 2 or edges.dtype != input.dtype:
            raise RuntimeError(
                f"histogram: the edges must be a vector of 2 or more, of the type of input, {input.dtype}, "
                f"got {edges.dtype} of shape {tuple(edges.array.shape)}"
            )
    else:
        if bins < 1:
            raise RuntimeError(f"histogram: bins must be positive, got {bins}")
        if range is not None:
            low, high = [number(end, "histogram: range") for end in range]
        else:
            low, high = (x.amin().item(), x.amax().item()) if x.numel() else (0.5, 0.5)
        if low == high:
            low, high = low - 0.5, high + 0.5
        if not float("-inf") < low < high < float("inf"):
            raise RuntimeError(f"histogram: the range must be finite and in order, got {low} and {high}")
        edges = linspace(low, high, bins + 1, dtype=input.dtype, device=input.device)
    counts = edges.numel() - 1
    if weight is not None and (weight.array.shape, weight.dtype) != (input.array.shape, input.dtype):
        raise RuntimeError(
            f"histogram: weight must be as input, {input.dtype} of shape {tuple(input.array.shape)}, "
            f"got {weight.dtype} of shape {tuple(weight.array.shape)}"
        )
    each = x.new_ones(x.shape) if weight is None else reshape(weight.detach(), -1)
    inside = (x >= edges[0]) & (x <= edges[-1])
    x, each = x[inside], each[inside]
    place = searchsorted(edges, x, right=True) - 1
    hist = Scatter.apply(each, (counts,), where(eq(place, counts), counts - 1, place).array)
    if density:
        hist = div(div(hist, sum(hist)), edges[1:] - edges[:-1])
    return return_types.histogram(hist, edges)


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often (with what total weight) each of 0, 1, 2, ... occurs.

    Args:
        input: 1-D integers, not negative.
        weights: of the same shape.
        minlength: at least so many counts.

    Returns:
        int64 counts, or totals of the type of ``weights`` (float64 unless that is float32; of nothing, int64 again).

    Raises:
        RuntimeError: another type or shape, negative numbers.
    """
    if input.array.ndim != 1 or input.array.dtype.kind not in "iu":
        raise RuntimeError(f"bincount: input must be 1-D integers, got {input.dtype} of shape {tuple(input.shape)}")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength must not be negative, got {minlength}")
    if input.numel() and input.amin().item() < 0:
        raise RuntimeError(f"bincount: input must not be negative, it holds {input.amin().item()}")
    if weights is None:
        weights = input.new_ones(input.shape, dtype=dtypes.int64)
    elif weights.array.shape != input.array.shape:
        raise RuntimeError(
            f"bincount: weights must have the shape of input, {tuple(input.shape)}, got {tuple(weights.shape)}"
        )
    elif weights.dtype is not dtypes.float32:
        weights = cast(weights, dtypes.float64.numpy)
    if not input.numel():
        return weights.new_zeros(minlength, dtype=dtypes.int64)
    n = input.amax().item() + 1
    size = n if n > minlength else minlength
    return Scatter.apply(weights.detach(), (size,), cast(input, dtypes.int64.numpy).array)


def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of variables: the mean product of their deviations.

    Args:
        input: ``(variables, observations)``, or the observations of one variable.
        correction: subtracted from the number of observations: 1 is Bessel's.
        fweights: ``(observations,)`` integers: how often each was made.
        aweights: ``(observations,)``: how much each counts.

    Returns:
        ``(variables, variables)``; a 0-d tensor for one variable.

    Raises:
        RuntimeError: more than two dimensions, bools, or weights of another shape.
    """
    if input.array.ndim > 2 or input.array.dtype.kind == "b":
        raise RuntimeError(f"cov: expected numbers in 2 dimensions, got {input.dtype} of shape {tuple(input.shape)}")
    x = reshape(floating(input), (1, -1)) if input.array.ndim < 2 else floating(input)
    n = x.array.shape[1]
    weights = x.new_ones(n)
    for name, kinds, given in (("fweights", "iu", fweights), ("aweights", "f", aweights)):
        if given is not None:
            expect("cov", kinds, **{name: given})
            if given.array.shape != (n,):
                raise RuntimeError(f"cov: {name} must have shape ({n},), got {tuple(given.array.shape)}")
            weights = mul(weights, given)
    total = sum(weights)
    spent = correction if aweights is None else div(mul(sum(mul(weights, aweights)), correction), total)
    off = sub(x, unsqueeze(div(sum(mul(x, weights), 1), total), 1))
    return squeeze(div(matmul(off, t(mul(off, weights))), clamp(sub(total, spent), 0)))


def corrcoef(input: Tensor) -> Tensor:
    """Pearson's correlations of variables, from -1 to 1: :func:`cov` divided by both standard deviations."""
    covariances = cov(input)
    if not covariances.array.ndim:
        return div(covariances, covariances)
    deviations = sqrt(diagonal(covariances))
    return clamp(div(div(covariances, unsqueeze(deviations, 1)), deviations), -1, 1)
