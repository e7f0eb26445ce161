"""Shape: the same elements, arranged otherwise.

Reshaping, permuting axes, expanding and slicing compute nothing: the result is a *view*, another way to walk through
the same memory. The gradient takes the walk back. (Where strides cannot express the new shape, ``reshape`` copies.)
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..layout import channels_last, expect_format, preserve_format
from ..tensor import Size, Tensor, wrap
from .index import Scatter, counting
from .types import broadcast_shape


def sizes(size: tuple) -> tuple:
    """``f(2, 3)`` and ``f((2, 3))`` mean the same.

    Raises:
        TypeError: a size that is no integer.
    """
    if len(size) == 1 and not isinstance(size[0], int) and not isinstance(size[0], Tensor):
        size = tuple(size[0])
    try:
        return tuple([n if type(n) is int else n.__index__() for n in size])
    except AttributeError:
        raise TypeError(f"a size must be an integer, got {size}") from None


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
        return wrap(kernels.of(x.array).view(x.array, shape))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return _arranged(gy, ctx.shape), None


class Clone(Function):
    """y = a copy of x;  gx = gy."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return wrap(kernels.of(x.array).copy(x.array))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return gy


class Permute(Function):
    """y = x with its axes in another order;  gx = gy in the inverse order."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple) -> Tensor:
        ctx.axes = axes
        return wrap(kernels.of(x.array).permute(x.array, axes))

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
        ctx.shape, backend = x.array.shape, kernels.of(x.array)
        repeated = math.prod(shape) != math.prod(ctx.shape)  # if not, the elements may be written to
        return wrap((backend.broadcast_to if repeated else backend.view)(x.array, shape))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return gy.sum_to_size(ctx.shape), None


class Windows(Function):
    """y[..., i, ..., k] = x[..., i*step + k, ...], a view;  gx = each gy added where it was read."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, size: int, step: int) -> Tensor:
        ctx.shape, ctx.axis, ctx.size, ctx.step = x.array.shape, axis, size, step
        return wrap(kernels.of(x.array).sliding_windows(x.array, axis, size, step))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        starts = counting(gy.array.shape[ctx.axis], gy) * ctx.step
        read = unsqueeze(starts, 1) + counting(ctx.size, gy)
        index = (*(slice(None),) * ctx.axis, read.array)
        return Scatter.apply(movedim(gy, -1, ctx.axis + 1), ctx.shape, index), None, None, None


def detach(input: Tensor) -> Tensor:
    """A tensor on the same memory without history: it requires no gradient."""
    return input.detach()


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy on its own memory, in C order whatever ``memory_format`` says; gradients pass through."""
    expect_format("clone", memory_format, input.array.ndim)
    return Clone.apply(input)


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """``input`` itself if its elements lie in C order without gaps, else a copy in which they do.

    Args:
        input: any tensor.
        memory_format: accepted, without effect: the order is C's.
    """
    expect_format("contiguous", memory_format, input.array.ndim)
    return input if is_contiguous(input) else Clone.apply(input)


def is_contiguous(input: Tensor, memory_format: Any = None) -> bool:
    """Whether the elements lie without gaps in C order, or with ``memory_format=tinyconv.channels_last`` with the
    channels of a batch of images (axis 1) innermost."""
    expect_format("is_contiguous", memory_format, input.array.ndim if memory_format is not channels_last else 4)
    if memory_format is preserve_format:
        raise RuntimeError("is_contiguous: preserve_format says nothing about how elements lie")
    array = input.array
    if memory_format is channels_last:
        if array.ndim != 4:
            return False
        array = kernels.of(array).permute(array, (0, 2, 3, 1))
    return kernels.of(array).is_contiguous(array)


class Reinterpret(Function):
    """y = the bytes of x as numbers of another type; there is no gradient."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: Any) -> Tensor:
        ctx.mark_non_differentiable(y := wrap(kernels.of(x.array).reinterpret(x.array, dtype)))
        return y


def _reinterpreted(x: Tensor, dtype: dtypes.dtype) -> Tensor:
    """``x.view(dtype)``."""
    old, new = x.dtype.itemsize, dtype.itemsize
    if old != new and (not x.array.ndim or not is_contiguous(x) or x.array.shape[-1] * old % new):
        raise RuntimeError(
            f"view: to see {x.dtype} as {dtype} the last dim must lie dense and hold a multiple of {new} bytes; the "
            f"shape is {tuple(x.array.shape)}"
        )
    return x if dtype is x.dtype else Reinterpret.apply(x, dtype.numpy)


def view(input: Tensor, *size: Any, dtype: dtypes.dtype | None = None) -> Tensor:
    """The same memory with another shape; one size may be -1, which means "what is left".

    ``x.view(dtype)`` sees the same bytes as numbers of another type; no gradient passes.

    Raises:
        RuntimeError: the numbers of elements differ, or the strides allow no view (use ``reshape``).
    """
    if dtype is not None or (len(size) == 1 and isinstance(size[0], dtypes.dtype)):
        return _reinterpreted(input, dtype or size[0])
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


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """``input.reshape(other.shape)``."""
    return reshape(input, tuple(other.array.shape))


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Axes ``start_dim`` to ``end_dim`` (inclusive) merged into one.

    Raises:
        IndexError: a dim out of range.
        RuntimeError: ``start_dim`` comes after ``end_dim``.
    """
    shape = input.array.shape
    n = max_1(len(shape))
    start, end = dim_of(start_dim, n, "flatten"), dim_of(end_dim, n, "flatten")
    if not shape:
        return reshape(input, 1)
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return _arranged(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one axis."""
    return _arranged(input, (math.prod(input.array.shape),))


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
    axes = tuple([dim_of(d, n, "permute") for d in wanted]) if len(wanted) == n else wanted
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


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """:func:`transpose` by NumPy's name."""
    return transpose(input, axis0, axis1)


swapdims = transpose


def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """A view with the axes ``source`` at the places ``destination``; the others keep their order.

    Raises:
        RuntimeError: not as many sources as destinations, or one named twice.
    """
    n = input.array.ndim
    old, new = ([dim_of(d, max_1(n), "movedim") for d in sizes((dims,))] for dims in (source, destination))
    if len(old) != len(new) or len(set(old)) != len(old) or len(set(new)) != len(new):
        raise RuntimeError(f"movedim: source {source} and destination {destination} must be as many different dims")
    if not n:
        return view(input, ())
    rest = iter([d for d in range(n) if d not in old])
    return Permute.apply(input, tuple([old[new.index(i)] if i in new else next(rest) for i in range(n)]))


moveaxis = movedim


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
    """A view with the last two axes exchanged: a batch of matrices, each transposed. A 0-d tensor is its own.

    Raises:
        RuntimeError: one dimension.
    """
    if not input.array.ndim:
        return t(input)
    if input.array.ndim == 1:
        raise RuntimeError(f"mT: expected at least 2 dimensions, got shape {tuple(input.array.shape)}")
    return transpose(input, -2, -1)


def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of each matrix: of real numbers :func:`mT`."""
    return mT(input)


def H(input: Tensor) -> Tensor:
    """The conjugate transpose of a matrix: of real numbers a view with its axes exchanged.

    Raises:
        RuntimeError: not a matrix.
    """
    if input.array.ndim not in (0, 2):
        raise RuntimeError(f"H: expected a matrix, got shape {tuple(input.array.shape)}")
    return t(input)


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


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """``input.expand(size)``."""
    return expand(input, size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """The tensors as views of the shape they broadcast to.

    Raises:
        RuntimeError: they do not.
    """
    xs = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors
    shape = broadcast_shapes(*[x.array.shape for x in xs])
    return tuple([expand(x, shape) for x in xs])


def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that the shapes broadcast to.

    Raises:
        RuntimeError: they do not.
        ValueError: a negative size.
    """
    shape: tuple = ()
    for other in shapes:
        if any([n < 0 for n in sizes((other,))]):
            raise ValueError(f"broadcast_shapes: sizes must not be negative, got {other}")
        shape = broadcast_shape(shape, sizes((other,)), "broadcast_shapes")
    return Size(shape)


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without its axes of size 1 (or without ``dim``, if that has size 1)."""
    shape = input.array.shape
    n = len(shape)
    dims = (
        range(n) if dim is None else [dim_of(d, max_1(n), "squeeze") for d in ((dim,) if isinstance(dim, int) else dim)]
    )
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"squeeze: a dim appears twice in {dim}")
    return _arranged(input, tuple([size for i, size in enumerate(shape) if size != 1 or i not in dims]))


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at ``dim``."""
    axis = dim_of(dim, input.array.ndim + 1, "unsqueeze")
    return _arranged(input, (*input.array.shape[:axis], 1, *input.array.shape[axis:]))


def windows(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """``x.unfold(dimension, size, step)``: a view of windows of ``size`` places, ``step`` apart. Their number replaces
    the axis, their places are a new last one.

    Raises:
        RuntimeError: ``size`` exceeds the axis or is negative, or ``step`` is not positive.
    """
    if not input.array.ndim:
        input = _arranged(input, (1,))
        return windows(input, dimension, size, step)[0]
    axis = dim_of(dimension, input.array.ndim, "unfold")
    if not 0 <= size <= input.array.shape[axis] or step < 1:
        raise RuntimeError(
            f"unfold: size must be in [0, {input.array.shape[axis]}] (dim {dimension} of shape "
            f"{tuple(input.array.shape)}) and step positive, got size {size} and step {step}"
        )
    return Windows.apply(input, axis, size, step)


def atleast_1d(input: Tensor) -> Tensor:
    """With at least one axis."""
    return input if input.array.ndim else _arranged(input, (1,))


def atleast_2d(input: Tensor) -> Tensor:
    """With at least two axes, new ones in front."""
    return input if input.array.ndim > 1 else unsqueeze(atleast_1d(input), 0)


def atleast_3d(input: Tensor) -> Tensor:
    """With at least three axes: a vector becomes ``(1, n, 1)``, a matrix ``(n, m, 1)``."""
    return input if input.array.ndim > 2 else unsqueeze(atleast_2d(input), -1)
