"""Convolution and transposed convolution of sequences, images and volumes.

The formula stands in ``ops/conv.py``; the output size is ``OH = floor((H + 2*PH - DH*(KH-1) - 1) / SH) + 1``.
A transposed convolution turns that round, ``OH = (H-1)*SH - 2*PH + DH*(KH-1) + output_padding + 1``: it is the
gradient of a convolution with respect to its input, used as a layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ..ops import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

Single = int | tuple[int]
Pair = int | tuple[int, int]
Triple = int | tuple[int, int, int]
_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, axes: int, name: str) -> tuple[int, ...]:
    """``value`` for every axis, unless it is one per axis already."""
    if not isinstance(value, Iterable):
        return (value,) * axes
    values = tuple(value)
    if len(values) != axes:
        raise RuntimeError(f"{name} must be an int or a tuple of {axes} ints, got {values}")
    return values


class _Conv(Module):
    """The settings, parameters and printing that all these layers share."""

    axes: ClassVar[int]  # how many axes the window moves along

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        transposed: bool,
        output_padding: Any,
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
        if transposed and isinstance(padding, str):
            raise ValueError(f"{type(self).__name__}: padding must be numbers, got {padding!r}")
        if transposed and padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        axes = self.axes
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _each(kernel_size, axes, "kernel_size")
        self.stride = _each(stride, axes, "stride")
        self.padding = padding if isinstance(padding, str) else _each(padding, axes, "padding")
        self.dilation = _each(dilation, axes, "dilation")
        self.transposed = transposed
        self.output_padding = _each(output_padding, axes, "output_padding")
        self.groups = groups
        self.padding_mode = padding_mode
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of ('same', 'valid')")
            if padding == "same" and self.stride != (1,) * axes:
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
        none, ones = (0,) * self.axes, (1,) * self.axes
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", none), ("dilation", ones), ("output_padding", none), ("groups", 1)):
            value = getattr(self, name)
            if value != usual:
                parts.append(f"{name}={value}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def _padded(self, input: Tensor) -> tuple[Tensor, Any]:
        """``input``, continued beyond its edges if that is the ``padding_mode``, and the zeros to be put around it."""
        if self.padding_mode == "zeros":
            return input, self.padding
        margins: list[int] = []
        for i in reversed(range(self.axes)):  # pad() wants the last axis first
            if isinstance(self.padding, str):
                total = self.dilation[i] * (self.kernel_size[i] - 1) if self.padding == "same" else 0
                margins += [total // 2, total - total // 2]
            else:
                margins += [self.padding[i]] * 2
        return F.pad(input, margins, self.padding_mode), 0

    def _output_padding(self, input: Tensor, output_size: Sequence[int]) -> tuple[int, ...]:
        """The ``output_padding`` of a transposed convolution that leads to ``output_size``."""
        axes = self.axes
        wanted = tuple(output_size[-axes:] if len(output_size) == input.dim() else output_size)
        if len(wanted) != axes:
            raise ValueError(
                f"ConvTranspose{axes}D: for {input.dim()}D input, output_size must have {axes} or {input.dim()} "
                f"elements (got {len(output_size)})"
            )
        smallest = [
            (input.shape[i - axes] - 1) * self.stride[i]
            - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            for i in range(axes)
        ]
        largest = [least + step - 1 for least, step in zip(smallest, self.stride)]
        if not all(least <= n <= most for least, n, most in zip(smallest, wanted, largest)):
            raise ValueError(
                f"requested an output size of {list(wanted)}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {input.shape[-axes:]})"
            )
        return tuple([n - least for n, least in zip(wanted, smallest)])


class Conv1d(_Conv):
    """1-D convolution: x ``(N, C, L)`` or ``(C, L)`` -> y ``(N, O, OL)`` or ``(O, OL)``.

    Arguments, attributes and errors are those of :class:`Conv2d`, with one number where that takes two.
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Single,
        stride: Single = 1,
        padding: str | Single = 0,
        dilation: Single = 1,
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
        """``(N, C, L) -> (N, O, OL)``."""
        input, padding = self._padded(input)
        return F.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


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
        padding_mode: what is put there: "zeros", or the image continued, as :func:`~tinyconv.nn.functional.pad` does:
            "reflect", "replicate" or "circular".
        device: where the parameters are made.
        dtype: their type (default: the default dtype).

    Attributes:
        weight: ``(O, C/G, KH, KW)``, uniform within ±1/sqrt(C/G * KH * KW) at first.
        bias: ``(O,)``, likewise, or None.

    Raises:
        ValueError: groups that do not divide the channels; an unknown padding or padding_mode; "same" with a stride.
    """

    axes = 2

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
        input, padding = self._padded(input)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_Conv):
    """3-D convolution: x ``(N, C, D, H, W)`` -> y ``(N, O, OD, OH, OW)``, or both without N.

    Arguments, attributes and errors are those of :class:`Conv2d`, with three numbers where that takes two.
    """

    axes = 3

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Triple,
        stride: Triple = 1,
        padding: str | Triple = 0,
        dilation: Triple = 1,
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
        """``(N, C, D, H, W) -> (N, O, OD, OH, OW)``."""
        input, padding = self._padded(input)
        return F.conv3d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose1d(_Conv):
    """1-D transposed convolution: x ``(N, C, L)`` or ``(C, L)`` -> y ``(N, O, OL)`` or ``(O, OL)``.

    Arguments, attributes and errors are those of :class:`ConvTranspose2d`, with one number where that takes two.
    """

    axes = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Single,
        stride: Single = 1,
        padding: Single = 0,
        output_padding: Single = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Single = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, True, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``(N, C, L) -> (N, O, OL)``; ``output_size`` as in :class:`ConvTranspose2d`."""
        output_padding = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )


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
        ValueError: groups that do not divide the channels; a padding_mode other than "zeros".
    """

    axes = 2

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


class ConvTranspose3d(_Conv):
    """3-D transposed convolution: x ``(N, C, D, H, W)`` -> y ``(N, O, OD, OH, OW)``, or both without N.

    Arguments, attributes and errors are those of :class:`ConvTranspose2d`, with three numbers where that takes two.
    """

    axes = 3

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Triple,
        stride: Triple = 1,
        padding: Triple = 0,
        output_padding: Triple = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Triple = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, True, output_padding, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``(N, C, D, H, W) -> (N, O, OD, OH, OW)``; ``output_size`` as in :class:`ConvTranspose2d`."""
        output_padding = self.output_padding if output_size is None else self._output_padding(input, output_size)
        return F.conv_transpose3d(
            input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation
        )
