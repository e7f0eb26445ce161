"""Indexing by name: ``gather``, ``scatter``, ``index_select``, ``masked_fill``, ``nonzero``, ...

Each is ``x[index]`` or ``x[index] = y`` (:mod:`~tinyconv.ops.index`) with an index made from its arguments: ``gather(x,
1, i)`` is ``x[rows, i]`` with every place's own row. So gathering and adding up where it was gathered (``scatter_add``)
are each other's gradients.
"""

from __future__ import annotations

import operator
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .compare import ne, where
from .convert import cast
from .elementwise import add, floor_divide, mul, remainder
from .index import Gather, Scatter, Slice, Write, counting, index_put, index_tensor
from .join import cat, stack
from .reduce import sum
from .shape import atleast_1d, broadcast_tensors, dim_of, expand, max_1, reshape, sizes, view
from .types import broadcast_shape, fitting


def _places(index: Tensor, x: Tensor, axis: int, name: str, negative: bool = False, error: type = IndexError) -> Tensor:
    """``index`` into an axis of ``x``, checked.

    Raises:
        RuntimeError: not int64 or int32, or on another device.
        error: a place that ``x`` does not have.
    """
    if isinstance(index, Tensor) and index.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(f"{name}: index must be int64 or int32, got {index.dtype}")
    index = index_tensor(index, x, name)
    n = x.array.shape[axis] if x.array.ndim else 1
    if index.numel():
        low, high = index.amin().item(), index.amax().item()
        if low < (-n if negative else 0) or high >= n:
            raise error(
                f"{name}: index {low if high < n else high} is out of bounds for dim {axis} of size {n} (shape "
                f"{tuple(x.array.shape)})"
            )
    return index


def index_along(index: Tensor, axis: int) -> tuple:
    """The index of elements that differ from their own place in ``axis`` only: there they are at ``index``."""
    n = index.array.ndim
    lines = [view(counting(size, index), [-1 if j == i else 1 for j in range(n)]) for i, size in
             enumerate(index.array.shape)]  # fmt: skip
    return tuple([index.array if i == axis else line.array for i, line in enumerate(lines)])


def _line_index(x: Tensor, dim: int, index: Tensor, name: str) -> tuple:
    """The index of ``gather`` and ``scatter`` into ``x``, which has axes.

    Raises:
        RuntimeError: the index has another number of axes, or a longer one.
    """
    axis = dim_of(dim, x.array.ndim, name)
    index = _places(index, x, axis, name, error=RuntimeError)
    shape, size = x.array.shape, index.array.shape
    if index.numel():
        if len(shape) != len(size):
            raise RuntimeError(
                f"{name}: index must have as many dimensions as input, got shapes {tuple(size)} and {tuple(shape)}"
            )
        if any([i > n for d, (i, n) in enumerate(zip(size, shape)) if d != axis]):
            raise RuntimeError(
                f"{name}: index of shape {tuple(size)} does not fit into input of shape {tuple(shape)} apart from dim "
                f"{axis}"
            )
    return index_along(index, axis)


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Elements chosen along ``dim``: ``y[i, j] = input[i, index[i, j]]`` for dim 1.

    Args:
        input: any shape.
        dim: the axis.
        index: int64, as many axes as ``input``, none longer than it apart from ``dim``.
        sparse_grad: accepted; gradients are dense.

    Returns:
        The shape of ``index``.

    Raises:
        RuntimeError: a place out of bounds, an index of another type, or shapes that do not fit.
    """
    if not input.array.ndim or not index.array.ndim:  # a number is a vector of one
        return reshape(gather(atleast_1d(input), dim, atleast_1d(index)), index.array.shape)
    places = _line_index(input, dim, index, "gather")
    if not index.numel():
        return Gather.apply(reshape(input, -1), counting(0, input).array).reshape(index.array.shape)
    return Gather.apply(input, places)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """:func:`gather` after broadcasting both apart from ``dim`` (None: of the flattened tensors)."""
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    n = input.array.ndim
    if n != indices.array.ndim:
        raise RuntimeError(f"take_along_dim: input has {n} dimensions, indices has {indices.array.ndim}")
    axis = dim_of(dim, n, "take_along_dim")
    a, b = list(input.array.shape), list(indices.array.shape)
    size_a, size_b = a[axis], b[axis]
    a[axis] = b[axis] = 1
    shape = broadcast_shape(tuple(a), tuple(b), "take_along_dim")
    wide, places = (
        expand(x, (*shape[:axis], size, *shape[axis + 1 :])) for x, size in ((input, size_a), (indices, size_b))
    )
    return gather(wide, axis, places)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened ``input``; negative places count from the end."""
    flat = reshape(input, -1)
    return Gather.apply(flat, _places(index, flat, 0, "take", negative=True).array)


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``source`` at places of it, flattened; negative places count from the end.

    Args:
        input: any shape.
        index: int64, where; any shape.
        source: what, as many elements as ``index`` has; the type of ``input``.
        accumulate: add it to what is there, and all that go to one place; else which of them stays is undefined.

    Raises:
        RuntimeError: other types.
        IndexError: a place outside of ``input``, or another number of elements.
    """
    if source.array.dtype != input.array.dtype:
        raise RuntimeError(f"put: source must be {input.dtype} as input, got {source.dtype}")
    if index.numel() != source.numel():
        raise IndexError(f"put: index has {index.numel()} elements, source has {source.numel()}")
    flat = reshape(input, -1)
    places = reshape(_places(index, flat, 0, "put", negative=True), -1)
    return reshape(index_put(flat, (places,), reshape(source, -1), accumulate), input.array.shape)


def _values_of(src: Any, x: Tensor, index: Tensor, name: str) -> Any:
    """What is scattered: a number, or the corner of ``src`` that is as large as the index."""
    if not isinstance(src, Tensor):
        return src
    if src.array.dtype != x.array.dtype:
        raise RuntimeError(f"{name}: src must be {x.dtype} as self, got {src.dtype}")
    if type(src.array) is not type(x.array):
        raise RuntimeError(f"{name}: src is on {src.device}, self on {x.device}")
    size = index.array.shape
    if src.array.ndim != len(size) or any([i > n for i, n in zip(size, src.array.shape)]):
        raise RuntimeError(
            f"{name}: index of shape {tuple(size)} does not fit into src of shape {tuple(src.array.shape)}"
        )
    return Slice.apply(src, tuple([slice(n) for n in size])) if size else src


def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None,
            reduce: str | None = None) -> Tensor:  # fmt: skip
    """A copy of ``input`` with values written along ``dim``: ``y[i, index[i, j]] = src[i, j]`` for dim 1.

    Args:
        input: any shape.
        dim: the axis.
        index: int64; where two write to one place, either may stay.
        src: a tensor of the type of ``input``, at least as large as ``index``, or a number.
        value: the number, by name.
        reduce: "add" adds to what is there.

    Raises:
        RuntimeError: a place out of bounds, an index of another type, or shapes that do not fit.
        NotImplementedError: ``reduce="multiply"``.
    """
    src = value if src is None else src
    if reduce == "add":
        return scatter_add(input, dim, index, src if isinstance(src, Tensor) else input.new_full(index.shape, src))
    if reduce is not None:
        raise NotImplementedError(f'scatter: reduce must be None or "add", got {reduce!r}')
    if not input.array.ndim or not index.array.ndim or (isinstance(src, Tensor) and not src.array.ndim):
        src = atleast_1d(src) if isinstance(src, Tensor) else src
        return reshape(scatter(atleast_1d(input), dim, atleast_1d(index), src), input.array.shape)
    places = _line_index(input, dim, index, "scatter")
    return Write.apply(input, places, _values_of(src, input, index, "scatter")) if index.numel() else input.clone()


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with values added along ``dim``: ``y[i, index[i, j]] += src[i, j]`` for dim 1. The adjoint of
    :func:`gather`; as :func:`scatter`, and all that go to one place add up."""
    if not input.array.ndim or not index.array.ndim or not src.array.ndim:
        return reshape(scatter_add(atleast_1d(input), dim, atleast_1d(index), atleast_1d(src)), input.array.shape)
    places = _line_index(input, dim, index, "scatter_add")
    if not index.numel():
        return input.clone()
    return add(input, Scatter.apply(_values_of(src, input, index, "scatter_add"), input.array.shape, places))


# ---------------------------------------------------------------------------------------------- whole slices of an axis


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one place of ``dim``: a view without that axis.

    Raises:
        IndexError: out of bounds.
    """
    axis = dim_of(dim, input.array.ndim, "select")
    n = input.array.shape[axis]
    if not -n <= index < n:
        raise IndexError(f"select: index {index} is out of bounds for dim {axis} of size {n}")
    return Slice.apply(input, (*(slice(None),) * axis, int(index)))


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` as the slice that :func:`select` gives.

    Raises:
        IndexError: out of bounds.
        RuntimeError: ``src`` has another shape than that slice.
    """
    y = input.clone()
    return _replaced(y, select(y, dim, index), src, "select_scatter")


def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
                  step: int = 1) -> Tensor:  # fmt: skip
    """A copy of ``input`` with ``src`` as its places ``start:end:step`` along ``dim``.

    Raises:
        IndexError: ``dim`` out of range.
        RuntimeError: ``src`` has another shape than these, or ``step`` is not positive.
    """
    axis = dim_of(dim, input.array.ndim, "slice_scatter")
    if step < 1:
        raise RuntimeError(f"slice_scatter: step must be positive, got {step}")
    y = input.clone()
    return _replaced(y, y[(*(slice(None),) * axis, slice(start, end, step))], src, "slice_scatter")


def _replaced(y: Tensor, place: Tensor, src: Tensor, name: str) -> Tensor:
    """``y`` with ``src`` written into a view of it."""
    if src.array.shape != place.array.shape:
        raise RuntimeError(
            f"{name}: expected src of the shape {tuple(place.array.shape)}, got {tuple(src.array.shape)}"
        )
    place.copy_(src)
    return y


def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Where the elements of these numbers, counted in C order, are in a tensor of ``shape``: one tensor an axis.

    Args:
        indices: integers, any shape.
        shape: sizes; or one size.

    Raises:
        TypeError: indices that are no integers.
        ValueError: a negative size.
    """
    if not isinstance(indices, Tensor) or indices.array.dtype.kind not in "iu":
        raise TypeError(f"unravel_index: expected indices to be an integer tensor, got {indices!r}")
    shape = sizes((shape,))
    if any([n < 0 for n in shape]):
        raise ValueError(f"unravel_index: sizes must not be negative, got {shape}")
    places: list[Tensor] = []
    for n in reversed(shape):
        places.insert(0, remainder(indices, n))
        indices = floor_divide(indices, n)
    return tuple(places)


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A view of ``length`` places of ``dim`` from ``start`` on.

    Raises:
        IndexError: ``start`` out of range.
        RuntimeError: more than there are.
    """
    if not input.array.ndim:
        raise RuntimeError("narrow: a tensor without dimensions has nothing to narrow")
    axis = dim_of(dim, input.array.ndim, "narrow")
    n, start = input.array.shape[axis], operator.index(start)
    if not -n <= start <= n:
        raise IndexError(f"narrow: start must be in [{-n}, {n}], got {start}")
    start += n if start < 0 else 0
    if length < 0 or start + length > n:
        raise RuntimeError(f"narrow: {length} places from {start} on exceed dim {axis} of size {n}")
    return Slice.apply(input, (*(slice(None),) * axis, slice(start, start + length)))


def _slices(x: Tensor, dim: int, index: Tensor, name: str, negative: bool = False) -> tuple[Tensor, int, tuple]:
    """``x`` (at least 1-D), the axis, and the index of whole slices.

    Raises:
        IndexError: ``index`` is neither a vector nor one number.
    """
    axis = dim_of(dim, max_1(x.array.ndim), name)
    index = _places(index, x, axis, name, negative)
    if index.array.ndim > 1:
        raise IndexError(f"{name}: index must be a vector, got shape {tuple(index.array.shape)}")
    return atleast_1d(x), axis, (*(slice(None),) * axis, atleast_1d(index).array)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """A copy of the slices along ``dim`` that ``index`` (a vector) names.

    Raises:
        IndexError: a place out of bounds, or an index of more than one dimension.
        RuntimeError: an index of another type.
    """
    x, _, places = _slices(input, dim, index, "index_select")
    y = Gather.apply(x, places)
    return y if input.array.ndim else reshape(y, ())


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy in which the slices along ``dim`` that ``index`` names are one number (or a 0-d tensor)."""
    x, _, places = _slices(input, dim, index, "index_fill", negative=True)
    if isinstance(value, Tensor) and value.array.ndim:
        raise RuntimeError(f"index_fill: value must be a number or a 0-d tensor, got shape {tuple(value.array.shape)}")
    value = cast(value, x.array.dtype) if isinstance(value, Tensor) else value
    return reshape(Write.apply(x, places, value), input.array.shape)


def _fitting(x: Tensor, source: Tensor, places: tuple, axis: int, name: str) -> Tensor:
    """``source``, which has ``x``'s shape but for ``axis``, there as long as the index."""
    source = atleast_1d(source)
    expected = (*x.array.shape[:axis], places[-1].shape[0], *x.array.shape[axis + 1 :])
    if source.array.shape != expected:
        raise RuntimeError(f"{name}: source must have shape {expected}, got {tuple(source.array.shape)}")
    if source.array.dtype != x.array.dtype:
        raise RuntimeError(f"{name}: source must be {x.dtype} as self, got {source.dtype}")
    return source


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy in which the slices along ``dim`` that ``index`` names are those of ``source``."""
    x, axis, places = _slices(input, dim, index, "index_copy")
    y = Write.apply(x, places, _fitting(x, source, places, axis, "index_copy"))
    return reshape(y, input.array.shape)


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """``input`` with ``alpha`` times the slices of ``source`` added to those along ``dim`` that ``index`` names."""
    x, axis, places = _slices(input, dim, index, "index_add")
    source = _fitting(x, source, places, axis, "index_add")
    source = source if alpha == 1 else cast(mul(source, alpha), x.array.dtype)
    return reshape(add(x, Scatter.apply(source, x.array.shape, places)), input.array.shape)


# ---------------------------------------------------------------------------------------------------------------- masks


def _mask(mask: Tensor, x: Tensor, name: str) -> Tensor:
    if not isinstance(mask, Tensor) or mask.dtype is not dtypes.boolean:
        raise RuntimeError(f"{name}: mask must be a bool tensor, got {getattr(mask, 'dtype', type(mask).__name__)}")
    if type(mask.array) is not type(x.array):
        raise RuntimeError(f"{name}: mask is on {mask.device}, self on {x.device}")
    return mask


def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``value`` (a number or a 0-d tensor, in the type of ``input``) where ``mask`` holds, ``input`` elsewhere;
    broadcast.

    Raises:
        RuntimeError: ``mask`` is not bool, or ``value`` has dimensions or is beyond the type's numbers.
    """
    if isinstance(value, Tensor) and value.array.ndim:
        raise RuntimeError(f"masked_fill: value must be a number or a 0-d tensor, got shape {tuple(value.array.shape)}")
    dtype = input.array.dtype
    if isinstance(value, Tensor):
        value = cast(value.to(input.device), dtype)
    else:
        value = input.new_full((), fitting(value, dtype, "masked_fill"))
    return where(_mask(mask, input, "masked_fill"), value, input)


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """1-D: the elements where ``mask`` holds; the two broadcast."""
    x, m = broadcast_tensors(input, _mask(mask, input, "masked_select"))
    return Gather.apply(x, m.array)


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy in which the elements where ``mask`` holds are the first ones of ``source``, in order.

    Raises:
        RuntimeError: ``source`` has too few, or is of another type.
    """
    x, m = broadcast_tensors(input, _mask(mask, input, "masked_scatter"))
    if source.array.dtype != x.array.dtype:
        raise RuntimeError(f"masked_scatter: source must be {x.dtype} as self, got {source.dtype}")
    count = sum(m).item()
    if count > source.numel():
        raise RuntimeError(f"masked_scatter: mask holds {count} times, source has {source.numel()} elements")
    return Write.apply(x, m.array, Slice.apply(reshape(source, -1), slice(count)))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Where the elements are not zero, in C order.

    Returns:
        int64 ``(n, ndim)``, a row for each place; with ``as_tuple`` a vector for each axis, as an index takes them.
    """
    x = atleast_1d(input.detach()) if as_tuple else input.detach()
    shape, mask = x.array.shape, ne(x, 0)
    places = [
        Gather.apply(expand(view(counting(n, x), [-1 if j == i else 1 for j in range(len(shape))]), shape), mask.array)
        for i, n in enumerate(shape)
    ]
    if as_tuple:
        return tuple(places)
    return stack(places, 1) if places else counting(0, x).reshape(int(input.item() != 0), 0)


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first ``size`` rows of :func:`nonzero`, with rows of ``fill_value`` behind if there are fewer.

    Raises:
        RuntimeError: a negative ``size``.
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: size must not be negative, got {size}")
    places = nonzero(input)[:size]
    missing = size - places.array.shape[0]
    return cat([places, places.new_full((missing, places.array.shape[1]), fill_value)])


def argwhere(input: Tensor) -> Tensor:
    """``nonzero(input)``."""
    return nonzero(input)
