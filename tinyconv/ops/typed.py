"""``FloatTensor``, ``LongTensor``, ...: PyTorch's older names for a tensor of one type on the host.

Each makes tensors (``LongTensor([1, 2])``, ``FloatTensor(2, 3)``), says what ``x.type(...)`` converts to, and knows its
own: ``isinstance(x, FloatTensor)``.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensor import Size, Tensor
from .convert import TYPE_NAMES
from .creation import empty, tensor


def _made(data: tuple, dtype: dtypes.dtype) -> Tensor:
    if len(data) == 1 and isinstance(data[0], Size):
        return empty(data[0], dtype=dtype)
    if len(data) == 1 and not isinstance(data[0], int):
        return tensor(data[0], dtype=dtype)
    return empty(data, dtype=dtype)


def _made_by_class(first: Any, second: Any, rest: tuple) -> tuple[Any, bool]:
    """What ``Tensor(data)`` and ``Tensor(*sizes)`` wrap, and whether it requires grad. A second size stands where
    ``Tensor(array)`` has ``requires_grad``."""
    if isinstance(second, bool) and not rest:
        return _made((first,), dtypes.get_default_dtype()).array, second
    return _made((first, second, *rest), dtypes.get_default_dtype()).array, False


Tensor._made = staticmethod(_made_by_class)  # type: ignore[method-assign]


class TensorType(type):
    """The class of these classes.

    Attributes:
        dtype: the element type.
    """

    dtype: dtypes.dtype

    def __call__(cls, *data: Any) -> Any:
        """A tensor with the elements of a sequence, an array or a tensor, or of a shape and with undefined contents."""
        return _made(data or (0,), cls.dtype)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == "cpu"


def _type(word: str) -> Any:
    name, dtype = f"{word}Tensor", TYPE_NAMES[word]
    doc = f"A tensor of {dtype} on the host: ``{name}(data)`` or ``{name}(*sizes)``."
    return TensorType(name, (), {"__doc__": doc, "__module__": "tinyconv", "dtype": dtype})


HalfTensor, FloatTensor, DoubleTensor = _type("Half"), _type("Float"), _type("Double")
ByteTensor, CharTensor, ShortTensor = _type("Byte"), _type("Char"), _type("Short")
IntTensor, LongTensor, BoolTensor = _type("Int"), _type("Long"), _type("Bool")
