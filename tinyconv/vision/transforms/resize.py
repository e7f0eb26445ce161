"""Resizing. PIL images are resized by Pillow; Tensors by two matrix products, one for each axis.

Pixel j of a line of n covers [j, j + 1], so output pixel i of m has its centre at (i + 1/2) s - 1/2 in input pixels,
with s = n / m. It is the sum of the input pixels, weighted by a filter f of the distance:

    y_i = sum_j W_ij x_j,    W_ij = f((j - c_i) / t) / sum_k f((k - c_i) / t),    c_i = (i + 1/2) s - 1/2

With ``antialias`` the filter is stretched by t = max(s, 1), so that a smaller image is an average of all pixels and not
a choice among them (this is what Pillow does, always); without, t = 1. Bilinear: f is a triangle. Bicubic: f is a cubic
spline (R. Keys, "Cubic convolution interpolation for digital image processing", IEEE Trans. ASSP, 1981, eq. 15).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from ...caller import warn
from ...nn import Module
from ...ops.matmul import matmul
from ...tensor import Tensor, wrap
from .chance import integer, uniform
from .geometry import crop
from .image import get_dimensions, is_pil, on_floats, pair

__all__ = ["InterpolationMode", "RandomResizedCrop", "Resize", "as_mode", "pil_mode", "resize", "resized_crop"]


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors know the first four; BOX, HAMMING and LANCZOS are Pillow's."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PILLOWS = {  # Pillow's numbers
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}


def as_mode(interpolation: InterpolationMode | int) -> InterpolationMode:
    """``interpolation``, or the mode that it is Pillow's number of.

    Raises:
        TypeError: neither.
    """
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    for mode, number in _PILLOWS.items():
        if isinstance(interpolation, int) and number == interpolation:
            return mode
    raise TypeError(f"interpolation should be an InterpolationMode or a number of Pillow's, got {interpolation!r}")


def pil_mode(interpolation: InterpolationMode) -> Any:
    """Pillow's name for ``interpolation``."""
    from PIL import Image

    return Image.Resampling(_PILLOWS[interpolation])


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """A PIL image or Tensor (..., H, W) in another size.

    Args:
        img: integers are rounded, ties to even.
        size: (height, width); or one number for the shorter side, the other in proportion, rounded down.
        interpolation: the filter. Without ``antialias``, and only there, NEAREST and NEAREST_EXACT differ by where the
            pixels' centres are thought to be.
        max_size: the longer side's limit, where ``size`` is one number.
        antialias: average where the image shrinks. PIL images are, whatever it says; Tensors of the nearest modes are
            not.

    Raises:
        TypeError: no image, or no interpolation mode.
        ValueError: a size that is none, or a mode that Tensors don't know.
    """
    interpolation = as_mode(interpolation)
    _, height, width = get_dimensions(img)
    new = _new_size(height, width, size, max_size)
    if new == (height, width):
        return img
    if isinstance(img, Tensor):
        antialias = bool(antialias)
        return on_floats(img, lambda x: _resample(_resample(x, -1, new[1], interpolation, antialias), -2, new[0],
                                                  interpolation, antialias))  # fmt: skip
    if not is_pil(img):
        raise TypeError(f"resize: expected a PIL image or a Tensor, got {type(img)}")
    if antialias is False:
        warn("resize: PIL images are always antialiased, antialias=False has no effect")
    return img.resize(new[::-1], pil_mode(interpolation))


def _new_size(height: int, width: int, size: int | Sequence[int], max_size: int | None) -> tuple[int, int]:
    sizes = (size,) if isinstance(size, int) else tuple(size)
    if len(sizes) not in (1, 2) or min(sizes) <= 0:
        raise ValueError(f"size should be one or two positive numbers (height, width), got {size!r}")
    if len(sizes) == 2:
        if max_size is not None:
            raise ValueError(f"max_size is for a size of one number, the shorter side; got size={size!r}")
        return sizes[0], sizes[1]
    short, long = sorted((height, width))
    new_short, new_long = sizes[0], int(sizes[0] * long / short)
    if max_size is not None:
        if max_size <= new_short:
            raise ValueError(f"max_size={max_size} must be greater than the shorter side's size={size}")
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_long, new_short) if width <= height else (new_short, new_long)


def _resample(x: np.ndarray, axis: int, size: int, mode: InterpolationMode, antialias: bool) -> np.ndarray:
    """``x`` (..., H, W) with ``size`` pixels along ``axis`` (-1 or -2)."""
    n = x.shape[axis]
    if mode in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        shift = 0.5 if mode is InterpolationMode.NEAREST_EXACT else 0.0
        # float32, as PyTorch computes it: 49 * float32(1 / 49) is below 1.
        at = (np.arange(size, dtype=np.float32) + np.float32(shift)) * np.float32(n / size)
        return np.take(x, np.minimum(at.astype(np.int64), n - 1), axis)
    weights = _weights(n, size, mode, antialias).astype(x.dtype)
    # Not NumPy's product: the sums of its BLAS depend on the number of threads.
    product = matmul(wrap(x), wrap(weights.T)) if axis == -1 else matmul(wrap(weights), wrap(x))
    return product.numpy()


def _weights(n: int, m: int, mode: InterpolationMode, antialias: bool) -> np.ndarray:
    """W (m, n), float64; see above."""
    scale = n / m
    stretch = max(scale, 1.0) if antialias else 1.0
    centre = (np.arange(m)[:, None] + 0.5) * scale - 0.5
    border = 2  # the half width of the cubic: without antialias the image goes on beyond its edge with its last pixel
    distance = np.abs(np.arange(-border, n + border) - centre) / stretch
    if mode is InterpolationMode.BILINEAR:
        w = np.maximum(1 - distance, 0)
    elif mode is InterpolationMode.BICUBIC:
        a = (
            -0.5 if antialias else -0.75
        )  # Pillow's, and OpenCV's: PyTorch follows the one with antialias, else the other
        near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
        far = ((distance - 5) * distance + 8) * distance * a - 4 * a
        w = np.where(distance < 1, near, np.where(distance < 2, far, 0))
    else:
        raise ValueError(f"resize: Tensors know nearest, nearest-exact, bilinear and bicubic, got {mode.value}")
    inside = w[:, border : n + border]
    if antialias:
        return inside / inside.sum(1, keepdims=True)
    inside[:, 0] += w[:, :border].sum(1)
    inside[:, -1] += w[:, n + border :].sum(1)
    return inside


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """:func:`crop`, then :func:`resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


class Resize(Module):
    """:func:`resize` as a transform: ``Resize(256)`` makes the shorter side 256 pixels, ``Resize((h, w))`` both.

    Raises:
        TypeError: ``size`` is neither an int nor a sequence.
        ValueError: it has not one or two numbers.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, int | Sequence):
            raise TypeError(f"size should be an int or a sequence, got {type(size)}")
        _new_size(1, 1, size, max_size)
        self.size, self.max_size, self.antialias = size, max_size, antialias
        self.interpolation = as_mode(interpolation)

    def forward(self, img: Any) -> Any:
        return resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"Resize(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
            f"antialias={self.antialias})"
        )


class RandomResizedCrop(Module):
    """A random part of the image, resized: the augmentation of C. Szegedy et al., "Going deeper with convolutions",
    CVPR 2015, section 6.

    The part has ``scale`` of the image's area, uniformly, and the aspect ratio width / height in ``ratio``, uniformly
    in its logarithm. Where ten draws do not fit into the image, the largest central part of an allowed ratio is taken.

    Args:
        size: the result's (height, width), or one number for both.
        scale: (smallest, largest) share of the area.
        ratio: (smallest, largest) width / height.
        interpolation, antialias: see :func:`resize`.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size, "size")
        for name, value in (("scale", scale), ("ratio", ratio)):
            if not isinstance(value, Sequence):
                raise TypeError(f"{name} should be a sequence, got {value!r}")
            if value[0] > value[1]:
                warn(f"{name} should be (smallest, largest), got {value!r}")
        self.scale, self.ratio, self.antialias = scale, ratio, antialias
        self.interpolation = as_mode(interpolation)

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw (top, left, height, width) of the part."""
        _, height, width = get_dimensions(img)
        for _ in range(10):
            area = height * width * uniform(*scale)
            aspect = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < w <= width and 0 < h <= height:
                return integer(0, height - h + 1), integer(0, width - w + 1), h, w
        aspect = min(max(width / height, min(ratio)), max(ratio))
        w, h = min(width, round(height * aspect)), min(height, round(width / aspect))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        part = self.get_params(img, self.scale, self.ratio)
        return resized_crop(img, *part, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        scale, ratio = (tuple(round(value, 4) for value in values) for values in (self.scale, self.ratio))
        return (
            f"RandomResizedCrop(size={self.size}, scale={scale}, ratio={ratio}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )
