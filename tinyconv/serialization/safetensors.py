"""The safetensors format: a length, a JSON header (name, dtype, shape, place of each tensor), the tensors' bytes.

What is no tensor goes into one metadata entry, ``"tinyconv"``, as JSON with sorted keys (``structure.py``). One entry,
because safetensors writes several in random order: the same object gives the same bytes.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .checks import CheckpointError, as_tensor, from_bfloat16, parse_json
from .structure import DTYPES, Decoder, Encoder

_METADATA_KEY = "tinyconv"
_VERSION = 1


def write_safetensors(obj: Any) -> bytes:
    """``obj`` as the bytes of a safetensors file.

    Raises:
        TypeError: it holds what cannot be stored.
    """
    from safetensors.numpy import save as to_bytes

    encoder = Encoder()
    structure = {"version": _VERSION, "object": encoder.encode(obj, "obj", "", 0)}
    return to_bytes(encoder.arrays, {_METADATA_KEY: json.dumps(structure, sort_keys=True, separators=(",", ":"))})


def read_safetensors(data: bytes) -> Any:
    """The object that :func:`write_safetensors` wrote; of other programs' files a dict of name to Tensor."""
    from safetensors import SafetensorError, deserialize

    try:
        entries = deserialize(data)  # checks the lengths, the offsets (no gap, no overlap) and the shapes
    except SafetensorError as error:
        raise CheckpointError(f"is a damaged or truncated safetensors file ({error})") from error
    header = parse_json(data[8 : 8 + int.from_bytes(data[:8], "little")], "header")
    arrays = {}
    for name, entry in entries:
        if entry["dtype"] == "BF16":
            arrays[name] = from_bfloat16(np.frombuffer(entry["data"], np.uint16)).reshape(entry["shape"])
            continue
        if entry["dtype"] not in DTYPES:
            raise CheckpointError(f"tensor {name!r} has the dtype {entry['dtype']}, which NumPy does not have")
        if entry["dtype"] == "BOOL" and np.frombuffer(entry["data"], np.uint8).max(initial=0) > 1:
            raise CheckpointError(f"boolean tensor {name!r} holds bytes other than 0 and 1")
        arrays[name] = np.frombuffer(entry["data"], DTYPES[entry["dtype"]]).reshape(entry["shape"])
    text = header.get("__metadata__", {}).get(_METADATA_KEY)
    if text is None:
        return {name: as_tensor(name, array) for name, array in arrays.items()}
    structure = parse_json(text, "structure")
    version = structure.get("version") if isinstance(structure, dict) else None
    if version != _VERSION or "object" not in structure:
        raise CheckpointError(f"is a tinyconv checkpoint of version {version!r}; this tinyconv reads {_VERSION}")
    try:
        return Decoder(arrays).decode(structure["object"])
    except RecursionError as error:
        raise CheckpointError("its structure is nested too deeply") from error
