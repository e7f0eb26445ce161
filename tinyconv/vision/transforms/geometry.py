"""Where the pixels go: padding and cropping.

One image and a batch share their code, for the transforms work on arrays and know an image by one number: which axis is
its height (the width follows). Images are [B,]H,W[,C] as arrays, [B,]...,H,W as Tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...ops.random import randint
from ...tensor import Tensor

__all__ = ["Pad", "RandomCrop"]

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


class Pad:
    """Adds a border to an image: PIL, array (H, W) or (H, W, C), or Tensor (..., H, W).

    Args:
        padding: one width for all sides; or (left and right, top and bottom); or (left, top, right, bottom). A negative
            one crops.
        fill: the border's value, or one for each channel; for ``padding_mode="constant"``.
        padding_mode: ``"constant"``, or continue the image: ``"edge"`` by its last pixel, ``"reflect"`` by its mirror
            image about the last pixel, ``"symmetric"`` by its mirror image about the edge.

    Raises:
        TypeError: an argument of another type.
        ValueError: another padding mode, or not 1, 2 or 4 widths.
    """

    batched = True

    def __init__(
        self, padding: int | Sequence[int], fill: float | Sequence[float] = 0, padding_mode: str = "constant"
    ) -> None:
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode
        self._sides = _sides(padding)
        if not isinstance(fill, int | float | tuple | list):
            raise TypeError(f"fill should be a number or a sequence of numbers, got {fill!r}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode should be one of {', '.join(_PADDING_MODES)}, got {padding_mode!r}")

    def __call__(self, img: Any) -> Any:
        return _on_pixels(img, 0, self._pad)

    def batch(self, x: np.ndarray | Tensor) -> Any:
        """The same for a stack of images: array (B, H, W) or (B, H, W, C), Tensor (B, H, W) or (B, C, H, W)."""
        return _on_pixels(x, 1, self._pad)

    def _pad(self, x: np.ndarray, height_axis: int) -> np.ndarray:
        return _pad(x, height_axis, self._sides, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop:
    """Cuts a window of ``size`` at a uniformly random place; with ``padding``, a random shift.

    The place comes from ``tinyconv.default_generator``: one draw an image, and in a batch one for each of its images.

    Args:
        size: (height, width) of the window, or one number for both.
        padding: a border added first, as in :class:`Pad`.
        pad_if_needed: also pad images smaller than the window, on both sides by as much as they lack.
        fill, padding_mode: as in :class:`Pad`.

    Raises:
        ValueError: an argument is not as above, or an image is smaller than the window.
    """

    batched = True

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        sizes = (size,) if isinstance(size, int) else tuple(size)
        if len(sizes) not in (1, 2) or any(s <= 0 for s in sizes):
            raise ValueError(f"size should be one or two positive numbers (height, width), got {size!r}")
        self.size = (sizes[0], sizes[-1])
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode
        self._border = Pad(0 if padding is None else padding, fill, padding_mode)

    def __call__(self, img: Any) -> Any:
        return _on_pixels(img, 0, self._crop_one)

    def batch(self, x: np.ndarray | Tensor) -> Any:
        """The same for a stack of images, each with a place of its own: array (B, H, W[, C]), Tensor (B, [C,] H, W)."""
        return _on_pixels(x, 1, self._crop)

    def _crop_one(self, x: np.ndarray, height_axis: int) -> np.ndarray:
        return self._crop(x[None], height_axis + 1)[0]

    def _crop(self, x: np.ndarray, height_axis: int) -> np.ndarray:
        if self.padding is not None:
            x = self._border._pad(x, height_axis)
        h, w = self.size
        if self.pad_if_needed:
            dy, dx = max(h - x.shape[height_axis], 0), max(w - x.shape[height_axis + 1], 0)
            if dy or dx:
                x = _pad(x, height_axis, (dx, dy, dx, dy), self.fill, self.padding_mode)
        rows, columns = x.shape[height_axis] - h + 1, x.shape[height_axis + 1] - w + 1
        if rows < 1 or columns < 1:
            raise ValueError(
                f"RandomCrop: the crop size {(h, w)} is larger than the image "
                f"{(x.shape[height_axis], x.shape[height_axis + 1])}"
            )
        # One number says which of the rows * columns places.
        places = randint(0, rows * columns, (len(x),)).numpy()
        top, left = np.divmod(places, columns)
        # windows[b, i, j] is image b cut at (i, j): a view, in which a step to the next place is a step to the next
        # pixel. One index for each image then copies its window. (64 images of 28x28: 10 us, a third of a loop's time.)
        before, after = x.shape[1:height_axis], x.shape[height_axis + 2 :]
        pixel = x.strides[height_axis : height_axis + 2]
        windows = np.lib.stride_tricks.as_strided(
            x, (len(x), rows, columns, *before, h, w, *after), (x.strides[0], *pixel, *x.strides[1:]), writeable=False
        )
        return windows[np.arange(len(x)), top, left]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


def _sides(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """``padding`` as (left, top, right, bottom)."""
    if isinstance(padding, int):
        padding = (padding,)
    if not isinstance(padding, tuple | list):
        raise TypeError(f"padding should be a number or a sequence of numbers, got {padding!r}")
    match tuple(padding):
        case (all_,):
            return all_, all_, all_, all_
        case x, y:
            return x, y, x, y
        case left, top, right, bottom:
            return left, top, right, bottom
    raise ValueError(f"padding should be 1, 2 or 4 numbers, got {padding!r}")


def _pad(
    x: np.ndarray, height_axis: int, sides: tuple[int, int, int, int], fill: float | Sequence[float], mode: str
) -> np.ndarray:
    """``x`` with (left, top, right, bottom) pixels more, or fewer, on the axes ``height_axis`` and the next."""
    left, top, right, bottom = sides
    h, w = x.shape[height_axis : height_axis + 2]
    before = (slice(None),) * height_axis
    x = x[(*before, slice(max(-top, 0), h - max(-bottom, 0)), slice(max(-left, 0), w - max(-right, 0)))]
    left, top, right, bottom = (max(side, 0) for side in sides)
    if mode != "constant":
        widths = [(0, 0)] * x.ndim
        widths[height_axis : height_axis + 2] = [(top, bottom), (left, right)]
        return np.pad(x, widths, mode=mode)  # type: ignore[call-overload]
    h, w = x.shape[height_axis : height_axis + 2]
    # np.pad does this too, in 40 us more.
    y = np.empty((*x.shape[:height_axis], h + top + bottom, w + left + right, *x.shape[height_axis + 2 :]), x.dtype)
    channels_first = height_axis + 2 == x.ndim
    y[...] = np.reshape(fill, (-1, 1, 1)) if channels_first and not isinstance(fill, int | float) else fill
    y[(*before, slice(top, top + h), slice(left, left + w))] = x
    return y


def _on_pixels(img: Any, leading: int, change: Any) -> Any:
    """``change(array, height_axis)`` on a PIL image, array or Tensor; the result is of the same kind."""
    if isinstance(img, Tensor):
        if img.ndim < leading + 2:
            raise ValueError(f"expected an image Tensor (..., H, W), got the shape {tuple(img.shape)}")
        return Tensor(change(img.numpy(), img.ndim - 2))
    if isinstance(img, np.ndarray):
        if img.ndim not in (leading + 2, leading + 3):
            raise ValueError(f"expected images with {leading + 2} or {leading + 3} axes, got the shape {img.shape}")
        return change(img, leading)
    if leading or not hasattr(img, "getbands"):
        raise TypeError(f"expected a PIL image, an array or a Tensor, got {type(img)}")
    return _on_pil(img, change)


def _on_pil(img: Any, change: Any) -> Any:
    from PIL import Image

    y = change(np.asarray(img), 0)
    if y.ndim == 3:  # by hand, for fromarray takes any four bands for RGBA, be they CMYK
        return Image.merge(img.mode, [Image.fromarray(np.ascontiguousarray(band)) for band in np.moveaxis(y, 2, 0)])
    result = Image.fromarray(y)
    if img.mode == "P":
        result.putpalette(img.getpalette())
    return result
