"""The memory behind a tensor: where it is, what else lies in it, and a tensor of another size on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, check_may_change
from ..layout import strided
from ..tensor import Tensor, wrap
from .compare import clamp_min
from .creation import empty, tensor
from .elementwise import add, div, mul
from .index import Scatter, counting
from .shape import sizes, view


def _memory(x: Tensor) -> Tensor:
    """All of the memory that ``x`` looks into, in one axis."""
    return wrap(kernels.of(x.array).storage(x.array))


class TypedStorage:
    """The memory of a tensor as one row of numbers, whatever the tensor's shape: ``x.storage()``.

    Indexing reads and writes it, past any shape, view or history.
    """

    def __init__(self, memory: Tensor):
        self._memory = memory

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return data_ptr(self._memory)

    def size(self) -> int:
        """The number of elements."""
        return self._memory.numel()

    __len__ = size

    def nbytes(self) -> int:
        """The number of bytes."""
        return self._memory.nbytes

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()  # programs measure a tensor's memory by sys.getsizeof

    def element_size(self) -> int:
        """Bytes per element."""
        return self._memory.element_size()

    @property
    def dtype(self) -> dtypes.dtype:
        return self._memory.dtype

    @property
    def device(self) -> Any:
        return self._memory.device

    def tolist(self) -> list:
        """The numbers."""
        return self._memory.tolist()

    def __iter__(self) -> Iterator:
        return iter(self.tolist())

    def __getitem__(self, index: int) -> Any:
        return self._memory[index].item()

    def __setitem__(self, index: int, value: Any) -> None:
        self._memory[index] = value

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage(view(self._memory, dtypes.uint8))

    def _title(self) -> str:
        return f"tinyconv.storage.TypedStorage(dtype={self.dtype}, device={self.device}) of size {self.size()}"

    def __repr__(self) -> str:
        return "\n".join([f" {number}" for number in self]) + f"\n[{self._title()}]"


class UntypedStorage(TypedStorage):
    """The memory of a tensor as bytes: ``x.untyped_storage()``."""

    def _title(self) -> str:
        return f"tinyconv.storage.UntypedStorage(device={self.device}) of size {self.size()}"


def storage(input: Tensor) -> Any:
    """The memory that ``input`` looks into: that of the tensor it is a view of, if it is one."""
    return TypedStorage(_memory(input))


def untyped_storage(input: Tensor) -> Any:
    """The memory that ``input`` looks into, as bytes. Two tensors share memory if these have one ``data_ptr()``."""
    return storage(input).untyped()


def data_ptr(input: Tensor) -> int:
    """The address of the first element; 0 if there is none."""
    return kernels.of(input.array).address(input.array) if input.numel() else 0


def _offset(input: Tensor) -> int:
    return (data_ptr(input) - data_ptr(_memory(input))) // input.element_size() if input.numel() else 0


def storage_offset(input: Tensor) -> int:
    """How many elements lie in the memory before the first one."""
    return _offset(input)


def _places(like: Tensor, size: tuple, stride: tuple, offset: int) -> Tensor:
    """Where in the memory each element of a view is, in C order: int64, one axis, on the device of ``like``."""
    place = like.new_full((), offset, dtype=dtypes.int64)
    for n, step in zip(size, stride):
        place = add(place.unsqueeze(-1), mul(counting(n, like), step))
    return place.reshape(-1)


class AsStrided(Function):
    """y = the memory of x by other strides, a view;  gx = each gy added where it was read, as far as x is there.
    Elements of x that are one in memory (of an expanded tensor) share its gradient equally."""

    is_view = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: tuple, stride: tuple, offset: int) -> Tensor:
        memory = _memory(x)
        ctx.read = size, stride, offset
        ctx.of_x = tuple(x.array.shape), x.stride(), _offset(x)
        ctx.length = memory.numel()
        return wrap(kernels.of(memory.array).as_strided(memory.array, size, stride, offset))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        memory = Scatter.apply(gy.reshape(-1), (ctx.length,), (_places(gy, *ctx.read).array,))
        own = _places(gy, *ctx.of_x)
        sharers = Scatter.apply(gy.new_ones(own.array.shape), (ctx.length,), (own.array,))
        memory = div(memory, clamp_min(sharers, 1))
        return AsStrided.apply(memory, *ctx.of_x).clone(), None, None, None


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view of the memory of ``input`` by any strides: ``y[i, j, ...]`` is element ``storage_offset + i * stride[0] +
    j * stride[1] + ...`` of it.

    Args:
        input: any tensor; its shape does not count, nor what part of its memory it is.
        size: of the view.
        stride: elements from one place to the next along each axis; not negative.
        storage_offset: where in the memory the view begins (default: where ``input`` does).

    Raises:
        RuntimeError: not as many strides as sizes, negative ones, or elements outside of the memory.
    """
    size, stride = sizes((size,)), sizes((stride,))
    if len(size) != len(stride) or min((*size, *stride), default=0) < 0:
        raise RuntimeError(f"as_strided: expected as many strides as sizes, none negative, got {size} and {stride}")
    start = _offset(input) if storage_offset is None else int(storage_offset)
    end, held = start + sum([(n - 1) * s for n, s in zip(size, stride)]) + 1, _memory(input).numel()
    if start < 0 or (0 not in size and end > held):
        raise RuntimeError(f"as_strided: elements {start} to {end - 1} are asked for, the memory holds {held}")
    return AsStrided.apply(input, size, stride, start)


def empty_strided(size: Any, stride: Any, *, dtype: Any = None, device: Any = None,
                  requires_grad: bool = False) -> Tensor:  # fmt: skip
    """Memory as it was found, whose neighbours along each axis are ``stride`` elements apart.

    Args:
        size: the shape.
        stride: for each axis, not negative.
        dtype: by default the default type.
        device: where to put it.
        requires_grad: record what is computed with it.

    Raises:
        RuntimeError: not as many strides as sizes, or negative ones.
    """
    size, stride = sizes((size,)), sizes((stride,))
    if len(size) != len(stride) or min((*size, *stride), default=0) < 0:
        raise RuntimeError(f"empty_strided: expected as many strides as sizes, none negative, got {size} and {stride}")
    length = 0 if 0 in size else sum([(n - 1) * s for n, s in zip(size, stride)]) + 1
    memory = empty(length, dtype=dtype, device=device).array
    return wrap(kernels.of(memory).as_strided(memory, size, stride, 0), requires_grad=requires_grad)


def new_empty_strided(input: Tensor, size: Any, stride: Any, *, dtype: Any = None, device: Any = None,
                      requires_grad: bool = False) -> Tensor:  # fmt: skip
    """:func:`empty_strided`, by default in the dtype and place of ``input``."""
    like = {"dtype": dtype or input.dtype, "device": device or input.device}
    return empty_strided(size, stride, **like, requires_grad=requires_grad)


def resize_(self: Tensor, *sizes_: Any, memory_format: Any = None) -> Tensor:
    """Another shape for this tensor, in place: on the same memory where that is large enough, which begins with what
    the tensor began with; else on new memory, with the numbers at its beginning and undefined ones after them.

    Raises:
        RuntimeError: the tensor requires grad, or a size is negative.
    """
    if self.requires_grad:
        raise RuntimeError("resize_: cannot resize a tensor that requires grad; use reshape()")
    check_may_change(self, "resize_")
    shape = sizes(sizes_)
    if any([n < 0 for n in shape]):
        raise RuntimeError(f"resize_: sizes must not be negative, got {shape}")
    count, start, memory = math.prod(shape), storage_offset(self), _memory(self)
    if start + count > memory.numel():
        enough = empty(count, dtype=self.dtype, device=self.device)
        enough[: self.numel()] = memory[start : start + self.numel()]
        memory, start = enough, 0
    self.array = memory[start : start + count].view(shape).array
    self._bump()
    return self


def resize_as_(self: Tensor, other: Tensor, *, memory_format: Any = None) -> Tensor:
    """:func:`resize_` to the shape of ``other``."""
    return resize_(self, tuple(other.array.shape))


def share_memory_(self: Tensor) -> Tensor:
    """This tensor: threads share all memory as it is, and memory that processes share there is none."""
    return self


def is_shared(input: Tensor) -> bool:
    """Whether processes share the memory: never."""
    return False


def layout(input: Tensor) -> Any:
    """``tinyconv.strided``: there is no other layout."""
    return strided


def _never(name: str, what: str) -> Callable[[Tensor], bool]:
    def answer(input: Tensor) -> bool:
        return False

    answer.__name__ = answer.__qualname__ = name
    answer.__doc__ = f"Whether {what}: never."
    return answer


is_sparse = _never("is_sparse", "only the elements that are not 0 are kept")
is_quantized = _never("is_quantized", "the elements are numbers of a few bits and a scale")
is_meta = _never("is_meta", "there is a shape without elements")
is_inference = _never("is_inference", "the tensor was made in inference mode, and may not be recorded afterwards")
is_nested = _never("is_nested", "the tensor is a list of tensors of different shapes")


# ---------------------------------------------------------------------------------------- element by element, in Python


def _mapped(self: Tensor, function: Callable, others: tuple[Tensor, ...], name: str) -> Tensor:
    if self.requires_grad:
        raise RuntimeError(f"{name}: the tensor requires grad, and Python's arithmetic is not recorded; detach() it")
    if self.device.type != "cpu":
        raise TypeError(f"{name} is for tensors on the CPU, got one on {self.device}")
    rows = [x.expand(self.shape).reshape(-1).tolist() for x in (self, *others)]
    found = tensor([function(*numbers) for numbers in zip(*rows)], dtype=self.dtype)
    return self.copy_(found.reshape(self.shape))


def apply_(self: Tensor, callable: Callable) -> Tensor:
    """``x = callable(x)`` for every element, in place and one after the other: for a try, not for speed.

    Raises:
        RuntimeError: the tensor requires grad.
        TypeError: it is not on the CPU.
    """
    return _mapped(self, callable, (), "apply_")


def map_(self: Tensor, tensor: Tensor, callable: Callable) -> Tensor:
    """``x = callable(x, y)`` for every element and that of ``tensor`` (broadcast), in place; as :func:`apply_`."""
    return _mapped(self, callable, (tensor,), "map_")


def new(input: Tensor, *data: Any) -> Tensor:
    """PyTorch's older name for a tensor of the same type: ``x.new(2, 3)`` has a shape and undefined contents,
    ``x.new([1, 2])`` these numbers, ``x.new()`` none."""
    if len(data) == 1 and not isinstance(data[0], (int, tuple)):
        return input.new_tensor(data[0])
    return input.new_empty(data[0] if data and isinstance(data[0], tuple) else data or (0,))
