"""torchvision's newer names for the same transforms: ``from tinyconv.vision.transforms import v2``.

Images only: no boxes, masks or videos. ``v2.Compose([v2.ToImage(), v2.ToDtype(tinyconv.float32, scale=True)])`` is what
``ToTensor`` was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...nn import Module
from ...tensor import Tensor, wrap
from . import functional
from .blur import GaussianBlur
from .color import ColorJitter, Grayscale, RandomGrayscale
from .compose import Compose, Lambda, RandomApply, RandomChoice, RandomOrder
from .convert import Normalize, PILToTensor, ToPILImage, ToTensor, convert_image_dtype, pil_to_tensor
from .erase import RandomErasing
from .geometry import CenterCrop, FiveCrop, Pad, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, TenCrop
from .resize import InterpolationMode, RandomResizedCrop, Resize
from .tone import (
    RandomAdjustSharpness,
    RandomAutocontrast,
    RandomEqualize,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)
from .warp import ElasticTransform, RandomAffine, RandomPerspective, RandomRotation

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ElasticTransform",
    "FiveCrop",
    "GaussianBlur",
    "Grayscale",
    "Identity",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomAdjustSharpness",
    "RandomAffine",
    "RandomApply",
    "RandomAutocontrast",
    "RandomChoice",
    "RandomCrop",
    "RandomEqualize",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomOrder",
    "RandomPerspective",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Resize",
    "TenCrop",
    "ToDtype",
    "ToImage",
    "ToPILImage",
    "ToTensor",
    "functional",
]


class ToImage(Module):
    """A PIL image, or an array (H, W) or (H, W, C), becomes a Tensor (C, H, W) of the same numbers; a Tensor stays."""

    def forward(self, img: Any) -> Tensor:
        if isinstance(img, Tensor):
            return img
        if isinstance(img, np.ndarray):
            return wrap(np.moveaxis(img[:, :, None] if img.ndim == 2 else img, 2, 0).copy())
        return pil_to_tensor(img)

    def __repr__(self) -> str:
        return "ToImage()"


class ToDtype(Module):
    """A Tensor in another type, with ``scale`` by :func:`convert_image_dtype`. What is no Tensor stays."""

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        self.dtype, self.scale = dtype, scale

    def forward(self, img: Any) -> Any:
        if not isinstance(img, Tensor):
            return img
        return convert_image_dtype(img, self.dtype) if self.scale else img.to(self.dtype)

    def __repr__(self) -> str:
        return f"ToDtype(dtype={self.dtype}, scale={self.scale})"


class Identity(Module):
    """The image as it is."""

    def forward(self, img: Any) -> Any:
        return img
