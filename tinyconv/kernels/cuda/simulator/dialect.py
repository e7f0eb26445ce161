"""The twins of ``language.py``: what each of its names does to all lanes at once."""

from __future__ import annotations

import builtins
import math
import sys
from typing import Any

import numpy as np

from .. import language
from .errors import SimulatorError
from .lanes import LANES, WARP
from .memory import Cells, LocalArray, Scattered, SharedArray
from .rewrite import UNSET


class Cuda:
    """In the place of ``numba.cuda``."""

    warpsize = WARP
    threadIdx = property(lambda self: LANES.threadIdx)
    blockIdx = property(lambda self: LANES.blockIdx)
    blockDim = property(lambda self: LANES.blockDim)
    gridDim = property(lambda self: LANES.gridDim)
    laneid = property(lambda self: LANES.lane_in_warp)

    @staticmethod
    def grid(ndim: int) -> Any:
        axes = tuple(
            getattr(LANES.blockIdx, a) * getattr(LANES.blockDim, a) + getattr(LANES.threadIdx, a) for a in "xyz"
        )
        return axes[0] if ndim == 1 else axes[:ndim]

    @staticmethod
    def gridsize(ndim: int) -> Any:
        axes = tuple(getattr(LANES.gridDim, a) * getattr(LANES.blockDim, a) for a in "xyz")
        return axes[0] if ndim == 1 else axes[:ndim]

    @staticmethod
    def syncthreads() -> None:
        if LANES.count:
            LANES.barrier("syncthreads")

    @staticmethod
    def _votes(predicate: Any, name: str) -> Any:
        LANES.barrier(name)
        votes = np.broadcast_to(np.asarray(predicate) != 0, LANES.n) & LANES.active
        return votes.reshape(LANES.blocks, LANES.threads).sum(1)[LANES.block]

    def syncthreads_count(self, predicate: Any) -> Any:
        return self._votes(predicate, "syncthreads_count")

    def syncthreads_or(self, predicate: Any) -> Any:
        return (self._votes(predicate, "syncthreads_or") > 0).astype(np.int64)

    def syncthreads_and(self, predicate: Any) -> Any:
        return (self._votes(predicate, "syncthreads_and") == LANES.threads).astype(np.int64)

    @staticmethod
    def syncwarp(mask: Any = language.ALL_LANES) -> None:
        if LANES.count:
            LANES.sync_warp(mask)

    @staticmethod
    def _shuffle(name: str, mask: Any, value: Any, source: Any) -> Any:
        """Each lane's ``value`` from lane ``source`` of its warp; its own where there is no such lane."""
        if not LANES.count:
            return value
        LANES.meet(name, mask)
        value = np.broadcast_to(np.asarray(value), LANES.n)
        lane = np.arange(LANES.n)
        there = lane - LANES.lane_in_warp + source
        in_warp = (np.asarray(source) >= 0) & (np.asarray(source) < WARP)
        exists = (lane - LANES.thread + LANES.threads) > there  # the last warp of a block may be short
        out = np.where(in_warp, value[np.where(in_warp & exists, there, lane)], value)
        undefined = in_warp & (~exists | ~LANES.active[np.where(exists & in_warp, there, lane)])
        if undefined.any():
            poison = np.nan if out.dtype.kind == "f" else -1
            out = np.where(undefined, np.asarray(poison, out.dtype), out)
        return out

    def shfl_sync(self, mask: Any, value: Any, lane: Any) -> Any:
        return self._shuffle("shfl_sync", mask, value, np.broadcast_to(np.asarray(lane) % WARP, LANES.n))

    def shfl_down_sync(self, mask: Any, value: Any, delta: Any) -> Any:
        return self._shuffle("shfl_down_sync", mask, value, LANES.lane_in_warp + delta)

    def shfl_up_sync(self, mask: Any, value: Any, delta: Any) -> Any:
        return self._shuffle("shfl_up_sync", mask, value, LANES.lane_in_warp - delta)

    def shfl_xor_sync(self, mask: Any, value: Any, lane_mask: Any) -> Any:
        return self._shuffle("shfl_xor_sync", mask, value, LANES.lane_in_warp ^ lane_mask)

    @staticmethod
    def ballot_sync(mask: Any, predicate: Any) -> Any:
        LANES.meet("ballot_sync", mask)
        votes = np.broadcast_to(np.asarray(predicate) != 0, LANES.n) & LANES.active
        warps = np.zeros(LANES.warp_time.size, np.int64)
        np.add.at(warps, LANES.warp, votes.astype(np.int64) << LANES.lane_in_warp)
        return warps[LANES.warp]

    def any_sync(self, mask: Any, predicate: Any) -> Any:
        return (self.ballot_sync(mask, predicate) != 0).astype(np.int64)

    def all_sync(self, mask: Any, predicate: Any) -> Any:
        present = self.ballot_sync(mask, True)
        return (self.ballot_sync(mask, predicate) == present).astype(np.int64)

    @staticmethod
    def fma(x: Any, y: Any, z: Any) -> Any:
        """Rounded once in float32 (up to the rare double rounding of a float64 in between); twice in float64."""
        if np.result_type(x) == np.float32:
            return (np.float64(x) * np.float64(y) + np.float64(z)).astype(np.float32)
        return x * y + z


def shared(count: int, dtype: Any) -> SharedArray:
    """One array for each place in the source, as the compiler has it: whoever comes there again finds the same."""
    frame = sys._getframe(1)
    place = frame.f_code, frame.f_lasti
    if place not in LANES.shared_arrays:
        LANES.shared_arrays[place] = SharedArray(count, _numpy_type(dtype))
    return LANES.shared_arrays[place]


def local(count: int, dtype: Any) -> LocalArray:
    return LocalArray(count, _numpy_type(dtype))


def pointer_at(address: Any, dtype: Any) -> Any:
    return Scattered(address, dtype) if isinstance(address, np.ndarray) else LANES.pointer_to(int(address), dtype)


def _aligned(name: str, x: Cells, i: Any) -> None:
    bad = np.broadcast_to(np.asarray(x.misaligned(i, 4)), LANES.n) & LANES.active
    if bad.any():
        lane = int(np.flatnonzero(bad)[0])
        index = int(np.broadcast_to(np.asarray(i), LANES.n)[lane])
        raise SimulatorError(
            f"{name}: {LANES.name(lane)} at {x.name}[{index}], which is not on a multiple of four elements"
        )


def load4(x: Any, i: Any) -> Any:
    _aligned("load4", x, i)
    return x[i], x[i + 1], x[i + 2], x[i + 3]


def store4(x: Any, i: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    _aligned("store4", x, i)
    x[i], x[i + 1], x[i + 2], x[i + 3] = a, b, c, d


def atomic_add(x: Any, i: Any, value: Any) -> Any:
    return x.update(np.add, i, value)


def atomic_max(x: Any, i: Any, value: Any) -> Any:
    return x.update(np.maximum, i, value)


def store_any(x: Any, i: Any, value: Any) -> None:
    x.update(_second, i, value, unwritten=True)


def _second(old: Any, new: Any) -> Any:
    return new


def _in_31_bits(name: str, a: Any, b: Any) -> None:
    for what, number, low in (("dividend", a, 0), ("divisor", b, 1)):
        values = np.broadcast_to(np.asarray(number), LANES.n)[LANES.active]
        if values.size and (values.min() < low or values.max() >= 2**31):
            raise SimulatorError(f"{name}: a {what} is not in [{low}, 2**31): {values.min()} to {values.max()}")


def quotient(a: Any, b: Any) -> Any:
    _in_31_bits("quotient", a, b)
    return a // b


def remainder(a: Any, b: Any) -> Any:
    _in_31_bits("remainder", a, b)
    return a % b


def tf32(x: Any) -> Any:
    """Eleven bits of 24 are left. Infinities and NaN stay what they are."""
    x = np.asarray(x)
    if x.dtype != np.float32:
        raise SimulatorError(f"tf32 rounds a float32, got {x.dtype}")
    rounded = ((x.view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32)
    return np.where(np.isfinite(x), rounded, x)


def multiply_add_16x8x8(a0: Any, a1: Any, a2: Any, a3: Any, b0: Any, b1: Any, c0: Any, c1: Any, c2: Any,
                        c3: Any) -> Any:  # fmt: skip
    """The warps' matrices are put together, multiplied in float64, and each thread is given its part.

    The one rounding is towards zero, as measured by Fasi, Higham, Mikaitis and Pranesh, "Numerical behavior of NVIDIA
    tensor cores" (2021); a GPU makes several.
    """
    if not LANES.count:
        return c0, c1, c2, c3
    LANES.meet("multiply_add_16x8x8", language.ALL_LANES)
    if LANES.threads % WARP:
        raise SimulatorError(f"multiply_add_16x8x8 takes whole warps; a block here has {LANES.threads} threads")
    numbers = [np.broadcast_to(np.asarray(x), LANES.n) for x in (a0, a1, a2, a3, b0, b1, c0, c1, c2, c3)]
    for x in numbers:
        if x.dtype != np.float32:
            raise SimulatorError(f"multiply_add_16x8x8 takes float32 numbers, got {x.dtype}")
    for x in numbers[:6]:
        bad = LANES.active & (x != tf32(x)) & ~np.isnan(x)
        if bad.any():
            lane = int(np.flatnonzero(bad)[0])
            raise SimulatorError(f"multiply_add_16x8x8: {LANES.name(lane)} brings {x[lane]}, no TF32 number")
    warps = [x.astype(np.float64).reshape(-1, WARP) for x in numbers]
    g, t = np.divmod(np.arange(WARP), 4)
    a, b, c = (np.empty((LANES.n // WARP, *shape)) for shape in ((16, 8), (8, 8), (16, 8)))
    for x, row, column in zip(warps[:4], (g, g + 8, g, g + 8), (t, t, t + 4, t + 4), strict=True):
        a[:, row, column] = x
    for x, row in zip(warps[4:6], (t, t + 4), strict=True):
        b[:, row, g] = x
    places = [(g, 2 * t), (g, 2 * t + 1), (g + 8, 2 * t), (g + 8, 2 * t + 1)]
    for x, (row, column) in zip(warps[6:], places, strict=True):
        c[:, row, column] = x
    total = c + a @ b
    rounded = total.astype(np.float32)
    away = np.abs(rounded.astype(np.float64)) > np.abs(total)
    rounded[away] = np.nextafter(rounded[away], np.float32(0))
    return tuple(rounded[:, row, column].reshape(-1) for row, column in places)


# ------------------------------------------------------------------------------------ Python's own names, for all lanes


def _int32(x: Any) -> Any:
    """Cut to 32 bits; what follows is computed in 64."""
    return (
        np.asarray(x).astype(np.int32).astype(np.int64)
        if isinstance(x, np.ndarray)
        else int(np.int64(x).astype(np.int32))
    )


def _uint32(x: Any) -> Any:
    return np.asarray(x).astype(np.uint32) if isinstance(x, (np.ndarray, np.generic)) else np.uint32(x % 2**32)


def _uint8(x: Any) -> Any:
    return np.asarray(x).astype(np.uint8).astype(np.int64) if isinstance(x, np.ndarray) else int(x) % 256


_CASTS = {np.int32: _int32, np.uint32: _uint32, np.uint8: _uint8}


def _numpy_type(cast: Any) -> Any:
    """The type that a kernel's name for it stands for."""
    return next((dtype for dtype, twin in _CASTS.items() if twin is cast), cast)


def _int(x: Any) -> Any:
    return x.astype(np.int64) if isinstance(x, np.ndarray) else builtins.int(x)


def _float(x: Any) -> Any:
    return np.float64(x)


def _bool(x: Any) -> Any:
    return x != 0


def _type(x: Any) -> Any:
    return x.dtype.type if isinstance(x, (np.ndarray, np.generic)) else builtins.type(x)


def _isinstance(x: Any, kind: Any) -> bool:
    return _type(x) is kind if isinstance(x, (np.ndarray, np.generic)) else builtins.isinstance(x, kind)


def _least(*numbers: Any) -> Any:
    best = numbers[0]
    for number in numbers[1:]:
        best = LANES.select(number < best, number, best)
    return best


def _most(*numbers: Any) -> Any:
    best = numbers[0]
    for number in numbers[1:]:
        best = LANES.select(number > best, number, best)
    return best


class Math:
    """In the place of the module ``math``."""

    inf, nan, pi, e = np.inf, np.nan, np.pi, np.e

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name, None) or self._by_number(getattr(math, name))

    @staticmethod
    def _by_number(function: Any) -> Any:
        """A function that NumPy lacks, number by number, in their type."""
        return lambda x: np.vectorize(function, otypes=[np.float64])(x).astype(_type(x))


BUILTINS = {"abs": np.abs, "bool": _bool, "float": _float, "int": _int, "isinstance": _isinstance, "max": _most,
            "min": _least, "type": _type, "DOUBLE": np.float64, "LANES": LANES, "UNSET": UNSET}  # fmt: skip


def dialect() -> dict[Any, Any]:
    """What each name of the language is here, by what it is there."""
    twins = {function: globals()[name] for name, function in language.NAMES.items()}
    return {**twins, **_CASTS, language.cuda: Cuda(), math: Math()}
