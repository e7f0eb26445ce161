"""The same elements in another order, or several times: copies, where :mod:`~tinyconv.ops.shape` makes views."""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .cumulative import cumsum
from .index import Gather, counting
from .join import cat, split
from .shape import dim_of, expand, max_1, reshape, sizes, transpose, unsqueeze
from .sort import searchsorted


class Flip(Function):
    """y = x reversed along axes (a copy, as in PyTorch);  gx = gy reversed again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, axes: tuple) -> Tensor:
        ctx.axes = axes
        backend = kernels.of(x.array)
        return wrap(backend.copy(backend.flip(x.array, axes)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Flip.apply(gy, ctx.axes), None


def flip(input: Tensor, dims: Any, *more: int) -> Tensor:
    """A copy, reversed along ``dims``: ``flip((0, 1))`` or ``flip(0, 1)``.

    Raises:
        RuntimeError: a dim named twice.
    """
    n = input.array.ndim
    axes = tuple([dim_of(d, max_1(n), "flip") for d in sizes((dims, *more))])
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"flip: a dim appears twice in {sizes((dims, *more))}")
    return Flip.apply(input, axes if n else ())


def _at_least(input: Tensor, n: int, name: str) -> None:
    if input.array.ndim < n:
        raise RuntimeError(f"{name}: expected at least {n} dimensions, got shape {tuple(input.array.shape)}")


def fliplr(input: Tensor) -> Tensor:
    """A copy with axis 1 (columns: left, right) reversed.

    Raises:
        RuntimeError: fewer than two dimensions.
    """
    _at_least(input, 2, "fliplr")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with axis 0 (rows: up, down) reversed.

    Raises:
        RuntimeError: no dimensions.
    """
    _at_least(input, 1, "flipud")
    return flip(input, 0)


def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """A copy, moved on by ``shifts`` along ``dims``; what leaves at the end comes in at the start.

    Args:
        input: any shape.
        shifts: a number, or one for each of ``dims``.
        dims: the axes; None rolls the flattened tensor.

    Raises:
        RuntimeError: not as many shifts as dims.
    """
    amounts = sizes((shifts,))
    if dims is None:
        if len(amounts) != 1:
            raise RuntimeError(f"roll: without dims there is one shift, got {amounts}")
        return reshape(roll(reshape(input, -1), amounts, 0), input.array.shape)
    axes = sizes((dims,))
    if len(amounts) != len(axes):
        raise RuntimeError(f"roll: shifts and dims must be equally many, got {amounts} and {axes}")
    out = input
    for shift, dim in zip(amounts, axes):
        axis = dim_of(dim, input.array.ndim, "roll")
        n = input.array.shape[axis]
        if n and shift % n:
            out = cat(tuple(reversed(split(out, [n - shift % n, shift % n], axis))), axis)
    return out.clone() if out is input else out


def rot90(input: Tensor, k: int = 1, dims: Any = (0, 1)) -> Tensor:
    """A copy, rotated ``k`` times by 90 degrees from the first of the two ``dims`` towards the second.

    Raises:
        RuntimeError: ``dims`` are not two different ones, or there are fewer.
    """
    _at_least(input, 2, "rot90")
    n = input.array.ndim
    axes = tuple([dim_of(d, n, "rot90") for d in dims])
    if len(axes) != 2 or axes[0] == axes[1]:
        raise RuntimeError(f"rot90: expected two different dims, got {tuple(dims)}")
    first, second = axes
    if k % 4 == 0:
        return input.clone()
    if k % 4 == 1:
        return transpose(flip(input, second), first, second)
    return flip(input, axes) if k % 4 == 2 else flip(transpose(input, first, second), second)


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """A copy repeated ``repeats[i]`` times along axis i; with more numbers than axes, new ones come first.

    Raises:
        RuntimeError: fewer numbers than axes, or a negative one.
    """
    times, shape = sizes(repeats), input.array.shape
    extra = len(times) - len(shape)
    if extra < 0:
        raise RuntimeError(f"repeat: expected a number for each of the {len(shape)} dims, got {times}")
    if min(times, default=0) < 0:
        raise RuntimeError(f"repeat: the numbers must not be negative, got {times}")
    shape = (1,) * extra + tuple(shape)
    apart = reshape(input, tuple([n for size in shape for n in (1, size)]))
    together = expand(apart, tuple([n for pair in zip(times, shape) for n in pair]))
    return reshape(together.clone(), tuple([k * size for k, size in zip(times, shape)]))


def tile(input: Tensor, dims: Any, *more: int) -> Tensor:
    """As :func:`repeat`; missing numbers in front are 1."""
    times = sizes((dims, *more))
    return repeat(input, (1,) * (input.array.ndim - len(times)) + times)


def repeat_interleave(input: Tensor, repeats: Any = None, dim: int | None = None, *,
                      output_size: int | None = None) -> Tensor:  # fmt: skip
    """Each element (slice) repeated where it is: ``[a, b] -> [a, a, b, b]``.

    Args:
        input: any shape; alone it stands for ``repeats``, and the result says which element each place repeats.
        repeats: how often: a number, or an integer tensor with one for each slice along ``dim``.
        dim: the axis; None flattens.
        output_size: not needed: the size of the result.

    Raises:
        IndexError: ``dim`` out of range.
        RuntimeError: negative repeats, or as many as fit neither one nor the axis.
    """
    if not isinstance(repeats, (int, Tensor, type(None))):
        raise TypeError(f"repeat_interleave: repeats must be an int or a tensor, got {repeats!r}")
    if repeats is None:
        return repeat_interleave(counting(input.numel(), input), input, 0)
    if dim is None:
        input, dim = reshape(input, -1), 0
    if not input.array.ndim:
        raise IndexError(f"repeat_interleave: dim is {dim}, input has no dimensions (leave dim out to repeat a number)")
    axis = dim_of(dim, input.array.ndim, "repeat_interleave")
    shape = input.array.shape
    if isinstance(repeats, int) or repeats.numel() == 1:
        times = int(repeats)
        if times < 0:
            raise RuntimeError(f"repeat_interleave: repeats must not be negative, got {times}")
        wide = expand(unsqueeze(input, axis + 1), (*shape[: axis + 1], times, *shape[axis + 1 :]))
        return reshape(wide.clone(), (*shape[:axis], shape[axis] * times, *shape[axis + 1 :]))
    if repeats.array.dtype.kind not in "iu" or repeats.array.shape != (shape[axis],):
        raise RuntimeError(
            f"repeat_interleave: repeats must be integers, one for each of the {shape[axis]} slices of dim {dim}, got "
            f"{repeats.dtype} of shape {tuple(repeats.array.shape)}"
        )
    if repeats.numel() and repeats.amin().item() < 0:
        raise RuntimeError(f"repeat_interleave: repeats must not be negative, got {repeats.amin().item()}")
    ends = cumsum(repeats, 0)
    total = int(ends[-1]) if shape[axis] else 0
    which = searchsorted(ends, counting(total, input), right=True)
    return Gather.apply(input, (*(slice(None),) * axis, which.array))
