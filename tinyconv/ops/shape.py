"""Shape: the same elements, arranged otherwise.

Reshaping, permuting axes, expanding and slicing compute nothing: the result is a *view*, another way to walk through
the same memory. The gradient takes the walk back. (Where strides cannot express the new shape, ``reshape`` copies.)
"""

from __future__ import annotations

import functools
import math
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor
from .convert import cast
from .types import broadcast_shape


def sizes(size: tuple) -> tuple:
    """``f(2, 3)`` and ``f((2, 3))`` mean the same."""
    if len(size) == 1 and not isinstance(size[0], int) and not isinstance(size[0], Tensor):
        size = tuple(size[0])
    return tuple([n if type(n) is int else n.__index__() for n in size])


def _full_shape(x: Tensor, size: tuple, name: str) -> tuple:
    """``size`` with its -1 worked out.

    Raises:
        RuntimeError: it does not have as many elements as ``x``.
    """
    count, known = math.prod(x.array.shape), math.prod(size)
    if size.count(-1) == 1:
        known = -known
        if known and count % known == 0:
            return tuple([count // known if n == -1 else n for n in size])
        if not known:
            raise RuntimeError(f"{name}: cannot infer the -1 in {size}: the other sizes multiply to 0")
    elif known == count and not any([n < 0 for n in size]):
        return size
    raise RuntimeError(f"{name}: shape {size} is invalid for {count} elements (input has shape {tuple(x.array.shape)})")


class View(Function):
    """y = x with another shape on the same memory;  gx = gy in the old shape."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple) -> Tensor:
        ctx.shape = x.array.shape
        return Tensor(kernels.of(x.array).view(x.array, shape))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return _arranged(gy, ctx.shape), None


class Clone(Function):
    """y = a copy of x;  gx = gy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return Tensor(kernels.of(x.array).copy(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return gy


class Permute(Function):
    """y = x with its axes in another order;  gx = gy in the inverse order."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple) -> Tensor:
        ctx.axes = axes
        return Tensor(kernels.of(x.array).permute(x.array, axes))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        inverse = [0] * len(ctx.axes)
        for i, axis in enumerate(ctx.axes):
            inverse[axis] = i
        return Permute.apply(gy, tuple(inverse)), None


class Expand(Function):
    """y = x repeated along axes of size 1, without copying;  gx = gy summed over the copies."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple) -> Tensor:
        ctx.shape = x.array.shape
        return Tensor(kernels.of(x.array).broadcast_to(x.array, shape))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy.sum_to_size(ctx.shape), None


class Flip(Function):
    """y = x reversed along axes (a copy, as in PyTorch);  gx = gy reversed again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple) -> Tensor:
        ctx.axes = axes
        backend = kernels.of(x.array)
        return Tensor(backend.copy(backend.flip(x.array, axes)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Flip.apply(gy, ctx.axes), None


class Cat(Function):
    """y = the tensors one after another along an axis;  each gets back its stretch of gy."""

    @staticmethod
    def forward(ctx: Any, axis: int, *xs: Tensor) -> Tensor:
        ctx.axis, ctx.lengths = axis, [x.array.shape[axis] for x in xs]
        return Tensor(kernels.of(xs[0].array).cat([x.array for x in xs], axis))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        gxs, start, before = [], 0, (slice(None),) * ctx.axis
        for n in ctx.lengths:
            gxs.append(gy[(*before, slice(start, start + n))])
            start += n
        return (None, *gxs)


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy on its own memory; gradients pass through."""
    return Clone.apply(input)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """``input`` itself if its elements lie in C order without gaps, else a copy in which they do."""
    return input if is_contiguous(input) else Clone.apply(input)


def is_contiguous(input: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie in C order without gaps."""
    return kernels.of(input.array).is_contiguous(input.array)


def view(input: Tensor, *size: Any) -> Tensor:
    """The same memory with another shape; one size may be -1, which means "what is left".

    Raises:
        RuntimeError: the numbers of elements differ, or the strides allow no view (use ``reshape``).
    """
    shape = _full_shape(input, sizes(size), "view")
    if kernels.of(input.array).view(input.array, shape) is None:
        raise RuntimeError(
            f"view: a tensor of shape {tuple(input.array.shape)} with these strides cannot be seen as {shape} "
            "without copying; use reshape(), or contiguous() first"
        )
    return View.apply(input, shape)


def view_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.view(other.shape)``."""
    return view(input, other.array.shape)


def reshape(input: Tensor, shape: Any, *more: int) -> Tensor:
    """Another shape for the same elements in C order: a view where strides allow, else a copy.

    Raises:
        RuntimeError: the numbers of elements differ.
    """
    return _arranged(input, _full_shape(input, sizes((shape, *more)), "reshape"))


def _arranged(x: Tensor, shape: tuple) -> Tensor:
    """``x`` in a shape that has as many elements: a view where strides allow, else a copy."""
    backend = kernels.of(x.array)
    if not backend.is_contiguous(x.array) and backend.view(x.array, shape) is None:
        x = Clone.apply(x)
    return View.apply(x, shape)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Axes ``start_dim`` to ``end_dim`` (inclusive) merged into one.

    Raises:
        IndexError: a dim out of range.
        RuntimeError: ``start_dim`` comes after ``end_dim``.
    """
    shape = input.array.shape
    if not shape:
        return reshape(input, 1)
    start, end = dim_of(start_dim, len(shape), "flatten"), dim_of(end_dim, len(shape), "flatten")
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return _arranged(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Axis ``dim`` split into ``sizes`` (one may be -1)."""
    shape = input.array.shape
    axis = dim_of(dim, len(shape), "unflatten")
    sizes = tuple(sizes)
    known = 1
    for n in sizes:
        known *= n
    if sizes.count(-1) == 1 and known and shape[axis] % -known == 0:
        sizes = tuple([shape[axis] // -known if n == -1 else n for n in sizes])
        known = shape[axis]
    if known != shape[axis]:
        raise RuntimeError(f"unflatten: sizes {sizes} do not multiply to dim {dim}'s {shape[axis]}")
    return reshape(input, (*shape[:axis], *sizes, *shape[axis + 1 :]))


def dim_of(dim: int, n: int, name: str) -> int:
    """``dim`` as a non-negative axis of ``n``.

    Raises:
        IndexError: out of range.
    """
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim must be in [{-n}, {n - 1}], got {dim}")
    return dim % n


def permute(input: Tensor, dims: Any, *more: int) -> Tensor:
    """A view whose axis i is axis ``dims[i]`` of ``input``: ``permute((1, 0))`` or ``permute(1, 0)``.

    Raises:
        RuntimeError: ``dims`` is no permutation of the axes.
    """
    n = input.array.ndim
    wanted = sizes((dims, *more))
    axes = tuple([dim_of(d, n, "permute") for d in wanted])
    if sorted(axes) != list(range(n)):
        raise RuntimeError(f"permute: dims must name each of the {n} axes once, got {wanted}")
    return Permute.apply(input, axes)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two axes exchanged."""
    n = input.array.ndim
    a, b = dim_of(dim0, max_1(n), "transpose"), dim_of(dim1, max_1(n), "transpose")
    axes = list(range(n))
    if n:
        axes[a], axes[b] = b, a
    return Permute.apply(input, tuple(axes))


def max_1(n: int) -> int:
    """A 0-d tensor's dims are named as a 1-d one's."""
    return n or 1


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix (a view); a vector is returned as it is.

    Raises:
        RuntimeError: more than two dimensions.
    """
    if input.array.ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dimensions, got shape {tuple(input.array.shape)}")
    return Permute.apply(input, tuple(range(input.array.ndim))[::-1])


def T(input: Tensor) -> Tensor:
    """A view with all axes in reverse order."""
    return Permute.apply(input, tuple(range(input.array.ndim))[::-1])


def mT(input: Tensor) -> Tensor:
    """A view with the last two axes exchanged: a batch of matrices, each transposed."""
    return transpose(input, -2, -1)


def expand(input: Tensor, *size: Any) -> Tensor:
    """A view repeated to ``size`` along axes of size 1 (and new leading ones); -1 keeps a size.

    Raises:
        RuntimeError: an axis that is neither 1 nor of the wanted size.
    """
    want, have = sizes(size), input.array.shape
    extra = len(want) - len(have)
    full = tuple([have[i - extra] if n == -1 and i >= extra else n for i, n in enumerate(want)])
    if extra < 0 or any([n < 0 for n in full]) or broadcast_shape(have, full, "expand") != full:
        raise RuntimeError(f"expand: shape {tuple(have)} cannot be expanded to {want}")
    return Expand.apply(input, full)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.expand(other.shape)``."""
    return expand(input, other.array.shape)


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without its axes of size 1 (or without ``dim``, if that has size 1)."""
    shape = input.array.shape
    n = len(shape)
    dims = (
        range(n) if dim is None else [dim_of(d, max_1(n), "squeeze") for d in ((dim,) if isinstance(dim, int) else dim)]
    )
    return _arranged(input, tuple([size for i, size in enumerate(shape) if size != 1 or i not in dims]))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at ``dim``."""
    axis = dim_of(dim, input.array.ndim + 1, "unsqueeze")
    return _arranged(input, (*input.array.shape[:axis], 1, *input.array.shape[axis:]))


def flip(input: Tensor, dims: Any, *more: int) -> Tensor:
    """A copy, reversed along ``dims``: ``flip((0, 1))`` or ``flip(0, 1)``."""
    return Flip.apply(input, tuple([dim_of(d, input.array.ndim, "flip") for d in sizes((dims, *more))]))


def cat(tensors: Any, dim: int = 0) -> Tensor:
    """The tensors one after another along ``dim``; the other sizes must agree, the types are promoted.

    Raises:
        RuntimeError: no tensors, or sizes that do not agree.
    """
    xs = list(tensors)
    if not xs:
        raise RuntimeError("cat: expected at least one tensor")
    axis = dim_of(dim, max_1(xs[0].array.ndim), "cat")
    first = xs[0].array.shape
    for i, x in enumerate(xs):
        shape = x.array.shape
        if len(shape) != len(first) or any([p != q for j, (p, q) in enumerate(zip(shape, first)) if j != axis]):
            raise RuntimeError(
                f"cat: tensor {i} has shape {tuple(shape)}, tensor 0 {tuple(first)}: they may differ in dim {axis} only"
            )
    if any([x.array.dtype != xs[0].array.dtype for x in xs]):
        dtype = functools.reduce(dtypes.promote_numpy, [x.array.dtype for x in xs])
        xs = [cast(x, dtype) for x in xs]
    return Cat.apply(axis, *xs)


def stack(tensors: Any, dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis ``dim``."""
    xs = list(tensors)
    if not xs:
        raise RuntimeError("stack: expected at least one tensor")
    for i, x in enumerate(xs):
        if x.array.shape != xs[0].array.shape:
            raise RuntimeError(
                f"stack: tensor {i} has shape {tuple(x.array.shape)}, tensor 0 {tuple(xs[0].array.shape)}"
            )
    return cat([unsqueeze(x, dim) for x in xs], dim_of(dim, xs[0].array.ndim + 1, "stack"))
