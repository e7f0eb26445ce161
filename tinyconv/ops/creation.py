"""Making tensors."""

from __future__ import annotations

import functools
from numbers import Number
from typing import Any

import numpy as np

from .. import dtypes
from ..caller import warn
from ..tensor import Tensor, wrap
from .convert import backend_on, to
from .shape import sizes
from .types import fitting


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``.

    Args:
        data: a number, nested sequences, a NumPy array or a tensor.
        dtype: default: that of an array or tensor; else float32 (the default dtype) for Python floats, int64 for ints,
            bool for bools.
        device: where to put it.
        requires_grad: record what is computed with it.

    Raises:
        RuntimeError: integers that ``dtype`` cannot hold.
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
    with np.errstate(all="ignore"):
        host = np.array(host, dtype=target, order="C")
    return wrap(backend_on(device).from_host(host), requires_grad=requires_grad)


def _has_tensor(data: Any) -> bool:
    return isinstance(data, Tensor) or (isinstance(data, (list, tuple)) and any([_has_tensor(d) for d in data]))


def _numbers(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.tolist()
    return [_numbers(d) for d in data] if isinstance(data, (list, tuple)) else data


def _element_dtypes(data: Any) -> set[np.dtype]:
    """The types of the elements of nested sequences: a Python float has the default one, a NumPy number its own."""
    if isinstance(data, (Tensor, np.ndarray, np.generic)):
        return {(data.array if isinstance(data, Tensor) else data).dtype}
    if not isinstance(data, (list, tuple)):
        return {np.dtype(type(data)) if isinstance(data, int) else dtypes.as_numpy(None)}
    if set(map(type, data)) <= {float}:  # a quick answer for long lists; of an empty one, too
        return {dtypes.as_numpy(None)}
    return set().union(*map(_element_dtypes, data))


@np.errstate(over="ignore")  # beyond the type's numbers is infinity
def _from_python(data: Any, dtype: Any) -> Any:
    """Numbers and nested sequences as an array; Python floats in the default type unless one is asked for."""
    given = data
    if _has_tensor(data):
        data = _numbers(data)
    try:
        host = np.array(data)
    except ValueError:
        raise ValueError("tensor: nested sequences must all have the same lengths") from None
    if host.dtype.kind not in "biuf":
        kind = RuntimeError if host.dtype.kind == "O" else TypeError
        raise kind(f"tensor: cannot make a tensor of {type(data).__name__} with elements {host.dtype}")
    if dtype is not None and host.dtype.kind in "iu" and host.size and dtypes.as_numpy(dtype).kind in "iu":
        limits = np.iinfo(dtypes.as_numpy(dtype))
        if host.min() < limits.min or host.max() > limits.max:
            raise RuntimeError(f"tensor: numbers from {host.min()} to {host.max()} do not fit into {dtype}")
    if dtype is None and (host.dtype.kind == "f" or not host.size):
        return host.astype(functools.reduce(dtypes.promote_numpy, _element_dtypes(given)))
    return host


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of ``data``, sharing its memory where it can (a tensor, or a NumPy array of the right dtype)."""
    if isinstance(data, Tensor):
        return to(data, dtype=dtype, device=device)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.as_numpy(dtype) == data.dtype):
        dtypes.of(data.dtype)
        return wrap(backend_on(device).from_host(data))
    return tensor(data, dtype=dtype, device=device)


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: changes of one show in the other.

    Raises:
        TypeError: not a NumPy array, or of a dtype tensors do not have.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array, got {type(ndarray).__name__}")
    dtypes.of(ndarray.dtype)
    return wrap(ndarray)


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None,
            requires_grad: bool | None = None) -> Tensor:  # fmt: skip
    """A tensor of ``obj``, on its memory where possible.

    Args:
        obj: a tensor, an array, a number or nested sequences.
        dtype: default: that of ``obj``.
        device: where to put it.
        copy: True always copies; False never does; None copies where it must.
        requires_grad: record what is computed with it; False and True both cut a result off from its history, None
            leaves everything as it is.

    Raises:
        ValueError: ``copy=False``, and the memory cannot be shared.
    """
    out = as_tensor(obj, dtype, device)
    shared = isinstance(obj, (Tensor, np.ndarray)) and (out is obj or out.array is obj)
    if copy is False and not shared:
        raise ValueError("asarray: copy=False, but the memory of obj cannot be shared")
    out = out.clone() if copy and shared else out
    if requires_grad is None or (out is obj and out.is_leaf and requires_grad == out.requires_grad):
        return out
    return out.detach().requires_grad_(requires_grad)


def check_sizes(shape: tuple, name: str) -> None:
    """Raise a RuntimeError if a size is negative."""
    if any([n < 0 for n in shape]):
        raise RuntimeError(f"{name}: sizes must not be negative, got {shape}")


def _made(shape: tuple, value: Any, dtype: Any, device: Any, requires_grad: bool, name: str) -> Tensor:
    check_sizes(shape, name)
    number, target = _number(value), dtypes.as_numpy(dtype)
    if not isinstance(number, Number):
        raise TypeError(f"{name}: fill_value must be a number, got {type(number).__name__}")
    array = backend_on(device).full(shape, fitting(number, target, name), target)
    return wrap(array, requires_grad=requires_grad)


def _number(x: Any) -> Any:
    """A tensor, or a NumPy scalar, of one element as a number."""
    return x.item() if hasattr(x, "item") else x


def named_size(function: Any) -> Any:
    """``function(*size)`` that also takes ``size=(2, 3)``, by name."""

    @functools.wraps(function)
    def made(*sizes: Any, size: Any = None, **options: Any) -> Tensor:
        return function(*sizes, **options) if size is None else function(*sizes, size, **options)

    return made


@named_size
def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of a given shape."""
    return _made(sizes(size), 0, dtype, device, requires_grad, "zeros")


@named_size
def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of a given shape."""
    return _made(sizes(size), 1, dtype, device, requires_grad, "ones")


def _type_of(value: Any) -> Any:
    """The dtype of a tensor made from a number (None: the default)."""
    if isinstance(value, Tensor):
        return value.dtype
    return dtypes.boolean if isinstance(value, bool) else dtypes.int64 if isinstance(value, int) else None


def full(size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """``fill_value`` everywhere; its type decides the dtype unless given."""
    return _made(sizes((size,)), fill_value, dtype or _type_of(fill_value), device, requires_grad, "full")


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A number as a tensor without dimensions, in the default type unless told otherwise."""
    return _made((), s, dtype, device, requires_grad, "scalar_tensor")


@named_size
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found."""
    shape = sizes(size)
    check_sizes(shape, "empty")
    return wrap(backend_on(device).empty(shape, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def eye(n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones on the diagonal of an ``(n, m)`` matrix.

    Raises:
        RuntimeError: a negative size.
    """
    m = n if m is None else m
    check_sizes((n, m), "eye")
    return wrap(backend_on(device).eye(n, m, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def arange(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None,
           requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``start, start + step, ...`` up to and without ``end``; int64 if all three are ints.

    Raises:
        RuntimeError: ``step`` is 0 or leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    start, end, step = _number(start), _number(end), _number(step)
    if not step or (end - start) * step < 0:
        raise RuntimeError(f"arange: step {step} does not lead from {start} to {end}")
    if dtype is None:
        dtype = dtypes.int64 if all([isinstance(v, int) for v in (start, end, step)]) else None
    return wrap(backend_on(device).arange(start, end, step, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def _even(start: Any, end: Any, steps: int, name: str) -> Any:
    if steps < 0:
        raise RuntimeError(f"{name}: steps must not be negative, got {steps}")
    return np.linspace(_number(start), _number(end), steps)


def range(start: Any, end: Any, step: Any = 1, *, dtype: Any = None, device: Any = None,
          requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``start, start + step, ...`` up to and with ``end``, in the default type unless told otherwise. Deprecated, since
    Python's range leaves the end out: use :func:`arange`.

    Raises:
        RuntimeError: ``step`` is 0 or leads away from ``end``.
    """
    warn("range is deprecated: its end is included, unlike that of Python's range; use arange")
    start, end, step = _number(start), _number(end), _number(step)
    if not step or (end - start) * step < 0:
        raise RuntimeError(f"range: step {step} does not lead from {start} to {end}")
    behind = start + step * ((end - start) // step + 0.5)
    return wrap(backend_on(device).arange(start, behind, step, dtypes.as_numpy(dtype)), requires_grad=requires_grad)


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``steps`` numbers evenly from ``start`` to ``end``, both included.

    Raises:
        RuntimeError: ``steps`` is negative.
    """
    host = _even(start, end, steps, "linspace").astype(dtypes.as_numpy(dtype))
    return wrap(backend_on(device).from_host(host), requires_grad=requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``base ** linspace(start, end, steps)``.

    Raises:
        RuntimeError: ``steps`` is negative.
    """
    if isinstance(base, str):
        raise TypeError(f"logspace: base must be a number, got {base!r}")
    host = np.power(float(base), _even(start, end, steps, "logspace")).astype(dtypes.as_numpy(dtype))
    return wrap(backend_on(device).from_host(host), requires_grad=requires_grad)


def zeros_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
               memory_format: Any = None) -> Tensor:  # fmt: skip
    """Zeros in the shape, dtype and place of ``input``."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
              memory_format: Any = None) -> Tensor:  # fmt: skip
    """Ones in the shape, dtype and place of ``input``."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
              memory_format: Any = None) -> Tensor:  # fmt: skip
    """``fill_value`` in the shape, dtype and place of ``input``."""
    like = dtype or input.dtype, device or input.device
    return _made(input.array.shape, fill_value, *like, requires_grad, "full_like")


def empty_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False,
               memory_format: Any = None) -> Tensor:  # fmt: skip
    """Memory as it was found, in the shape, dtype and place of ``input``."""
    return new_empty(input, input.array.shape, dtype=dtype, device=device, requires_grad=requires_grad)


def new_tensor(input: Tensor, data: Any, *, dtype: Any = None, device: Any = None,
               requires_grad: bool = False) -> Tensor:  # fmt: skip
    """A copy of ``data``, by default in the dtype and place of ``input``."""
    return tensor(data, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad)


def new_full(input: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None,
             requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``fill_value`` with a new shape, by default in the dtype and place of ``input``."""
    like = dtype or input.dtype, device or input.device
    return _made(sizes((size,)), fill_value, *like, requires_grad, "new_full")


@named_size
def new_zeros(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros with a new shape, by default in the dtype and place of ``input``."""
    return new_full(input, sizes(size), 0, dtype=dtype, device=device, requires_grad=requires_grad)


@named_size
def new_ones(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones with a new shape, by default in the dtype and place of ``input``."""
    return new_full(input, sizes(size), 1, dtype=dtype, device=device, requires_grad=requires_grad)


@named_size
def new_empty(input: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Memory as it was found with a new shape, by default in the dtype and place of ``input``."""
    like = {"dtype": dtype or input.dtype, "device": device or input.device}
    return empty(sizes(size), **like, requires_grad=requires_grad)


def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a tensor."""
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> int:
    """The number of elements."""
    return input.numel()
