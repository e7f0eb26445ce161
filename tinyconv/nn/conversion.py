"""Modules' tensors on another device, or of another element type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from ..autograd import no_grad
from ..dtypes import dtype as dtype_class
from ..dtypes import float16, float32, float64
from ..layout import expect_format
from ..ops import empty_like
from ..tensor import Tensor

__all__ = ["Convertible"]


class Convertible:
    """The part of :class:`~tinyconv.nn.Module` that moves and converts what it holds."""

    _parameters: Any
    _buffers: Any
    children: Callable[[], Iterable[Any]]

    def _apply(self, convert: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Convert all tensors. Parameters and gradients keep their identity, so an optimizer keeps working."""
        for child in self.children() if recurse else ():
            child._apply(convert)
        with no_grad():
            for parameter in self._parameters.values():
                if parameter is not None:
                    parameter.data = convert(parameter)
                    if parameter.grad is not None:
                        parameter.grad.data = convert(parameter.grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = convert(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move or convert all parameters and buffers, in place: ``to(device)``, ``to(dtype)``, ``to(device, dtype)`` or
        ``to(tensor)`` (its dtype and device). Only floating-point tensors change their dtype.

        Args:
            device: where to.
            dtype: a floating-point type.
            tensor: whose device and dtype to take.
            non_blocking, memory_format: accepted for PyTorch's sake; without effect.

        Raises:
            TypeError: no floating-point dtype, or arguments that are none of these.
        """
        device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
        kwargs.pop("non_blocking", None)
        memory_format = kwargs.pop("memory_format", None)
        expect_format("to", memory_format, 4)  # of other parameters PyTorch leaves the order alone
        if "tensor" in kwargs:
            args = (kwargs.pop("tensor"), *args)
        if kwargs:
            raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
        for arg in args:
            if isinstance(arg, Tensor):
                device, dtype = arg.device, arg.dtype
            elif isinstance(arg, dtype_class):
                dtype = arg
            elif not isinstance(arg, bool):  # a bool is non_blocking
                device = arg
        if device is None and dtype is None and memory_format is None:
            raise TypeError("to: expected a device, a dtype or a tensor")
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda t: t.to(device=device, dtype=dtype if t.is_floating_point() else t.dtype))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move all parameters and buffers without their values, which are undefined then: load or initialize them.

        Args:
            device: where to.
            recurse: also those of the modules below.
        """
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(float16)

    def type(self, dst_type: dtype_class) -> Self:
        """Convert all parameters and buffers, integer ones too, to ``dst_type``."""
        return self._apply(lambda t: t.to(dtype=dst_type))

    def cpu(self) -> Self:
        """Move parameters and buffers to the host."""
        return self.to("cpu")

    def cuda(self, device: int | None = None) -> Self:
        """Move parameters and buffers to a GPU (the current one unless its number is given)."""
        return self.to("cuda" if device is None else f"cuda:{device}" if isinstance(device, int) else device)

    def share_memory(self) -> Self:
        """Accepted for PyTorch's sake; without effect (a forked process has the same memory until it writes)."""
        return self
