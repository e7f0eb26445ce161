"""Image files as Tensors of bytes."""

from __future__ import annotations

import os
from enum import Enum

from ..tensor import Tensor
from .datasets.image import open_image, to_rgb
from .transforms.convert import pil_to_tensor

__all__ = ["ImageReadMode", "read_image"]


class ImageReadMode(Enum):
    """What :func:`read_image` makes of the channels. UNCHANGED: what the file has, a palette looked up."""

    UNCHANGED = None
    GRAY = "L"
    GRAY_ALPHA = "LA"
    RGB = "RGB"
    RGB_ALPHA = "RGBA"


def read_image(
    path: str | os.PathLike[str],
    mode: ImageReadMode = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Tensor:
    """The image in a file: uint8 (C, H, W).

    Args:
        path: a file in one of the formats that :class:`~tinyconv.vision.datasets.ImageFolder` reads.
        mode: the channels that are wanted.
        apply_exif_orientation: turn it as the camera says it was held.

    Raises:
        DamagedImage: see :func:`~tinyconv.vision.datasets.image.open_image`.
        OSError: the file cannot be opened.
    """
    with open_image(path) as image:
        if apply_exif_orientation:
            from PIL import ImageOps

            image = ImageOps.exif_transpose(image)
        wanted = mode.value
        if image.mode.startswith("I;16"):
            image = to_rgb(image).convert("L")
        if wanted is None:
            unchanged = image.mode in ("L", "LA", "RGB", "RGBA")
            wanted = image.mode if unchanged else "L" if image.mode == "1" else "RGBA" if _has_alpha(image) else "RGB"
        return pil_to_tensor(image.convert(wanted))


def _has_alpha(image: object) -> bool:
    return bool(getattr(image, "has_transparency_data", False))
