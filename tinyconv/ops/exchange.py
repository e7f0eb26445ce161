"""Memory that several libraries look into: DLPack, the protocol of arrays, and Python's buffers.

``torch.from_dlpack(x)``, ``numpy.from_dlpack(x)`` and ``jax.numpy.from_dlpack(x)`` see the memory of a tensor x, and
:func:`from_dlpack` that of theirs: nothing is copied, and changes of one show in the other. (The protocol:
https://dmlc.github.io/dlpack/latest/python_spec.html.)
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Tensor, wrap
from .convert import to
from .creation import from_numpy
from .shape import clone

HOST, CUDA = 1, 2  # DLPack's numbers for devices


def dlpack(input: Tensor, *, stream: int | None = -1, max_version: tuple[int, int] | None = None,
           dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> Any:  # fmt: skip
    """The memory of a tensor as a capsule, which another library's ``from_dlpack`` opens, once.

    Args:
        input: a tensor on the CPU.
        stream: accepted: None and -1, which the CPU has.
        max_version: the newest version of the protocol that the reader knows; from (1, 0) on the capsule can say that
            the memory is read-only.
        dl_device: where the reader wants it, as :func:`dlpack_device` has it: on the CPU.
        copy: True always copies, False never does.

    Raises:
        BufferError: the tensor requires grad, is on another device or on read-only memory that the reader could not
            know to be; the memory is wanted elsewhere.
    """
    if input.requires_grad:
        raise BufferError("__dlpack__: can't export tensors that require gradient, use tensor.detach()")
    if input.device.type != "cpu":
        raise BufferError(f"__dlpack__: can't export a {input.device} tensor, use tensor.cpu()")
    if stream not in (None, -1):
        raise BufferError(f"__dlpack__: stream must be None for a tensor on the CPU, got {stream!r}")
    return input.array.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)


def dlpack_device(input: Tensor) -> tuple[int, int]:
    """DLPack's (type, number) of the device that the tensor is on: (1, 0) for the CPU, (2, number) for a GPU."""
    return (CUDA if input.is_cuda else HOST), input.device.index or 0


class _Opened:
    """A capsule, as an object that has the protocol."""

    def __init__(self, capsule: Any):
        self._capsule = capsule

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return HOST, 0  # who opens it reads the true one inside


class _Writable:
    """The memory of an array that NumPy takes for read-only, as one that is not."""

    def __init__(self, array: Any):
        self._array = array  # which keeps the memory
        memory = array.__array_interface__
        self.__array_interface__ = {**memory, "data": (memory["data"][0], False)}


def _opened(capsule: Any) -> Any:
    """The array in a capsule. Before version 1 of the protocol a capsule could not say whether its memory is read-only;
    NumPy takes it to be, we do not, as PyTorch."""
    is_called, capsule = ctypes.pythonapi.PyCapsule_IsValid, ctypes.py_object(capsule)
    if is_called(capsule, b"dltensor_versioned"):
        return np.from_dlpack(_Opened(capsule.value))
    if not is_called(capsule, b"dltensor"):
        raise RuntimeError(f"from_dlpack: {capsule.value} holds no tensor, or was opened before: that can be done once")
    array = np.from_dlpack(_Opened(capsule.value))
    return np.asarray(_Writable(array)) if array.size else array


def _capsule_of(source: Any) -> Any:
    try:
        return source.__dlpack__(max_version=(1, 0))
    except TypeError:  # it is older than that
        return source.__dlpack__()


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of another library's.

    Args:
        ext_tensor: a tensor or an array with ``__dlpack__``, on the CPU; or a capsule, which is opened once.
        device: where the tensor is to be (default: on the CPU); not for a capsule.
        copy: True always copies; False never does; None copies only to another device. Not for a capsule.

    Raises:
        BufferError: it requires grad, is on another device, or has a type that NumPy does not know.
        TypeError: no such object; a type that tensors do not have; options for a capsule.
        RuntimeError: a capsule that was opened before.
        ValueError: ``copy=False``, and another device.
    """
    if type(ext_tensor).__name__ == "PyCapsule":
        if device is not None or copy is not None:
            raise TypeError("from_dlpack: a capsule takes neither device nor copy")
        capsule = ext_tensor
    elif hasattr(ext_tensor, "__dlpack__"):
        capsule = _capsule_of(ext_tensor)
    else:
        raise TypeError(f"from_dlpack: expected an object with __dlpack__, got {type(ext_tensor).__name__}")
    shared = from_numpy(_opened(capsule))
    moved = to(shared, device)
    if copy is False and moved is not shared:
        raise ValueError(f"from_dlpack: copy=False, but the memory is not on {device}")
    return clone(moved) if copy and moved is shared else moved


def to_dlpack(tensor: Tensor) -> Any:
    """The memory of a tensor as a capsule, as :func:`from_dlpack` opens it; its history is left out."""
    return dlpack(tensor.detach())


def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Tensor:
    """A vector on the memory of a Python object with a buffer: ``bytearray``, ``array.array``, ``mmap``, ... On memory
    that is read-only (``bytes``) the tensor is, too.

    Args:
        buffer: the object.
        dtype: how its bytes are read.
        count: how many elements; all that are there if negative.
        offset: how many bytes come before the first one.
        requires_grad: record what is computed with it.

    Raises:
        ValueError: no buffer, no elements, fewer than ``count``, or bytes left over.
    """
    kind = dtypes.as_numpy(dtype)
    try:
        length = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError(f"frombuffer: {type(buffer).__name__} does not implement Python's buffer protocol") from None
    if not length or not count:
        raise ValueError(f"frombuffer: both the buffer's length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(f"frombuffer: offset must be in [0, {length}), got {offset}")
    rest = length - offset
    if count < 0 and rest % kind.itemsize:
        raise ValueError(f"frombuffer: {rest} bytes are no whole number of {dtype}, which has {kind.itemsize}")
    if count * kind.itemsize > rest:
        raise ValueError(f"frombuffer: {count} elements of {kind.itemsize} bytes are asked for, {rest} bytes are there")
    return wrap(np.frombuffer(buffer, kind, count, offset), requires_grad=requires_grad)
