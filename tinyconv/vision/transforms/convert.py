"""From pixels to what a network expects: float32, channels first, centred, of unit variance.

``ToTensor``: y = x / 255. ``Normalize``: y = (x - mean) / std, channel by channel. Both divide, where a product with
the reciprocal would be off by a rounding: the results are torchvision's, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ... import dtypes
from ...tensor import Tensor

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Normalize", "ToTensor"]


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
        if not isinstance(pic, np.ndarray):
            if not hasattr(pic, "getbands"):
                raise TypeError(f"ToTensor: pic should be a PIL image or an array, got {type(pic)}")
            pic = np.array(pic, np.uint8) * np.uint8(255) if pic.mode == "1" else np.array(pic)
        if pic.ndim not in (2, 3):
            raise ValueError(f"ToTensor: an image should have 2 or 3 axes, got the shape {pic.shape}")
        return Tensor(_scaled(pic[None])[0])

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
        return Tensor(_scaled(x))

    def __repr__(self) -> str:
        return "ToTensor()"


def _scaled(x: np.ndarray) -> np.ndarray:
    """(B, H, W[, C]) -> (B, C, H, W), in memory of its own."""
    x = np.asarray(x)  # a Tensor wraps plain arrays: no memmap
    x = x[:, None] if x.ndim == 3 else np.moveaxis(x, 3, 1)
    if x.dtype == np.uint8:
        return np.divide(x, np.float32(255), order="C")
    dtype = np.dtype(np.int32) if x.dtype == np.uint16 else x.dtype
    dtypes.of(dtype)  # raises for what a Tensor cannot hold
    return np.array(x, dtype, order="C")


class Normalize:
    """``(x - mean) / std`` for each channel of a float Tensor (..., C, H, W), of one image or a batch alike.

    Args:
        mean, std: C numbers each, or one for all channels.
        inplace: overwrite the argument.

    Raises:
        TypeError: the argument is no Tensor of floats.
        ValueError: it has fewer than 3 axes, its channels are not as many as the means, or a ``std`` is zero.
    """

    batched = True

    def __init__(self, mean: Sequence[float] | float, std: Sequence[float] | float, inplace: bool = False) -> None:
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, tensor: Tensor) -> Tensor:
        if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
            got = tensor.dtype if isinstance(tensor, Tensor) else type(tensor)
            raise TypeError(f"Normalize: expected a Tensor of floats, got {got}; ToTensor() makes one")
        x = tensor.numpy()
        if x.ndim < 3:
            raise ValueError(f"Normalize: expected a Tensor (..., C, H, W), got the shape {x.shape}")
        mean, std = (np.asarray(v, x.dtype).reshape(-1, 1, 1) for v in (self.mean, self.std))
        if not std.all():
            raise ValueError(f"Normalize: std is zero after conversion to {x.dtype}: {self.std}")
        if {len(mean), len(std)} - {1, x.shape[-3]}:
            raise ValueError(
                f"Normalize: {len(mean)} means and {len(std)} stds do not fit {x.shape[-3]} channels (x: {x.shape})"
            )
        y = np.subtract(x, mean, out=x if self.inplace else None)
        y /= std
        return tensor if self.inplace else Tensor(y)

    def batch(self, x: Tensor) -> Tensor:
        """The same for a Tensor (B, C, H, W)."""
        return self(x)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"
