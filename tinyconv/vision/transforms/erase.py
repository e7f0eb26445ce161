"""A rectangle of the image overwritten, so that a network learns not to rely on one place of it.

Source: Z. Zhong et al., "Random erasing data augmentation", AAAI 2020, algorithm 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...caller import warn
from ...nn import Module
from ...ops.random import randn
from ...tensor import Tensor, wrap
from .chance import happens, integer, uniform

__all__ = ["RandomErasing", "erase"]


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor | float, inplace: bool = False) -> Tensor:
    """``img`` (..., C, H, W) with ``v`` in the ``h`` x ``w`` pixels from row ``i`` and column ``j`` on.

    Args:
        v: a number, or a Tensor that fits (..., C, h, w) by broadcasting.
        inplace: overwrite ``img``.

    Raises:
        TypeError: ``img`` is no Tensor.
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"erase: img should be a Tensor, got {type(img)}; ToTensor() makes one")
    x = img.numpy() if inplace else img.numpy().copy()
    x[..., i : i + h, j : j + w] = v.numpy() if isinstance(v, Tensor) else v
    return img if inplace else wrap(x)


class RandomErasing(Module):
    """With probability ``p``, :func:`erase` a random rectangle of a Tensor (..., C, H, W).

    Its area is a share of the image's, uniform in ``scale``; its ratio height / width is uniform in the logarithm in
    ``ratio``. Where ten draws do not fit into the image, nothing is erased.

    Args:
        p: probability.
        scale: (smallest, largest) share of the area.
        ratio: (smallest, largest) height / width.
        value: what is written: a number, one for each channel, or "random" for standard normal numbers.
        inplace: overwrite the argument.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str | Sequence[float] = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, int | float | str | tuple | list):
            raise TypeError(f"value should be a number, a sequence of numbers or 'random', got {value!r}")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"value should be a number, a sequence of numbers or 'random', got {value!r}")
        for name, bounds in (("scale", scale), ("ratio", ratio)):
            if not isinstance(bounds, Sequence):
                raise TypeError(f"{name} should be a sequence, got {bounds!r}")
            if bounds[0] > bounds[1]:
                warn(f"{name} should be (smallest, largest), got {bounds!r}")
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"scale should lie in [0, 1], got {scale!r}")
        if not 0 <= p <= 1:
            raise ValueError(f"p should be a probability in [0, 1], got {p}")
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw (top, left, height, width, what to write); without ``value``, that is standard normal."""
        channels, height, width = img.shape[-3:]
        for _ in range(10):
            area = height * width * uniform(*scale)
            aspect = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if h < height and w < width:
                v = randn(channels, h, w) if value is None else wrap(np.reshape(value, (-1, 1, 1)).astype(np.float32))
                return integer(0, height - h + 1), integer(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def forward(self, img: Tensor) -> Tensor:
        if not happens(self.p):
            return img
        if not isinstance(img, Tensor) or img.ndim < 3:
            got = tuple(img.shape) if isinstance(img, Tensor) else type(img)
            raise TypeError(f"RandomErasing: expected a Tensor (..., C, H, W), got {got}; ToTensor() makes one")
        value = [self.value] if isinstance(self.value, int | float) else None if self.value == "random" else self.value
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(f"value has {len(value)} numbers, the image {img.shape[-3]} channels")
        return erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return (
            f"RandomErasing(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
