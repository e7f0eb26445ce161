"""DeviceArray: an address on the device, a shape and strides: what is known of it without looking at its numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .allocator import Block


class DeviceArray:
    """An array in the GPU's memory (or the simulated one's).

    Attributes:
        block: the memory it lies in, shared with its views.
        offset: bytes from the block's beginning to the first element.
        shape: a tuple of ints.
        strides: for each axis, how many *elements* lie between neighbours (NumPy counts bytes).
        dtype: a NumPy dtype.
        writeable: False for views that repeat elements.
    """

    __slots__ = ("block", "dtype", "offset", "shape", "strides", "writeable")
    __eq__ = __hash__ = None  # type: ignore[assignment]
    device_of_tensor = "cuda:0"

    def __init__(self, block: Block, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype,
                 writeable: bool = True):  # fmt: skip
        self.block, self.offset, self.shape, self.strides = block, offset, shape, strides
        self.dtype, self.writeable = dtype, writeable

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def pointer(self) -> int:
        """The address of the first element."""
        return self.block.pointer + self.offset

    @property
    def dense(self) -> bool:
        """Whether the elements lie in C order without gaps."""
        return _dense(self.shape, self.strides)

    def viewed(self, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> DeviceArray:
        """Another way of looking at the same memory, ``offset`` elements further on."""
        return DeviceArray(
            self.block, self.offset + offset * self.dtype.itemsize, shape, strides, self.dtype, self.writeable
        )

    def span(self) -> tuple[int, int]:
        """The least and the greatest place of an element, counted in elements from the first."""
        if 0 in self.shape:
            return 0, -1
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        return sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("an array on the GPU is no NumPy array: use x.cpu() first")

    def __bool__(self) -> bool:
        raise TypeError("an array on the GPU has no truth value here: use x.item()")

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, strides={self.strides}, dtype={self.dtype})"


@lru_cache(maxsize=4096)
def dense_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of an array in C order."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


@lru_cache(maxsize=4096)
def _dense(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    if 0 in shape:
        return True
    return all(n == 1 or s == d for n, s, d in zip(shape, strides, dense_strides(shape), strict=True))
