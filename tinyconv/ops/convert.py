"""The same values in another element type, or on another device."""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..layout import expect_format
from ..tensor import Tensor, wrap
from ..tensor import device as Device


class Cast(Function):
    """y = x in another element type; the gradient is cast back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: Any) -> Tensor:
        ctx.dtype = x.array.dtype
        return wrap(kernels.of(x.array).cast(x.array, dtype))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return cast(gy, ctx.dtype), None


def cast(x: Tensor, dtype: Any) -> Tensor:
    """``x`` with elements of a NumPy ``dtype``: ``x`` itself if they already are."""
    return x if x.array.dtype == dtype else Cast.apply(x, dtype)


def backend_on(device: Any) -> Any:
    """The backend that computes on a device (default: the host).

    Raises:
        RuntimeError: a second one of its kind.
    """
    device = Device(device or "cpu")
    if device.index:
        raise RuntimeError(f"{device}: tinyconv uses one device of a kind, {device.type}:0")
    return kernels.on(device.type)


def same_device(a: Device, b: Device) -> bool:
    """Whether two names mean one device: ``"cuda"`` is ``"cuda:0"``."""
    return a.type == b.type and (a.index or 0) == (b.index or 0)


class ToDevice(Function):
    """y = x on another device;  gx = gy brought back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, device: Device) -> Tensor:
        ctx.device = x.device
        return wrap(backend_on(device).from_host(kernels.of(x.array).to_host(x.array)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return ToDevice.apply(gy, ctx.device), None


def to(input: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False,
       memory_format: Any = None) -> Tensor:  # fmt: skip
    """``input`` with another dtype and/or on another device: ``x.to(tinyconv.float64)``, ``x.to("cpu")``,
    ``x.to("cpu", tinyconv.float64)``, ``x.to(other)`` (the dtype and device of another tensor); each may be followed by
    ``non_blocking`` and ``copy``.

    Args:
        input: any tensor.
        args, dtype, device: what it should become.
        copy: copy even where nothing changes.
        non_blocking, memory_format: accepted, without effect (elements lie in C order).

    Raises:
        TypeError: an argument is neither dtype, device nor tensor.
        RuntimeError: an unknown or absent device.

    Returns:
        ``input`` itself where nothing changes and ``copy`` is False.
    """
    expect_format("to", memory_format, input.array.ndim)
    flags = [arg for arg in args if isinstance(arg, bool)]
    for arg in args:
        if isinstance(arg, dtypes.dtype) or arg in (float, int, bool):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif isinstance(arg, (str, Device)):
            device = arg
        elif arg is not None and not isinstance(arg, bool):
            raise TypeError(f"to: expected a dtype, a device or a tensor, got {arg!r}")
    out = input
    if device is not None and not same_device(Device(device), input.device):
        out = ToDevice.apply(out, Device(device))
    if dtype is not None:
        out = cast(out, dtypes.as_numpy(dtype))
    return out.clone() if (copy or flags[1:] == [True]) and out is input else out


def _conversion(target: Any, name: str) -> Any:
    def convert(input: Tensor, memory_format: Any = None) -> Tensor:
        return cast(input, target.numpy)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"``input`` with elements of {target!r} (itself, if they already are)."
    return convert


double = _conversion(dtypes.float64, "double")
float_ = _conversion(dtypes.float32, "float")
half = _conversion(dtypes.float16, "half")
int_ = _conversion(dtypes.int32, "int")
long = _conversion(dtypes.int64, "long")
short = _conversion(dtypes.int16, "short")
char = _conversion(dtypes.int8, "char")
byte = _conversion(dtypes.uint8, "byte")
bool_ = _conversion(dtypes.boolean, "bool")


def cpu(input: Tensor) -> Tensor:
    """``input`` on the host."""
    return to(input, device="cpu")


def cuda(input: Tensor, device: Any = None) -> Tensor:
    """``input`` on the GPU."""
    return to(input, device="cuda" if device is None else device)


def type_as(input: Tensor, other: Tensor) -> Tensor:
    """``input`` with the dtype of ``other``."""
    return to(input, other.dtype)


TYPE_NAMES = {
    "Float": dtypes.float32, "Double": dtypes.float64, "Half": dtypes.float16, "Byte": dtypes.uint8,
    "Char": dtypes.int8, "Short": dtypes.int16, "Int": dtypes.int32, "Long": dtypes.int64, "Bool": dtypes.boolean,
}  # fmt: skip


def type_(input: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """Without an argument the name of the type, such as ``"tinyconv.FloatTensor"`` (``"tinyconv.cuda.FloatTensor"``);
    else ``input`` as that type.

    Args:
        input: any tensor.
        dtype: a dtype, or a name as above, or one of the classes with these names; Tensor for the default dtype.
        non_blocking: accepted, without effect.

    Raises:
        ValueError: an unknown type.
    """
    if dtype is None:
        (word,) = (word for word, known in TYPE_NAMES.items() if known is input.dtype)
        return f"tinyconv.{'cuda.' if input.is_cuda else ''}{word}Tensor"
    if isinstance(dtype, dtypes.dtype):
        return cast(input, dtype.numpy)
    name = f"{dtype.__module__}.{dtype.__name__}" if isinstance(dtype, type) else str(dtype)
    *place, word = name.split(".")
    if word != "Tensor" and (not word.endswith("Tensor") or word[:-6] not in TYPE_NAMES):
        raise ValueError(f"type: expected a dtype or a name such as 'tinyconv.DoubleTensor', got {dtype!r}")
    out = cast(input, dtypes.as_numpy(TYPE_NAMES.get(word[:-6])))
    return out if not place else to(out, "cuda" if "cuda" in place else "cpu")


def typename(obj: Any) -> str:
    """The full name of a tensor's type (``"tinyconv.FloatTensor"``), of a class or a function, or of an object's
    class."""
    if isinstance(obj, Tensor):
        return type_(obj)
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None) or "builtins"
    return named.__qualname__ if module == "builtins" else f"{module}.{named.__qualname__}"


# ---------------------------------------------------------------------------------------------- which type, which place


def is_floating_point(input: Tensor) -> bool:
    """Whether the elements are floating-point numbers."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the elements are complex numbers: never, there are no such tensors."""
    return False


def is_signed(input: Tensor) -> bool:
    """Whether the elements can be negative."""
    return input.dtype.is_signed


def itemsize(input: Tensor) -> int:
    """Bytes per element."""
    return input.array.dtype.itemsize


def nbytes(input: Tensor) -> int:
    """Bytes of all elements together."""
    return input.numel() * input.array.dtype.itemsize


def is_cpu(input: Tensor) -> bool:
    """Whether the elements are in the host's memory."""
    return input.device.type == "cpu"


def get_device(input: Tensor) -> int:
    """The number of the GPU the tensor is on, -1 for none."""
    return (input.device.index or 0) if input.is_cuda else -1


def ndimension(input: Tensor) -> int:
    """The number of dimensions."""
    return input.array.ndim


def stride(input: Tensor, dim: int | None = None) -> Any:
    """How many elements of memory lie between neighbours along each axis, or along ``dim``.

    Raises:
        IndexError: there is no such axis.
    """
    steps = kernels.of(input.array).strides(input.array)
    if dim is None:
        return steps
    if not -len(steps) <= dim < len(steps):
        raise IndexError(f"stride: dim {dim} is out of range for shape {tuple(input.array.shape)}")
    return steps[dim]


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not 0.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    return bool(input)


def pin_memory(input: Tensor, device: Any = None) -> Tensor:
    """``input`` itself: memory is not pinned."""
    return input


def is_pinned(input: Tensor, device: Any = None) -> bool:
    """Whether the memory is pinned: never."""
    return False
