"""Max-unpooling: each maximum goes back to the place it came from, zeros everywhere else.

It undoes a max-pooling as far as that can be undone (Zeiler et al., "Adaptive deconvolutional networks for mid and high
level feature learning", ICCV 2011): the switches, as the paper calls them, are the indices that max-pooling returns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from .creation import arange
from .windows import box_windows, image_windows, row_windows

SHAPES = {1: "(N, C, OL) or (C, OL)", 2: "(N, C, OH, OW) or (C, OH, OW)", 3: "(N, C, OD, OH, OW) or (C, OD, OH, OW)"}


def _unpool(
    input: Tensor, indices: Tensor, kernel: tuple, stride: tuple, padding: tuple, output_size: Any, name: str
) -> Tensor:
    """``input`` (..., OH, OW) -> (..., H, W); with one or three axes likewise, as many as ``kernel`` has."""
    axes = len(kernel)
    shape = tuple(input.array.shape)
    if len(shape) not in (axes + 1, axes + 2):
        raise RuntimeError(f"{name}: expected input of shape {SHAPES[axes]}, got {shape}")
    if indices.array.dtype.kind != "i" or indices.array.dtype.itemsize != 8:
        raise RuntimeError(f"{name}: indices must be int64, got {indices.dtype}")
    if indices.array.shape != shape:
        raise RuntimeError(f"{name}: indices must have input's shape {shape}, got {tuple(indices.array.shape)}")
    lead, size = shape[:-axes], _size(shape[-axes:], kernel, stride, padding, output_size, name)
    places = math.prod(size)
    if indices.numel() and not (int(indices.min()) >= 0 and int(indices.max()) < places):
        raise RuntimeError(
            f"{name}: found an invalid max index: {int(indices.min())} to {int(indices.max())} for an output of "
            f"{' x '.join(map(str, size))}"
        )
    planes = math.prod(lead)
    y = input.new_zeros((planes, places))
    y[arange(planes, device=input.device).unsqueeze(1), indices.reshape(planes, -1)] = input.reshape(planes, -1)
    return y.reshape(*lead, *size)


def _size(
    size: tuple, kernel: tuple, stride: tuple, padding: tuple, output_size: Sequence[int] | None, name: str
) -> tuple[int, ...]:
    """(H, W): what ``output_size`` says, if a max-pooling of that would have had this ``size``."""
    usual = tuple([(n - 1) * s + k - 2 * p for n, k, s, p in zip(size, kernel, stride, padding)])
    if output_size is None:
        return usual
    wanted, axes = tuple(output_size), len(size)
    if len(wanted) not in (axes, axes + 2):
        raise ValueError(f"{name}: output_size must have {axes} or {axes + 2} elements, got {wanted}")
    wanted = wanted[-axes:]
    for n, default, s in zip(wanted, usual, stride):
        if not default - s < n < default + s:
            raise ValueError(
                f"{name}: invalid output_size {tuple(output_size)}: {n} must be between {default - s} and {default + s}"
            )
    return wanted


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """:func:`max_unpool2d` of sequences: ``(N, C, OL) -> (N, C, L)``, or without N."""
    name = "max_unpool1d"
    kernel, steps, margins = [pair[1:] for pair in row_windows(kernel_size, stride, padding, name)]
    return _unpool(input, indices, kernel, steps, margins, output_size, name)


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Zeros, with each element of ``input`` at its place in ``indices``; where two go to one place, one is left.

    Args:
        input: ``(N, C, OH, OW)`` or ``(C, OH, OW)``.
        indices: int64, of the same shape: places ``h*W + w`` in the output plane, as :func:`tinyconv.max_pool2d`
            returns them.
        kernel_size, stride, padding: those of the max-pooling.
        output_size: its input size (H, W), or the whole shape (default: ``(OH - 1)*stride - 2*padding + kernel_size``).

    Returns:
        ``(N, C, H, W)``, or without N.

    Raises:
        RuntimeError: indices of another shape or type, or outside the output; wrong rank.
        ValueError: an ``output_size`` of another length, or further than a stride from the default.
    """
    name = "max_unpool2d"
    return _unpool(input, indices, *image_windows(kernel_size, stride, padding, name), output_size, name)


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """:func:`max_unpool2d` of volumes: ``(N, C, OD, OH, OW) -> (N, C, D, H, W)``, or without N."""
    name = "max_unpool3d"
    return _unpool(input, indices, *box_windows(kernel_size, stride, padding, name), output_size, name)
