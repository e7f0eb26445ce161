"""The threads that run in lockstep: who is active, who waits, who is gone. ``rewrite.py`` says who calls what."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import SimulatorError
from .rewrite import UNSET

WARP = 32


class Dim3:
    """``threadIdx`` and its like."""

    def __init__(self, x: Any, y: Any = 1, z: Any = 1):
        self.x, self.y, self.z = x, y, z


@dataclass
class _Loop:
    active: np.ndarray  # who came to it
    gone: np.ndarray | None  # who was gone then
    out: np.ndarray | None = None  # who has left it since


@dataclass
class _Call:
    active: np.ndarray
    gone: np.ndarray | None
    loops: list[_Loop] = field(default_factory=list)
    returned: np.ndarray | None = None


def _union(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    if a is None or b is None:
        return b if a is None else a
    return a | b


class Lanes:
    """All threads of several blocks, side by side: lane ``b * threads + t`` is thread t of the b-th of them.

    Attributes:
        active: bool per lane, whether it takes part in what happens now.
        count, full: how many do, and whether all do.
        block, thread, warp: each lane's, as indexes.
        block_time, warp_time: when each block (warp) last synchronized, by ``clock``.
    """

    pointer_to: Callable[[int, Any], Any]  # a pointer to an address of the device that runs the launch

    def __init__(self) -> None:
        self.clock = 0

    def begin(self, grid: tuple[int, int, int], block: tuple[int, int, int], first: int, blocks: int) -> None:
        """Let ``blocks`` blocks start, from the ``first`` of the grid on."""
        self.grid_shape, self.base = grid, first * block[0] * block[1] * block[2]
        self.threads = threads = block[0] * block[1] * block[2]
        self.blocks, self.n = blocks, blocks * threads
        self.block_shape = block
        warps = -(-threads // WARP)
        thread, number = np.arange(threads), np.arange(first, first + blocks)
        self.block, self.thread = np.repeat(np.arange(blocks), threads), np.tile(thread, blocks)
        self.warp = self.block * warps + self.thread // WARP
        self.lane_in_warp = self.thread % WARP
        self.threadIdx = Dim3(*(np.tile(i, blocks) for i in _coordinates(thread, block)))
        self.blockIdx = Dim3(*(np.repeat(i, threads) for i in _coordinates(number, grid)))
        self.blockDim, self.gridDim = Dim3(*block), Dim3(*grid)
        self.clock += 1
        self.block_time = np.full(blocks, self.clock)
        self.warp_time = np.full(blocks * warps, self.clock)
        self.everyone = np.ones(self.n, bool)
        self._noone = np.zeros(self.n, bool)
        self._set(self.everyone)
        self.gone: np.ndarray | None = None
        self._branches: list[tuple[Any, np.ndarray]] = []
        self._calls = [_Call(self.active, None)]
        self.shared_arrays: dict[Any, Any] = {}  # by their place in the source

    # ------------------------------------------------------------------------------------------------------ who is on

    def _set(self, active: np.ndarray) -> None:
        self.active = active
        self.count = int(np.count_nonzero(active))
        self.full = self.count == self.n
        self._who: np.ndarray | None = None

    @property
    def who(self) -> np.ndarray:
        """The numbers of the active lanes."""
        if self._who is None:
            self._who = np.flatnonzero(self.active)
        return self._who

    def name(self, lane: int) -> str:
        """Who a lane is, for messages. (Those of earlier blocks have negative numbers.)"""
        block, thread = divmod(self.base + lane, self.threads)
        thread_at, block_at = _coordinates(thread, self.block_shape), _coordinates(block, self.grid_shape)
        return f"thread {_short(thread_at)} of block {_short(block_at)}"

    # ----------------------------------------------------------------------------------------------------- assignment

    def put(self, old: Any, new: Any) -> Any:
        """The value of a variable after an assignment by the active lanes."""
        if self.full or old is UNSET or old is new:
            return new
        if isinstance(new, tuple):
            return tuple(self.put(a, b) for a, b in zip(old, new, strict=True))
        if not isinstance(new, (np.ndarray, np.generic, int, float)):
            return new
        return np.where(self.active, new, old)

    # ------------------------------------------------------------------------------------------------------- branches

    def branch(self, test: Any) -> None:
        if isinstance(test, np.ndarray) and test.dtype != bool:
            test = test != 0
        self._branches.append((test, self.active))

    def then(self) -> bool:
        test, active = self._branches[-1]
        if not isinstance(test, np.ndarray):
            return bool(test) and self.count > 0
        self._set(active & test)
        return self.count > 0

    def otherwise(self) -> bool:
        test, active = self._branches[-1]
        if not isinstance(test, np.ndarray):
            return not test and self.count > 0
        self._set(active & ~test)
        return self.count > 0

    def join(self) -> None:
        active = self._branches.pop()[1]
        self._set(active if self.gone is None else active & ~self.gone)

    # ---------------------------------------------------------------------------------------------------------- loops

    @property
    def _loops(self) -> list[_Loop]:
        return self._calls[-1].loops

    def enter(self) -> None:
        self._loops.append(_Loop(self.active, self.gone))
        self.gone = None

    def again(self) -> bool:
        """Bring the lanes that are still in the loop to its head; returns whether there are any."""
        loop = self._loops[-1]
        if loop.out is not None or self.gone is not None:
            self._set(loop.active if loop.out is None else loop.active & ~loop.out)
            self.gone = loop.out
        return self.count > 0

    def test(self, condition: Any) -> bool:
        """Let the lanes leave the loop for which the condition fails; returns whether any stays."""
        if not isinstance(condition, np.ndarray):
            return bool(condition)
        condition = condition if condition.dtype == bool else condition != 0
        loop = self._loops[-1]
        stay = self.active & condition
        loop.out = _union(loop.out, self.active & ~condition)
        self._set(stay)
        return self.count > 0

    def exit(self) -> None:
        loop, returned = self._loops.pop(), self._calls[-1].returned
        self._set(loop.active if returned is None else loop.active & ~returned)
        self.gone = _union(loop.gone, returned)
        if self._loops:
            self._loops[-1].out = _union(self._loops[-1].out, returned)

    def range(self, *bounds: Any) -> Iterator[Any]:
        """``range``, with bounds that may differ from lane to lane."""
        start, stop, step = (0, *bounds, 1) if len(bounds) == 1 else (*bounds, 1) if len(bounds) == 2 else bounds
        if not any(isinstance(bound, np.ndarray) for bound in (start, stop, step)):
            yield from self.each(builtins.range(int(start), int(stop), int(step)))
            return
        k = start + np.zeros(self.n, np.int64)
        self.enter()
        while self.again() and self.test(np.where(np.asarray(step) > 0, k < stop, k > stop)):
            yield k
            k = k + step
        self.exit()

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        """The values one after the other, for all active lanes."""
        self.enter()
        for value in values:
            if not self.again():
                break
            yield value
        self.exit()

    def leave(self) -> None:
        """``break``."""
        self._loops[-1].out = _union(self._loops[-1].out, self.active)
        self.skip()

    def skip(self) -> None:
        """``continue``."""
        self.gone = _union(self.gone, self.active)
        self._set(self._noone)

    # ------------------------------------------------------------------------------------------------------ functions

    def call(self) -> None:
        self._calls.append(_Call(self.active, self.gone))
        self.gone = None

    def retire(self) -> None:
        """``return``."""
        call = self._calls[-1]
        call.returned = _union(call.returned, self.active)
        for loop in call.loops[-1:]:
            loop.out = _union(loop.out, self.active)
        self.skip()

    def nobody(self) -> bool:
        return self.count == 0

    def give_back(self, result: Any) -> Any:
        """All who came into the function go on after it, with its result."""
        call = self._calls.pop()
        self._set(call.active)
        self.gone = call.gone
        return result

    # ---------------------------------------------------------------------------------------------------- expressions

    def select(self, test: Any, yes: Any, no: Any) -> Any:
        if not isinstance(test, np.ndarray):
            return yes if test else no
        return np.where(test, yes, no)

    def choose(self, test: Any, yes: Callable, no: Callable) -> Any:
        if not isinstance(test, np.ndarray):
            return yes() if test else no()
        active = self.active
        test = test if test.dtype == bool else test != 0
        a, b = self._under(active & test, yes), self._under(active & ~test, no)
        self._set(active)
        return b if a is UNSET else a if b is UNSET else np.where(test, a, b)

    def both(self, a: Any, b: Callable) -> Any:
        if not isinstance(a, np.ndarray):
            return b() if a else a
        active = self.active
        a = a if a.dtype == bool else a != 0
        second = self._under(active & a, b)
        self._set(active)
        return a if second is UNSET else a & (np.asarray(second) != 0)

    def either(self, a: Any, b: Callable) -> Any:
        if not isinstance(a, np.ndarray):
            return a if a else b()
        active = self.active
        a = a if a.dtype == bool else a != 0
        second = self._under(active & ~a, b)
        self._set(active)
        return a if second is UNSET else a | (np.asarray(second) != 0)

    def split(self, values: np.ndarray) -> Iterator[Any]:
        """The different values among the active lanes one after the other, each with only its lanes active."""
        active = self.active
        for value in np.unique(values[active]).tolist():
            self._set(active & (values == value))
            yield value
        self._set(active)

    def _under(self, active: np.ndarray, value: Callable) -> Any:
        self._set(active)
        return value() if self.count else UNSET

    def invert(self, a: Any) -> Any:
        return a == 0 if isinstance(a, np.ndarray) else not a

    # -------------------------------------------------------------------------------------------------- synchronizing

    def barrier(self, name: str) -> None:
        """All threads of a block meet: what they wrote before, all may read afterwards."""
        self.clock += 1
        if self.full:
            self.block_time[:] = self.warp_time[:] = self.clock
            for array in self.shared_arrays.values():
                array.shadow.forget()
            return
        here = self.active.reshape(self.blocks, self.threads)
        some, all_ = here.any(1), here.all(1)
        if (some & ~all_).any():
            block = int(np.flatnonzero(some & ~all_)[0])
            missing = block * self.threads + int(np.flatnonzero(~here[block])[0])
            raise SimulatorError(
                f"divergent barrier: {int(here[block].sum())} of {self.threads} threads of a block are at {name}(), "
                f"{self.name(missing)} is not"
            )
        self.block_time[some] = self.clock
        self.warp_time.reshape(self.blocks, -1)[some] = self.clock

    def meet(self, name: str, mask: Any) -> None:
        """The lanes of ``mask`` of a warp meet."""
        if isinstance(mask, np.ndarray):
            mask = mask[self.active] if self.count else mask
            if mask.size and (mask != mask[0]).any():
                raise SimulatorError(f"{name}: the mask differs from thread to thread")
            mask = mask[0]
        named = (int(mask) >> self.lane_in_warp & 1).astype(bool)
        if self.full and named.all():
            return
        if (self.active & ~named).any():
            lane = int(np.flatnonzero(self.active & ~named)[0])
            raise SimulatorError(f"{name}: {self.name(lane)} calls it, but is not in its mask {int(mask):#x}")
        busy = np.zeros(self.warp_time.size, bool)
        busy[self.warp[self.active]] = True
        missing = named & busy[self.warp] & ~self.active
        if missing.any():
            lane = int(np.flatnonzero(missing)[0])
            raise SimulatorError(f"divergent {name}: {self.name(lane)} is in the mask {int(mask):#x} and does not come")

    def sync_warp(self, mask: Any) -> None:
        self.meet("syncwarp", mask)
        self.clock += 1
        self.warp_time[np.unique(self.warp[self.active])] = self.clock


def _coordinates(number: Any, shape: tuple[int, int, int]) -> tuple[Any, ...]:
    """x, y, z of the threads (blocks) with these numbers; x runs fastest."""
    return number % shape[0], number // shape[0] % shape[1], number // (shape[0] * shape[1])


def _short(place: tuple[Any, ...]) -> str:
    return str(place[0]) if place[1:] == (0, 0) else str(place)


LANES = Lanes()
