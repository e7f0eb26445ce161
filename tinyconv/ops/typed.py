"""``FloatTensor``, ``LongTensor``, ...: PyTorch's older names for a tensor of one type on the host;
``cuda.FloatTensor`` and so on for one on the GPU.

Each makes tensors (``LongTensor([1, 2])``, ``FloatTensor(2, 3)``), says what ``x.type(...)`` converts to, and knows its
own: ``isinstance(x, FloatTensor)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Size, Tensor
from .convert import TYPE_NAMES
from .creation import empty, tensor


def _made(data: tuple, dtype: dtypes.dtype, device: str | None = None) -> Tensor:
    if len(data) == 1 and isinstance(data[0], Size):
        return empty(data[0], dtype=dtype, device=device)
    if len(data) == 1 and isinstance(data[0], (bool, float, np.bool_, np.floating)):
        raise TypeError(f"Tensor: expected a sequence, or sizes, got {data[0]!r}; say tinyconv.tensor({data[0]!r})")
    if len(data) == 1 and not isinstance(data[0], (int, np.integer)):
        return tensor(data[0], dtype=dtype, device=device)
    return empty(data, dtype=dtype, device=device)


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
        place: "cpu" or "cuda".
    """

    dtype: dtypes.dtype
    place: str

    def __call__(cls, *data: Any) -> Any:
        """A tensor with the elements of a sequence, an array or a tensor, or of a shape and with undefined contents."""
        return _made(data or (0,), cls.dtype, cls.place)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == cls.place


def tensor_type(word: str, place: str = "cpu") -> Any:
    """The class of tensors of one type ("Float", "Long", ...) on the host or on the GPU ("cuda")."""
    name, dtype = f"{word}Tensor", TYPE_NAMES[word]
    doc = f"A tensor of {dtype} on the {'host' if place == 'cpu' else 'GPU'}: ``{name}(data)`` or ``{name}(*sizes)``."
    module = "tinyconv" if place == "cpu" else f"tinyconv.{place}"
    return TensorType(name, (), {"__doc__": doc, "__module__": module, "dtype": dtype, "place": place})


HalfTensor, FloatTensor, DoubleTensor = tensor_type("Half"), tensor_type("Float"), tensor_type("Double")
ByteTensor, CharTensor, ShortTensor = tensor_type("Byte"), tensor_type("Char"), tensor_type("Short")
IntTensor, LongTensor, BoolTensor = tensor_type("Int"), tensor_type("Long"), tensor_type("Bool")
