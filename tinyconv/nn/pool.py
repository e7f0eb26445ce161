"""Pooling: one number for each window of a sequence, an image or a volume, its maximum or its average."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Single = int | tuple[int]
Pair = int | tuple[int, int]
Triple = int | tuple[int, int, int]


def _each(value: Any, axes: int) -> tuple[int, ...]:
    """``value`` for every axis, unless it is one per axis already."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * axes


class _MaxPool(Module):
    """The settings and printing of both max-poolings."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The maximum of each window: ``(N, C, L) -> (N, C, OL)``, or without N. The arguments are those of
    :class:`MaxPool2d`, with one number where that takes two."""

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool2d(_MaxPool):
    """The maximum of each window: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        kernel_size: the window, (KH, KW) or one number for both, as everywhere below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: rows and columns around the image that never win.
        dilation: distance between the window's elements in the image.
        return_indices: also return where the winners are, as flat places ``h*W + w``.
        ceil_mode: round the output size up, so that a last window may stick out.
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class MaxPool3d(_MaxPool):
    """The maximum of each window: ``(N, C, D, H, W) -> (N, C, OD, OH, OW)``, or without N.

    Args:
        kernel_size: the window, (KD, KH, KW) or one number for all, as everywhere below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: slices, rows and columns around the volume that never win.
        dilation: distance between the window's elements in the volume.
        return_indices: also return where the winners are, as flat places ``(d*H + h)*W + w``.
        ceil_mode: round the output size up, so that a last window may stick out.
    """

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.max_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )


class AvgPool1d(Module):
    """The average of each window: ``(N, C, L) -> (N, C, OL)``, or without N.

    Args:
        kernel_size: the window.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: zeros before and after the sequence.
        ceil_mode: round the output size up, so that a last window may stick out.
        count_include_pad: whether the padding's zeros count in the average.
    """

    def __init__(
        self,
        kernel_size: Single,
        stride: Single | None = None,
        padding: Single = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        super().__init__()
        self.kernel_size = _each(kernel_size, 1)
        self.stride = self.kernel_size if stride is None else _each(stride, 1)
        self.padding = _each(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """The averages."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(Module):
    """The average of each window: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        kernel_size: the window, (KH, KW) or one number for both, as everywhere below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: rows and columns of zeros around the image.
        ceil_mode: round the output size up, so that a last window may stick out.
        count_include_pad: whether the padding's zeros count in the average.
        divisor_override: divide every sum by this instead of the count; 1 gives sum pooling.
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The averages."""
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool3d(Module):
    """The average of each window: ``(N, C, D, H, W) -> (N, C, OD, OH, OW)``, or without N.

    Args:
        kernel_size: the window, (KD, KH, KW) or one number for all, as everywhere below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: slices, rows and columns of zeros around the volume.
        ceil_mode: round the output size up, so that a last window may stick out.
        count_include_pad: whether the padding's zeros count in the average.
        divisor_override: divide every sum by this instead of the count; 1 gives sum pooling.
    """

    def __init__(
        self,
        kernel_size: Triple,
        stride: Triple | None = None,
        padding: Triple = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """The averages."""
        return F.avg_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _LPPool(Module):
    """The settings and printing of poolings by p-norm."""

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The p-norm ``(sum of x**p)**(1/p)`` of each window: ``(N, C, L) -> (N, C, OL)``, or without N. The
    arguments are those of :class:`LPPool2d`, with one number where that takes two."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool1d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """The p-norm ``(sum of x**p)**(1/p)`` of each window: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        norm_type: p.
        kernel_size: the window, (KH, KW) or one number for both, as below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        ceil_mode: round the output size up, so that a last window may stick out.
    """

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool2d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPool):
    """The p-norm ``(sum of x**p)**(1/p)`` of each box: ``(N, C, D, H, W) -> (N, C, OD, OH, OW)``, or without N. The
    arguments are those of :class:`LPPool2d`, with three numbers where that takes two."""

    def forward(self, input: Tensor) -> Tensor:
        """The norms."""
        return F.lp_pool3d(input, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class _AdaptivePool(Module):
    """The printing that all adaptive poolings share."""

    output_size: Any

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """The averages of as many windows as asked for: ``(N, C, L) -> (N, C, OL)``, or without N.

    Args:
        output_size: OL; None keeps the length.
    """

    def __init__(self, output_size: int | tuple[int | None] | None):
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The averages; with ``output_size=1`` each channel's."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """The averages of as many windows as asked for: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        output_size: (OH, OW), or one number for both; None keeps the image's size.
    """

    def __init__(self, output_size: int | tuple[int | None, int | None] | None):
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The averages; with ``output_size=1`` each channel's."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptivePool):
    """The averages of as many windows as asked for: ``(N, C, D, H, W) -> (N, C, OD, OH, OW)``, or without N.

    Args:
        output_size: (OD, OH, OW), or one number for all; None keeps the volume's size.
    """

    def __init__(self, output_size: int | tuple[int | None, int | None, int | None] | None):
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """The averages; with ``output_size=1`` each channel's."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool1d(_AdaptivePool):
    """The maxima of as many windows as asked for: ``(N, C, L) -> (N, C, OL)``, or without N.

    Args:
        output_size: OL; None keeps the length.
        return_indices: also return where the winners are.
    """

    def __init__(self, output_size: int | tuple[int | None] | None, return_indices: bool = False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptivePool):
    """The maxima of as many windows as asked for: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        output_size: (OH, OW), or one number for both; None keeps the image's size.
        return_indices: also return where the winners are, as flat places ``h*W + w``.
    """

    def __init__(self, output_size: int | tuple[int | None, int | None] | None, return_indices: bool = False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptivePool):
    """The maxima of as many windows as asked for: ``(N, C, D, H, W) -> (N, C, OD, OH, OW)``, or without N.

    Args:
        output_size: (OD, OH, OW), or one number for all; None keeps the volume's size.
        return_indices: also return where the winners are, as flat places ``(d*H + h)*W + w``.
    """

    def __init__(
        self, output_size: int | tuple[int | None, int | None, int | None] | None, return_indices: bool = False
    ):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _MaxUnpool(Module):
    """What the unpoolings share: windows with a number for each of ``axes``."""

    axes: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0):
        super().__init__()
        self.kernel_size = _each(kernel_size, self.axes)
        self.stride = self.kernel_size if stride is None else _each(stride, self.axes)
        self.padding = _each(padding, self.axes)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Maxima back at their places, zeros elsewhere: ``(N, C, OL) -> (N, C, L)``, or without N.

    Args:
        kernel_size, stride, padding: those of the :class:`MaxPool1d` whose indices it is called with.
    """

    axes = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``output_size`` says which of the possible lengths is meant."""
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """Maxima back at their places, zeros elsewhere: ``(N, C, OH, OW) -> (N, C, H, W)``, or without N.

    Args:
        kernel_size, stride, padding: those of the :class:`MaxPool2d` whose indices it is called with.
    """

    axes = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``output_size`` says which of the possible sizes is meant."""
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpool):
    """Maxima back at their places, zeros elsewhere: ``(N, C, OD, OH, OW) -> (N, C, D, H, W)``, or without N.

    Args:
        kernel_size, stride, padding: those of the :class:`MaxPool3d` whose indices it is called with.
    """

    axes = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """``output_size`` says which of the possible sizes is meant."""
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)
