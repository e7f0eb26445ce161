"""Objects as JSON beside the tensors: what makes a checkpoint more than a list of arrays.

None, booleans, integers, finite floats, strings and lists stand for themselves; everything else is an object with one
of the keys ``dict, ordered_dict, tuple, tensor, array, scalar, bytes, float``::

    {"version": 1, "object": {"dict": [["model", {"dict": [["w", {"tensor": "model.w"}]]}], ["epoch", 3]]}}
"""

from __future__ import annotations

import base64
import binascii
import math
from collections import OrderedDict
from typing import Any

import numpy as np

from ..tensor import Tensor
from .checks import CheckpointError, as_tensor

MAX_DEPTH = 100  # of nesting; Python's own recursion limit is ten times that

# What safetensors can hold and NumPy knows, under safetensors' names. Of its other types BF16 is read as F32; the
# 8-bit floats have no NumPy dtype.
DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32, "F64": np.float64,
    "C64": np.complex64,
}  # fmt: skip
_STORABLE = {np.dtype(t) for t in DTYPES.values()}


class Encoder:
    """Turns an object into JSON, and collects its arrays under the names that the JSON uses."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        # Where in memory each array lies -> its name, to find two names for one tensor. The arrays themselves are held
        # so that none is freed and its address used again meanwhile.
        self._stored: dict[tuple, tuple[str, np.ndarray]] = {}

    def encode(self, obj: Any, where: str, name: str, depth: int) -> Any:
        """``obj`` as JSON. ``where`` is its path for messages, ``name`` its path as a tensor's name."""
        if depth > MAX_DEPTH:
            raise TypeError(f"save: {where} is nested more than {MAX_DEPTH} levels deep (does it contain itself?)")
        kind = type(obj)
        if obj is None or kind in (bool, int, str):
            return obj
        if kind is float:
            return obj if math.isfinite(obj) else {"float": str(obj)}
        if kind is bytes:
            return {"bytes": base64.b64encode(obj).decode()}
        if kind in (list, tuple):
            items = [self.encode(x, f"{where}[{i}]", f"{name}.{i}", depth + 1) for i, x in enumerate(obj)]
            return items if kind is list else {"tuple": items}
        if kind in (dict, OrderedDict):
            pairs = []
            for key, value in obj.items():
                if key is not None and type(key) not in (bool, int, float, str):
                    raise TypeError(
                        f"save: {where} has the key {key!r}; keys must be strings, numbers, booleans or None"
                    )
                item = self.encode(value, f"{where}[{key!r}]", f"{name}.{key}", depth + 1)
                pairs.append([self.encode(key, where, name, depth), item])
            return {"dict" if kind is dict else "ordered_dict": pairs}
        if isinstance(obj, Tensor):
            return self._store("tensor", obj._host(), where, name)
        if isinstance(obj, np.ndarray):
            return self._store("array", obj, where, name)
        if isinstance(obj, np.generic):
            return self._store("scalar", np.asarray(obj), where, name)
        raise TypeError(
            f"save: {where} is a {kind.__module__}.{kind.__qualname__}, which cannot be stored; expected Tensors, "
            "arrays, numbers, strings, bytes, booleans, None, and dicts, lists or tuples of them"
        )

    def _store(self, kind: str, array: np.ndarray, where: str, name: str) -> dict[str, str]:
        if array.dtype.newbyteorder("=") not in _STORABLE:
            raise TypeError(f"save: {where} has dtype {array.dtype}, which the safetensors format does not have")
        # A lone surrogate is a legal key in Python, and no UTF-8.
        name = name.removeprefix(".").encode(errors="backslashreplace").decode() or kind
        while name in self.arrays or name == "__metadata__":  # {"a.b": x, "a": {"b": y}}, {1: x, "1": y}
            name += "~"
        self.arrays[name] = np.asarray(array, array.dtype.newbyteorder("="), order="C")
        reference = {kind: name}
        memory = (kind, array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)
        if array.size and kind != "scalar":  # empty ones share nothing, and where they lie is chance
            first, _ = self._stored.setdefault(memory, (name, array))
            if first != name:
                reference["shares"] = first
        return reference


class Decoder:
    """The inverse of :class:`Encoder`, for JSON that anyone may have written."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self._tensors: dict[str, Tensor] = {}

    def decode(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.decode(x) for x in node]
        if not isinstance(node, dict):
            return node
        kind, value = next(((k, v) for k, v in node.items() if k != "shares"), (None, None))
        match kind, value:
            case "tuple", list():
                return tuple(self.decode(x) for x in value)
            case (("dict" | "ordered_dict"), list()):
                result: dict = {} if kind == "dict" else OrderedDict()
                for pair in value:
                    match pair:
                        case [None | bool() | int() | float() | str() | {"float": str()} as key, item]:
                            result[self.decode(key)] = self.decode(item)
                        case _:
                            raise CheckpointError(f"its structure holds a malformed dict entry: {pair!s:.80}")
                return result
            case "bytes", str():
                try:
                    return base64.b64decode(value, validate=True)
                except (binascii.Error, ValueError) as error:
                    raise CheckpointError(f"its structure holds malformed bytes: {error}") from error
            case "float", ("nan" | "inf" | "-inf"):
                return float(value)
            case (("tensor" | "array" | "scalar"), str()):
                return self._fetch(kind, value, node.get("shares"))
        raise CheckpointError(f"its structure holds an entry of no known kind: {node!s:.80}")

    def _fetch(self, kind: str, name: str, shares: Any) -> Any:
        array = self._array(name)
        if kind == "scalar":
            return array[()]
        first = array if shares is None else self._array(shares)
        if first.shape != array.shape or first.dtype != array.dtype:
            raise CheckpointError(f"its structure says that {name!r} and {shares!r} share memory, but they differ")
        if kind == "array":
            return first
        if shares is None:
            return self._tensors.setdefault(name, as_tensor(name, array))
        return self._tensors.setdefault(shares, as_tensor(shares, first)).detach()

    def _array(self, name: Any) -> np.ndarray:
        if not isinstance(name, str) or name not in self.arrays:
            raise CheckpointError(f"its structure names a tensor {name!r} that the file does not hold")
        return self.arrays[name]
