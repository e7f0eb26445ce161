"""Pooling: one number for each window of an image, its maximum or its average."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "MaxPool2d"]

Pair = int | tuple[int, int]


class MaxPool2d(Module):
    """The maximum of each window: ``(N, C, H, W) -> (N, C, OH, OW)``, or without N.

    Args:
        kernel_size: the window, (KH, KW) or one number for both, as everywhere below.
        stride: step of the window (default: ``kernel_size``, windows side by side).
        padding: rows and columns around the image that never win.
        dilation: distance between the window's elements in the image.
        return_indices: also return where the winners are, as flat places ``h*W + w``.
        ceil_mode: round the output size up, so that a last window may stick out.
    """

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        dilation: Pair = 1,
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

    def forward(self, input: Tensor) -> Any:
        """The maxima; with ``return_indices`` (maxima, places)."""
        return F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


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


class AdaptiveAvgPool2d(Module):
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

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"
