"""The IDX format, in which MNIST is published: a short header, then numbers, most significant byte first.

====================== ===============================================
bytes                  meaning
====================== ===============================================
2                      zero
1                      element type (``_DTYPES``)
1                      number of dimensions n
4 n                    the dimensions, unsigned
the rest               the elements, last dimension fastest
====================== ===============================================

Nothing is believed before it is checked: what a header claims costs no memory, only what the file holds does, and the
file must end exactly where the header says.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .compressed import open_plain_or_compressed, read_up_to

__all__ = ["read_idx", "write_idx"]

_DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


def read_idx(path: str | os.PathLike[str], *, limit: int = 2**31) -> np.ndarray:
    """Read an array from an IDX file, plain or compressed by gzip or xz.

    Args:
        path: the file.
        limit: the most bytes of elements to accept; a compressed file can hold a thousand times its own size.

    Returns:
        A writable, C-contiguous array in the machine's byte order, of the header's shape and one of the dtypes uint8,
        int8, int16, int32, float32, float64.

    Raises:
        ValueError: the file is not IDX, is damaged, holds fewer or more elements than its header says, or more than
            ``limit`` bytes.
        OSError: the file cannot be opened or read.
    """
    path = Path(path)
    with open_plain_or_compressed(path) as file:  # an IDX file starts with two zero bytes, so it looks like no other
        return _read(file, path, limit)


def _read(file: BinaryIO, path: Path, limit: int) -> np.ndarray:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES:
        raise ValueError(
            f"{path}: not an IDX file: starts with the bytes {magic.hex(' ') or '(none)'}, expected 00 00, "
            f"a type among {', '.join(f'{code:02x}' for code in _DTYPES)}, and the number of dimensions"
        )
    dtype, ndim = _DTYPES[magic[2]], magic[3]
    header = file.read(4 * ndim)
    if len(header) < 4 * ndim:
        raise ValueError(f"{path}: truncated: the header of {ndim} dimensions ends after {len(header)} bytes")
    shape = struct.unpack(f">{ndim}I", header)
    if ndim > 64 or math.prod(max(size, 1) for size in shape) * dtype.itemsize > limit:
        raise ValueError(f"{path}: the header claims an array of shape {shape}, more than the limit of {limit} bytes")

    expected = math.prod(shape) * dtype.itemsize
    content = read_up_to(file, expected)
    if len(content) != expected:
        got = f"holds only {len(content)}" if len(content) < expected else "holds more"
        raise ValueError(f"{path}: the header says shape {shape} of {dtype.name}, {expected} bytes; the file {got}")
    return np.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=False).reshape(shape)


def write_idx(path: str | os.PathLike[str], array: np.ndarray) -> None:
    """Write ``array`` as an IDX file, compressed if the name ends in ``.gz``.

    Args:
        path: the file.
        array: of a dtype that IDX has: uint8, int8, int16, int32, float32 or float64.

    Raises:
        ValueError: another dtype.
    """
    array = np.asarray(array)
    codes = {dtype.newbyteorder("="): code for code, dtype in _DTYPES.items()}
    native = array.dtype.newbyteorder("=")
    if native not in codes:
        raise ValueError(f"write_idx: IDX has no type for {array.dtype}; it has {', '.join(str(d) for d in codes)}")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, codes[native], array.ndim, *array.shape)
    content = header + array.astype(_DTYPES[codes[native]]).tobytes()
    Path(path).write_bytes(gzip.compress(content, mtime=0) if Path(path).suffix == ".gz" else content)
