"""Making tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Tensor
from .convert import backend_on, to
from .shape import sizes


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``.

    Args:
        data: a number, nested sequences, a NumPy array or a tensor.
        dtype: default: that of an array or tensor; else float32 (the default dtype) for Python floats, int64 for ints,
            bool for bools.
        device: where to put it.
        requires_grad: record what is computed with it.

    Raises:
        ValueError: ragged sequences.
        TypeError: elements that are no numbers.
    """
    if isinstance(data, Tensor):
        host = data.detach()._host()
    elif isinstance(data, np.ndarray | np.generic):
        host = np.asarray(data)
    else:
        host = _from_python(data, dtype)
    target = host.dtype if dtype is None else dtypes.as_numpy(dtype)
    dtypes.of(np.dtype(target))
    return Tensor(backend_on(device).from_host(np.array(host, dtype=target, order="C")), requires_grad=requires_grad)


def _has_tensor(data: Any) -> bool:
    return isinstance(data, Tensor) or (isinstance(data, (list, tuple)) and any([_has_tensor(d) for d in data]))


def _numbers(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.tolist()
    return [_numbers(d) for d in data] if isinstance(data, (list, tuple)) else data


def _from_python(data: Any, dtype: Any) -> Any:
    """Numbers and nested sequences as an array; floats in the default type unless one is asked for."""
    if _has_tensor(data):
        data = _numbers(data)
    try:
        host = np.array(data)
    except ValueError:
        raise ValueError("tensor: nested sequences must all have the same lengths") from None
    if host.dtype.kind not in "biuf":
        raise TypeError(f"tensor: cannot make a tensor of {type(data).__name__} with elements {host.dtype}")
    return host.astype(dtypes.as_numpy(None)) if dtype is None and (host.dtype == np.float64 or not host.size) else host


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of ``data``, sharing its memory where it can (a tensor, or a NumPy array of the right dtype)."""
    if isinstance(data, Tensor):
        return to(data, dtype=dtype, device=device)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.as_numpy(dtype) == data.dtype):
        dtypes.of(data.dtype)
        return Tensor(backend_on(device).from_host(data))
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: changes of one show in the other.

    Raises:
        TypeError: not a NumPy array, or of a dtype tensors do not have.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    dtypes.of(ndarray.dtype)
    return Tensor(ndarray)


def _made(shape: tuple, value: Any, dtype: Any, device: Any, requires_grad: bool, name: str) -> Tensor:
    if any([n < 0 for n in shape]):
        raise RuntimeError(f"{name}: sizes must not be negative, got {shape}")
    return Tensor(backend_on(device).full(shape, value, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a given shape."""
    return _made(sizes(size), 0, dtype, device, requires_grad, "zeros")


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a given shape."""
    return _made(sizes(size), 1, dtype, device, requires_grad, "ones")


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` everywhere; its type decides the dtype unless given."""
    if dtype is None:
        dtype = bool if isinstance(fill_value, bool) else dtypes.int64 if isinstance(fill_value, int) else None
    return _made(sizes((size,)), fill_value, dtype, device, requires_grad, "full")


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found."""
    return Tensor(backend_on(device).empty(sizes(size), dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an ``(n, m)`` matrix."""
    return Tensor(backend_on(device).eye(n, n if m is None else m, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def arange(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``start, start + step, ...`` up to and without ``end``; int64 if all three are ints.

    Raises:
        RuntimeError: ``step`` is 0 or leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    if not step or (end - start) * step < 0:
        raise RuntimeError(f"arange: step {step} does not lead from {start} to {end}")
    if dtype is None:
        dtype = dtypes.int64 if all([isinstance(v, int) for v in (start, end, step)]) else None
    return Tensor(backend_on(device).arange(start, end, step, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``steps`` numbers evenly from ``start`` to ``end``, both included."""
    if steps < 0:
        raise RuntimeError(f"linspace: steps must not be negative, got {steps}")
    host = np.linspace(start, end, steps, dtype=dtypes.as_numpy(dtype))
    return Tensor(backend_on(device).from_host(host), requires_grad=requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, dtype and place of ``input``."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, dtype and place of ``input``."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None,
              requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``fill_value`` in the shape, dtype and place of ``input``."""
    return _made(
        input.array.shape, fill_value, dtype or input.dtype, device or input.device, requires_grad, "full_like"
    )


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found, in the shape, dtype and place of ``input``."""
    return empty(
        input.array.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad
    )


def new_full(input: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` with a new shape, in the dtype and place of ``input``."""
    return _made(sizes((size,)), fill_value, dtype or input.dtype, input.device, requires_grad, "new_full")


def new_zeros(input: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros with a new shape, in the dtype and place of ``input``."""
    return new_full(input, sizes(size), 0, dtype=dtype, requires_grad=requires_grad)


def new_ones(input: Tensor, *size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones with a new shape, in the dtype and place of ``input``."""
    return new_full(input, sizes(size), 1, dtype=dtype, requires_grad=requires_grad)


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()
