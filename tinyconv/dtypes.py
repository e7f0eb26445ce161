"""The element types of tensors, and which type the result has when two meet.

A :class:`dtype` is a name for a NumPy dtype, so that ``print(x.dtype)`` shows ``tinyconv.float32`` and
``x.dtype is tinyconv.float32`` holds. The promotion rule is PyTorch's, not NumPy's: an integer tensor meeting a float
tensor takes the float's type whatever their widths (NumPy would widen int64 + float32 to float64).
"""

from __future__ import annotations

import builtins

import numpy as np

__all__ = [
    "bfloat16",
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "dtype",
    "finfo",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote_types",
    "set_default_dtype",
    "uint8",
]


class dtype:
    """An element type. There is one object for each, so ``is`` and ``==`` agree.

    Attributes:
        name: ``"float32"``, ...
        numpy: the NumPy dtype.
        itemsize: bytes per element.
        is_floating_point: whether it is one of the float types.
    """

    def __init__(self, name: str):
        self.name = name
        self.numpy = np.dtype(name)
        self.itemsize = self.numpy.itemsize
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = False
        self.is_signed = self.numpy.kind in "fi"

    def __repr__(self) -> str:
        return f"tinyconv.{self.name}"

    def __reduce__(self):
        return _by_name, (self.name,)


class _OnlyName(dtype):
    """A type of PyTorch's that no tensor here can have. Programs name it, in a table of choices or to ask whether an
    input is of it; making a tensor of it is a TypeError."""

    def __init__(self, name: str, itemsize: int):
        self.name, self.itemsize = name, itemsize
        self.is_floating_point, self.is_complex, self.is_signed = name == "bfloat16", name != "bfloat16", True

    @property
    def numpy(self) -> np.dtype:  # type: ignore[override]
        raise TypeError(_unheld(self.name))

    def __reduce__(self):
        return self.name


bfloat16 = _OnlyName("bfloat16", 2)
complex64, complex128 = _OnlyName("complex64", 8), _OnlyName("complex128", 16)
float16, float32, float64 = dtype("float16"), dtype("float32"), dtype("float64")
int8, int16, int32, int64, uint8 = dtype("int8"), dtype("int16"), dtype("int32"), dtype("int64"), dtype("uint8")
boolean = dtype("bool")
globals()["bool"] = boolean  # the public name is PyTorch's `bool`; inside this file it stays Python's

RANK = {"b": 0, "u": 1, "i": 1, "f": 2}  # of a NumPy kind: results are cast, unasked, to one of their own rank or above
_ALL = {t.numpy: t for t in (float16, float32, float64, int8, int16, int32, int64, uint8, boolean)}
_default = float32


def _by_name(name: str) -> dtype:
    return _ALL[np.dtype(name)]


def of(numpy_dtype: np.dtype) -> dtype:
    """The :class:`dtype` of a NumPy dtype.

    Raises:
        TypeError: tensors have no such element type (complex, strings, objects, ...).
    """
    try:
        return _ALL[numpy_dtype]
    except KeyError:
        raise TypeError(_unheld(f"NumPy's {numpy_dtype}")) from None


def _unheld(what: str) -> str:
    return f"tensors cannot hold {what} (they can hold {', '.join(t.name for t in _ALL.values())})"


def as_numpy(t: dtype | np.dtype | type | str | None) -> np.dtype:
    """The NumPy dtype meant by one of ours, one of NumPy's, Python's ``float``/``int``/``bool`` (float64, int64, bool)
    or None (the default)."""
    if t is None:
        return _default.numpy
    if isinstance(t, dtype):
        return t.numpy
    return of(np.dtype(t)).numpy


def get_default_dtype() -> dtype:
    """The type of new float tensors: float32 unless :func:`set_default_dtype` said otherwise."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Let new float tensors have type ``d``.

    Raises:
        TypeError: ``d`` is not a floating type.
    """
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"set_default_dtype: d must be a floating-point tinyconv.dtype, got {d!r}")
    _default = d


def promote_numpy(a: np.dtype, b: np.dtype) -> np.dtype:
    """:func:`promote_types` on NumPy dtypes."""
    if a == b:
        return a
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The type of ``x + y`` for tensors of ``type1`` and ``type2``: floats win over integers, integers over bool; among
    one kind, the smallest type that holds both."""
    return of(promote_numpy(type1.numpy, type2.numpy))


def can_cast(from_: dtype, to: dtype) -> builtins.bool:
    """Whether an in-place operation may store results of type ``from_`` in a tensor of type ``to``: floats not in
    integers, numbers not in bools; their widths do not matter."""
    return RANK[from_.numpy.kind] <= RANK[to.numpy.kind]


class finfo:
    """Limits of a floating type: ``bits, eps, max, min, tiny`` (default: the default dtype's)."""

    def __init__(self, type: dtype | None = None):
        if type is not None and not type.is_floating_point:
            raise TypeError(f"finfo: type must be a floating point type, got {type}; use iinfo for integers")
        info = np.finfo(as_numpy(type))
        self.bits, self.dtype = info.bits, (type or _default).name
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)


class iinfo:
    """Limits of an integer type: ``bits, max, min``."""

    def __init__(self, type: dtype):
        if as_numpy(type).kind not in "iu":
            raise TypeError(f"iinfo: type must be an integer type, got {type}; use finfo for floating point")
        info = np.iinfo(as_numpy(type))
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), type.name
