"""What counts as an image, how large it is, and how to change its pixels whatever it is.

================== ==================================== ==============================
an image           one                                  a batch
================== ==================================== ==============================
PIL image          any mode                             --
NumPy array        (H, W) or (H, W, C)                  (B, H, W) or (B, H, W, C)
Tensor             (H, W) or (..., C, H, W)             (B, H, W) or (B, ..., C, H, W)
================== ==================================== ==============================

What works on pixels takes an array and knows an image by one number: which axis is its height (the width follows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...tensor import Tensor, wrap

__all__ = [
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "is_pil",
    "on_floats",
    "on_pixels",
    "pair",
    "pil_fill",
]


def is_pil(img: Any) -> bool:
    """Whether ``img`` is a PIL image, found out without importing Pillow."""
    return hasattr(img, "getbands")


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width] of an image.

    Raises:
        TypeError: ``img`` is no image.
    """
    if isinstance(img, Tensor):
        if img.ndim < 2:
            raise TypeError(f"expected an image Tensor (..., H, W), got the shape {tuple(img.shape)}")
        return [1 if img.ndim == 2 else img.shape[-3], img.shape[-2], img.shape[-1]]
    if isinstance(img, np.ndarray):
        if img.ndim not in (2, 3):
            raise TypeError(f"expected an image (H, W) or (H, W, C), got an array of the shape {img.shape}")
        return [1 if img.ndim == 2 else img.shape[2], *img.shape[:2]]
    if is_pil(img):
        return [len(img.getbands()), img.height, img.width]
    raise TypeError(f"expected a PIL image, an array or a Tensor, got {type(img)}")


def get_image_size(img: Any) -> list[int]:
    """[width, height] of an image: the order in which Pillow says it."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of an image."""
    return get_dimensions(img)[0]


def pair(value: Any, name: str) -> tuple[Any, Any]:
    """``value`` as (height, width): a number stands for both, and so does a sequence of one.

    Raises:
        ValueError: neither one nor two numbers.
    """
    values = (value,) if isinstance(value, int | float) else tuple(value)
    if len(values) not in (1, 2):
        raise ValueError(f"{name} should be one or two numbers (height, width), got {value!r}")
    return values[0], values[-1]


def on_pixels(img: Any, leading: int, change: Callable[[np.ndarray, int], np.ndarray]) -> Any:
    """``change(array, height_axis)`` on a PIL image, array or Tensor; the result is of the same kind.

    Args:
        img: an image, or with ``leading`` 1 a batch of them.
        leading: axes before the images' own.
        change: the axes but height and width keep their places.
    """
    if isinstance(img, Tensor):
        if img.ndim < leading + 2:
            raise ValueError(f"expected an image Tensor (..., H, W), got the shape {tuple(img.shape)}")
        return wrap(change(img.numpy(), img.ndim - 2))
    if isinstance(img, np.ndarray):
        if img.ndim not in (leading + 2, leading + 3):
            raise ValueError(f"expected images with {leading + 2} or {leading + 3} axes, got the shape {img.shape}")
        return change(img, leading)
    if leading or not is_pil(img):
        raise TypeError(f"expected a PIL image, an array or a Tensor, got {type(img)}")
    return _on_pil(img, change)


def _on_pil(img: Any, change: Callable[[np.ndarray, int], np.ndarray]) -> Any:
    from PIL import Image

    y = change(np.asarray(img), 0)
    if y.ndim == 3:  # by hand, for fromarray takes any four bands for RGBA, be they CMYK
        return Image.merge(img.mode, [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(y, 2, 0)])
    result = Image.fromarray(y)
    if img.mode == "P":
        result.putpalette(img.getpalette())
    return result


def on_floats(img: Tensor, change: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """``change`` on an image Tensor's values as floats: integers become float32, and the result is rounded (ties to
    even) and limited to their type."""
    x = img.numpy()
    if x.dtype.kind == "f":
        return wrap(change(x))
    y = np.rint(change(x.astype(np.float32)))
    if x.dtype.kind in "iu":
        y = np.clip(y, np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    return wrap(y.astype(x.dtype))


def pil_fill(img: Any, fill: float | Sequence[float] | None) -> Any:
    """``fill`` as Pillow wants it for ``img``: an int, or one for each band; floats for mode "F"."""
    bands = len(img.getbands())
    values = (0 if fill is None else fill,) if not isinstance(fill, Sequence) else tuple(fill)
    if len(values) not in (1, bands):
        raise ValueError(f"fill has {len(values)} numbers, but the image has {bands} channels")
    if img.mode != "F":
        values = tuple(int(value) for value in values)
    return values[0] if bands == 1 else values * (bands // len(values))
