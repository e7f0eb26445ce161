"""im2col and col2im: the windows of an image as columns, and columns put back as windows.

``unfold`` (im2col) copies every window into a column, which turns the convolution into one matrix product,
``y = w.reshape(O, -1) @ unfold(x)``: the classical way to compute it, and the easiest to understand.
"""

from __future__ import annotations

from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .types import same_type
from .windows import count_windows, images, pair, window_steps


class Unfold(Function):
    """y = windows of x as columns;  gx = fold(gy)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *geometry: Any) -> Tensor:
        ctx.size, ctx.geometry = x.array.shape[2:], geometry
        return wrap(kernels.of(x.array).unfold(x.array, *geometry))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Fold.apply(gy, ctx.size, *ctx.geometry), None, None, None, None


class Fold(Function):
    """y = columns put back as windows, overlaps added;  gx = unfold(gy)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: Any, *geometry: Any) -> Tensor:
        ctx.geometry = geometry
        return wrap(kernels.of(x.array).fold(x.array, size, *geometry))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Unfold.apply(gy, *ctx.geometry), None, None, None, None, None


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """im2col: every window of every image as a column.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        kernel_size, dilation, padding, stride: ints or pairs, as in :func:`tinyconv.conv2d`.

    Returns:
        ``(N, C*KH*KW, L)``, L = OH*OW windows, row by row; the rows are ordered (c, kh, kw).

    Raises:
        RuntimeError: the rank is wrong, or no window fits.
    """
    same_type("unfold", input=input)
    x, single = images(input, "unfold")
    kernel, geometry = pair(kernel_size, "unfold: kernel_size", 1), window_steps("unfold", stride, padding, dilation)
    OH, OW = count_windows(x.array.shape[2:], kernel, *geometry)
    if OH < 1 or OW < 1:
        raise RuntimeError(f"unfold: no {kernel} window fits into input of shape {tuple(input.array.shape)}")
    y = Unfold.apply(x, kernel, *geometry)
    return y.squeeze(0) if single else y


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """col2im: put columns back as windows, adding where they overlap. The adjoint (not the inverse) of :func:`unfold`:
    ``fold(unfold(x))`` multiplies each pixel by the number of windows it is in.

    Args:
        input: ``(N, C*KH*KW, L)`` or ``(C*KH*KW, L)``.
        output_size: (H, W) of the image.
        kernel_size, dilation, padding, stride: as in :func:`unfold`.

    Returns:
        ``(N, C, H, W)`` (or ``(C, H, W)``).

    Raises:
        RuntimeError: the shape does not belong to such an image.
    """
    same_type("fold", input=input)
    single = input.array.ndim == 2
    x = input.unsqueeze(0) if single else input
    size, kernel = pair(output_size, "fold: output_size", 1), pair(kernel_size, "fold: kernel_size", 1)
    geometry = window_steps("fold", stride, padding, dilation)
    h, w = count_windows(size, kernel, *geometry)
    if x.array.ndim != 3 or x.array.shape[1] % (kernel[0] * kernel[1]) or x.array.shape[2] != h * w or h < 1 or w < 1:
        raise RuntimeError(
            f"fold: an image of {size} has {max(h, 0)} x {max(w, 0)} windows of {kernel}, so input must be "
            f"(N, C*{kernel[0]}*{kernel[1]}, {max(h, 0) * max(w, 0)}), got {tuple(input.array.shape)}"
        )
    y = Fold.apply(x, size, kernel, *geometry)
    return y.squeeze(0) if single else y
