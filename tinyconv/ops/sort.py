"""Order: ``sort``, ``topk``, ``median``, ``unique``, ``searchsorted`` and what else begins with sorting.

Sorting moves elements, so its gradient moves back: gy[i] goes where the i-th value came from.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from . import return_types
from .compare import clamp, eq, isinf, ne, where
from .convert import cast
from .cumulative import cummax, cumsum
from .elementwise import add, mul, sub
from .gather import gather, index_along, nonzero, scatter, take_along_dim
from .index import Scatter, counting
from .join import cat
from .logic import logical_and, logical_not
from .reduce import any_, argmax, axes_of, check_order, shared_among_equals, sum
from .shape import flatten, movedim, reshape, squeeze, unsqueeze, view
from .types import floating, operands


class Sort(Function):
    """values = the first elements of x in order, indices = where they were;  gx = each gy where its value was."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, descending: bool, count: int) -> tuple:
        values, indices = [wrap(y) for y in kernels.of(x.array).sort(x.array, axis, descending, count)]
        ctx.axis, ctx.shape = axis, x.array.shape
        ctx.save_for_backward(indices)
        return values, indices

    @staticmethod
    def backward(ctx: Any, gvalues: Tensor, gindices: Any) -> tuple:
        (indices,) = ctx.saved_tensors
        return Scatter.apply(gvalues, ctx.shape, index_along(indices, ctx.axis)), None, None, None


def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """(values, indices): ``input`` in order along ``dim``, and where each value was.

    Args:
        input: any shape.
        dim: the axis.
        descending: the largest first.
        stable: accepted: equals always keep their order.

    Returns:
        A named tuple. NaN counts as larger than any number.
    """
    axes = axes_of(input, dim, "sort")
    if not axes:
        return return_types.sort(input.clone(), input.new_zeros((), dtype=dtypes.int64))
    return return_types.sort(*Sort.apply(input, axes[0], descending, input.array.shape[axes[0]]))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices of :func:`sort`."""
    return sort(input.detach(), dim, descending)[1]


def msort(input: Tensor) -> Tensor:
    """The values of :func:`sort` along the first axis."""
    return sort(input, 0)[0]


def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """(values, indices) of the ``k`` largest (or smallest) elements along ``dim``, in order.

    Raises:
        RuntimeError: ``k`` is negative or exceeds the axis.
    """
    check_order(input, "topk")
    axes = axes_of(input, dim, "topk")
    n = input.array.shape[axes[0]] if axes else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"topk: k must be in [0, {n}] for dim {dim} of shape {tuple(input.array.shape)}, got {k}")
    if not axes:
        return return_types.topk(*sort(input, dim))
    return return_types.topk(*Sort.apply(input, axes[0], largest, k))


def _one_in_order(input: Tensor, place: Any, dim: int, keepdim: bool, named: Any) -> Any:
    """The (values, indices) that ``place(values, indices, axis)`` picks from the sorted ``input`` along ``dim``: it
    returns the places in ``input``, with the axis kept."""
    if named is not return_types.mode:
        check_order(input, named.__name__)
    axes = axes_of(input, dim, named.__name__)
    if not axes:
        return named(input.clone(), input.new_zeros((), dtype=dtypes.int64))
    axis = axes[0]
    if not input.array.shape[axis]:
        raise IndexError(f"{named.__name__}: dim {dim} of shape {tuple(input.array.shape)} has no elements")
    indices = place(*sort(input.detach(), axis), axis)
    values = gather(input, axis, indices)
    return named(values, indices) if keepdim else named(squeeze(values, axis), squeeze(indices, axis))


def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the ``k``-th smallest element along ``dim``, counted from 1.

    Raises:
        RuntimeError: ``k`` is outside of [1, the size of the axis].
    """
    n = input.array.shape[dim] if axes_of(input, dim, "kthvalue") else 1
    if n and not 1 <= k <= n:
        raise RuntimeError(f"kthvalue: k must be in [1, {n}], got {k}")
    return _one_in_order(input, lambda _, indices, axis: indices.narrow(axis, k - 1, 1), dim, keepdim,
                         return_types.kthvalue)  # fmt: skip


class MedianOfAll(Function):
    """y = the median (as ``along`` finds it) of all elements of x;  gx = gy shared equally among those that equal y."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, along: Any) -> Tensor:
        y = along(flatten(x), 0)[0]
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, y = ctx.saved_tensors
        return shared_among_equals(gy, x, y, tuple(range(x.array.ndim)), True), None


def _median_of_all(input: Tensor, along: Any) -> Tensor:
    check_order(input, along.__name__)
    if not input.numel():  # NaN, or what stands for it among integers
        return input.new_full((), float("nan") if input.array.dtype.kind == "f" else dtypes.iinfo(input.dtype).min)
    return MedianOfAll.apply(input, along)


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower of the two middle elements: of all (a 0-d tensor, whose gradient is shared by all elements that equal
    it), or (values, indices) along ``dim``. NaN if any is NaN."""
    if dim is None:
        return _median_of_all(input, median)

    def place(values: Tensor, indices: Tensor, axis: int) -> Tensor:
        n = values.array.shape[axis]
        last = values.narrow(axis, n - 1, 1)
        first_nan = argmax(input.detach(), axis, True)
        return where(ne(last, last), first_nan, indices.narrow(axis, (n - 1) // 2, 1))

    return _one_in_order(input, place, dim, keepdim, return_types.median)


def nanmedian(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """:func:`median` of the elements that are not NaN; NaN if there are none."""
    if dim is None:
        return _median_of_all(input, nanmedian)

    def place(values: Tensor, indices: Tensor, axis: int) -> Tensor:
        count = sum(eq(values, values), axis, True)
        middle = cast((cast(count, dtypes.float64.numpy) - 1) / 2, dtypes.int64.numpy)  # truncated: the lower one
        return gather(indices, axis, middle)

    return _one_in_order(input, place, dim, keepdim, return_types.nanmedian)


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """(values, indices) of the commonest element along ``dim``: the smallest of equally common ones, and its last
    place."""

    def place(values: Tensor, indices: Tensor, axis: int) -> Tensor:
        n = values.array.shape[axis]
        at = view(counting(n, values), [-1 if d == axis else 1 for d in range(values.array.ndim)])
        starts = cummax(where(_differs_from_before(values, axis), at, 0), axis)[0]
        return gather(indices, axis, argmax(sub(at, starts), axis, True))

    return _one_in_order(input, place, dim, keepdim, return_types.mode)


def _differs_from_before(x: Tensor, axis: int) -> Tensor:
    """bool: whether each element differs from the one before it along an axis; the first does."""
    n = x.array.shape[axis]
    first = x.new_ones([min(n, 1) if d == axis else size for d, size in enumerate(x.array.shape)], dtype=dtypes.boolean)
    return cat([first, ne(x.narrow(axis, 1, n - 1), x.narrow(axis, 0, n - 1))], axis) if n > 1 else first


# -------------------------------------------------------------------------------------------------------- quantiles


def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
             interpolation: str = "linear") -> Tensor:  # fmt: skip
    """The values that a share ``q`` of the elements does not exceed: at the place ``q * (n - 1)`` in order.

    Args:
        input: floating point.
        q: a number in [0, 1], or a vector of them, which becomes the first axis of the result.
        dim: the axis; None flattens.
        keepdim: leave it as an axis of size 1.
        interpolation: between two elements: "linear", "lower", "higher", "nearest" or "midpoint".

    Returns:
        NaN where any element is NaN.

    Raises:
        RuntimeError: ``q`` outside of [0, 1], no elements, or another interpolation.
    """
    return _quantile(input, q, dim, keepdim, interpolation, "quantile")


def nanquantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
                interpolation: str = "linear") -> Tensor:  # fmt: skip
    """:func:`quantile` of the elements that are not NaN; NaN if there are none."""
    return _quantile(input, q, dim, keepdim, interpolation, "nanquantile")


def _quantile(input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, name: str) -> Tensor:
    if interpolation not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise RuntimeError(f"{name}: interpolation {interpolation!r} is not known")
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}: input must be float32 or float64, got {input.dtype}")
    if not input.numel():
        raise RuntimeError(f"{name}: no elements: input has shape {tuple(input.array.shape)}")
    shares = q if isinstance(q, Tensor) else input.new_tensor(q)
    if shares.array.ndim > 1:
        raise RuntimeError(f"{name}: q must be a number or a vector, got shape {tuple(shares.array.shape)}")
    if shares.dtype is not input.dtype:
        raise RuntimeError(f"{name}: q must be {input.dtype} as input, got {shares.dtype}")
    if shares.numel() and not (shares.amin().item() >= 0 and shares.amax().item() <= 1):
        raise RuntimeError(f"{name}: q must be in [0, 1]")
    ndim = input.array.ndim
    x = flatten(input) if dim is None or not ndim else input
    axis = axes_of(x, 0 if dim is None else dim, name)[0]
    values = movedim(sort(x, axis)[0], axis, 0)  # (n, ...), NaN at the end
    last: Any = values.array.shape[0] - 1
    if name == "nanquantile":
        last = clamp(cast(sum(eq(values, values), 0), values.array.dtype) - 1, min=0)
    rank = mul(view(shares, [-1] + [1] * (values.array.ndim - 1)), last)
    below = cast(rank, dtypes.int64.numpy)
    weight = sub(rank, cast(below, rank.array.dtype))
    above = where(weight > 0, below + 1, below)
    if interpolation == "nearest":  # halves to the even place
        odd = ne(below, cast(below / 2, dtypes.int64.numpy) * 2)
        weight = cast((weight > 0.5) | ((weight == 0.5) & odd), rank.array.dtype)
    elif interpolation != "linear":
        share = {"lower": 0.0, "higher": 1.0, "midpoint": 0.5}[interpolation]
        weight = where(weight > 0, share, 0.0 * weight)
    low, high = (take_along_dim(values, places, 0) for places in (below, above))
    apart = sub(high, low)  # from the nearer one on, which keeps an infinity that is the farther one
    y = where(weight < 0.5, add(low, mul(apart, weight)), sub(high, mul(apart, sub(1, weight))))
    y = where(logical_and(eq(low, high), isinf(low)), low, y)  # not infinity minus infinity
    if name == "quantile":
        largest = values[-1:]
        y = where(ne(largest, largest), largest, y)
    if keepdim:
        y = reshape(y, (-1, *[1] * ndim)) if dim is None or not ndim else unsqueeze(y, axis + 1)
    return y if shares.array.ndim else y[0]


# ---------------------------------------------------------------------------------------------------- different values


def _groups(starts: Tensor) -> tuple[Tensor, Tensor]:
    """Of groups side by side, given where each begins: which group each element is in, and how many are in each."""
    group = cumsum(starts, 0) - 1
    first = nonzero(starts).reshape(-1)
    end = first.new_tensor([starts.numel()])
    return group, sub(cat([first[1:], end]), first) if first.numel() else first


def _row_starts(rows: Tensor) -> Tensor:
    """bool: whether each row differs from the one before it."""
    n = rows.array.shape[0]
    if n and not rows.numel():
        raise RuntimeError(f"unique: slices without elements cannot be compared (shape {tuple(rows.array.shape)})")
    return any_(_differs_from_before(reshape(rows, (n, -1)), 0), 1) if n else rows.new_ones(0, dtype=dtypes.boolean)


def _answer(values: Tensor, inverse: Tensor, counts: Tensor, return_inverse: bool, return_counts: bool) -> Any:
    out = (values, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return out if len(out) > 1 else values


def unique(input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
           dim: int | None = None) -> Any:  # fmt: skip
    """The different elements, in order (or, with ``dim``, the different slices along it).

    Args:
        input: any shape.
        sorted: accepted: the result always is.
        return_inverse: also return where each element (slice) of ``input`` is in the result.
        return_counts: also return how often each occurs.
        dim: compare slices along this axis.

    Returns:
        The values, or a tuple (values, inverse, counts) of what was asked for. Each NaN differs from all others.
    """
    x = input.detach()
    if dim is None:
        rows = reshape(x, -1)
        order = argsort(rows, 0)
    else:
        rows = movedim(x, axes_of(x, dim, "unique")[0], 0)
        order = counting(rows.array.shape[0], rows)
        for column in reversed(reshape(rows, (rows.array.shape[0], -1)).unbind(1)) if rows.numel() else ():
            order = order[argsort(column[order], 0)]  # stable: the first column decides, then the second, ...
    in_order = rows.index_select(0, order)
    starts = _row_starts(in_order)
    group, counts = _groups(starts)
    inverse = scatter(group, 0, order, group)
    values = in_order[starts]
    if dim is None:
        inverse = inverse.reshape(input.shape)
    else:
        values = movedim(values, 0, dim)
    return _answer(values, inverse, counts, return_inverse, return_counts)


def unique_consecutive(input: Tensor, return_inverse: bool = False, return_counts: bool = False,
                       dim: int | None = None) -> Any:  # fmt: skip
    """The elements (with ``dim``: slices) that differ from the one before; as :func:`unique`."""
    x = input.detach()
    rows = reshape(x, -1) if dim is None else movedim(x, axes_of(x, dim, "unique_consecutive")[0], 0)
    starts = _row_starts(rows)
    group, counts = _groups(starts)
    values = rows[starts]
    if dim is None:
        group = group.reshape(input.shape)
    else:
        values = movedim(values, 0, dim)
    return _answer(values, group, counts, return_inverse, return_counts)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """bool: whether each of ``elements`` is one of ``test_elements``. NaN is nowhere.

    Args:
        elements: a tensor or a number.
        test_elements: a tensor of any shape, or a number; one of the two must be a tensor.
        assume_unique: accepted: the answer is the same.
        invert: whether it is none of them.
    """
    x, known = operands(elements, test_elements, "isin", shapes=False)
    for given in (elements, test_elements):
        if isinstance(given, Tensor):
            check_order(given, "isin")
    x, known = (v if isinstance(v, Tensor) else w.new_tensor(v) for v, w in ((x, known), (known, x)))
    if known.numel():
        known = sort(known.detach().reshape(-1))[0]
        place = searchsorted(known, x.detach().contiguous())
        found = eq(known[clamp(place, max=known.numel() - 1)], x)
    else:
        found = x.new_zeros(x.array.shape, dtype=dtypes.boolean)
    return logical_not(found) if invert else found


def searchsorted(sorted_sequence: Tensor, input: Any, *, out_int32: bool = False, right: bool = False,
                 side: str | None = None, sorter: Tensor | None = None) -> Tensor:  # fmt: skip
    """Where to insert values so that an ordered sequence stays ordered: how many elements are smaller (with ``right``:
    not larger).

    Args:
        sorted_sequence: ``(n,)``, or ``(..., n)`` with the leading axes of ``input``; in ascending order.
        input: a number, or a tensor of any shape.
        out_int32: int32 instead of int64.
        right: equals are inserted behind, not before.
        side: "left" or "right": the same.
        sorter: int64, as ``sorted_sequence``: the places that bring it in order (its ``argsort``), if it is not.

    Raises:
        RuntimeError: leading axes that differ.
        ValueError: another ``side``.
    """
    if side not in (None, "left", "right"):
        raise ValueError(f'searchsorted: side must be "left" or "right", got {side!r}')
    sequence = sorted_sequence.detach()
    if sorter is not None:
        sequence = gather(sequence, -1, sorter)
    x = input.detach() if isinstance(input, Tensor) else sequence.new_full((), input, dtype=_type_of(sequence, input))
    shape = x.array.shape
    if sequence.array.ndim == 1:
        x = reshape(x, -1)
    elif sequence.array.shape[:-1] != shape[:-1]:
        raise RuntimeError(
            f"searchsorted: the shapes {tuple(sequence.array.shape)} and {tuple(shape)} differ before the last dim"
        )
    n, m = sequence.array.shape[-1], x.array.shape[-1]
    # Sorted together, values stand behind as many elements as we ask for. Equals keep their order: who comes first?
    right = right or side == "right"
    order = argsort(cat([sequence, x] if right else [x, sequence], -1), -1)
    is_value = order >= n if right else order < m
    before = cumsum(logical_not(is_value), -1)
    places = scatter(before, -1, order, before)
    places = reshape(places[..., n:] if right else places[..., :m], shape)
    return cast(places, dtypes.int32.numpy) if out_int32 else places


def _type_of(sequence: Tensor, number: Any) -> dtypes.dtype:
    return floating(sequence).dtype if isinstance(number, float) else sequence.dtype


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """Which of the buckets between ordered ``boundaries`` (a vector) each element is in: :func:`searchsorted`."""
    if boundaries.array.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries must be a vector, got shape {tuple(boundaries.array.shape)}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
