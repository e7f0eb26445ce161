"""Gaussian blur: each pixel becomes the mean of its surroundings, weighted by

    w(dx, dy) = exp(-dx^2 / (2 sx^2)) exp(-dy^2 / (2 sy^2)) / sum

The weights are a product, so the image is blurred along one axis and then along the other: KH + KW products a pixel
instead of KH KW. Beyond the edge lies the image's mirror image about its last pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...nn import Module
from ...tensor import Tensor
from .chance import uniform
from .convert import pil_to_tensor, to_pil_image
from .image import is_pil, on_floats

__all__ = ["GaussianBlur", "gaussian_blur"]


def gaussian_blur(img: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None) -> Any:
    """Blur a PIL image or Tensor (..., H, W).

    Args:
        img: integers are rounded, ties to even.
        kernel_size: (width, height) of the window, odd; or one number for both.
        sigma: (sx, sy), positive; or one number for both; by default 0.15 kernel_size + 0.35.

    Raises:
        ValueError: an argument is not as above.
        TypeError: ``img`` is neither.
    """
    widths = _two(kernel_size, "kernel_size")
    if any(width <= 0 or width % 2 == 0 for width in widths):
        raise ValueError(f"kernel_size should be odd and positive, got {kernel_size!r}")
    sigmas = tuple(0.15 * width + 0.35 for width in widths) if sigma is None else _two(sigma, "sigma")
    if min(sigmas) <= 0:
        raise ValueError(f"sigma should be positive, got {sigma!r}")
    if is_pil(img):
        return to_pil_image(gaussian_blur(pil_to_tensor(img), kernel_size, sigma), mode=img.mode)
    if not isinstance(img, Tensor):
        raise TypeError(f"gaussian_blur: img should be a PIL image or a Tensor, got {type(img)}")
    return on_floats(img, lambda x: _blur(_blur(x, -1, widths[0], sigmas[0]), -2, widths[1], sigmas[1]))


def _two(value: Any, name: str) -> tuple[Any, Any]:
    """``value`` as (horizontally, vertically)."""
    values = (value,) if isinstance(value, int | float) else tuple(value)
    if len(values) not in (1, 2):
        raise ValueError(f"{name} should be one or two numbers, got {value!r}")
    return values[0], values[-1]


def _blur(x: np.ndarray, axis: int, width: int, sigma: float) -> np.ndarray:
    half = width // 2
    w = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    w = (w / w.sum()).astype(x.dtype)
    n = x.shape[axis]
    if half >= n:
        raise ValueError(f"gaussian_blur: a window of {width} pixels needs more than {half}, the image has {n}")
    borders = [(0, 0)] * x.ndim
    borders[axis] = (half, half)
    x = np.moveaxis(np.pad(x, borders, "reflect"), axis, -1)
    y = sum(w[i] * x[..., i : i + n] for i in range(width))
    return np.ascontiguousarray(np.moveaxis(y, -1, axis))


class GaussianBlur(Module):
    """:func:`gaussian_blur` with a random width.

    Args:
        kernel_size: (width, height), odd; or one number for both.
        sigma: drawn from [sigma[0], sigma[1]], the same for both axes; or one fixed number.
    """

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = _two(kernel_size, "kernel_size")
        if any(width <= 0 or width % 2 == 0 for width in self.kernel_size):
            raise ValueError(f"kernel_size should be odd and positive, got {kernel_size!r}")
        low, high = _two(sigma, "sigma")
        if not 0 < low <= high:
            raise ValueError(f"sigma should be positive, or (smallest, largest), got {sigma!r}")
        self.sigma = (low, high)

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw sigma."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        return gaussian_blur(img, self.kernel_size, self.get_params(*self.sigma))

    def __repr__(self) -> str:
        return f"GaussianBlur(kernel_size={self.kernel_size}, sigma={self.sigma})"
