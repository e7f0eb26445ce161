"""im2col and col2im as layers: the windows of an image as columns, and the sum of such columns as an image."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]

Pair = int | tuple[int, int]


class Unfold(Module):
    """im2col: ``(N, C, H, W) -> (N, C*KH*KW, L)``, one column for each of the L window positions.

    Args:
        kernel_size: the window, (KH, KW) or one number for both, as everywhere below.
        dilation: distance between the window's elements in the image.
        padding: rows and columns of zeros around the image.
        stride: step of the window.
    """

    def __init__(self, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1):
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C, H, W) -> (N, C*KH*KW, L)``."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """col2im: ``(N, C*KH*KW, L) -> (N, C, H, W)``; values that fall on one pixel are added.

    Args:
        output_size: (H, W).
        kernel_size: the window, (KH, KW) or one number for both, as everywhere below.
        dilation: distance between the window's elements in the image.
        padding: rows and columns around the image whose values are dropped.
        stride: step of the window.
    """

    def __init__(self, output_size: Pair, kernel_size: Pair, dilation: Pair = 1, padding: Pair = 0, stride: Pair = 1):
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C*KH*KW, L) -> (N, C, H, W)``."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
