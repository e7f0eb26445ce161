"""Convolution and transposed convolution of images.

The formula stands in ``kernels/contract.py``; the output size is ``OH = floor((H + 2*PH - DH*(KH-1) - 1) / SH) + 1``.
A transposed convolution turns that round, ``OH = (H-1)*SH - 2*PH + DH*(KH-1) + output_padding + 1``: it is the
gradient of a convolution with respect to its input, used as a layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..ops import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Conv2d", "ConvTranspose2d"]

Pair = int | tuple[int, int]
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _pair(value: Any) -> tuple[int, int]:
    """``value`` for both axes, unless it is a pair already."""
    return tuple(value) if isinstance(value, Iterable) else (value, value)


class _Conv(Module):
    """The settings, parameters and printing that both layers share."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair,
        padding: str | Pair,
        dilation: Pair,
        transposed: bool,
        output_padding: Pair,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        if in_channels % groups != 0:
            raise ValueError(f"in_channels must be divisible by groups, got {in_channels} and {groups}")
        if out_channels % groups != 0:
            raise ValueError(f"out_channels must be divisible by groups, got {out_channels} and {groups}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {_PADDING_MODES}, but got padding_mode={padding_mode!r}")
        if padding_mode != "zeros":
            raise NotImplementedError(f"padding_mode={padding_mode!r} is not implemented yet, only 'zeros' is")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _pair(kernel_size)
        self.stride = _pair(stride)
        self.padding = padding if isinstance(padding, str) else _pair(padding)
        self.dilation = _pair(dilation)
        self.transposed = transposed
        self.output_padding = _pair(output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of ('same', 'valid')")
            if padding == "same" and self.stride != (1, 1):
                raise ValueError("padding='same' is not supported for strided convolutions")

        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(empty(*channels, *self.kernel_size, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew (PyTorch's default: :func:`~tinyconv.nn.init.kaiming_uniform_` with a = sqrt(5))."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            init.bias_uniform_(self.bias, self.weight)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", (0, 0)), ("dilation", (1, 1)), ("output_padding", (0, 0)), ("groups", 1)):
            value = getattr(self, name)
            if value != usual:
                parts.append(f"{name}={value}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


class Conv2d(_Conv):
    """2-D convolution: x ``(N, C, H, W)`` or ``(C, H, W)`` -> y ``(N, O, OH, OW)`` or ``(O, OH, OW)``.

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: (KH, KW), or one number for both, as everywhere below.
        stride: step of the window.
        padding: rows and columns of zeros on every side; or "valid" (none), or "same" (output as large as the input).
        dilation: distance between the kernel's elements in the image.
        groups: G independent convolutions on C/G channels each (G = C: depthwise).
        bias: whether to add a learned bias to each output channel.
        padding_mode: only "zeros" so far.
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight: ``(O, C/G, KH, KW)``, uniform within ±1/sqrt(C/G * KH * KW) at first.
        bias: ``(O,)``, likewise, or None.

    Raises:
        ValueError: groups that do not divide the channels; an unknown padding or padding_mode; "same" with a stride.
        NotImplementedError: a padding_mode other than "zeros".
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: str | Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, False, 0, groups, bias, padding_mode,
            device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C, H, W) -> (N, O, OH, OW)``."""
        return F.conv2d(input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Conv):
    """2-D transposed convolution: x ``(N, C, H, W)`` or ``(C, H, W)`` -> y ``(N, O, OH, OW)`` or ``(O, OH, OW)``.

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: (KH, KW), or one number for both, as everywhere below.
        stride: distance at which the input's elements are laid out.
        padding: rows and columns cut off on every side of the output.
        output_padding: rows and columns added at the bottom and on the right: with a stride, several output sizes
            belong to one input size, and this says which.
        groups: G independent transposed convolutions.
        bias: whether to add a learned bias to each output channel.
        dilation: distance between the kernel's elements in the output.
        padding_mode: only "zeros".
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight: ``(C, O/G, KH, KW)``, uniform within ±1/sqrt(O/G * KH * KW) at first.
        bias: ``(O,)``, likewise, or None.

    Raises:
        ValueError: groups that do not divide the channels; an unknown padding_mode.
        NotImplementedError: a padding_mode other than "zeros".
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        output_padding: Pair = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Pair = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        if isinstance(padding, str):
            raise ValueError(f"ConvTranspose2d: padding must be an int or a pair of ints, got {padding!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, True, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``(N, C, H, W) -> (N, O, OH, OW)``.

        Args:
            input: x.
            output_size: (OH, OW), or the whole shape of the output, instead of ``output_padding``.

        Raises:
            ValueError: an ``output_size`` that this input cannot have.
        """
        output_padding = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )

    def _output_padding(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, int]:
        """The ``output_padding`` that leads to ``output_size``."""
        wanted = tuple(output_size[-2:] if len(output_size) == input.dim() else output_size)
        if len(wanted) != 2:
            raise ValueError(
                f"ConvTranspose2D: for {input.dim()}D input, output_size must have 2 or {input.dim()} elements "
                f"(got {len(output_size)})"
            )
        smallest = [
            (input.shape[i - 2] - 1) * self.stride[i]
            - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            for i in (0, 1)
        ]
        largest = [smallest[i] + self.stride[i] - 1 for i in (0, 1)]
        if not all(smallest[i] <= wanted[i] <= largest[i] for i in (0, 1)):
            raise ValueError(
                f"requested an output size of {list(wanted)}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {input.shape[-2:]})"
            )
        return wanted[0] - smallest[0], wanted[1] - smallest[1]
