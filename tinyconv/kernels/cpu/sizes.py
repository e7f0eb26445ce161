"""Handing sizes over to a kernel: a named tuple of ints goes as an array.

A kernel that is launched with a dozen sizes wants to call them by their names. But to recognize a named tuple among the
arguments of a call takes Numba a microsecond, a plain tuple of as many ints a third of that, and an array a fifth. So
Python hands over ``packed(sizes)``, made once for each shape, and the kernel begins with ``unpacked(Sizes, numbers)``,
which costs a load for each number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numba.np.unsafe.ndarray import to_fixed_tuple


def packed(sizes: tuple[int, ...]) -> np.ndarray:
    """A named tuple of ints as an array, int64."""
    return np.array(sizes, np.int64)


def unpacked(kind: type[tuple], numbers: np.ndarray) -> Any:
    """The named tuple, of class ``kind``, that was packed."""
    return kind(*numbers.tolist())


@overload(unpacked)
def _unpacked(kind, numbers):
    if not isinstance(kind, types.NamedTupleClass):
        return None
    count = len(kind.instance_class._fields)
    return lambda kind, numbers: kind(*to_fixed_tuple(numbers, count))
