"""NumPy arrays that are arrays of the simulated GPU at the same time."""

from __future__ import annotations

from weakref import WeakValueDictionary

import numpy as np

from tinyconv.kernels.cuda.array import DeviceArray
from tinyconv.kernels.cuda.simulator import Simulator


class Adopted:
    """Memory that is NumPy's, in the place of an allocator's block."""

    def __init__(self, device: Simulator, root: np.ndarray):
        self.device = device
        self.low, high = np.lib.array_utils.byte_bounds(root)
        self.nbytes = high - self.low
        self.pointer = device.adopt(self.low, self.nbytes, root)

    def __del__(self):
        self.device.release(self.pointer)


_live: WeakValueDictionary = WeakValueDictionary()


def _adopted(device: Simulator, root: np.ndarray) -> Adopted:
    """The memory of ``root``: one block for all arrays in it, as on a device."""
    key = id(device), root.__array_interface__["data"][0], root.nbytes
    block = _live.get(key)
    if block is None:
        block = _live[key] = Adopted(device, root)
    return block


def seen_from_the_device(device: Simulator, x: np.ndarray) -> DeviceArray:
    """``x`` as a device array, in the same memory."""
    root = x
    while isinstance(root.base, np.ndarray):
        root = root.base
    block = _adopted(device, root)
    strides = tuple(s // x.itemsize for s in x.strides)
    offset = x.ctypes.data - block.low if x.size else 0
    return DeviceArray(block, offset, x.shape, strides, x.dtype, x.flags.writeable)


def memory_of(device: Simulator, x: DeviceArray) -> np.ndarray:
    """A device array as a NumPy array: in the same memory if that is NumPy's, else a copy with the same strides."""
    data = device.bytes_of(x)
    if x.size == 0:
        data, offset = np.zeros(x.dtype.itemsize, np.uint8), 0
    else:
        offset = x.offset
    strides = tuple(s * x.dtype.itemsize for s in x.strides)
    if not isinstance(x.block, Adopted):
        data = data.copy()  # the allocator may give the block to the next array
    y = np.ndarray(x.shape, x.dtype, data, offset, strides)
    y.flags.writeable = x.writeable
    return y
