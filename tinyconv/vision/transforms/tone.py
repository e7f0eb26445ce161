"""Tones: negative, fewer levels, solarization, sharpness, contrast stretched or evened out.

PIL images are changed by Pillow; Tensors (..., C, H, W) by the same formulas, channel by channel.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from ...tensor import wrap
from .chance import happens
from .color import blend, bound, colours, floating
from .image import is_pil, on_floats

__all__ = [
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
    "adjust_sharpness",
    "autocontrast",
    "equalize",
    "invert",
    "posterize",
    "solarize",
]


# ---------------------------------------------------------------------------------------------------------- functions


def invert(img: Any) -> Any:
    """The negative: y = white - x, where white is the largest integer, or 1."""
    if is_pil(img):
        from PIL import ImageOps

        return ImageOps.invert(img)
    x = colours(img)
    return wrap(bound(x.dtype) - x)


def posterize(img: Any, bits: int) -> Any:
    """Fewer levels: only the upper ``bits`` of each byte, from 0 to 8."""
    if not 0 <= bits <= 8:
        raise ValueError(f"posterize: bits should be in [0, 8], got {bits}")
    if is_pil(img):
        from PIL import ImageOps

        return ImageOps.posterize(img, bits)
    return wrap(_bytes(img, "posterize") & np.uint8(256 - 2 ** (8 - bits)))


def solarize(img: Any, threshold: float) -> Any:
    """The negative of what is as light as ``threshold`` or lighter, in the image's own units."""
    if is_pil(img):
        from PIL import ImageOps

        return ImageOps.solarize(img, threshold)  # type: ignore[arg-type]
    x = colours(img)
    if threshold > bound(x.dtype):
        raise TypeError(f"solarize: threshold should be at most {bound(x.dtype)} for {img.dtype}, got {threshold}")
    return wrap(np.where(x >= threshold, bound(x.dtype) - x, x))


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Sharper or softer: 0 is smoothed by a 3x3 window, 1 the image, 2 twice as far from the smooth one."""
    if is_pil(img):
        from PIL import ImageEnhance

        return ImageEnhance.Sharpness(img).enhance(sharpness_factor)
    x = colours(img, "sharpness_factor", sharpness_factor)
    if min(x.shape[-2:]) <= 2:
        return img
    return blend(x, on_floats(img, _smooth).numpy(), sharpness_factor)


def autocontrast(img: Any) -> Any:
    """Each channel stretched: its darkest value becomes 0, its lightest white. A flat channel stays."""
    if is_pil(img):
        from PIL import ImageOps

        return ImageOps.autocontrast(img)
    x = colours(img)
    low, high = (edge((-2, -1), keepdims=True).astype(floating(x)) for edge in (x.min, x.max))
    flat = low == high
    y = (x - low) * bound(x.dtype) / np.where(flat, 1, high - low)  # in this order the lightest is white to the bit
    return wrap(np.where(flat, x, np.clip(y, 0, bound(x.dtype)).astype(x.dtype)))


def equalize(img: Any) -> Any:
    """Each channel's values spread so that all are equally frequent, as far as that can be; bytes only."""
    if is_pil(img):
        from PIL import ImageOps

        return ImageOps.equalize(img)
    x = _bytes(img, "equalize")
    planes = x.reshape(-1, *x.shape[-2:])
    return wrap(np.stack([_spread(plane) for plane in planes]).reshape(x.shape))


# ---------------------------------------------------------------------------------------------------------- transforms


class _Random(Module):
    """``change`` with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def change(self, img: Any) -> Any:
        raise NotImplementedError

    def forward(self, img: Any) -> Any:
        return self.change(img) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomInvert(_Random):
    """:func:`invert` with probability ``p``."""

    def change(self, img: Any) -> Any:
        return invert(img)


class RandomAutocontrast(_Random):
    """:func:`autocontrast` with probability ``p``."""

    def change(self, img: Any) -> Any:
        return autocontrast(img)


class RandomEqualize(_Random):
    """:func:`equalize` with probability ``p``."""

    def change(self, img: Any) -> Any:
        return equalize(img)


class RandomPosterize(_Random):
    """:func:`posterize` with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def change(self, img: Any) -> Any:
        return posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"RandomPosterize(bits={self.bits}, p={self.p})"


class RandomSolarize(_Random):
    """:func:`solarize` with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def change(self, img: Any) -> Any:
        return solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"RandomSolarize(threshold={self.threshold}, p={self.p})"


class RandomAdjustSharpness(_Random):
    """:func:`adjust_sharpness` with probability ``p``."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def change(self, img: Any) -> Any:
        return adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        return f"RandomAdjustSharpness(sharpness_factor={self.sharpness_factor}, p={self.p})"


# ----------------------------------------------------------------------------------------------------------- on arrays


def _bytes(img: Any, name: str) -> np.ndarray:
    x = colours(img)
    if x.dtype != np.uint8:
        raise TypeError(f"{name}: expected a Tensor of uint8, got {img.dtype}")
    return x


def _smooth(x: np.ndarray) -> np.ndarray:
    """The mean of each pixel and its eight neighbours, itself counting five times; the border stays."""
    h, w = x.shape[-2:]
    total = 4 * x[..., 1:-1, 1:-1]
    for i in range(3):
        for j in range(3):
            total = total + x[..., i : i + h - 2, j : j + w - 2]
    y = x.copy()
    y[..., 1:-1, 1:-1] = total / 13
    return y


def _spread(x: np.ndarray) -> np.ndarray:
    counts = np.bincount(x.ravel(), minlength=256)
    step = counts[: x.max(initial=0)].sum() // 255  # all but the lightest value's
    if step == 0:
        return x
    table = np.clip((np.cumsum(counts) - counts + step // 2) // step, 0, 255).astype(np.uint8)
    return table[x]
