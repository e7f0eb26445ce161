"""From a picture of a digit to what a network trained on MNIST expects.

MNIST's images were made so (LeCun et al. 1998, section III.A): white ink on black, scaled until the larger side of the
digit's box is 20 pixels, grey from anti-aliasing, and put into 28x28 with the centre of mass in the middle. A network
that has only seen such images reads others as badly as we read upside down, so a picture is brought into that form:

1. The border is the paper. Ink is how far a pixel is from the paper's brightness, be it darker or lighter.
2. What differs little from the paper is paper: shadows, noise, the ripples of JPEG.
3. The digit is cut out, scaled to 20 pixels, centred by mass.
"""

from __future__ import annotations

import os

import numpy as np

from .errors import CommandError

__all__ = ["mnist_like", "read_grey"]

_MOST_PIXELS = 50_000_000
_BOX, _SIZE = 20, 28
# Ink in units of the darkest ink there is: below _PAPER is none, from _INK on is full.
_PAPER, _INK = 0.3, 0.7
_FAINTEST = 0.1  # of the range from black to white: with less contrast there is nothing to read


def read_grey(path: str | os.PathLike[str]) -> np.ndarray:
    """An image file as float32 ``(H, W)``, 0 black to 1 white.

    It is turned as its EXIF data say, and laid on a plain background where it is transparent.

    Raises:
        CommandError: the file is no image, is damaged or too large.
        OSError: it cannot be opened.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    with open(path, "rb") as file:
        try:
            image: Image.Image = Image.open(file)
            if image.width * image.height > _MOST_PIXELS:
                raise CommandError(f"{path}: {image.width}x{image.height} pixels, more than {_MOST_PIXELS:,}")
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith(("I", "F")):  # 16 bits a pixel; convert("L") would cut off all above 255
                pixels = np.asarray(image, np.float32)
                return pixels / max(float(pixels.max(initial=0)), 1.0)
            with_alpha = np.asarray(image.convert("LA"), np.float32) / 255
        except UnidentifiedImageError as error:
            raise CommandError(f"{path}: is no image that can be read; expected PNG, JPEG or the like") from error
        except Image.DecompressionBombError as error:
            raise CommandError(f"{path}: is too large: more than {_MOST_PIXELS:,} pixels") from error
        except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises depends on the format
            raise CommandError(f"{path}: is a damaged image: {error}") from error
    grey, alpha = with_alpha[..., 0], with_alpha[..., 1]
    if (alpha == 1).all() or not alpha.any():
        return grey
    # What is drawn on a transparent sheet may be dark or light: lay it on the other.
    drawn_is_dark = (grey * alpha).sum() / alpha.sum() < 0.5
    return grey * alpha + (1 - alpha) * float(drawn_is_dark)


def mnist_like(grey: np.ndarray) -> np.ndarray:
    """A grey picture of one digit, dark on light or light on dark, as MNIST would have it.

    Args:
        grey: float32 ``(H, W)`` in [0, 1].

    Returns:
        uint8 ``(28, 28)``, white on black.

    Raises:
        ValueError: nothing stands out from the background.
    """
    digit = _scaled(_cut_out(_ink(grey)))
    h, w = digit.shape
    mass = digit.sum()
    # The centre of mass goes to the middle of the image, (28 - 1) / 2 in pixel numbers, as far as the box stays inside.
    top = (_SIZE - 1) / 2 - (digit.sum(1) @ np.arange(h)) / mass
    left = (_SIZE - 1) / 2 - (digit.sum(0) @ np.arange(w)) / mass
    top, left = (int(np.clip(round(place), 0, _SIZE - size)) for place, size in ((top, h), (left, w)))
    out = np.zeros((_SIZE, _SIZE), np.uint8)
    out[top : top + h, left : left + w] = np.round(255 * digit)
    return out


def _ink(grey: np.ndarray) -> np.ndarray:
    """How much ink there is at each pixel, 0 to 1."""
    if min(grey.shape) < 3:
        raise ValueError(f"the picture has only {grey.shape[1]}x{grey.shape[0]} pixels")
    if not np.isfinite(grey).all():
        raise ValueError("the picture has pixels that are no numbers")
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    paper = float(np.median(border))
    # The darkest and the lightest hundredth of a percent may be dust.
    darker = paper - float(np.quantile(grey, 0.0001))
    lighter = float(np.quantile(grey, 0.9999)) - paper
    contrast = max(darker, lighter)
    if contrast < _FAINTEST:
        raise ValueError("no digit stands out from the background")
    ink = (paper - grey if darker > lighter else grey - paper) / contrast
    return np.clip((ink - _PAPER) / (_INK - _PAPER), 0, 1)


def _cut_out(ink: np.ndarray) -> np.ndarray:
    """The digit's box. Blurred first, so that a line counts and a speck does not: it loses more by blurring."""
    from PIL import Image, ImageFilter

    blur = ImageFilter.GaussianBlur(max(ink.shape) / 150)
    blurred = np.asarray(Image.fromarray(np.round(255 * ink).astype(np.uint8)).filter(blur))
    inked = blurred > _PAPER * blurred.max()
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _scaled(ink: np.ndarray) -> np.ndarray:
    """``ink`` with its larger side scaled to 20 pixels, and its darkest place to 1 (a thin line would fade away)."""
    from PIL import Image

    h, w = ink.shape
    scale = _BOX / max(h, w)
    size = (max(1, round(w * scale)), max(1, round(h * scale)))
    # Over the pixels' area where it shrinks: no line falls between the samples.
    small = np.asarray(Image.fromarray(ink.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    return np.clip(small / small.max(), 0, 1)
