"""The same values in another element type, or on another device."""

from __future__ import annotations

from typing import Any

from .. import dtypes, kernels
from ..autograd import Function
from ..tensor import Tensor
from ..tensor import device as Device


class Cast(Function):
    """y = x in another element type; the gradient is cast back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dtype: Any) -> Tensor:
        ctx.dtype = x.array.dtype
        return Tensor(kernels.of(x.array).cast(x.array, dtype))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return cast(gy, ctx.dtype), None


def cast(x: Tensor, dtype: Any) -> Tensor:
    """``x`` with elements of a NumPy ``dtype``: ``x`` itself if they already are."""
    return x if x.array.dtype == dtype else Cast.apply(x, dtype)


def backend_on(device: Any) -> Any:
    """The backend that computes on a device (default: the host)."""
    return kernels.on(Device(device or "cpu").type)


class ToDevice(Function):
    """y = x on another device;  gx = gy brought back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, device: Device) -> Tensor:
        ctx.device = x.device
        return Tensor(backend_on(device).from_host(kernels.of(x.array).to_host(x.array)))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return ToDevice.apply(gy, ctx.device), None


def to(input: Tensor, *args: Any, dtype: Any = None, device: Any = None, copy: bool = False, non_blocking: bool = False,
       memory_format: Any = None) -> Tensor:  # fmt: skip
    """``input`` with another dtype and/or on another device: ``x.to(tinyconv.float64)``, ``x.to("cpu")``,
    ``x.to(other)``.

    Returns:
        ``input`` itself where nothing changes and ``copy`` is False.
    """
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
    if device is not None and Device(device) != input.device:
        out = ToDevice.apply(out, Device(device))
    if dtype is not None:
        out = cast(out, dtypes.int64.numpy if dtype is int else dtypes.as_numpy(dtype))
    return out.clone() if copy and out is input else out


def _conversion(target: Any, name: str) -> Any:
    def convert(input: Tensor) -> Tensor:
        return cast(input, target.numpy)

    convert.__name__ = convert.__qualname__ = name
    convert.__doc__ = f"``input`` with elements of {target!r} (itself, if they already are)."
    return convert


double = _conversion(dtypes.float64, "double")
float_ = _conversion(dtypes.float32, "float")
half = _conversion(dtypes.float16, "half")
int_ = _conversion(dtypes.int32, "int")
long = _conversion(dtypes.int64, "long")
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
