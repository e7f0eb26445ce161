"""Which type, shape and device the operands of an operation have in common, and tensors in another type.

Two tensors of different shapes are *broadcast*: sizes are compared from the last axis on, and a size of 1 (or a missing
axis) is repeated to match. Two tensors of different types meet in the smallest type of the higher kind (bool < int <
float) that holds both; a number, and a tensor without dimensions, count only if they are of a higher kind.
"""

from __future__ import annotations

import math
from numbers import Number, Real
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..tensor import Tensor, wrap
from .convert import cast, to


def broadcast_shape(a: tuple, b: tuple, name: str) -> tuple:
    """The shape that ``a`` and ``b`` broadcast to.

    Raises:
        RuntimeError: they do not: it names both, and the axis.
    """
    if a == b:
        return a
    n = max(len(a), len(b))
    out = []
    for axis, (p, q) in enumerate(zip((1,) * (n - len(a)) + tuple(a), (1,) * (n - len(b)) + tuple(b))):
        if p != q and p != 1 and q != 1:
            raise RuntimeError(
                f"{name}: shapes {tuple(a)} and {tuple(b)} cannot be broadcast: counted from the end, dimension "
                f"{axis - n} is {p} in one and {q} in the other, and neither is 1"
            )
        out.append(q if p == 1 else p)
    return tuple(out)


def _result_dtype(a: Tensor, b: Tensor) -> Any:
    """PyTorch's rule: a 0-d tensor counts only if it is of a higher kind (bool < int < float)."""
    x, y = a.array, b.array
    rank = "biuf".index
    if x.ndim == 0 < y.ndim and rank(x.dtype.kind) <= rank(y.dtype.kind) + (y.dtype.kind == "i"):
        return y.dtype
    if y.ndim == 0 < x.ndim and rank(y.dtype.kind) <= rank(x.dtype.kind) + (x.dtype.kind == "i"):
        return x.dtype
    return dtypes.promote_numpy(x.dtype, y.dtype)


def _with_number(x: Tensor, number: Any) -> tuple[Tensor, Any]:
    """A tensor and a Python number in the type in which they meet: a float lifts integers to the default float type, an
    integer that the tensor's type cannot hold wraps around."""
    dtype = x.array.dtype
    kind = dtype.kind
    if isinstance(number, float):
        return (x if kind == "f" else cast(x, dtypes.as_numpy(None))), number
    if kind == "b" and not isinstance(number, bool):
        return cast(x, dtypes.int64.numpy), number
    if kind in "iu":
        number = int(number)
        if dtype.itemsize < 8:
            modulus = 1 << 8 * dtype.itemsize
            lowest = -modulus // 2 if kind == "i" else 0
            number = (number - lowest) % modulus + lowest
    return x, number


def _on_one_device(a: Tensor, b: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Two operands of different devices: a 0-d one on the host goes to the other's, as PyTorch has it."""
    if not a.array.shape and a.device.type == "cpu":
        return to(a, b.device), b
    if not b.array.shape and b.device.type == "cpu":
        return a, to(b, a.device)
    raise RuntimeError(f"{name}: expected both tensors on one device, got {a.device} and {b.device}")


def operands(a: Any, b: Any, name: str, shapes: bool = True) -> tuple[Any, Any]:
    """Two operands brought to one element type and checked to broadcast. A Python number stays a number.

    Raises:
        TypeError: an operand is neither a tensor nor a number, or both are numbers.
        RuntimeError: the tensors are on different devices, or their shapes do not broadcast.
    """
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        x, y = a.array, b.array
        if x.dtype is not y.dtype and x.dtype != y.dtype:
            dtype = _result_dtype(a, b)
            a, b = cast(a, dtype), cast(b, dtype)
        if type(x) is not type(y):
            a, b = _on_one_device(a, b, name)
        if shapes and x.shape != y.shape:
            broadcast_shape(x.shape, y.shape, name)
        return a, b
    if type(b) in (float, int) and isinstance(a, Tensor):
        return _with_number(a, b)
    for operand in (a, b):
        if isinstance(operand, np.ndarray):
            dtypes.of(operand.dtype)
            a, b = (wrap(o) if isinstance(o, np.ndarray) else o for o in (a, b))
            return operands(a, b, name, shapes)
        if not isinstance(operand, (Tensor, Number)) or isinstance(operand, complex):
            raise TypeError(f"{name}: expected a tensor or a number, got {type(operand).__name__}")
    a, b = _plain(a), _plain(b)
    if isinstance(a, Tensor):
        return _with_number(a, b)
    if isinstance(b, Tensor):
        return _with_number(b, a)[::-1]
    raise TypeError(f"{name}: one of the two must be a tensor, got {a!r} and {b!r}")


def same_type(name: str, **tensors: Tensor | None) -> None:
    """Check that tensors are of one floating type and on one device (None is skipped, but for the first).

    Raises:
        TypeError: something else than a tensor.
        RuntimeError: types or devices differ, or are not floating point.
    """
    first: Tensor | None = None
    for argument, tensor in tensors.items():
        if tensor is None and first is not None:
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: {argument} must be a tensor, got {type(tensor).__name__}")
        array = tensor.array
        if first is None:
            first, first_name, dtype, array_class = tensor, argument, array.dtype, type(array)
            if dtype.kind != "f":
                raise RuntimeError(f"{name}: {argument} must be floating point, got {tensor.dtype}")
        elif array.dtype is not dtype and array.dtype != dtype:
            raise RuntimeError(f"{name}: {first_name} is {first.dtype}, {argument} is {tensor.dtype}")
        elif type(array) is not array_class:
            raise RuntimeError(f"{name}: {first_name} is on {first.device}, {argument} on {tensor.device}")


def one_device(name: str, **tensors: Tensor) -> None:
    """Check that tensors, of whatever types, are on one device.

    Raises:
        TypeError: something else than a tensor.
        RuntimeError: they are not.
    """
    first: Tensor | None = None
    for argument, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: {argument} must be a tensor, got {type(tensor).__name__}")
        if first is None:
            first, first_name = tensor, argument
        elif type(tensor.array) is not type(first.array):
            raise RuntimeError(f"{name}: {first_name} is on {first.device}, {argument} on {tensor.device}")


def number(value: Any, name: str) -> float:
    """``value``, a number or a tensor of one element, as a float.

    Raises:
        TypeError: something else.
    """
    if not isinstance(value, (Real, Tensor)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    return float(value)


def fitting(value: Any, dtype: np.dtype, name: str) -> Any:
    """The number ``value`` as an element type holds it: without its fraction if that is an integer type, of which an
    unsigned one has -1 as its largest number, as in C.

    Raises:
        RuntimeError: it is beyond the type's numbers.
    """
    fits, whole = True, isinstance(value, int)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low = limits.min or (-limits.max if whole else 0)
        fits = low - 1 < value < limits.max + 1
        if fits:
            value = int(value)
            value = value if value >= limits.min else value + limits.max + 1
    elif dtype.kind == "f" and not whole:
        fits = not math.isfinite(value) or abs(value) <= float(np.finfo(dtype).max)
    if not fits:
        raise RuntimeError(f"{name}: {value} does not fit into {dtypes.of(dtype)}")
    return value


KINDS = {"b": "bool", "iu": "integer", "f": "floating point"}


def expect(name: str, kinds: str = "biuf", **arguments: Any) -> None:
    """Check that arguments are tensors of some kinds of element types (``"b"``, ``"iu"``, ``"f"``).

    Raises:
        TypeError: something else than a tensor.
        RuntimeError: a tensor of another kind.
    """
    for argument, tensor in arguments.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name}: {argument} must be a tensor, got {type(tensor).__name__}")
        if tensor.array.dtype.kind not in kinds:
            words = " or ".join([word for letters, word in KINDS.items() if letters in kinds])
            raise RuntimeError(f"{name}: {argument} must be {words}, got {tensor.dtype}")


def _plain(number: Any) -> Any:
    """A NumPy scalar as a Python number (which takes the tensor's type, where a NumPy scalar would insist on its
    own)."""
    return number.item() if isinstance(number, np.generic) else number


def values(*operands: Any) -> list:
    """The arrays of tensors; numbers as they are."""
    return [o.array if isinstance(o, Tensor) else o for o in operands]


def arrays(a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The backend that computes on two operands, and their arrays; one of them may be a number, and stays one."""
    if not isinstance(a, Tensor):
        return kernels.of(b.array), a, b.array
    x = a.array
    return kernels.of(x), x, b.array if isinstance(b, Tensor) else b


def floating(x: Any, name: str | None = None) -> Any:
    """``x`` in the default float type if it is a tensor of integers or bools.

    Raises:
        TypeError: ``x`` is no tensor, and ``name`` says which operation needs one.
    """
    if not isinstance(x, Tensor):
        if name is not None:
            raise TypeError(f"{name}: input must be a tensor, got {type(x).__name__}")
        return x
    return x if x.array.dtype.kind == "f" else cast(x, dtypes.as_numpy(None))


def floating_operands(a: Any, b: Any, name: str) -> tuple[Any, Any]:
    """:func:`operands` for what is computed in a floating type: integers and bools are taken as the default one."""
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        a, b = operands(a, b, name)
        return floating(a), floating(b)
    return operands(floating(a), floating(b), name)


def _counted(x: Any) -> Any:
    """A tensor that counts in promotion as ``x`` does: a Python number as one without dimensions, of its kind."""
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, np.bool_)):
        return dtypes.boolean
    if isinstance(x, Number) and not isinstance(x, complex):
        return dtypes.int64 if isinstance(x, (int, np.integer)) else dtypes.get_default_dtype()
    raise TypeError(f"result_type: expected a tensor or a number, got {type(x).__name__}")


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The type of ``tensor1 + tensor2``, each a tensor or a number: numbers and 0-d tensors count only if they are of a
    higher kind (bool < int < float)."""
    a, b = _counted(tensor1), _counted(tensor2)
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return dtypes.of(_result_dtype(a, b))
    if isinstance(a, Tensor):
        return _with_number(a.detach(), tensor2)[0].dtype
    if isinstance(b, Tensor):
        return _with_number(b.detach(), tensor1)[0].dtype
    return dtypes.promote_types(a, b)
