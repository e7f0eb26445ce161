"""Where the pixels go, none of them changed: padding, cropping, flipping.

One image and a batch of them share their code; ``image.py`` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn import Module
from ...ops.random import rand, randint
from ...tensor import Tensor
from .chance import happens, integer
from .image import get_dimensions, is_pil, on_pixels, pair

__all__ = [
    "CenterCrop",
    "FiveCrop",
    "Pad",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "TenCrop",
    "center_crop",
    "crop",
    "five_crop",
    "hflip",
    "pad",
    "ten_crop",
    "vflip",
]

_PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


# ---------------------------------------------------------------------------------------------------------- functions


def pad(
    img: Any, padding: int | Sequence[int], fill: float | Sequence[float] | None = 0, padding_mode: str = "constant"
) -> Any:
    """``img`` with a border; see :class:`Pad`."""
    return Pad(padding, fill, padding_mode)(img)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The window of ``height`` x ``width`` pixels whose first pixel is (``top``, ``left``); zeros outside the image.

    Args:
        img: PIL image, array (H, W) or (H, W, C), or Tensor (..., H, W).
        top, left: may be negative.
        height, width: of the result.
    """
    if is_pil(img):
        return img.crop((left, top, left + width, top + height))

    def cut(x: np.ndarray, axis: int) -> np.ndarray:
        h, w = x.shape[axis : axis + 2]
        y = np.zeros((*x.shape[:axis], height, width, *x.shape[axis + 2 :]), x.dtype)
        before = (slice(None),) * axis
        t, b, l, r = max(top, 0), min(top + height, h), max(left, 0), min(left + width, w)
        if t < b and l < r:
            y[(*before, slice(t - top, b - top), slice(l - left, r - left))] = x[(*before, slice(t, b), slice(l, r))]
        return y

    return on_pixels(img, 0, cut)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The central window of ``output_size`` (height, width); an image that is smaller is padded with zeros."""
    height, width = pair(output_size, "output_size")
    _, h, w = get_dimensions(img)
    if h < height or w < width:
        dy, dx = max(height - h, 0), max(width - w, 0)
        img = pad(img, (dx // 2, dy // 2, (dx + 1) // 2, (dy + 1) // 2))
        _, h, w = get_dimensions(img)
    return crop(img, round((h - height) / 2), round((w - width) / 2), height, width)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """The windows of ``size`` (height, width) in the corners (top left, top right, bottom left, bottom right) and in
    the centre.

    Raises:
        ValueError: the image is smaller.
    """
    height, width = pair(size, "size")
    _, h, w = get_dimensions(img)
    if height > h or width > w:
        raise ValueError(f"five_crop: the crop size {(height, width)} is larger than the image {(h, w)}")
    a, b, c, d = (crop(img, top, left, height, width) for top in (0, h - height) for left in (0, w - width))
    return a, b, c, d, center_crop(img, (height, width))


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """:func:`five_crop` of the image and of its mirror image (upside down with ``vertical_flip``)."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def hflip(img: Any) -> Any:
    """The mirror image: left becomes right."""
    return _flip(img, 1)


def vflip(img: Any) -> Any:
    """The image upside down."""
    return _flip(img, 0)


def _flip(img: Any, axis: int) -> Any:
    """``img`` turned round along its height (0) or width (1)."""
    if is_pil(img):
        from PIL import Image

        return img.transpose((Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT)[axis])
    return on_pixels(img, 0, lambda x, height_axis: np.flip(x, height_axis + axis).copy())


# ---------------------------------------------------------------------------------------------------------- transforms


class Pad(Module):
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
        self, padding: int | Sequence[int], fill: float | Sequence[float] | None = 0, padding_mode: str = "constant"
    ) -> None:
        super().__init__()
        fill = 0 if fill is None else fill
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode
        self._sides = _sides(padding)
        if not isinstance(fill, int | float | tuple | list):
            raise TypeError(f"fill should be a number or a sequence of numbers, got {fill!r}")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(f"padding_mode should be one of {', '.join(_PADDING_MODES)}, got {padding_mode!r}")

    def forward(self, img: Any) -> Any:
        return on_pixels(img, 0, self._pad)

    def batch(self, x: np.ndarray | Tensor) -> Any:
        """The same for a stack of images: array (B, H, W) or (B, H, W, C), Tensor (B, H, W) or (B, C, H, W)."""
        return on_pixels(x, 1, self._pad)

    def _pad(self, x: np.ndarray, height_axis: int) -> np.ndarray:
        return _pad(x, height_axis, self._sides, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop(Module):
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
        fill: float | Sequence[float] | None = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        sizes = (size,) if isinstance(size, int) else tuple(size)
        if len(sizes) not in (1, 2) or any(s <= 0 for s in sizes):
            raise ValueError(f"size should be one or two positive numbers (height, width), got {size!r}")
        self.size = (sizes[0], sizes[-1])
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = 0 if fill is None else fill
        self.padding_mode = padding_mode
        self._border = Pad(0 if padding is None else padding, fill, padding_mode)

    @staticmethod
    def get_params(img: Any, output_size: Sequence[int]) -> tuple[int, int, int, int]:
        """Draw (top, left, height, width) of a window of ``output_size``.

        Raises:
            ValueError: the image is smaller.
        """
        _, h, w = get_dimensions(img)
        height, width = output_size
        top, left = divmod(integer(0, _places((h, w), (height, width))), w - width + 1)
        return top, left, height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = self._border(img)
        if self.pad_if_needed:
            _, h, w = get_dimensions(img)
            dy, dx = max(self.size[0] - h, 0), max(self.size[1] - w, 0)
            if dy or dx:
                img = pad(img, (dx, dy, dx, dy), self.fill, self.padding_mode)
        return crop(img, *self.get_params(img, self.size))

    def batch(self, x: np.ndarray | Tensor) -> Any:
        """The same for a stack of images, each with a place of its own: array (B, H, W[, C]), Tensor (B, [C,] H, W)."""
        return on_pixels(x, 1, self._crop)

    def _crop(self, x: np.ndarray, height_axis: int) -> np.ndarray:
        if self.padding is not None:
            x = self._border._pad(x, height_axis)
        h, w = self.size
        if self.pad_if_needed:
            dy, dx = max(h - x.shape[height_axis], 0), max(w - x.shape[height_axis + 1], 0)
            if dy or dx:
                x = _pad(x, height_axis, (dx, dy, dx, dy), self.fill, self.padding_mode)
        rows, columns = x.shape[height_axis] - h + 1, x.shape[height_axis + 1] - w + 1
        places = randint(0, _places(x.shape[height_axis : height_axis + 2], (h, w)), (len(x),)).numpy()
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


class CenterCrop(Module):
    """:func:`center_crop` to ``size``: (height, width), or one number for both."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "size")

    def forward(self, img: Any) -> Any:
        return center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class FiveCrop(Module):
    """:func:`five_crop`: a tuple of five images."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size, "size")

    def forward(self, img: Any) -> tuple[Any, ...]:
        return five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"FiveCrop(size={self.size})"


class TenCrop(Module):
    """:func:`ten_crop`: a tuple of ten images."""

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size, self.vertical_flip = pair(size, "size"), vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        return ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"TenCrop(size={self.size}, vertical_flip={self.vertical_flip})"


class _RandomFlip(Module):
    batched = True
    axis: int

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return _flip(img, self.axis) if happens(self.p) else img

    def batch(self, x: np.ndarray | Tensor) -> Any:
        """The same for a stack of images, each by a draw of its own: array (B, H, W[, C]), Tensor (B, [C,] H, W)."""
        chosen = rand(len(x)).numpy() < self.p

        def change(x: np.ndarray, height_axis: int) -> np.ndarray:
            y = x.copy()
            y[chosen] = np.flip(x[chosen], height_axis + self.axis)
            return y

        return on_pixels(x, 1, change)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """:func:`hflip` with probability ``p``."""

    axis = 1


class RandomVerticalFlip(_RandomFlip):
    """:func:`vflip` with probability ``p``."""

    axis = 0


# --------------------------------------------------------------------------------------------------------- on arrays


def _places(image: Sequence[int], window: Sequence[int]) -> int:
    """How many windows of (height, width) pixels an image has. One number then says which: its row times the row's
    length, and so on."""
    (h, w), (height, width) = image, window
    if h < height or w < width:
        raise ValueError(f"RandomCrop: the crop size {(height, width)} is larger than the image {(h, w)}")
    return (h - height + 1) * (w - width + 1)


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
