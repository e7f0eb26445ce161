"""Tensor: an array, its gradient, and the node of the graph that made it.

The numbers live in ``array``, a NumPy array (or a device's), and only ``kernels/`` computes on them. What a tensor
*can do* (``x + y``, ``x.sum()``, ``x.backward()``) is attached from above, by ``autograd/`` and
``ops/__init__.py``; this file says what a tensor *is*:

* **leaf or result.** A leaf was made by the user and may ask for a gradient (``requires_grad``); a result carries the
  node that made it and which of the node's outputs it is, and asks for a gradient if any input did.
* **version.** A counter, shared by all tensors on the same memory and raised by every in-place change, lets the
  backward pass notice that a value it saved has been overwritten since.
* **view.** A tensor that looks into another's memory remembers its ``base`` and the steps that lead there. When the
  base is changed in place, its history changes, and so does that of each view: it is rebuilt on demand by taking the
  same steps from the base's new history.
"""

from __future__ import annotations

import functools
from typing import Any

from . import dtypes, kernels
from .caller import warn

__all__ = ["Size", "Tensor", "device", "wrap"]


class device:
    """Where a tensor's memory is: ``device("cpu")``, ``device("cuda", 0)`` or ``device("cuda:0")``.

    ``with device("cpu"):`` says where new tensors are made; they are made there anyway, and no other can be chosen.

    Raises:
        RuntimeError: an unknown device type.
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None):
        if isinstance(type, device):
            type, index = type.type, type.index
        name, _, number = str(type).partition(":")
        if name not in ("cpu", "cuda") and name not in kernels._by_device:
            raise RuntimeError(f"device: expected 'cpu' or 'cuda', optionally with ':index', got {type!r}")
        self.type, self.index = name, int(number) if number else index

    def __enter__(self) -> device:
        expect_default(self, "with device")
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing has changed."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )


def expect_default(place: Any, name: str) -> None:
    """Check that ``place`` is where new tensors are made unless told otherwise.

    Raises:
        NotImplementedError: it is not.
    """
    if place is not None and device(place).type != "cpu":
        raise NotImplementedError(
            f"{name}: new tensors are made on the CPU unless told otherwise; say device={str(place)!r} where they are "
            "made, and model.to(device)"
        )


CPU = device("cpu")
_device_of = functools.cache(device)


class Size(tuple):
    """A tensor's shape: a tuple that prints as PyTorch's does and counts its elements."""

    __slots__ = ()

    def numel(self) -> int:
        """The product of the sizes."""
        count = 1
        for size in self:
            count *= size
        return count

    def __getitem__(self, index: Any) -> Any:
        part = tuple.__getitem__(self, index)
        return Size(part) if type(part) is tuple else part

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Size:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return f"tinyconv.Size({list(self)})"


class Tensor:
    """A multi-dimensional array that records what is computed with it.

    Operations make their results with :func:`wrap`; most programs use :func:`tinyconv.tensor`. As in PyTorch,
    ``Tensor([1, 2])`` and ``Tensor(array)`` hold numbers of the default type (an array that has it is not copied), and
    ``Tensor(2, 3)`` has a shape and undefined contents.

    Attributes:
        array: the NumPy (or device) array. Writing through it escapes the version counter, as PyTorch's ``.data`` does.
        grad: the gradient that ``backward()`` accumulated, or None.
        requires_grad: whether operations on this tensor are recorded.
    """

    __slots__ = ("__dict__", "__weakref__", "_base", "_base_edge", "_counter", "_edge", "_grad", "_steps", "array")
    array: Any
    _grad: Tensor | None
    _counter: list[int]  # [version], one list for all tensors on the same memory
    _edge: Any  # where a gradient for this tensor is sent: (node, which of its outputs this is), or None for nowhere
    _base: Tensor | None  # the tensor whose memory this one looks into; only views have the next two:
    _steps: tuple  # the (function, arguments) that lead from there to here, and
    _base_edge: Any  # the base's edge when _edge was worked out
    _accumulator: Any = None  # the node at which paths to a leaf end, once the leaf has asked for a gradient
    _retains_grad = False
    __array_priority__ = 1000  # NumPy's scalars and arrays leave `number * tensor` to the tensor

    def __init__(self, data: Any = (), requires_grad: bool = False, *sizes: int):
        if isinstance(data, Tensor):
            self.array = data.array
        elif type(data) in kernels._by_class and data.dtype == dtypes.get_default_dtype().numpy:
            self.array = data
        else:
            self.array, requires_grad = self._made(data, requires_grad, sizes)
        self._counter = [0]
        self._grad = self._edge = self._base = None
        if requires_grad:
            self.requires_grad = True

    # ------------------------------------------------------------------------------------------------- what it is

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes.of(self.array.dtype)

    @property
    def device(self) -> device:
        place = getattr(self.array, "device_of_tensor", None)
        return CPU if place is None else _device_of(place)

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or one entry of it."""
        if dim is None:
            return self.shape
        if not -self.array.ndim <= dim < self.array.ndim:
            raise IndexError(f"size: dim {dim} is out of range for shape {tuple(self.array.shape)}")
        return self.array.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return self.shape.numel()

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def is_floating_point(self) -> bool:
        return self.array.dtype.kind == "f"

    def __len__(self) -> int:
        if not self.array.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.array.shape[0]

    __hash__ = object.__hash__

    @property
    def grad(self) -> Tensor | None:
        if self._grad is None and not self._retains_grad and not self.is_leaf:
            warn(
                "the .grad of a result is None: backward() fills it for leaves only, the tensors that computing starts "
                "from. For a result say retain_grad() before; for a weight do not bind its name to a new tensor "
                "(w = w - lr * w.grad): change it under no_grad() (w -= lr * w.grad)",
            )
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad must be a Tensor or None, got {type(value).__name__}")
            for name in "shape", "dtype", "device":
                own, got = getattr(self, name), getattr(value, name)
                if own != got:
                    raise RuntimeError(f"grad must have the {name} of its tensor, {own}, got {got}")
            if value is self:
                raise RuntimeError("grad: a tensor cannot be its own gradient")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    # ------------------------------------------------------------------------------------------------- its history

    def _history(self) -> Any:
        """The edge of this tensor, worked out anew if it is a view whose base was changed in place since."""
        base = self._base
        if base is not None and base._edge is not self._base_edge and not base.is_leaf:
            self._follow_base()
        return self._edge

    @property
    def grad_fn(self) -> Any:
        return None if self.is_leaf else self._named(self._edge[0])

    @property
    def is_leaf(self) -> bool:
        edge = self._history()
        return edge is None or edge[0] is self._accumulator

    @property
    def requires_grad(self) -> bool:
        return self._history() is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not self.is_leaf:
            if not value:
                raise RuntimeError(
                    "you can only change requires_grad of leaf tensors; "
                    "use y = x.detach() for a tensor that is cut off from the graph"
                )
            return
        if value and self.array.dtype.kind != "f":
            raise RuntimeError(f"only tensors of floating point dtype can require gradients, got {self.dtype}")
        if value and self._accumulator is None:
            self._accumulator = self._accumulate_grad(self)
        self._edge = (self._accumulator, 0) if value else None

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set ``requires_grad`` and return self."""
        self.requires_grad = requires_grad
        return self

    @property
    def _version(self) -> int:
        return self._counter[0]

    def _bump(self) -> None:
        """Count an in-place change."""
        self._counter[0] += 1

    def _is_view(self) -> bool:
        return self._base is not None

    # --------------------------------------------------------------------------- the same memory, without the history

    def detach(self) -> Tensor:
        """A tensor on the same memory (and version) without history: it requires no gradient."""
        out = wrap(self.array)
        out._counter = self._counter
        return out

    def detach_(self) -> Tensor:
        """Cut this tensor off from its history: it requires no gradient any more.

        Raises:
            RuntimeError: it is a view, whose base keeps its history.
        """
        if self._base is not None:
            raise RuntimeError("detach_: a view cannot be detached in place; use y = x.detach()")
        self._edge = self._accumulator = None
        return self

    @property
    def data(self) -> Tensor:
        """A tensor on the same memory, detached even from the version counter: changes made through it go unnoticed."""
        return wrap(self.array)

    @data.setter
    def data(self, value: Tensor) -> None:
        if self.array.dtype != value.array.dtype and self.requires_grad and value.array.dtype.kind != "f":
            raise RuntimeError(f"data of a tensor that requires grad must be floating point, got {value.dtype}")
        self.array = value.array
        if self._accumulator is not None:
            self._accumulator.describe(self)

    def numpy(self, *, force: bool = False) -> Any:
        """The NumPy array this tensor wraps (no copy).

        Args:
            force: detach the tensor and fetch it from its device, if need be.

        Raises:
            RuntimeError: the tensor requires grad, outside of ``no_grad`` (say ``x.detach().numpy()``).
            TypeError: it is on another device (say ``x.cpu().numpy()``).
        """
        if force:
            return self._host()
        if self.requires_grad and self._recording():
            raise RuntimeError("can't call numpy() on a tensor that requires grad; use x.detach().numpy()")
        if self.device.type != "cpu":
            raise TypeError(f"can't convert a {self.device} tensor to NumPy; use x.cpu() first")
        return self.array

    def _host(self) -> Any:
        return kernels.of(self.array).to_host(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is None or array.dtype == dtype:
            return array.copy() if copy else array
        return array.astype(dtype)

    def tolist(self) -> Any:
        """Nested Python lists of numbers (one number for a 0-d tensor)."""
        return self._host().tolist()

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number.

        Raises:
            RuntimeError: there is not exactly one element.
        """
        if self.numel() != 1:
            raise RuntimeError(
                f"item: a tensor with {self.numel()} elements (shape {tuple(self.array.shape)}) is no number"
            )
        return self._host().item()

    def __bool__(self) -> bool:
        if self.numel() != 1:
            raise RuntimeError(
                f"the truth value of a tensor with {self.numel()} elements is ambiguous: use (x > 0).all() or .any()"
            )
        return bool(self.item())

    def _number(self) -> Any:
        if self.numel() != 1:
            raise ValueError(f"only one-element tensors are numbers, got shape {tuple(self.array.shape)}")
        return self.item()

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self._number())

    def __index__(self) -> int:
        if self.array.dtype.kind == "f" or self.numel() != 1:
            what = f"{self.dtype} of shape {tuple(self.array.shape)}"
            raise TypeError(f"only integer tensors of a single element can be converted to an index, got {what}")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return object.__format__(self, spec) if self.array.shape else format(self.item(), spec)

    def __repr__(self) -> str:
        from .formatting import format_tensor

        return format_tensor(self)

    def __reduce__(self):
        return _rebuild, (type(self), self._host(), self.is_leaf and self.requires_grad)

    def __deepcopy__(self, memo: dict) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors support deepcopy; use x.detach().clone() for a result")
        out = type(self)(wrap(kernels.of(self.array).copy(self.array)), requires_grad=self.requires_grad)
        if self.grad is not None:
            out.grad = self.grad.__deepcopy__(memo)
        return out


def _rebuild(cls: type, array: Any, requires_grad: bool) -> Tensor:
    return cls(wrap(array), requires_grad=requires_grad)


_new = object.__new__


def wrap(array: Any, requires_grad: bool = False) -> Tensor:
    """A tensor on ``array``, a NumPy (or device) array, as it is: what operations make their results with."""
    tensor = _new(Tensor)
    tensor.array = array
    tensor._counter = [0]
    tensor._grad = tensor._edge = tensor._base = None
    if requires_grad:
        tensor.requires_grad = True
    return tensor
