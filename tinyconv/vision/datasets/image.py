"""Image files that anybody may have made: read whole and in colour, or refused with an error that names the file.

What becomes of images that are not plain colour:

=================== =========================================================================================
palette, grey, CMYK converted to RGB
alpha               dropped: a transparent pixel has the colour that it has underneath
16 bits             the upper eight (Pillow's own conversion cuts at 255, and leaves a white image)
EXIF orientation    ignored, as in torchvision: the pixels as they are stored. ``PIL.ImageOps.exif_transpose``,
                    as the first transform, turns the image
animations          the first frame
=================== =========================================================================================
"""

from __future__ import annotations

import functools
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["IMG_EXTENSIONS", "DamagedImage", "open_image", "pil_loader", "to_rgb"]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")

# Not all that Pillow can open: one (EPS) starts another program. GIF is here because many a .jpg is one.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")

# What Pillow's decoders raise for damaged files: most are in Python and believe what they read.
_DAMAGES = (
    OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error, LookupError, TypeError, AttributeError,
    ArithmeticError, MemoryError, AssertionError, NotImplementedError,
)  # fmt: skip


@functools.cache
def _formats() -> tuple[str, ...]:
    """Those of ``_FORMATS`` that this machine's Pillow was built with."""
    from PIL import Image

    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


class DamagedImage(OSError, ValueError):
    """A file is no image, or a damaged or far too large one; the message names it and says why."""


@contextmanager
def open_image(path: str | os.PathLike[str]) -> Iterator[Image]:
    """The PIL image in a file, decoded.

    Raises:
        DamagedImage: it is not one in a known format, is damaged or cut off, or has more pixels than
            ``PIL.Image.MAX_IMAGE_PIXELS`` (a small file can say that it is a billion pixels wide).
        OSError: the file cannot be opened.
    """
    from PIL import Image

    with open(path, "rb") as file:
        try:
            image = Image.open(file, formats=_formats())
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise DamagedImage(
                    f"{os.fspath(path)}: {image.width} x {image.height} pixels are more than the limit of {limit} "
                    "(PIL.Image.MAX_IMAGE_PIXELS)"
                )
            image.load()
        except DamagedImage:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise DamagedImage(f"{os.fspath(path)}: too many pixels: {error}") from error
        except Image.UnidentifiedImageError as error:
            raise DamagedImage(f"{os.fspath(path)}: not an image in a known format ({', '.join(_FORMATS)})") from error
        except _DAMAGES as error:
            raise DamagedImage(f"{os.fspath(path)}: damaged image: {error or type(error).__name__}") from error
        with image:
            yield image


def to_rgb(image: Image) -> Image:
    """``image`` in mode "RGB"; see above."""
    if image.mode.startswith("I;16"):
        from PIL import Image as pil

        image = pil.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image.convert("RGB")


def pil_loader(path: str | os.PathLike[str]) -> Image:
    """The image in a file, in mode "RGB": what :class:`~tinyconv.vision.datasets.ImageFolder` reads files with.

    Raises:
        DamagedImage, OSError: see :func:`open_image`.
    """
    with open_image(path) as image:
        try:
            return to_rgb(image)
        except ValueError as error:  # older Pillows know no way from "LAB"
            raise DamagedImage(
                f"{os.fspath(path)}: an image of mode {image.mode!r} has no RGB form: {error}"
            ) from error
