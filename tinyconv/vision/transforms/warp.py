"""Images turned, sheared, moved, zoomed, seen from aside, or stretched like rubber.

All of them say, for each pixel of the *result*, where in the image its value comes from; pixels between pixels are
found by interpolation, and beyond the edge lies ``fill``. So a map of the plane is given by its inverse. For an affine
map about the centre c of the image

    p -> T C R S K C^-1 p       R: rotation by ``angle``, S: ``scale``, K: ``shear``, T: ``translate``, C: move 0 to c

that inverse is C (R S K)^-1 C^-1 T^-1. PIL images are warped by Pillow. For Tensors everything is measured from the
centre of the image, in float32 and in the order in which PyTorch's ``grid_sample`` computes it, so that a pixel that
lies just between two others goes the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from ...nn import Module
from ...ops.random import rand
from ...tensor import Tensor, wrap
from .blur import gaussian_blur
from .chance import happens, integer, uniform
from .convert import pil_to_tensor, to_pil_image
from .image import get_dimensions, is_pil, pil_fill
from .resize import InterpolationMode, as_mode, pil_mode
from .sampling import Fill, read_at

__all__ = [
    "ElasticTransform",
    "RandomAffine",
    "RandomPerspective",
    "RandomRotation",
    "affine",
    "elastic_transform",
    "perspective",
    "rotate",
]

# ---------------------------------------------------------------------------------------------------------- functions


def rotate(
    img: Any,
    angle: float,
    interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    """Turn a PIL image or Tensor (..., C, H, W).

    Args:
        angle: degrees, counter-clockwise.
        interpolation: NEAREST or BILINEAR; for PIL images also BICUBIC.
        expand: make the result large enough to hold the whole turned image (about its centre).
        center: (x, y) of the centre of rotation in pixels from the top left corner; by default the image's centre.
        fill: the value of what lies outside the image, or one for each channel; by default 0.

    Raises:
        TypeError: no image, or an argument of another type.
        ValueError: an interpolation mode that does not apply, or a fill of another length.
    """
    interpolation = as_mode(interpolation)
    _pair(center, "center", optional=True)
    _, height, width = get_dimensions(img)
    if is_pil(img):
        fill = pil_fill(img, fill)
        return img.rotate(
            angle, pil_mode(interpolation), expand, None if center is None else tuple(center), fillcolor=fill
        )
    matrix = _inverse(_from_centre(center, height, width), -angle, (0, 0), 1.0, (0, 0))
    size = _expanded(matrix, height, width) if expand else (height, width)
    return read_at(img, partial(_affine_grid, matrix, height, width, *size), interpolation, fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Turn, move, zoom and shear a PIL image or Tensor (..., C, H, W), which keeps its size.

    Args:
        angle: degrees, clockwise.
        translate: (x, y) in pixels.
        scale: positive.
        shear: degrees along x, or (along x, along y).
        interpolation, fill, center: see :func:`rotate`.

    Raises:
        TypeError, ValueError: as :func:`rotate`; or ``scale`` is not positive.
    """
    interpolation = as_mode(interpolation)
    if not isinstance(angle, int | float):
        raise TypeError(f"angle should be a number, got {angle!r}")
    _pair(translate, "translate")
    _pair(center, "center", optional=True)
    if scale <= 0:
        raise ValueError(f"scale should be positive, got {scale}")
    shears = (shear, 0.0) if isinstance(shear, int | float) else tuple(shear) if len(shear) != 1 else (*shear, *shear)
    if len(shears) != 2:
        raise ValueError(f"shear should be one or two numbers, got {shear!r}")
    _, height, width = get_dimensions(img)
    if is_pil(img):
        matrix = _inverse(center or (width * 0.5, height * 0.5), angle, translate, scale, shears)
        return _pil_transform(img, "AFFINE", matrix, interpolation, fill)
    matrix = _inverse(_from_centre(center, height, width), angle, translate, scale, shears)
    return read_at(img, partial(_affine_grid, matrix, height, width, height, width), interpolation, fill)


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[float]],
    endpoints: Sequence[Sequence[float]],
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """See a PIL image or Tensor (..., C, H, W) from aside.

    Args:
        startpoints: (x, y) of four corners of the image: top left, top right, bottom right, bottom left.
        endpoints: where they come to lie.
        interpolation, fill: see :func:`rotate`.

    Raises:
        ValueError: not four points each; or as :func:`rotate`.
    """
    interpolation = as_mode(interpolation)
    coefficients = _homography(startpoints, endpoints)
    if is_pil(img):
        return _pil_transform(img, "PERSPECTIVE", coefficients, interpolation, fill)
    _, height, width = get_dimensions(img)
    return read_at(img, partial(_perspective_grid, coefficients, height, width), interpolation, fill)


def elastic_transform(
    img: Any,
    displacement: Tensor,
    interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """Stretch a PIL image or Tensor (..., C, H, W): the result's pixel p is the image's at p + ``displacement``.

    Args:
        displacement: (1, H, W, 2): x in half widths of the image, y in half heights.
        interpolation, fill: see :func:`rotate`.

    Raises:
        TypeError: ``displacement`` is no Tensor, or no image.
        ValueError: it has another shape.
    """
    interpolation = as_mode(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError(f"displacement should be a Tensor, got {type(displacement)}")
    _, height, width = get_dimensions(img)
    if tuple(displacement.shape) != (1, height, width, 2):
        raise ValueError(f"displacement should be {(1, height, width, 2)}, got the shape {tuple(displacement.shape)}")
    if is_pil(img):
        return to_pil_image(elastic_transform(pil_to_tensor(img), displacement, interpolation, fill), mode=img.mode)
    return read_at(img, partial(_elastic_grid, displacement.numpy()[0]), interpolation, fill)


# ---------------------------------------------------------------------------------------------------------- transforms


class RandomRotation(Module):
    """:func:`rotate` by a random angle.

    Args:
        degrees: drawn from [-degrees, degrees], or from [degrees[0], degrees[1]].
        interpolation, expand, center, fill: see :func:`rotate`.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Fill = 0,
    ) -> None:
        super().__init__()
        self.degrees = _angles(degrees, "degrees", (2,))
        self.interpolation, self.expand = as_mode(interpolation), expand
        self.center, self.fill = _pair(center, "center", optional=True), _checked(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw an angle."""
        return uniform(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        return rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, self.fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"RandomRotation(degrees={self.degrees}, interpolation={self.interpolation.value}, expand={self.expand}"
            f"{center}, fill={self.fill})"
        )


class RandomAffine(Module):
    """:func:`affine` with random arguments: what is not given stays.

    Args:
        degrees: the angle is drawn from [-degrees, degrees], or from [degrees[0], degrees[1]].
        translate: (a, b): moved by up to a widths and b heights either way, in whole pixels.
        scale: drawn from [scale[0], scale[1]].
        shear: along x, drawn from [-shear, shear] or [shear[0], shear[1]]; with four numbers along y too, from
            [shear[2], shear[3]]. Degrees.
        interpolation, fill, center: see :func:`rotate`.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: InterpolationMode | int = InterpolationMode.NEAREST,
        fill: Fill = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = _angles(degrees, "degrees", (2,))
        self.translate = _pair(translate, "translate", optional=True)
        if translate is not None and not all(0 <= t <= 1 for t in translate):
            raise ValueError(f"translate should be shares of the width and height in [0, 1], got {translate!r}")
        self.scale = _pair(scale, "scale", optional=True)
        if scale is not None and min(scale) <= 0:
            raise ValueError(f"scale should be positive, got {scale!r}")
        self.shear = None if shear is None else _angles(shear, "shear", (2, 4))
        self.interpolation, self.fill = as_mode(interpolation), _checked(fill)
        self.center = _pair(center, "center", optional=True)

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw (angle, (x, y) of the translation, scale, (x, y) of the shear) for an image of (width, height)."""
        angle = uniform(degrees[0], degrees[1])
        reach = (0, 0) if translate is None else [share * size for share, size in zip(translate, img_size, strict=True)]
        x, y = (round(uniform(-r, r)) if r else 0 for r in reach)
        scale = 1.0 if scale_ranges is None else uniform(*scale_ranges)
        shear_x = uniform(*shears[:2]) if shears else 0.0
        shear_y = uniform(*shears[2:]) if shears and len(shears) == 4 else 0.0
        return angle, (x, y), scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, get_dimensions(img)[:0:-1])
        return affine(img, *drawn, interpolation=self.interpolation, fill=self.fill, center=self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [f"{n}={getattr(self, n)}" for n in ("translate", "scale", "shear") if getattr(self, n) is not None]
        if self.interpolation is not InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        parts += [f"fill={self.fill}"] if self.fill != 0 else []
        parts += [f"center={self.center}"] if self.center is not None else []
        return f"RandomAffine({', '.join(parts)})"


class RandomPerspective(Module):
    """:func:`perspective` with probability ``p``: each corner moves inwards by up to ``distortion_scale`` of half the
    width and half the height.
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        fill: Fill = 0,
    ) -> None:
        super().__init__()
        self.distortion_scale, self.p = distortion_scale, p
        self.interpolation, self.fill = as_mode(interpolation), _checked(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """Draw (the corners, where they come to lie), as :func:`perspective` wants them."""
        right, bottom = width - 1, height - 1
        dx, dy = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        corners = [[0, 0], [right, 0], [right, bottom], [0, bottom]]
        moved = [[abs(x - integer(0, dx + 1)), abs(y - integer(0, dy + 1))] for x, y in corners]
        return corners, moved

    def forward(self, img: Any) -> Any:
        if not happens(self.p):
            return img
        _, height, width = get_dimensions(img)
        return perspective(img, *self.get_params(width, height, self.distortion_scale), self.interpolation, self.fill)

    def __repr__(self) -> str:
        return f"RandomPerspective(p={self.p})"


class ElasticTransform(Module):
    """:func:`elastic_transform` by a random field of displacements: uniform noise, blurred.

    Source: P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR 2003, section 2.

    Args:
        alpha: strength, or (along x, along y).
        sigma: width of the blur in pixels, or (along x, along y); the larger, the smoother.
        interpolation, fill: see :func:`rotate`.
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: InterpolationMode | int = InterpolationMode.BILINEAR,
        fill: Fill = 0,
    ) -> None:
        super().__init__()
        self.alpha = [float(alpha)] * 2 if isinstance(alpha, int | float) else list(_pair(alpha, "alpha"))
        self.sigma = [float(sigma)] * 2 if isinstance(sigma, int | float) else list(_pair(sigma, "sigma"))
        self.interpolation, self.fill = as_mode(interpolation), _checked(fill)

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """Draw the displacements (1, H, W, 2) for an image of ``size`` (H, W)."""
        height, width = size
        fields = []
        for strength, blur, length in zip(alpha, sigma, (width, height), strict=True):
            noise = rand(1, 1, height, width) * 2 - 1
            if blur > 0:
                noise = gaussian_blur(noise, int(8 * blur + 1) | 1, list(sigma))
            fields.append(noise.numpy()[0, 0] * np.float32(strength / length))
        return wrap(np.stack(fields, -1)[None])

    def forward(self, img: Any) -> Any:
        displacement = self.get_params(self.alpha, self.sigma, get_dimensions(img)[1:])
        return elastic_transform(img, displacement, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"ElasticTransform(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation.value}, "
            f"fill={self.fill})"
        )


# ----------------------------------------------------------------------------------------------------------- arguments


def _pair(values: Any, name: str, optional: bool = False) -> Any:
    if values is None and optional:
        return None
    if not isinstance(values, Sequence):
        raise TypeError(f"{name} should be a sequence of two numbers, got {values!r}")
    if len(values) != 2:
        raise ValueError(f"{name} should be a sequence of two numbers, got {values!r}")
    return values


def _angles(value: float | Sequence[float], name: str, lengths: tuple[int, ...]) -> list[float]:
    """``value`` as [low, high]: a number stands for [-value, value]."""
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"{name}: a single number should be non-negative, got {value}")
        return [-float(value), float(value)]
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a number or a sequence, got {value!r}")
    if len(value) not in lengths:
        raise ValueError(f"{name} should have {' or '.join(map(str, lengths))} numbers, got {value!r}")
    return [float(angle) for angle in value]


def _checked(fill: Fill) -> Any:
    if fill is not None and not isinstance(fill, int | float | Sequence):
        raise TypeError(f"fill should be a number or a sequence of numbers, got {fill!r}")
    return 0 if fill is None else fill


# ---------------------------------------------------------------------------------------------------------------- maps


def _from_centre(center: Sequence[float] | None, height: int, width: int) -> tuple[float, float]:
    return (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)


def _inverse(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """[a, b, c, d, e, f] with (x, y) = (a x' + b y' + c, d x' + e y' + f): where pixel (x', y') of the result lies."""
    rotation, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    # R K without the scale has determinant 1, so its inverse is [[d, -b], [-c, a]].
    a = math.cos(rotation - shear_y) / math.cos(shear_y)
    b = -a * math.tan(shear_x) - math.sin(rotation)
    c = math.sin(rotation - shear_y) / math.cos(shear_y)
    d = -c * math.tan(shear_x) + math.cos(rotation)
    p, q, r, s = (v / scale for v in (d, -b, -c, a))
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [p, q, p * x + q * y + center[0], r, s, r * x + s * y + center[1]]


def _expanded(matrix: Sequence[float], height: int, width: int) -> tuple[int, int]:
    """(height, width) of the smallest frame of whole pixels about the turned image."""
    half = np.array([width / 2, height / 2], np.float32)
    corners = np.array([[-1, -1, 1], [-1, 1, 1], [1, 1, 1], [1, -1, 1]], np.float32) * np.append(half, np.float32(1))
    turned = corners @ np.reshape(matrix, (2, 3)).astype(np.float32).T
    high, low = turned.max(0) + half, turned.min(0) + half
    tolerance = np.float32(1e-4)  # 8.00001 is 8 with a rounding, not the beginning of a ninth pixel
    size = np.ceil(np.trunc(high / tolerance) * tolerance) - np.floor(np.trunc(low / tolerance) * tolerance)
    return int(size[1]), int(size[0])


def _homography(startpoints: Sequence[Sequence[float]], endpoints: Sequence[Sequence[float]]) -> list[float]:
    """[a, ..., h] with x = (a x' + b y' + c) / (g x' + h y' + 1), y = (d x' + e y' + f) / (the same)."""
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(f"perspective: expected four points each, got {len(startpoints)} and {len(endpoints)}")
    rows = []
    for (x1, y1), (x, y) in zip(endpoints, startpoints, strict=True):
        rows += [[x1, y1, 1, 0, 0, 0, -x * x1, -x * y1], [0, 0, 0, x1, y1, 1, -y * x1, -y * y1]]
    solution = np.linalg.lstsq(np.array(rows, np.float64), np.ravel(startpoints).astype(np.float64), rcond=None)[0]
    return solution.astype(np.float32).tolist()


def _pil_transform(img: Any, method: str, data: Sequence[float], mode: InterpolationMode, fill: Fill) -> Any:
    from PIL import Image

    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
        raise ValueError(f"interpolation should be nearest, bilinear or bicubic, got {mode.value}")
    method_ = Image.Transform[method]
    return img.transform(img.size, method_, data, pil_mode(mode), fillcolor=pil_fill(img, fill))


# ------------------------------------------------------------------------------------------------------------ on arrays


def _affine_grid(matrix: Sequence[float], h: int, w: int, oh: int, ow: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Where each of oh x ow pixels comes from, (oh, ow, 2): x in half widths from the centre, y in half heights."""
    x, y = (np.arange(n, dtype=dtype) - dtype.type((n - 1) / 2) for n in (ow, oh))
    a, b, c, d, e, f = np.asarray(matrix, dtype) / np.array([w / 2] * 3 + [h / 2] * 3, dtype)
    y = y[:, None]
    return np.stack([x * a + y * b + c, x * d + y * e + f], -1)


def _perspective_grid(coefficients: Sequence[float], h: int, w: int, dtype: np.dtype[Any]) -> np.ndarray:
    x, y = (np.arange(n, dtype=dtype) + dtype.type(0.5) for n in (w, h))
    y = y[:, None]
    scale = np.array([w / 2] * 3 + [h / 2] * 3 + [1] * 2, dtype)
    a, b, c, d, e, f, g, k = np.asarray(coefficients, dtype) / scale
    below = x * g + y * k + 1
    return np.stack([(x * a + y * b + c) / below - 1, (x * d + y * e + f) / below - 1], -1)


def _elastic_grid(displacement: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    h, w, _ = displacement.shape
    x, y = (np.linspace((1 - n) / n, (n - 1) / n, n, dtype=np.float32) for n in (w, h))
    return (np.stack(np.broadcast_arrays(x, y[:, None]), -1) + displacement).astype(dtype)
