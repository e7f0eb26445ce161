"""Memory, views and transfers: what needs no arithmetic."""

from __future__ import annotations

import numpy as np

from .array import DeviceArray
from .runtime import device
from .runtime import empty as _empty


def empty(shape, dtype):
    return _empty(shape, dtype)


def from_host(x):
    y = _empty(x.shape, x.dtype)
    if x.size:
        device().to_device(y, np.ascontiguousarray(x))
    return y


def to_host(x):
    y = np.empty(x.shape, x.dtype)
    if x.size:
        device().to_host(dense(x), y)
    return y


def is_contiguous(x):
    return x.dense


def dense(x: DeviceArray) -> DeviceArray:
    """``x`` if it lies in C order without gaps, else a copy that does."""
    if x.dense:
        return x
    raise NotImplementedError
