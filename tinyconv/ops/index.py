"""Indexing: ``x[index]`` and ``x[index] = y``, in NumPy's and PyTorch's forms.

Ints, slices, None and ``...`` give a view. Index lists, integer tensors and bool masks (*advanced* indexing) give a
copy in which an element may occur several times; its gradient adds up over the occurrences.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..autograd import Function, check_may_change, is_grad_enabled, overwrite
from ..caller import warn
from ..tensor import Tensor, wrap
from .convert import cast
from .types import broadcast_shape, fitting


def _is_int(part: Any) -> bool:
    """Whether it is an int, or a NumPy scalar or 0-d array that stands for one (a bool is a mask)."""
    kind = "b" if isinstance(part, bool) else getattr(getattr(part, "dtype", None), "kind", "i")
    return hasattr(part, "__index__") and not getattr(part, "ndim", 0) and kind in "iu"


def counting(n: int, like: Tensor) -> Tensor:
    """int64: 0, 1, ..., n - 1, on the device of ``like``."""
    return wrap(kernels.of(like.array).arange(0, n, 1, dtypes.int64.numpy))


def index_tensor(index: Any, like: Tensor, name: str) -> Tensor:
    """``index`` as an index into ``like``: on its device (the host's come along), int64, int32, bool or uint8.

    Raises:
        IndexError: another type.
        RuntimeError: it is on a third device.
        TypeError: no tensor.
    """
    if not isinstance(index, Tensor):
        raise TypeError(f"{name}: index must be a tensor, got {type(index).__name__}")
    if index.dtype not in (dtypes.int64, dtypes.int32, dtypes.boolean, dtypes.uint8):
        raise IndexError(f"{name}: an index must be int64, int32 or bool, got {index.dtype}")
    if type(index.array) is not type(like.array):
        if index.device.type != "cpu":
            raise RuntimeError(f"{name}: the index is on {index.device}, the tensor on {like.device}")
        index = index.to(like.device)
    return index


def _plain(part: Any, x: Tensor) -> tuple[Any, bool]:
    """One entry of an index into ``x`` as the kernels take it, and whether it is advanced."""
    if isinstance(part, Tensor):
        if part.array.ndim == 0 and part.array.dtype.kind in "iu":
            return int(part.item()), False
        part = index_tensor(part, x, "indexing")
        if part.dtype is dtypes.uint8:
            warn("indexing with a uint8 tensor takes it for a mask; use a bool tensor")
            part = cast(part, dtypes.boolean.numpy)
        return part.array, True
    if isinstance(part, slice):
        ends = [p.__index__() if isinstance(p, Tensor) else p for p in (part.start, part.stop, part.step)]
        return slice(*ends), False
    if part is None or part is Ellipsis:
        return part, False
    if _is_int(part):
        return part.__index__(), False
    from .creation import as_tensor

    part = list(part) if isinstance(part, (tuple, range)) else part
    if not isinstance(part, (bool, list, np.generic, np.ndarray, str)):
        raise IndexError(
            f"indexing: only integers, slices, `...`, None, lists and tensors are indices, got {type(part).__name__}"
        )
    counts = not part if isinstance(part, list) else getattr(part, "dtype", np.uint8) in (np.int8, np.int16)
    return _plain(as_tensor(part, dtypes.int64 if counts else None, x.device), x)[0], True


_PARTS = (Tensor, list, tuple, range, slice, type(Ellipsis), np.ndarray)


def _index(index: Any, x: Tensor) -> tuple[Any, bool]:
    """``x[index]``'s index as the kernels take it, and whether it is advanced.

    Raises:
        IndexError: a float tensor in it.
    """
    if isinstance(index, list) and any([isinstance(part, _PARTS) or part is None for part in index]):
        index = tuple(index)  # PyTorch's reading of x[[[0, 1], [1, 0]]]: two indices, as without the outer brackets
    if not isinstance(index, tuple):
        return _plain(index, x)
    parts = [_plain(part, x) for part in index]
    return tuple([part for part, _ in parts]), any([advanced for _, advanced in parts])


class Slice(Function):
    """y = x[index], a view;  gx = zeros, with gy at the index."""

    is_view = True
    index: Any

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Any) -> Tensor:
        ctx.shape, ctx.index = x.array.shape, index
        return wrap(kernels.of(x.array).getitem(x.array, index))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Scatter.apply(gy, ctx.shape, ctx.index), None

    def operation(self) -> str:
        parts = self.index if isinstance(self.index, tuple) else (self.index,)
        return "Select" if any([isinstance(part, int) for part in parts]) else "Slice"


class Gather(Function):
    """y = x[index] with an advanced index, a copy;  gx = zeros, with gy added at the index."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Any) -> Tensor:
        ctx.shape, ctx.index = x.array.shape, index
        return wrap(kernels.of(x.array).getitem(x.array, index))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Scatter.apply(gy, ctx.shape, ctx.index), None


class Scatter(Function):
    """y = zeros of a shape, with x added at an index;  gx = gy[index]. The adjoint of indexing."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, shape: tuple, index: Any) -> Tensor:
        ctx.index = index
        backend = kernels.of(x.array)
        y = backend.full(shape, 0, x.array.dtype)
        backend.index_add(y, index, x.array)
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Gather.apply(gy, ctx.index), None, None


class Write(Function):
    """y = x with value written at an index;  gx = gy with zeros there, gvalue = gy[index] (summed, if value was
    broadcast)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, index: Any, value: Any) -> Tensor:
        ctx.index, ctx.value_shape = index, value.array.shape if isinstance(value, Tensor) else None
        y = kernels.of(x.array).copy(x.array)
        _put(y, index, value)
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        gx = gvalue = None
        if ctx.needs_input_grad[0]:
            gx = Write.apply(gy, ctx.index, 0)
        if ctx.needs_input_grad[2]:
            gvalue = Gather.apply(gy, ctx.index).sum_to_size(ctx.value_shape)
        return gx, None, gvalue


def _axes_taken(part: Any) -> int:
    """How many axes an entry of an index speaks of: a mask has its own."""
    if part is None or part is Ellipsis:
        return 0
    return part.ndim if _is_mask(part) else 1


def _is_mask(part: Any) -> bool:
    return getattr(getattr(part, "dtype", None), "kind", "") == "b"


def _checked(x: Tensor, index: Any) -> None:
    """Check how many axes an index speaks of, that each mask in it has the sizes of its own, and that lists of places
    broadcast.

    Raises:
        IndexError: too many axes, other sizes, or shapes that do not broadcast.
    """
    parts = index if isinstance(index, tuple) else (index,)
    used = sum(map(_axes_taken, parts))
    if used > x.array.ndim:
        if not x.array.ndim:
            raise IndexError(
                "invalid index of a 0-dim tensor: write tensor.item() for its value as a Python number "
                "(loss.item(), not loss.data[0] or loss[0])"
            )
        raise IndexError(
            f"too many indices for a tensor of {x.array.ndim} dimensions (shape {tuple(x.array.shape)}): {used}"
        )
    axis = 0
    for part in parts:
        if _is_mask(part) and part.shape != (sizes := x.array.shape[axis : axis + part.ndim]):
            raise IndexError(
                f"a mask of shape {tuple(part.shape)} does not fit dimensions of sizes {tuple(sizes)} (from dim {axis} "
                f"of shape {tuple(x.array.shape)})"
            )
        axis += x.array.ndim - used if part is Ellipsis else _axes_taken(part)
    shapes = [tuple(part.shape) for part in parts if hasattr(part, "shape") and not _is_mask(part)]
    try:
        functools.reduce(lambda a, b: broadcast_shape(a, b, "indexing"), shapes, ())
    except RuntimeError as error:
        raise IndexError(str(error)) from None


def _ints_first(x: Tensor, index: Any) -> tuple[Tensor, Any]:
    """An advanced index with ints in it, as PyTorch takes it: the ints pick a view, the rest is an index into that.
    (To NumPy an int beside a list is a list too, and lists apart from each other move their axis to the front.)"""
    if not isinstance(index, tuple) or not any([isinstance(part, int) for part in index]):
        return x, index
    first: list = []
    for part in index:
        if isinstance(part, int) or part is Ellipsis:
            first.append(part)
        else:
            first += [slice(None)] * _axes_taken(part)
    return Slice.apply(x, tuple(first)), tuple([part for part in index if not isinstance(part, int)])


def getitem(input: Tensor, index: Any) -> Tensor:
    """``input[index]``: a view for ints, slices, None and ``...``, a copy if a list, a tensor or a mask takes part.

    Raises:
        IndexError: out of range, too many indices, or an index tensor that is not integer or bool.
    """
    plain, advanced = _index(index, input)
    _checked(input, plain)
    return Gather.apply(*_ints_first(input, plain)) if advanced else Slice.apply(input, plain)


def _put(x: Any, index: Any, value: Any) -> None:
    """``x[index] = value`` for an array.

    Raises:
        RuntimeError: the value does not broadcast to what the index selects, or the memory is read-only.
        TypeError: the value is neither a tensor nor numbers.
    """
    try:
        kernels.of(x).setitem(x, index, value.array if isinstance(value, Tensor) else value)
    except (TypeError, ValueError) as error:
        what = f"a tensor of shape {tuple(value.array.shape)}" if isinstance(value, Tensor) else repr(value)
        kind = TypeError if isinstance(value, str) or value is None else RuntimeError
        raise kind(f"setitem: {what} cannot be written into a tensor of shape {tuple(x.shape)}: {error}") from None


def _masks_only(index: Any) -> bool:
    """Whether what is advanced in an index are masks."""
    parts = index if isinstance(index, tuple) else (index,)
    return all([_is_mask(part) or not hasattr(part, "dtype") for part in parts])


def _without_leading_ones(x: Tensor) -> Tensor:
    shape = x.array.shape
    ones = next((axis for axis, n in enumerate(shape) if n != 1), len(shape))
    return Slice.apply(x, (0,) * ones)


def setitem(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value`` (a tensor that broadcasts, or a number), recorded like any in-place operation.

    Raises:
        IndexError: as :func:`getitem`.
        RuntimeError: a leaf that requires grad, or a value that does not broadcast, is beyond the type's numbers, or is
            of another type (where the index holds lists of places).
    """
    plain, advanced = _index(index, input)
    _checked(input, plain)
    check_may_change(input, "setitem")
    if advanced:
        input, plain = _ints_first(input, plain)
    if isinstance(value, Tensor):
        if type(value.array) is not type(input.array):
            if value.array.ndim:
                raise RuntimeError(f"setitem: the value is on {value.device}, the tensor on {input.device}")
            value = value.to(input.device)
        if advanced and value.array.dtype != input.array.dtype and (value.array.ndim or not _masks_only(plain)):
            raise RuntimeError(f"setitem: at an index list, {value.dtype} cannot be written into {input.dtype}")
        value = cast(value, input.array.dtype)
        if value.array.ndim and value.array.shape[0] == 1:  # axes that would be repeated anyway need not be there
            value = _without_leading_ones(value)
    elif not isinstance(value, (int, float)):
        from .creation import tensor

        value = tensor(value, dtype=input.dtype)
    else:
        value = fitting(value, input.array.dtype, "setitem")
    if is_grad_enabled() and (input.requires_grad or (isinstance(value, Tensor) and value.requires_grad)):
        overwrite(input, Write.apply(input, plain, value), "setitem")
    else:
        _put(input.array, plain, value)
        input._bump()


def index_put_(self: Tensor, indices: tuple, values: Tensor, accumulate: bool = False) -> Tensor:
    """``self[indices] = values``, in place; with ``accumulate`` ``self[indices] += values``, and all that go to one
    place add up.

    Raises:
        IndexError, RuntimeError: as :func:`setitem`; and of another type, values of whatever shape.
    """
    if values.array.dtype != self.array.dtype:
        raise RuntimeError(f"index_put_: values must be {self.dtype} as self, got {values.dtype}")
    if not accumulate:
        setitem(self, tuple(indices), values)
        return self
    index, _ = _index(tuple(indices), self)
    _checked(self, index)
    wide = values.expand(kernels.of(self.array).getitem(self.array, index).shape)
    return self.add_(Scatter.apply(wide, self.array.shape, index))


def index_put(input: Tensor, indices: tuple, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` after :func:`index_put_`."""
    return index_put_(input.clone(), indices, values, accumulate)


def iterate(input: Tensor) -> Any:
    """The slices along the first axis."""
    if not input.array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter([getitem(input, i) for i in range(input.array.shape[0])])
