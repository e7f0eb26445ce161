"""From pixels to what a network expects (float32, channels first, centred, of unit variance), and back.

``ToTensor``: y = x / 255. ``Normalize``: y = (x - mean) / std, channel by channel. Both divide, where a product with
the reciprocal would be off by a rounding: the results are torchvision's, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import dtypes
from ...nn import Module
from ...tensor import Tensor, wrap
from .image import is_pil

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "ConvertImageDtype",
    "Normalize",
    "PILToTensor",
    "ToPILImage",
    "ToTensor",
    "convert_image_dtype",
    "normalize",
    "pil_to_tensor",
    "to_pil_image",
    "to_tensor",
]


# ---------------------------------------------------------------------------------------------------------- functions


def to_tensor(pic: Image | np.ndarray) -> Tensor:
    """An image (H, W) or (H, W, C) becomes a Tensor (C, H, W); see :class:`ToTensor`."""
    if not isinstance(pic, np.ndarray):
        if not is_pil(pic):
            raise TypeError(f"ToTensor: pic should be a PIL image or an array, got {type(pic)}")
        pic = np.array(pic, np.uint8) * np.uint8(255) if pic.mode == "1" else np.array(pic)
    if pic.ndim not in (2, 3):
        raise ValueError(f"ToTensor: an image should have 2 or 3 axes, got the shape {pic.shape}")
    return wrap(_scaled(pic[None])[0])


def pil_to_tensor(pic: Image) -> Tensor:
    """A PIL image becomes a Tensor (C, H, W) of the same numbers: uint8 mostly, int32 for mode "I", float32 for "F".
    Mode "I;16" becomes int32 too, and mode "1" bool.

    Raises:
        TypeError: ``pic`` is no PIL image.
    """
    if not is_pil(pic):
        raise TypeError(f"pil_to_tensor: pic should be a PIL image, got {type(pic)}")
    return wrap(_channels_first(np.asarray(pic)[None])[0])


def to_pil_image(pic: Tensor | np.ndarray, mode: str | None = None) -> Image:
    """A PIL image of a Tensor (C, H, W) or (H, W), or of an array (H, W, C) or (H, W), with 1 to 4 channels.

    Args:
        pic: floats should lie in [0, 1]; they are multiplied by 255 and rounded down (but not for ``mode="F"``).
        mode: what the channels mean. By default "L", "LA", "RGB", "RGBA" for uint8 and floats; "I;16" for int16, "I"
            for int32.

    Raises:
        TypeError: another type.
        ValueError: another shape, or a mode that does not fit.
    """
    from PIL import Image

    if isinstance(pic, Tensor):
        x = pic.detach().cpu().numpy()
        x = np.moveaxis(x, 0, 2) if x.ndim == 3 else x
    elif isinstance(pic, np.ndarray):
        x = pic
    else:
        raise TypeError(f"to_pil_image: pic should be a Tensor or an array, got {type(pic)}")
    x = x[:, :, None] if x.ndim == 2 else x
    if x.ndim != 3 or not 1 <= x.shape[2] <= 4:
        raise ValueError(f"to_pil_image: pic should have 2 or 3 axes and 1 to 4 channels, got the shape {pic.shape}")
    if x.dtype.kind == "f":
        x = x.astype(np.float32) if mode == "F" else (x * 255).astype(np.uint8)
    allowed = {
        (1, "uint8"): ["L"], (1, "int16"): ["I;16"], (1, "int32"): ["I"], (1, "float32"): ["F"],
        (2, "uint8"): ["LA"], (3, "uint8"): ["RGB", "YCbCr", "HSV"], (4, "uint8"): ["RGBA", "CMYK", "RGBX"],
    }.get((x.shape[2], x.dtype.name))  # fmt: skip
    if allowed is None:
        raise TypeError(f"to_pil_image: no image has {x.shape[2]} channels of {x.dtype}")
    if mode is not None and mode not in allowed:
        raise ValueError(f"to_pil_image: mode {mode!r} does not fit {x.shape[2]} channels of {x.dtype}: {allowed}")
    little = x.astype(x.dtype.newbyteorder("<"), copy=False)
    return Image.frombytes(mode or allowed[0], (x.shape[1], x.shape[0]), little.tobytes())


def convert_image_dtype(image: Tensor, dtype: Any = dtypes.float32) -> Tensor:
    """``image`` in another type, its values rescaled: the largest of an integer type stands for 1.

    Floats become integers by multiplication with (largest + 1 - 0.001) and rounding down, so that each integer gets an
    equal share of [0, 1]; integers become smaller or larger ones by division or multiplication with a power of two.

    Raises:
        TypeError: ``image`` is no Tensor.
        RuntimeError: from float32 to int32 or int64, or from float64 to int64: a float cannot hold their largest.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"convert_image_dtype: image should be a Tensor, got {type(image)}")
    x, new = image.numpy(), dtypes.as_numpy(dtype)
    if x.dtype == new:
        return image
    if x.dtype.kind == "f":
        if new.kind == "f":
            return wrap(x.astype(new))
        if new.itemsize >= x.dtype.itemsize:
            raise RuntimeError(
                f"convert_image_dtype: the cast from {image.dtype} to {dtype} cannot be performed safely"
            )
        return wrap((x * x.dtype.type(_largest(new) + 1 - 1e-3)).astype(new))
    if new.kind == "f":
        return wrap(x.astype(new) / new.type(_largest(x.dtype)))
    largest, new_largest = _largest(x.dtype), _largest(new)
    if largest > new_largest:
        return wrap((x // ((largest + 1) // (new_largest + 1))).astype(new))
    return wrap(x.astype(new) * new.type((new_largest + 1) // (largest + 1)))


def normalize(
    tensor: Tensor, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False
) -> Tensor:
    """``(tensor - mean) / std``; see :class:`Normalize`."""
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        got = tensor.dtype if isinstance(tensor, Tensor) else type(tensor)
        raise TypeError(f"Normalize: expected a Tensor of floats, got {got}; ToTensor() makes one")
    shape, dtype = tuple(tensor.shape), tensor.dtype.numpy
    if len(shape) < 3:
        raise ValueError(f"Normalize: expected a Tensor (..., C, H, W), got the shape {shape}")
    means, stds = (np.asarray(v, dtype).reshape(-1, 1, 1) for v in (mean, std))
    if not stds.all():
        raise ValueError(f"Normalize: std is zero after conversion to {dtype}: {std}")
    if {len(means), len(stds)} - {1, shape[-3]}:
        raise ValueError(
            f"Normalize: {len(means)} means and {len(stds)} stds do not fit {shape[-3]} channels (x: {shape})"
        )
    if tensor.requires_grad or tensor.device.type != "cpu":  # a step of a network, not of its data's preparation
        shift, scale = (wrap(v).to(tensor.device) for v in (means, stds))
        return tensor.sub_(shift).div_(scale) if inplace else (tensor - shift) / scale
    x = tensor.numpy()
    y = np.subtract(x, means, out=x if inplace else None)
    y /= stds
    return tensor if inplace else wrap(y)


# ---------------------------------------------------------------------------------------------------------- transforms


class ToTensor:
    """An image (H, W) or (H, W, C) becomes a Tensor (C, H, W); uint8 becomes float32 in [0, 1].

    Other dtypes keep their type and values, as in torchvision; but uint16, which a Tensor has not, becomes int32. A
    black and white PIL image (mode "1") has the values 0 and 1.

    Raises:
        TypeError: the argument is no PIL image or array, or its dtype is none of a Tensor's.
        ValueError: an array has neither 2 nor 3 axes (a batch: 3 or 4).
    """

    batched = True

    def __call__(self, pic: Image | np.ndarray) -> Tensor:
        return to_tensor(pic)

    def batch(self, x: np.ndarray | Tensor) -> Tensor:
        """A stack of images, (B, H, W) or (B, H, W, C), becomes a Tensor (B, C, H, W).

        Args:
            x: an array, or a Tensor (B, H, W).
        """
        if isinstance(x, Tensor):
            if x.ndim != 3:
                raise ValueError(f"ToTensor: a Tensor of images should be (B, H, W), got the shape {tuple(x.shape)}")
            x = x.numpy()
        if not isinstance(x, np.ndarray):
            raise TypeError(f"ToTensor: a batch should be an array or a Tensor, got {type(x)}")
        if x.ndim not in (3, 4):
            raise ValueError(f"ToTensor: a batch of images should have 3 or 4 axes, got the shape {x.shape}")
        return wrap(_scaled(x))

    def __repr__(self) -> str:
        return "ToTensor()"


class PILToTensor:
    """:func:`pil_to_tensor` as a transform: the numbers as they are."""

    def __call__(self, pic: Image) -> Tensor:
        return pil_to_tensor(pic)

    def __repr__(self) -> str:
        return "PILToTensor()"


class ToPILImage:
    """:func:`to_pil_image` as a transform."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Tensor | np.ndarray) -> Image:
        return to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return "ToPILImage(" + (f"mode={self.mode}" if self.mode else "") + ")"


class ConvertImageDtype(Module):
    """:func:`convert_image_dtype` as a transform."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return convert_image_dtype(image, self.dtype)

    def __repr__(self) -> str:
        return f"ConvertImageDtype(dtype={self.dtype})"


class Normalize(Module):
    """``(x - mean) / std`` for each channel of a float Tensor (..., C, H, W), of one image or a batch alike.

    Unlike the other transforms it lets gradients through, and works on any device: it may be a network's first layer.

    Args:
        mean, std: C numbers each, or one for all channels.
        inplace: overwrite the argument.

    Raises:
        TypeError: the argument is no Tensor of floats.
        ValueError: it has fewer than 3 axes, its channels are not as many as the means, or a ``std`` is zero.
    """

    batched = True

    def __init__(self, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Tensor) -> Tensor:
        return normalize(tensor, self.mean, self.std, self.inplace)

    def batch(self, x: Tensor) -> Tensor:
        """The same for a Tensor (B, C, H, W)."""
        return self(x)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


# ----------------------------------------------------------------------------------------------------------- on arrays


def _channels_first(x: np.ndarray) -> np.ndarray:
    """(B, H, W[, C]) -> (B, C, H, W), in memory of its own and of a type that a Tensor has."""
    x = x[:, None] if x.ndim == 3 else np.moveaxis(x, 3, 1)
    dtype = np.dtype(np.int32) if x.dtype.kind == "u" and x.dtype.itemsize == 2 else x.dtype.newbyteorder("=")
    dtypes.of(dtype)  # raises for what a Tensor cannot hold
    return np.array(x, dtype, order="C")


def _scaled(x: np.ndarray) -> np.ndarray:
    """:func:`_channels_first`, uint8 as a fraction of 255."""
    x = np.asarray(x)  # a Tensor wraps plain arrays: no memmap
    if x.dtype == np.uint8:
        return np.divide(x[:, None] if x.ndim == 3 else np.moveaxis(x, 3, 1), np.float32(255), order="C")
    return _channels_first(x)


def _largest(dtype: np.dtype[Any]) -> int:
    """The number of an integer type that stands for 1; 1 for bool."""
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1
