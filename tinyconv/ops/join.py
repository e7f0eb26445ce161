"""Joining tensors along an axis, and taking them apart: ``cat``, ``stack``, ``split``, ``chunk``, ``unbind``.

Taking apart is slicing: the pieces are views. Joining copies; its gradient takes apart.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .convert import cast
from .index import Slice
from .shape import atleast_1d, atleast_2d, atleast_3d, dim_of, sizes, unsqueeze, view


class Cat(Function):
    """y = the tensors one after another along an axis;  each gets back its stretch of gy."""

    @staticmethod
    def forward(ctx: Any, axis: int, *xs: Tensor) -> Tensor:
        ctx.axis, ctx.lengths = axis, [x.array.shape[axis] for x in xs]
        return wrap(kernels.of(xs[0].array).cat([x.array for x in xs], axis))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return None, *split(gy, ctx.lengths, ctx.axis)


def _tensors(tensors: Any, name: str) -> list[Tensor]:
    """The arguments as a list.

    Raises:
        RuntimeError: none, or not all on one device.
        TypeError: something else than tensors.
    """
    if isinstance(tensors, Tensor):
        raise TypeError(f"{name}: expected a tuple or list of tensors, got one tensor")
    xs = list(tensors)
    if not xs:
        raise RuntimeError(f"{name}: expected at least one tensor")
    for i, x in enumerate(xs):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: expected tensors, got {type(x).__name__} as number {i}")
        if type(x.array) is not type(xs[0].array):
            raise RuntimeError(
                f"{name}: expected all tensors on one device, tensor {i} is on {x.device}, tensor 0 on {xs[0].device}"
            )
    return xs


def cat(tensors: Any, dim: int = 0) -> Tensor:
    """The tensors one after another along ``dim``; the other sizes must agree, the types are promoted.

    A 1-D tensor without elements joins anything, and adds nothing: the old way to say "empty".

    Raises:
        RuntimeError: sizes that do not agree.
        ValueError: no tensors.
    """
    if isinstance(tensors, (tuple, list)) and not tensors:
        raise ValueError("cat: expected at least one tensor")
    xs = _tensors(tensors, "cat")
    kept = [x for x in xs if x.array.shape != (0,)] or xs[:1]
    first = kept[0].array.shape
    if not first:
        raise RuntimeError("cat: tensors without dimensions cannot be joined; use stack()")
    axis = dim_of(dim, len(first), "cat")
    for i, x in enumerate(xs):
        shape = x.array.shape
        if len(shape) == len(first) and all([p == q for j, (p, q) in enumerate(zip(shape, first)) if j != axis]):
            continue
        if shape != (0,):
            raise RuntimeError(
                f"cat: tensor {i} has shape {tuple(shape)}, where {tuple(first)} is expected: they may differ in dim "
                f"{axis} only"
            )
    if any([x.array.dtype != xs[0].array.dtype for x in xs]):
        dtype = functools.reduce(dtypes.promote_numpy, [x.array.dtype for x in xs])
        kept = [cast(x, dtype) for x in kept]
    return Cat.apply(axis, *kept)


concat = cat


def concatenate(tensors: Any, axis: int = 0, *, dim: int | None = None) -> Tensor:
    """:func:`cat` by NumPy's name, which calls the dim ``axis``."""
    return cat(tensors, axis if dim is None else dim)


def stack(tensors: Any, dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis ``dim``.

    Raises:
        RuntimeError: no tensors, or different shapes.
    """
    xs = _tensors(tensors, "stack")
    for i, x in enumerate(xs):
        if x.array.shape != xs[0].array.shape:
            raise RuntimeError(
                f"stack: tensor {i} has shape {tuple(x.array.shape)}, tensor 0 {tuple(xs[0].array.shape)}"
            )
    return cat([unsqueeze(x, dim) for x in xs], dim_of(dim, xs[0].array.ndim + 1, "stack"))


def hstack(tensors: Any) -> Tensor:
    """Side by side: joined along axis 1, vectors along axis 0."""
    xs = [atleast_1d(x) for x in _tensors(tensors, "hstack")]
    return cat(xs, 0 if xs[0].array.ndim == 1 else 1)


def vstack(tensors: Any) -> Tensor:
    """One below the other: joined along axis 0, vectors as rows."""
    return cat([atleast_2d(x) for x in _tensors(tensors, "vstack")], 0)


row_stack = vstack


def dstack(tensors: Any) -> Tensor:
    """One behind the other: joined along axis 2."""
    return cat([atleast_3d(x) for x in _tensors(tensors, "dstack")], 2)


def column_stack(tensors: Any) -> Tensor:
    """Side by side, vectors as columns."""
    xs = _tensors(tensors, "column_stack")
    return hstack([x if x.array.ndim > 1 else view(x, (-1, 1)) for x in xs])


def _pieces(x: Tensor, axis: int, ends: Any) -> tuple[Tensor, ...]:
    """Views of ``x`` between the ends, which begin with 0."""
    before = (slice(None),) * axis
    return tuple([Slice.apply(x, (*before, slice(start, end))) for start, end in itertools.pairwise(ends)])


def _along(x: Tensor, dim: int, name: str) -> tuple[int, int]:
    """The axis, and its length."""
    if not x.array.ndim:
        raise RuntimeError(f"{name}: a tensor without dimensions cannot be taken apart")
    axis = dim_of(dim, x.array.ndim, name)
    return axis, x.array.shape[axis]


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of ``tensor``, cut along ``dim``.

    Args:
        tensor: at least 1-D.
        split_size_or_sections: the length of each piece (the last may be shorter), or a list of all lengths.
        dim: the axis.

    Raises:
        RuntimeError: a negative length, or lengths that do not add up to the axis.
    """
    axis, n = _along(tensor, dim, "split")
    if isinstance(split_size_or_sections, (int, Tensor)):
        size = int(split_size_or_sections)
        if size < 0 or (size == 0 and n):
            raise RuntimeError(f"split: split_size must be positive, got {size}")
        lengths = [min(size, n - start) for start in range(0, n, size or 1)] or [0]
    else:
        lengths = list(sizes((split_size_or_sections,)))
        if min(lengths, default=0) < 0 or sum(lengths) != n:
            raise RuntimeError(
                f"split: the lengths {lengths} must add up to {n}, the size of dim {dim} of shape "
                f"{tuple(tensor.array.shape)}, and none be negative"
            )
    ends = [0]
    for length in lengths:
        ends.append(ends[-1] + length)
    return _pieces(tensor, axis, ends)


def split_of(self: Tensor, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """:func:`split`; the method's argument has another name."""
    return split(self, split_size, dim)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` views along ``dim``, all of the length ``ceil(n / chunks)``, the last perhaps shorter.

    Raises:
        RuntimeError: ``chunks`` is not positive.
    """
    if chunks < 1:
        raise RuntimeError(f"chunk: chunks must be positive, got {chunks}")
    n = _along(input, dim, "chunk")[1]
    return split(input, -(-n // chunks), dim) if n else split(input, [0] * chunks, dim)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views along ``dim``: a number of sections of nearly equal length (the first ones longer by one), or cut before
    each of the given indices.

    Raises:
        RuntimeError: the number of sections is not positive.
    """
    axis, n = _along(input, dim, "tensor_split")
    if isinstance(indices_or_sections, Tensor):
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        k = indices_or_sections
        if k < 1:
            raise RuntimeError(f"tensor_split: the number of sections must be positive, got {k}")
        return _pieces(input, axis, [i * (n // k) + min(i, n % k) for i in range(k + 1)])
    cuts = list(indices_or_sections)
    before = (slice(None),) * axis
    return tuple([Slice.apply(input, (*before, slice(a, b))) for a, b in zip([0, *cuts], [*cuts, n])])


def split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """:func:`split` into pieces of these sizes."""
    return split(input, list(split_sizes), dim)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """:func:`tensor_split` along axis 1, of a vector along axis 0; the sections must be equal.

    Raises:
        RuntimeError: no dimensions, or sections that are not equal.
    """
    return _equally(input, indices_or_sections, 0 if input.array.ndim == 1 else 1, 1, "hsplit")


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """:func:`tensor_split` along axis 0 of at least a matrix; as :func:`hsplit`."""
    return _equally(input, indices_or_sections, 0, 2, "vsplit")


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """:func:`tensor_split` along axis 2; as :func:`hsplit`."""
    return _equally(input, indices_or_sections, 2, 3, "dsplit")


def _equally(x: Tensor, sections: Any, axis: int, ndim: int, name: str) -> tuple[Tensor, ...]:
    if x.array.ndim < ndim:
        raise RuntimeError(f"{name}: expected at least {ndim} dimensions, got shape {tuple(x.array.shape)}")
    if isinstance(sections, int) and x.array.shape[axis] % sections:
        raise RuntimeError(f"{name}: {sections} sections do not divide dim {axis} of size {x.array.shape[axis]}")
    return tensor_split(x, sections, axis)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``dim``, as views without that axis.

    Raises:
        IndexError: ``dim`` out of range.
    """
    axis = dim_of(dim, input.array.ndim, "unbind")
    n = input.array.shape[axis]
    return tuple([Slice.apply(input, (*(slice(None),) * axis, i)) for i in range(n)])


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Coordinates of a grid: one tensor an axis, each of the grid's shape (a view of the axis, repeated).

    Args:
        tensors: 1-D tensors (or numbers), apart or in one list.
        indexing: "ij": axis k of the grid follows tensor k. "xy": the first two are exchanged.

    Raises:
        RuntimeError: a tensor of more than one dimension, or another ``indexing``.
    """
    xs = _tensors(tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors, "meshgrid")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be "ij" or "xy", got {indexing!r}')
    if any([x.array.dtype != xs[0].array.dtype for x in xs]):
        raise RuntimeError(f"meshgrid: expected tensors of one dtype, got {[x.dtype for x in xs]}")
    if any([x.array.ndim > 1 for x in xs]):
        raise RuntimeError(f"meshgrid: expected 1-D tensors, got shapes {[tuple(x.array.shape) for x in xs]}")
    axes = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        axes[:2] = [1, 0]
    shape = [1] * len(xs)
    for x, axis in zip(xs, axes):
        shape[axis] = x.numel()
    return tuple([
        view(x, [-1 if i == axis else 1 for i in range(len(xs))]).expand(shape) for x, axis in zip(xs, axes)
    ])  # fmt: skip


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrices along the diagonal of a larger one of zeros. A vector is a row, a number a matrix of one element.

    Raises:
        RuntimeError: more than two dimensions.
    """
    blocks = [atleast_2d(x) for x in _tensors(tensors, "block_diag")]
    for i, block in enumerate(blocks):
        if block.array.ndim != 2:
            raise RuntimeError(f"block_diag: expected at most 2 dimensions, tensor {i} is {tuple(block.array.shape)}")
    widths = [block.array.shape[1] for block in blocks]
    rows = []
    for i, block in enumerate(blocks):
        before, after = (block.new_zeros((block.array.shape[0], sum(w))) for w in (widths[:i], widths[i + 1 :]))
        rows.append(cat([before, block, after], 1))
    return cat(rows)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every choice of one element of each vector, in the order of nested loops: ``(N1 * N2 * ..., k)`` of ``k`` vectors
    (of one vector itself)."""
    xs = _tensors(tensors, "cartesian_prod")
    for i, x in enumerate(xs):
        if x.array.ndim != 1:
            raise RuntimeError(f"cartesian_prod: expected vectors, tensor {i} has shape {tuple(x.array.shape)}")
    if len(xs) == 1:
        return xs[0]
    return stack([view(grid.contiguous(), (-1,)) for grid in meshgrid(*xs, indexing="ij")], 1)


def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of ``r`` elements of a vector, in its order: as ``itertools.combinations``.

    Args:
        input: 1-D.
        r: how many.
        with_replacement: an element may be chosen again.

    Returns:
        ``(number of choices, r)``.

    Raises:
        RuntimeError: ``input`` is no vector, or ``r`` is negative.
    """
    if input.array.ndim != 1 or r < 0:
        raise RuntimeError(f"combinations: expected a vector and r >= 0, got {tuple(input.array.shape)} and r={r}")
    if r == 0:
        return input.new_zeros((0,))
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = list(choose(range(input.array.shape[0]), r))
    return input[input.new_tensor(places, dtype=dtypes.int64).reshape(len(places), r)]
