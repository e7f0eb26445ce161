"""An image's values at places between its pixels: the nearest pixel's, or a mean of the four around (bilinear)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...tensor import Tensor
from .image import get_dimensions, on_floats
from .resize import InterpolationMode

__all__ = ["Fill", "read_at"]

Fill = float | Sequence[float] | None


def read_at(img: Any, grid: Callable[[np.dtype[Any]], np.ndarray], mode: InterpolationMode, fill: Fill) -> Tensor:
    """The Tensor ``img`` (..., H, W) read at ``grid(dtype)`` (OH, OW, 2)."""
    if not isinstance(img, Tensor):
        raise TypeError(f"expected a PIL image or a Tensor, got {type(img)}")
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(f"interpolation: Tensors are warped by nearest or bilinear, got {mode.value}")
    channels = get_dimensions(img)[0]
    fills = None if fill is None else np.reshape(fill, (-1, 1, 1))
    if fills is not None and len(fills) not in (1, channels):
        raise ValueError(f"fill has {len(fills)} numbers, but the image has {channels} channels")
    at = grid(np.dtype(np.float64 if img.dtype is dtypes.float64 else np.float32))
    if img.ndim == 2:
        return on_floats(img, lambda x: _sample(x[None], at, mode, fills)[0])
    return on_floats(img, lambda x: _sample(x, at, mode, fills))


def _sample(x: np.ndarray, grid: np.ndarray, mode: InterpolationMode, fill: np.ndarray | None) -> np.ndarray:
    """x (..., C, H, W) at the places of ``grid``; fill (C or 1, 1, 1), None stands for 0."""
    h, w = x.shape[-2:]
    column = ((grid[..., 0] + 1) * w - 1) / 2
    row = ((grid[..., 1] + 1) * h - 1) / 2
    # Far away is as good as anywhere outside, and does not overflow an integer.
    column, row = np.clip(column, -2, w + 1), np.clip(row, -2, h + 1)
    if mode is InterpolationMode.NEAREST:
        y, inside = _read(x, np.rint(row).astype(np.int64), np.rint(column).astype(np.int64))
        return np.where(inside, y, x.dtype.type(0) if fill is None else fill.astype(x.dtype))
    top, left = np.floor(row), np.floor(column)
    down, right = (row - top).astype(x.dtype), (column - left).astype(x.dtype)
    i, j = top.astype(np.int64), left.astype(np.int64)
    total: Any = 0
    covered: Any = 0
    for di, dj in ((0, 0), (0, 1), (1, 0), (1, 1)):
        y, inside = _read(x, i + di, j + dj)
        weight = (down if di else 1 - down) * (right if dj else 1 - right) * inside
        total, covered = total + y * weight, covered + weight
    # The edge's pixels count by the square of their share: they fade into black, and that fades into the fill. It is
    # what torchvision computes.
    return total if fill is None else total * covered + (1 - covered) * fill.astype(x.dtype)


def _read(x: np.ndarray, i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(x[..., i, j], and where i and j lie inside; elsewhere the nearest pixel of the edge stands in)."""
    h, w = x.shape[-2:]
    inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
    return x[..., np.clip(i, 0, h - 1), np.clip(j, 0, w - 1)], inside
