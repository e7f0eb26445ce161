"""Colours: brightness, contrast, saturation, hue, gamma, grey.

PIL images are changed by Pillow. For Tensors (..., C, H, W) with one channel or three (red, green, blue), of floats in
[0, 1] or of integers, most are a blend of the image x and another, z:

    y = f x + (1 - f) z      brightness: z = 0;  contrast: z = the grey image's mean;  saturation: z = the grey image

limited to the type's range; f = 1 leaves the image as it is, f = 0 leaves only z. Grey is 0.2989 red + 0.587 green
+ 0.114 blue (ITU-R BT.601). Hue is an angle, turned in the HSV model (A. R. Smith, "Color gamut transform pairs",
SIGGRAPH 1978).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...nn import Module
from ...ops.random import randperm
from ...tensor import Tensor, wrap
from .chance import happens, uniform
from .convert import convert_image_dtype
from .image import get_dimensions, is_pil

__all__ = [
    "ColorJitter",
    "Grayscale",
    "RandomGrayscale",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "blend",
    "bound",
    "colours",
    "floating",
    "rgb_to_grayscale",
    "to_grayscale",
]


# ---------------------------------------------------------------------------------------------------------- functions


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Brighter or darker: 0 is black, 1 the image, 2 twice as bright."""
    if is_pil(img):
        from PIL import ImageEnhance

        return ImageEnhance.Brightness(img).enhance(brightness_factor)
    x = colours(img, "brightness_factor", brightness_factor)
    return blend(x, np.float32(0), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """More or less contrast: 0 is grey all over, 1 the image, 2 twice the contrast."""
    if is_pil(img):
        from PIL import ImageEnhance

        return ImageEnhance.Contrast(img).enhance(contrast_factor)
    x = colours(img, "contrast_factor", contrast_factor)
    grey = _grey(x) if x.shape[-3] == 3 else x
    mean = grey.mean((-3, -2, -1), np.float64, keepdims=True).astype(floating(x))
    return blend(x, mean, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """More or less colour: 0 is grey, 1 the image, 2 twice the saturation."""
    if is_pil(img):
        from PIL import ImageEnhance

        return ImageEnhance.Color(img).enhance(saturation_factor)
    x = colours(img, "saturation_factor", saturation_factor)
    return img if x.shape[-3] == 1 else blend(x, _grey(x), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Colours turned round the colour circle by ``hue_factor``, in turns, from -0.5 to 0.5. Grey images stay."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor should be in [-0.5, 0.5], got {hue_factor}")
    if is_pil(img):
        if img.mode in ("L", "1", "I", "F"):
            return img
        from PIL import Image

        h, s, v = img.convert("HSV").split()
        turned = Image.fromarray(np.asarray(h) + np.uint8(int(hue_factor * 255) % 256))  # round the circle: mod 256
        return Image.merge("HSV", (turned, s, v)).convert(img.mode)
    if colours(img).shape[-3] == 1:
        return img
    h, s, v = _rgb_to_hsv(convert_image_dtype(img, dtypes.float32).numpy())
    return convert_image_dtype(wrap(_hsv_to_rgb((h + np.float32(hue_factor)) % 1, s, v)), img.dtype)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """y = gain x^gamma, for x in [0, 1]: shadows get darker with ``gamma`` > 1, lighter with ``gamma`` < 1."""
    if gamma < 0:
        raise ValueError(f"gamma should be non-negative, got {gamma}")
    if is_pil(img):
        table = [int((255 + 1 - 1e-3) * gain * (value / 255) ** gamma) for value in range(256)] * 3
        return img.convert("RGB").point(table).convert(img.mode)
    x = colours(img)
    floats = img if x.dtype.kind == "f" else convert_image_dtype(img, dtypes.float32)
    return convert_image_dtype(wrap(np.clip(gain * floats.numpy() ** gamma, 0, 1)), img.dtype)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Grey, in one channel or in three that are equal."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be 1 or 3, got {num_output_channels}")
    if is_pil(img):
        from PIL import Image

        grey = img.convert("L")
        return grey if num_output_channels == 1 else Image.merge("RGB", (grey, grey, grey))
    x = colours(img)
    grey = _grey(x) if x.shape[-3] == 3 else x
    return wrap(np.repeat(grey, num_output_channels, -3))


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """:func:`rgb_to_grayscale` of a PIL image.

    Raises:
        TypeError: a Tensor, of which nobody knows whether its three channels are colours.
    """
    if not is_pil(img):
        raise TypeError(f"to_grayscale: img should be a PIL image, got {type(img)}; rgb_to_grayscale takes Tensors")
    return rgb_to_grayscale(img, num_output_channels)


# ---------------------------------------------------------------------------------------------------------- transforms


class ColorJitter(Module):
    """Random brightness, contrast, saturation and hue, in random order.

    Args:
        brightness, contrast, saturation: the factor is drawn from [max(0, 1 - v), 1 + v] for a number v, or from
            [v[0], v[1]] for two.
        hue: drawn from [-v, v] for a number v <= 0.5, or from [v[0], v[1]].

    Raises:
        TypeError: neither a number nor two.
        ValueError: values outside what the functions take.
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        super().__init__()
        self.brightness = _range(brightness, "brightness", 1, (0, float("inf")))
        self.contrast = _range(contrast, "contrast", 1, (0, float("inf")))
        self.saturation = _range(saturation, "saturation", 1, (0, float("inf")))
        self.hue = _range(hue, "hue", 0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Sequence[float] | None,
        contrast: Sequence[float] | None,
        saturation: Sequence[float] | None,
        hue: Sequence[float] | None,
    ) -> tuple[Tensor, float | None, float | None, float | None, float | None]:
        """Draw (the order of the four, their factors); None stands for what is not to be changed."""
        order = randperm(4)
        b, c, s, h = (None if v is None else uniform(*v) for v in (brightness, contrast, saturation, hue))
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        for i in order.tolist():
            factor = factors[i]
            if factor is not None:
                img = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)[i](img, factor)
        return img

    def __repr__(self) -> str:
        return (
            f"ColorJitter(brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, "
            f"hue={self.hue})"
        )


def _range(
    value: float | Sequence[float], name: str, center: float, bounds: tuple[float, float]
) -> tuple[float, float] | None:
    """What to draw from; None if that is ``center`` alone, which changes nothing."""
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"{name}: a single number should be non-negative, got {value}")
        low, high = center - float(value), center + float(value)
        low = low if center == 0 else max(low, 0.0)
    elif isinstance(value, tuple | list) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name} should be a number or two, got {value!r}")
    if not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(f"{name} should lie in {bounds}, got {value!r}")
    return None if low == high == center else (low, high)


class Grayscale(Module):
    """:func:`rgb_to_grayscale` as a transform."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"Grayscale(num_output_channels={self.num_output_channels})"


class RandomGrayscale(Module):
    """Grey with probability ``p``, in as many channels as before."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return rgb_to_grayscale(img, get_dimensions(img)[0]) if happens(self.p) else img

    def __repr__(self) -> str:
        return f"RandomGrayscale(p={self.p})"


# ----------------------------------------------------------------------------------------------------------- on arrays


def colours(img: Any, name: str = "", factor: float = 0) -> np.ndarray:
    """The array (..., C, H, W) of a Tensor with one channel or three; and ``factor`` is checked."""
    if factor < 0:
        raise ValueError(f"{name} should be non-negative, got {factor}")
    if not isinstance(img, Tensor):
        raise TypeError(f"expected a PIL image or a Tensor, got {type(img)}")
    if img.ndim < 3 or img.shape[-3] not in (1, 3):
        raise TypeError(f"expected a Tensor (..., C, H, W) with 1 or 3 channels, got the shape {tuple(img.shape)}")
    return img.numpy()


def floating(x: np.ndarray) -> np.dtype[Any]:
    """The type in which to compute with ``x``."""
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)


def bound(dtype: np.dtype[Any]) -> Any:
    """The value of white: the largest integer, or 1."""
    return np.iinfo(dtype).max if dtype.kind in "iu" else dtype.type(1)


def blend(x: np.ndarray, z: Any, factor: float) -> Tensor:
    """f x + (1 - f) z, limited to the range of ``x``."""
    dtype, one = floating(x), floating(x).type
    y = one(factor) * x.astype(dtype, copy=False) + one(1.0 - factor) * np.asarray(z, dtype)
    return wrap(np.clip(y, 0, bound(x.dtype)).astype(x.dtype))


def _grey(x: np.ndarray) -> np.ndarray:
    """(..., 3, H, W) -> (..., 1, H, W) of the same type: integers are rounded down."""
    weighted = [
        floating(x).type(weight) * x[..., [i], :, :].astype(floating(x), copy=False)
        for i, weight in enumerate((0.2989, 0.587, 0.114))
    ]
    return (weighted[0] + weighted[1] + weighted[2]).astype(x.dtype)


def _rgb_to_hsv(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hue in turns, saturation and value, all in [0, 1], each (..., H, W). Grey has the hue 0."""
    r, g, b = x[..., 0, :, :], x[..., 1, :, :], x[..., 2, :, :]
    high, low = x.max(-3), x.min(-3)
    grey, span = high == low, high - low
    s = span / np.where(grey, 1, high)
    r, g, b = ((high - channel) / np.where(grey, 1, span) for channel in (r, g, b))
    sixths = np.where(r == 0, b - g, np.where(g == 0, 2 + r - b, 4 + g - r))  # the largest channel's distance is 0
    return np.where(grey, 0, sixths / 6 % 1).astype(x.dtype), s, high


def _hsv_to_rgb(h: np.ndarray, s: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The inverse, (..., 3, H, W)."""
    sixths = h * 6
    sector = np.floor(sixths)
    f = sixths - sector
    p, q, t = (np.clip(v * (1 - part), 0, 1) for part in (s, s * f, s * (1 - f)))
    which = sector.astype(np.int64) % 6
    r, g, b = (np.choose(which, [*c]) for c in ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q)))
    return np.stack([r, g, b], -3)
