"""What every format shares: the error that loading raises, and how arrays become tensors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .. import dtypes
from ..tensor import Tensor, wrap


class CheckpointError(RuntimeError):
    """A file that ``load`` cannot or will not read: damaged, hostile, of another format, or holding code.

    The message starts with the file's name. Trouble with the disk itself is an ``OSError``.
    """


def as_tensor(name: str, array: np.ndarray) -> Tensor:
    """A tensor on ``array``, of a type that tensors can have.

    Raises:
        CheckpointError: they cannot have it.
    """
    try:
        dtypes.of(array.dtype)
    except TypeError as error:
        raise CheckpointError(f"tensor {name!r}: {error}") from error
    return wrap(array)


def parse_json(text: str | bytes, what: str) -> Any:
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


def from_bfloat16(bits: np.ndarray) -> np.ndarray:
    """bfloat16 numbers, given as their 16 bits, as float32, which holds them all: they are its upper half."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
