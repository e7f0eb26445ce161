"""``FloatTensor``, ``LongTensor``, ...: PyTorch's older names for a tensor of one type on the host.

Each makes tensors (``LongTensor([1, 2])``, ``FloatTensor(2, 3)``), says what ``x.type(...)`` converts to, and knows its
own: ``isinstance(x, FloatTensor)``.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .creation import empty, tensor


class TensorType(type):
    """The class of these classes.

    Attributes:
        dtype: the element type.
    """

    dtype: dtypes.dtype

    def __call__(cls, *data: Any) -> Any:
        """A tensor with the elements of a sequence, an array or a tensor, or of a shape and with undefined contents."""
        if len(data) == 1 and not isinstance(data[0], int):
            return tensor(data[0], dtype=cls.dtype)
        return empty(data or (0,), dtype=cls.dtype)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.device.type == "cpu"


def _type(name: str, dtype: dtypes.dtype) -> Any:
    doc = f"A tensor of {dtype} on the host: ``{name}(data)`` or ``{name}(*sizes)``."
    return TensorType(name, (), {"__doc__": doc, "__module__": "tinyconv", "dtype": dtype})


HalfTensor, FloatTensor, DoubleTensor = (
    _type(name, dtype)
    for name, dtype in (
        ("HalfTensor", dtypes.float16),
        ("FloatTensor", dtypes.float32),
        ("DoubleTensor", dtypes.float64),
    )
)
ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor = (
    _type(name, dtype)
    for name, dtype in (
        ("ByteTensor", dtypes.uint8),
        ("CharTensor", dtypes.int8),
        ("ShortTensor", dtypes.int16),
        ("IntTensor", dtypes.int32),
        ("LongTensor", dtypes.int64),
        ("BoolTensor", dtypes.boolean),
    )
)
