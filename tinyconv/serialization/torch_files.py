"""PyTorch's files: a pickle that describes the object, and the bytes of its tensors' *storages* beside it.

A storage is a row of numbers; a tensor is a storage, an offset, a shape and strides, so several tensors may lie in one.
Two containers are in use (PyTorch's ``torch/serialization.py`` is the source for both):

* **zip** (since 1.6): ``NAME/data.pkl``, and a member ``NAME/data/KEY`` for each storage, never compressed;
  ``NAME/byteorder``.
* **legacy**: five pickles in a row (a magic number, a version, facts about the machine, the object, the storages'
  keys), then for each storage its length in eight bytes, and its numbers.

The pickle is read by ``pickles.py``, which executes nothing. Tensors share memory where they shared a storage.
"""

from __future__ import annotations

import io
import math
import zipfile
from reprlib import repr  # in messages: of tuples in tuples in tuples it shows the first few
from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Size, Tensor, device
from .checks import CheckpointError, as_tensor, from_bfloat16
from .npz import DAMAGE
from .pickles import PLAIN, read_pickle

_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_VERSION = 1001
_BFLOAT16 = "bfloat16"  # stored as the upper half of a float32; NumPy has no such type

# PyTorch's storage classes and what they hold.
_STORAGES: dict[str, Any] = {
    "FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": _BFLOAT16, "LongStorage": "i8",
    "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip


class _StorageType:
    def __init__(self, name: str, code: str):
        self.name, self.code = name, code

    @property
    def itemsize(self) -> int:
        return 2 if self.code == _BFLOAT16 else np.dtype(self.code).itemsize


class _Storage:
    """A row of numbers, once its bytes are known."""

    def __init__(self, kind: _StorageType, numel: int):
        self.kind, self.numel = kind, numel
        self.values: np.ndarray | None = None

    def fill(self, content: bytes, little_endian: bool) -> None:
        n = self.numel * self.kind.itemsize
        if len(content) < n:
            raise CheckpointError(f"is truncated: a storage of {n} bytes has {len(content)}")
        code = "u2" if self.kind.code == _BFLOAT16 else self.kind.code
        values = np.frombuffer(content, np.dtype(code).newbyteorder("<" if little_endian else ">"), self.numel)
        if code == "?" and np.frombuffer(content, np.uint8, self.numel).max(initial=0) > 1:
            raise CheckpointError("holds a boolean tensor with bytes other than 0 and 1")
        self.values = from_bfloat16(values) if self.kind.code == _BFLOAT16 else values.astype(code)  # memory of its own


def _is_size(x: Any) -> bool:
    return isinstance(x, tuple) and all(type(n) is int and n >= 0 for n in x)


def _device(kind: Any, index: Any = None) -> device:
    """``torch.device``."""
    if not isinstance(kind, str) or not (index is None or type(index) is int):
        raise CheckpointError(f"holds a malformed device ({repr(kind)}, {repr(index)})")
    return device(kind, index)


def _rebuild_tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, requires_grad: Any = False, hooks: Any = None, *_: Any
) -> Tensor:
    """``torch._utils._rebuild_tensor_v2``: a tensor is a place in a storage."""
    if not (isinstance(storage, _Storage) and _is_size(shape) and _is_size(strides) and len(shape) == len(strides)):
        raise CheckpointError(f"holds a malformed tensor (shape {repr(shape)}, strides {repr(strides)})")
    if type(offset) is not int or offset < 0 or len(shape) > 64:
        raise CheckpointError(f"holds a malformed tensor (offset {repr(offset)}, {len(shape)} dimensions)")
    empty = 0 in shape
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides))
    if not empty and last >= storage.numel:
        raise CheckpointError(f"holds a tensor that reaches element {last} of a storage of {storage.numel}")
    if any(n * 8 > 2**63 for n in shape) or math.prod(shape) >= 2**60:
        raise CheckpointError(f"holds a tensor of an absurd shape, {repr(tuple(shape))}")
    values = storage.values
    assert values is not None
    if empty:
        array = np.empty(shape, values.dtype)
    else:
        places = [s * values.itemsize for s in strides]
        repeats = any(s == 0 and n > 1 for n, s in zip(shape, strides))  # an expanded tensor: not to be written to
        array = np.lib.stride_tricks.as_strided(values[offset:], shape, places, writeable=not repeats)
    tensor = as_tensor("of a storage", array)
    if requires_grad is True and tensor.is_floating_point():
        tensor.requires_grad = True
    return tensor


def _rebuild_parameter(data: Any, requires_grad: Any = True, hooks: Any = None, state: Any = None) -> Tensor:
    """``torch._utils._rebuild_parameter``: the parameter's tensor, which requires grad."""
    if not isinstance(data, Tensor):
        raise CheckpointError(f"holds a parameter that is no tensor but a {type(data).__name__}")
    tensor = data.detach()
    if requires_grad is True and tensor.is_floating_point():
        tensor.requires_grad = True
    return tensor


NAMES: dict[str, Any] = (
    PLAIN
    | {f"torch.{name}": _StorageType(name, code) for name, code in _STORAGES.items()}
    | {f"torch.{name}": getattr(dtypes, name) for name in
       ("float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64")}
    | {
        "torch.bool": dtypes.boolean,
        "torch.Size": Size,
        "torch.device": _device,
        "torch._utils._rebuild_tensor": _rebuild_tensor,
        "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
        "torch._utils._rebuild_parameter": _rebuild_parameter,
        "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
    }
)  # fmt: skip


def _request(request: Any) -> tuple[_StorageType, str, int, Any]:
    """What a pickle asks for when it asks for a storage: (type, key, number of elements, view of another storage)."""
    match request:
        case ("storage", _StorageType() as kind, str() as key, str(), int() as numel, *rest) if 0 <= numel < 2**60:
            return kind, key, numel, rest[0] if rest else None
    raise CheckpointError(f"asks for an unknown kind of storage: {repr(request)}")


# ------------------------------------------------------------------------------------------------------ zip


def is_torch_zip(names: list[str]) -> bool:
    """Whether a zip archive with members of these names is a file of PyTorch's."""
    return any(name == "data.pkl" or name.endswith("/data.pkl") for name in names)


def read_torch_zip(data: bytes) -> Any:
    """The object in a file that ``torch.save`` wrote, 1.6 or later."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _ZipReader(archive).read()
    except CheckpointError:
        raise
    except DAMAGE as error:
        raise CheckpointError(f"is a damaged or truncated PyTorch file ({error})") from error


class _ZipReader:
    def __init__(self, archive: zipfile.ZipFile):
        self.archive = archive
        names = archive.namelist()
        pickles = [name for name in names if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(pickles) != 1 or len(set(names)) < len(names):
            raise CheckpointError("is a damaged PyTorch file: it holds several members of one name")
        self.folder = pickles[0].removesuffix("data.pkl")
        if any(name.startswith(self.folder + "code/") for name in names):
            raise CheckpointError("is a TorchScript program, which is code, not data. Save a state_dict instead")
        self.storages: dict[str, _Storage] = {}
        order = self.member("byteorder") if self.folder + "byteorder" in names else b"little"
        self.little_endian = order != b"big"

    def member(self, name: str) -> bytes:
        try:
            entry = self.archive.getinfo(self.folder + name)
        except KeyError:
            raise CheckpointError(f"is a damaged PyTorch file: it lacks its member {name!r}") from None
        if entry.compress_type != zipfile.ZIP_STORED:
            raise CheckpointError(f"has a compressed member {name!r}, which PyTorch never writes")
        return self.archive.read(entry)

    def storage(self, request: Any) -> _Storage:
        kind, key, numel, _ = _request(request)
        if key not in self.storages:
            self.storages[key] = storage = _Storage(kind, numel)
            storage.fill(self.member(f"data/{key}"), self.little_endian)
        if self.storages[key].kind is not kind:
            raise CheckpointError(f"reads storage {key!r} as two types")
        return self.storages[key]

    def read(self) -> Any:
        return read_pickle(io.BytesIO(self.member("data.pkl")), NAMES, self.storage)


# --------------------------------------------------------------------------------------------------- legacy


def read_torch_legacy(data: bytes) -> Any:
    """The object in a file that ``torch.save`` wrote before 1.6 (and later, when asked to).

    The pickle is read twice: once to learn the types of the storages, whose bytes come after it, and then to build the
    tensors.
    """
    file = io.BytesIO(data)
    if read_pickle(file, {}) != _MAGIC:
        raise CheckpointError(
            "is a Python pickle, but none of PyTorch's; a pickle can run any code, so tinyconv never executes one"
        )
    version, machine = read_pickle(file, {}), read_pickle(file, {})
    if version != _LEGACY_VERSION or not isinstance(machine, dict):
        raise CheckpointError(f"is of version {repr(version)} of PyTorch's legacy format; expected {_LEGACY_VERSION}")
    start = file.tell()
    storages: dict[str, _Storage] = {}

    def note(request: Any) -> _Storage:
        kind, key, numel, view = _request(request)
        if view is not None:
            raise CheckpointError("has storages that are views of others, which PyTorch stopped writing in 2017")
        storage = storages.setdefault(key, _Storage(kind, numel))
        if storage.kind is not kind:
            raise CheckpointError(f"reads storage {key!s:.40} as two types")
        return storage

    read_pickle(file, NAMES | dict.fromkeys(_REBUILDERS, _nothing), note)
    keys = read_pickle(file, {})
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in storages:
            raise CheckpointError(f"has a storage {repr(key)} that nothing refers to")
        storage = storages[key]
        length = int.from_bytes(file.read(8), "little" if machine.get("little_endian", True) else "big")
        if length != storage.numel:
            raise CheckpointError(f"has {length} elements in storage {key!s:.40}, which should have {storage.numel}")
        storage.fill(file.read(length * storage.kind.itemsize), machine.get("little_endian", True))
    missing = [key for key, storage in storages.items() if storage.values is None]
    if missing:
        raise CheckpointError(f"is truncated: it lacks storage {missing[0]!s:.40}")
    file.seek(start)
    return read_pickle(file, NAMES, note)


_REBUILDERS = [name for name in NAMES if name.startswith("torch._utils.")]


def _nothing(*_: Any) -> None:
    """In the place of a tensor, while only the storages are looked for."""
