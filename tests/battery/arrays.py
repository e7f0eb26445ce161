"""Descriptions of the arrays that calls are made with: a description can be varied, an array cannot."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace

import numpy as np

from ..strategies import contiguous, fortran, negative, strided, transposed

LAYOUTS = {"fortran": fortran, "negative": negative, "strided": strided, "transposed": transposed}

# Spread over an array, so that each stands beside ordinary numbers.
SPECIAL = {
    "nan": (np.nan,),
    "infinite": (np.inf, -np.inf),
    "zero": (0.0, -0.0),
    "extreme": (1e30, -1e30, 1e-30),
    "equal": (1.0, -1.0, 2.0),
}


@dataclass(frozen=True)
class Array:
    """Numbers of a kind, the same in every process.

    Attributes:
        shape: its sizes.
        kind: ``normal``, ``positive`` (0.1 and above), ``unit`` (between 0.05 and 0.95), ``probability`` (rows add up
            to 1), ``distinct``, ``sorted``, ``index`` (from 0 to ``below``), ``places`` (such, none twice) or ``bool``.
        dtype: a NumPy dtype's name.
        below: the bound of ``index``.
        layout: how it lies in memory: a key of ``LAYOUTS``.
        special: a key of ``SPECIAL``: about a third of the elements are such.
        fixed: a variation leaves its dtype and values alone (an index, a mask).
        salt: tells two arrays of one shape apart.
    """

    shape: tuple[int, ...]
    kind: str = "normal"
    dtype: str = "float32"
    below: int = 0
    layout: str | None = None
    special: str | None = None
    fixed: bool = False
    salt: int = 0

    def values(self) -> np.ndarray:
        rng = np.random.default_rng(zlib.crc32(repr((self.shape, self.kind, self.salt)).encode()))
        a = self._drawn(rng)
        if self.special:
            spots = rng.random(self.shape) < 0.35
            a = np.where(spots, rng.choice(SPECIAL[self.special], self.shape), a)
        return np.asarray(LAYOUTS.get(self.layout, contiguous)(self._typed(np.asarray(a))))

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        if self.kind == "index":
            return rng.integers(0, max(self.below, 1), self.shape)
        if self.kind == "places":
            return rng.permutation(max(self.below, self.count))[: self.count].reshape(self.shape)
        if self.kind == "bool":
            return rng.random(self.shape) < 0.5
        if self.kind == "distinct":
            return rng.permutation(self.count).reshape(self.shape) * 0.37 - 2
        if self.kind == "sorted":
            return np.sort(rng.standard_normal(self.shape), axis=-1) if self.shape else rng.standard_normal()
        if self.kind == "unit":
            return rng.uniform(0.05, 0.95, self.shape)
        if self.kind == "probability":
            a = rng.uniform(0.05, 1, self.shape)
            return a / a.sum(-1, keepdims=True) if a.ndim else np.ones(())
        a = rng.standard_normal(self.shape)
        return np.abs(a) + 0.1 if self.kind == "positive" else a

    def _typed(self, a: np.ndarray) -> np.ndarray:
        dtype = np.dtype(self.dtype)
        if a.dtype.kind == "f" and dtype.kind in "iu":
            a = np.round(np.nan_to_num(a, nan=0.0, posinf=9, neginf=-9).clip(-9, 9) * 2)
            a = np.abs(a) if dtype.kind == "u" else a
        if a.dtype.kind == "f" and dtype.kind == "b":
            a = a > 0.1
        return np.asarray(a, dtype)

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def floating(self) -> bool:
        return np.dtype(self.dtype).kind == "f"

    def but(self, **changes) -> Array:
        return replace(self, **changes)


def x(*shape: int, kind: str = "normal", salt: int = 0, dtype: str = "float32", **more) -> Array:
    """Floating-point numbers, of which a gradient is taken."""
    return Array(shape, kind, dtype, salt=salt, **more)


def index(*shape: int, below: int, salt: int = 0, dtype: str = "int64") -> Array:
    """Integers from 0 to ``below`` - 1."""
    return Array(shape, "index", dtype, below, fixed=True, salt=salt)


def places(*shape: int, below: int) -> Array:
    """Integers from 0 to ``below`` - 1, none twice."""
    return Array(shape, "places", "int64", below, fixed=True)


def integers(*shape: int, below: int = 9, salt: int = 0, dtype: str = "int64") -> Array:
    """Integers that may be of any other dtype as well."""
    return Array(shape, "index", dtype, below, salt=salt)


def mask(*shape: int, salt: int = 0) -> Array:
    """Fair bools."""
    return Array(shape, "bool", "bool", fixed=True, salt=salt)
