"""NumPy's ``.npz``: a zip archive of ``.npy`` files. Arrays of pickled objects are refused."""

from __future__ import annotations

import io
import tokenize
import zipfile
import zlib

import numpy as np

from ..tensor import Tensor
from .checks import CheckpointError, as_tensor

# What zipfile and NumPy's reader raise on damaged input. An encrypted member is a RuntimeError, an unknown compression
# its subclass NotImplementedError; a header that claims an absurd shape ends in MemoryError; and NumPy parses the
# header as Python literals, so it may be a SyntaxError or a TokenError.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError, MemoryError, SyntaxError,
    tokenize.TokenError,
)  # fmt: skip


def read_npz(data: bytes) -> dict[str, Tensor]:
    """The arrays of an ``.npz``, without pickled ones."""
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if not all(name.endswith(".npy") for name in names):
                raise CheckpointError(f"is a zip archive, but no .npz: it holds {names[:3]}")
            if len(set(names)) < len(names):
                raise CheckpointError("is an .npz that holds two arrays of one name")
            for name in names:
                with archive.open(name) as member:
                    # Not np.load, which hands out the bytes of a member that is no array.
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    except CheckpointError:
        raise
    except DAMAGE as error:
        raise CheckpointError(f"is a damaged .npz, or one with pickled objects ({error})") from error
    return {name: as_tensor(name, array) for name, array in arrays.items()}
