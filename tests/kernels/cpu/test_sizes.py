"""Sizes that go to a kernel as an array and are named there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.sizes import packed, unpacked


class Box(NamedTuple):
    width: int
    height: int
    depth: int


@jit
def _difference(numbers):
    box = unpacked(Box, numbers)
    return box.depth - box.width, box


def test_sizes_are_named_in_a_kernel_as_in_python():
    numbers = packed(Box(2, 3, 2**40))
    assert numbers.dtype == np.int64
    assert unpacked(Box, numbers) == Box(2, 3, 2**40)
    assert _difference(numbers) == (2**40 - 2, (2, 3, 2**40))
