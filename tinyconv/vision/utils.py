"""Many images in one picture: ``make_grid``, and ``save_image`` to a file."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..serialization import atomic_write
from ..tensor import Tensor, wrap

__all__ = ["make_grid", "save_image"]


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Lay images out in rows.

    Args:
        tensor: images (B, C, H, W), or a list of B images (C, H, W) of one shape; or one (C, H, W) or (H, W), which has
            no border. Grey ones become three equal channels.
        nrow: images in a row.
        padding: pixels between the images, and around them.
        normalize: shift and stretch the values from ``value_range`` to [0, 1], what lies outside being cut.
        value_range: (lowest, highest); by default what occurs.
        scale_each: find ``value_range`` for each image by itself.
        pad_value: the padding's value; it is not normalized.

    Returns:
        One image (C, rows (H + padding) + padding, nrow (W + padding) + padding).

    Raises:
        TypeError: an argument of another type.
        ValueError: not 2 to 4 axes, or no image.
    """
    if isinstance(tensor, Sequence):
        for image in tensor:
            if not isinstance(image, Tensor):
                raise TypeError(f"make_grid: expected a Tensor or a list of Tensors, got a list with {type(image)}")
        x = np.stack([image.detach().cpu().numpy() for image in tensor])
    elif isinstance(tensor, Tensor):
        x = tensor.detach().cpu().numpy()
    else:
        raise TypeError(f"make_grid: expected a Tensor or a list of Tensors, got {type(tensor)}")
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError(f"make_grid: value_range should be a tuple (lowest, highest), got {value_range!r}")
    if not 2 <= x.ndim <= 4 or not x.size:
        raise ValueError(f"make_grid: expected images (B, C, H, W), (C, H, W) or (H, W), got the shape {x.shape}")
    x = x.reshape((1,) * (4 - x.ndim) + x.shape)
    if x.shape[1] == 1:
        x = np.repeat(x, 3, 1)
    if normalize:
        x = np.stack([_stretched(image, value_range) for image in x]) if scale_each else _stretched(x, value_range)
    if len(x) == 1:
        return wrap(x[0].copy())
    count, channels, height, width = x.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    height, width = height + padding, width + padding
    grid = np.full((channels, rows * height + padding, columns * width + padding), pad_value, x.dtype)
    for i, image in enumerate(x):
        top, left = i // columns * height + padding, i % columns * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = image
    return wrap(grid)


def _stretched(x: np.ndarray, value_range: tuple[float, float] | None) -> np.ndarray:
    low, high = value_range or (float(x.min()), float(x.max()))
    return ((np.clip(x, low, high) - low) / max(high - low, 1e-5)).astype(x.dtype)


def save_image(
    tensor: Tensor | Sequence[Tensor],
    fp: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Save an image, or a :func:`make_grid` of several, with values in [0, 1]; what lies outside is cut.

    A file is written whole or not at all: an old one of that name stays until the new one is complete.

    Args:
        tensor: see :func:`make_grid`.
        fp: a file's name, or a file open for writing.
        format: one of Pillow's formats; by default what the name ends in.
        kwargs: :func:`make_grid`'s other arguments.

    Raises:
        ValueError: an unknown format.
        TypeError, ValueError: see :func:`make_grid`.
    """
    from PIL import Image

    grid = make_grid(tensor, **kwargs).numpy()
    pixels = np.clip(grid.astype(np.float32) * 255 + 0.5, 0, 255).astype(np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    if not isinstance(fp, str | os.PathLike):
        image.save(fp, format=format)
        return
    if format is None:
        suffix = Path(fp).suffix.lower()
        format = Image.registered_extensions().get(suffix)
        if format is None:
            raise ValueError(f"save_image: unknown file extension: {suffix!r} (of {os.fspath(fp)!r})")
    content = io.BytesIO()
    image.save(content, format=format)
    atomic_write(fp, content.getvalue())
