"""Saving and loading: PyTorch's calls on a safe format, with no pickle ever executed.

A file written by :func:`save` is a plain `safetensors <https://github.com/huggingface/safetensors>`_ file: a length, a
JSON header (name, dtype, shape, place of each tensor), the bytes of the tensors. Each tensor is stored under its path
inside the object, joined by dots, so a flat ``state_dict`` reads anywhere under its own parameter names. What is not a
tensor (the nesting, numbers, strings) goes into one metadata entry, ``"tinyconv"``, as JSON with sorted keys::

    {"version": 1, "object": {"dict": [["model", {"dict": [["w", {"tensor": "model.w"}]]}], ["epoch", 3]]}}

None, booleans, integers, finite floats, strings and lists stand for themselves; everything else is an object with one
of the keys ``dict, ordered_dict, tuple, tensor, array, scalar, bytes, float``. One metadata entry, because safetensors
writes several in random order: the same object gives the same bytes.

Files appear whole or not at all (:func:`atomic_write`). Loading trusts nothing: safetensors checks lengths, offsets and
shapes, this module the rest, and every complaint is a :class:`CheckpointError` with the file's name.
"""

from __future__ import annotations

import base64
import binascii
import errno
import io
import json
import math
import os
import secrets
import stat
import tokenize
import zipfile
import zlib
from collections import OrderedDict
from contextlib import suppress
from typing import Any

import numpy as np

from . import dtypes
from .tensor import Tensor

__all__ = ["CheckpointError", "atomic_write", "load", "save"]

_METADATA_KEY = "tinyconv"
_VERSION = 1
_MAX_DEPTH = 100  # of nesting; Python's own recursion limit is ten times that

# What safetensors can hold and NumPy knows, under safetensors' names. Its other types (BF16, the 8-bit floats) have no
# NumPy dtype.
_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32, "F64": np.float64,
    "C64": np.complex64,
}  # fmt: skip
_STORABLE = {np.dtype(t) for t in _DTYPES.values()}


class CheckpointError(RuntimeError):
    """A file that :func:`load` cannot or will not read: damaged, hostile, of another format, or holding a pickle.

    The message starts with the file's name. Trouble with the disk itself is an ``OSError``.
    """


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write ``obj`` to ``path``, whole or not at all.

    Args:
        obj: nested dict, ``OrderedDict``, list, tuple of Tensors, NumPy arrays and scalars, numbers, strings, bytes,
            booleans and None: a ``state_dict``, say, or a checkpoint with an optimizer's state. Dict keys are strings,
            numbers, booleans or None. Tensors are stored as data: dtype, shape and values, without ``requires_grad``
            or strides. Names that share one tensor's memory share it again after :func:`load`.
        path: an existing file is replaced.

    Raises:
        TypeError: ``obj`` holds something else; the message names its path inside ``obj``. Nothing is written.
        OSError: the file cannot be written; a file that was there before is untouched.
    """
    from safetensors.numpy import save as to_bytes

    encoder = _Encoder()
    structure = {"version": _VERSION, "object": encoder.encode(obj, "obj", "", 0)}
    metadata = {_METADATA_KEY: json.dumps(structure, sort_keys=True, separators=(",", ":"))}
    atomic_write(path, to_bytes(encoder.arrays, metadata))


def load(path: str | os.PathLike[str], map_location: Any = None) -> Any:
    """Read what :func:`save` wrote, or any other ``.safetensors`` file, or an ``.npz``.

    The content decides, not the file's name. PyTorch's ``.pth`` files are pickles, and are refused: a pickle can run
    any code.

    Args:
        path: the file.
        map_location: the device for the tensors; None or ``"cpu"`` is the host.

    Returns:
        The object that was saved; from foreign files a flat dict of name to Tensor.

    Raises:
        CheckpointError: the file is damaged, or is something else.
        OSError: the file cannot be read.
        ValueError: ``map_location`` is no device of this build.
    """
    if map_location is not None and str(map_location) != "cpu":
        raise ValueError(f"load: map_location must be None or 'cpu', got {map_location!r}")
    path = os.fspath(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        if data[8:9] == b"{":
            return _read_safetensors(data)
        if data[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            return _read_zip(data)
        # Where reading the tensors of PyTorch's files, without executing their pickles, will have its place.
        if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            raise CheckpointError(f"is a Python pickle{_NO_PICKLE}")
        raise CheckpointError(f"is neither a safetensors file nor an .npz ({len(data)} bytes, starts {data[:8]!r})")
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error.__cause__


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Make ``data`` the content of the file ``path``: a reader, or a power cut, sees the old file or the new one.

    The bytes go to a hidden temporary file beside ``path`` and to the disk (fsync), and then take its name
    (``os.replace``), which POSIX makes atomic; last, the folder goes to the disk too. The mode is a new file's, by the
    umask. A process killed with SIGKILL in the middle may leave its ``.tinyconv-*.tmp`` behind; any other failure
    leaves nothing.

    Args:
        path: a symbolic link is followed, and stays one.
        data: a string is written as UTF-8, its newlines as they are.

    Raises:
        OSError: with ``path`` as its ``filename``; what was at ``path`` is still there.
    """
    path = os.fspath(path)
    content = data.encode() if isinstance(data, str) else data
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    # Not the target's name with a suffix: that one may already be as long as the file system allows.
    temporary = os.path.join(folder, f".tinyconv-{secrets.token_hex(8)}.tmp")
    try:
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")  # replacing /dev/null would be rude
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        if os.name == "posix":
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise OSError(error.errno, f"cannot write the file: {error.strerror or error}", path) from error


# ------------------------------------------------------------------------------------------ object -> JSON and arrays


class _Encoder:
    """Turns an object into JSON, and collects its arrays under the names that the JSON uses."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        # Where in memory each array lies -> its name, to find two names for one tensor. The arrays themselves are held
        # so that none is freed and its address used again meanwhile.
        self._stored: dict[tuple, tuple[str, np.ndarray]] = {}

    def encode(self, obj: Any, where: str, name: str, depth: int) -> Any:
        """``obj`` as JSON. ``where`` is its path for messages, ``name`` its path as a tensor's name."""
        if depth > _MAX_DEPTH:
            raise TypeError(f"save: {where} is nested more than {_MAX_DEPTH} levels deep (does it contain itself?)")
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


# ------------------------------------------------------------------------------------------ JSON and arrays -> object


class _Decoder:
    """The inverse of :class:`_Encoder`, for JSON that anyone may have written."""

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
            return self._tensors.setdefault(name, _as_tensor(name, array))
        return self._tensors.setdefault(shares, _as_tensor(shares, first)).detach()

    def _array(self, name: Any) -> np.ndarray:
        if not isinstance(name, str) or name not in self.arrays:
            raise CheckpointError(f"its structure names a tensor {name!r} that the file does not hold")
        return self.arrays[name]


def _as_tensor(name: str, array: np.ndarray) -> Tensor:
    try:
        dtypes.of(array.dtype)
    except TypeError as error:
        raise CheckpointError(f"tensor {name!r}: {error}") from error
    return Tensor(array)


# -------------------------------------------------------------------------------------------------------- file formats

_NO_PICKLE = (
    ", which can run any code, so tinyconv never executes one. Where you trust the file, convert it with PyTorch: "
    "safetensors.torch.save_file(state_dict, 'model.safetensors')"
)


def _read_safetensors(data: bytes) -> Any:
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(data)  # checks the lengths, the offsets (no gap, no overlap) and the shapes
    except SafetensorError as error:
        raise CheckpointError(f"is a damaged or truncated safetensors file ({error})") from error
    header = _parse_json(data[8 : 8 + int.from_bytes(data[:8], "little")], "header")
    arrays = {}
    for name, entry in entries:
        if entry["dtype"] not in _DTYPES:
            raise CheckpointError(f"tensor {name!r} has the dtype {entry['dtype']}, which NumPy does not have")
        if entry["dtype"] == "BOOL" and np.frombuffer(entry["data"], np.uint8).max(initial=0) > 1:
            raise CheckpointError(f"boolean tensor {name!r} holds bytes other than 0 and 1")
        arrays[name] = np.frombuffer(entry["data"], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
    text = header.get("__metadata__", {}).get(_METADATA_KEY)
    if text is None:
        return {name: _as_tensor(name, array) for name, array in arrays.items()}
    structure = _parse_json(text, "structure")
    version = structure.get("version") if isinstance(structure, dict) else None
    if version != _VERSION or "object" not in structure:
        raise CheckpointError(f"is a tinyconv checkpoint of version {version!r}; this tinyconv reads {_VERSION}")
    try:
        return _Decoder(arrays).decode(structure["object"])
    except RecursionError as error:
        raise CheckpointError("its structure is nested too deeply") from error


def _parse_json(text: str | bytes, what: str) -> Any:
    """JSON in which no object names a key twice, for readers would disagree on which of the two counts."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            names = [name for name, _ in pairs]
            raise CheckpointError(f"its {what} has the key {next(n for n in names if names.count(n) > 1)!r} twice")
        return result

    try:
        return json.loads(text, object_pairs_hook=unique)
    except ValueError as error:
        raise CheckpointError(f"its {what} is not valid JSON ({error})") from error
    except RecursionError as error:
        raise CheckpointError(f"its {what} is nested too deeply") from error


# What zipfile and NumPy's reader raise on damaged input. An encrypted member is a RuntimeError, an unknown compression
# its subclass NotImplementedError; a header that claims an absurd shape ends in MemoryError; and NumPy parses the
# header as Python literals, so it may be a SyntaxError or a TokenError.
_NPZ_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError, MemoryError, SyntaxError,
    tokenize.TokenError,
)  # fmt: skip


def _read_zip(data: bytes) -> dict[str, Tensor]:
    """The arrays of an ``.npz``, without pickled ones."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except _NPZ_ERRORS as error:
        raise CheckpointError(f"is a damaged or truncated .npz ({error})") from error
    if any(name.endswith(".pkl") for name in names):
        raise CheckpointError(f"is a PyTorch checkpoint, a zip archive around a pickle{_NO_PICKLE}")
    if not all(name.endswith(".npy") for name in names):
        raise CheckpointError(f"is a zip archive, but no .npz: it holds {names[:3]}")
    if len(set(names)) < len(names):
        raise CheckpointError("is an .npz that holds two arrays of one name")
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in names:
                with archive.open(name) as member:
                    # Not np.load, which hands out the bytes of a member that is no array.
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    except _NPZ_ERRORS as error:
        raise CheckpointError(f"is a damaged .npz, or one with pickled objects ({error})") from error
    return {name: _as_tensor(name, array) for name, array in arrays.items()}
