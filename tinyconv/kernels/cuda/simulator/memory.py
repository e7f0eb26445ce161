"""The memory that simulated threads see: the device's, a block's, a thread's own. Each access is checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import SimulatorError
from .lanes import LANES

LIMIT = 48 * 1024  # bytes of shared memory that every GPU grants a block
_ATOMIC = -1  # in the place of a lane: several may do it at once


class Shadow:
    """Beside every cell of an array: who last wrote it and when, who read it since, and whether it was ever written.

    Two accesses by different threads to one cell, one of them a write, are a *race* unless something orders them: a
    barrier of their block, or ``syncwarp`` of their warp. Which of the two comes first would be chance on a GPU; here,
    all lanes do a statement at once, and the clock tells whether a barrier lies between.
    """

    def __init__(self, size: int, valid: np.ndarray | None, tracked: bool = True):
        self.valid = valid  # None: every cell has been written
        if tracked:
            self.writer = np.zeros(size, np.int64)  # thread + 1, counted over the grid; _ATOMIC; 0: nobody
            self.write_time = np.zeros(size, np.int64)
            self.low, self.high = np.zeros(size, np.int64), np.zeros(size, np.int64)  # the readers: thread + 1
            self.read_time = np.zeros(size, np.int64)

    def forget(self) -> None:
        """Everything so far comes before everything from now on."""
        for cells in (self.writer, self.low, self.high):
            cells.fill(0)

    def _ordered(self, me: np.ndarray, other: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Whether what thread ``other - 1`` did at ``time`` comes before what lane ``me`` does now."""
        other = np.where(other == _ATOMIC, -1, other - 1 - LANES.base)
        here = (other >= 0) & (other < LANES.n)
        other = np.where(here, other, 0)
        same_block = here & (LANES.block[other] == LANES.block[me])
        same_warp = same_block & (LANES.warp[other] == LANES.warp[me])
        by_block = same_block & (time < LANES.block_time[LANES.block[me]])
        return by_block | (same_warp & (time < LANES.warp_time[LANES.warp[me]]))

    def _refuse(self, what: str, name: str, index: Any, me: np.ndarray, other: np.ndarray, bad: np.ndarray) -> None:
        first = int(np.flatnonzero(bad)[0])
        i = int(index[first]) if isinstance(index, np.ndarray) else int(index)
        by = "an atomic operation" if other[first] == _ATOMIC else LANES.name(int(other[first]) - 1 - LANES.base)
        raise SimulatorError(f"race: {name}[{i}] is {what.format(me=LANES.name(int(me[first])), other=by)}")

    def read(self, name: str, index: Any, cells: np.ndarray, me: np.ndarray) -> None:
        writer, mine = self.writer[cells], me + 1 + LANES.base
        bad = (writer != 0) & (writer != mine)
        if bad.any():
            bad &= ~self._ordered(me, writer, self.write_time[cells])
            if bad.any():
                self._refuse(
                    "read by {me}, and written by {other} with no barrier between", name, index, me, writer, bad
                )
        fresh = self.low[cells] == 0
        self.low[cells[fresh]] = mine[fresh]
        np.minimum.at(self.low, cells, mine)
        np.maximum.at(self.high, cells, mine)
        self.read_time[cells] = LANES.clock

    def write(self, name: str, index: Any, cells: np.ndarray, me: np.ndarray, atomic: bool = False) -> None:
        writer, mine = self.writer[cells], np.full(me.shape, _ATOMIC) if atomic else me + 1 + LANES.base
        bad = (writer != 0) & (writer != mine)
        if bad.any():
            bad &= ~self._ordered(me, writer, self.write_time[cells])
            if bad.any():
                self._refuse("written by {me} and by {other} with no barrier between", name, index, me, writer, bad)
        low, high = self.low[cells], self.high[cells]
        bad = (high != 0) & ((low != mine) | (high != mine))
        if bad.any():
            for reader in (low, high):
                late = bad & (reader != mine) & ~self._ordered(me, reader, self.read_time[cells])
                if late.any():
                    self._refuse(
                        "written by {me}, and read by {other} with no barrier between", name, index, me, reader, late
                    )
        self.writer[cells], self.write_time[cells] = mine, LANES.clock
        self.low[cells] = self.high[cells] = 0
        if not atomic:
            last = self.writer[cells]
            if (last != mine).any():
                self._refuse("written by {me} and by {other} at once", name, index, me, last, last != mine)
        if self.valid is not None:
            self.valid[cells] = True

    def check_valid(self, name: str, index: Any, cells: Any, me: np.ndarray) -> None:
        if self.valid is None:
            return
        good = np.broadcast_to(self.valid[cells], me.shape)
        if not good.all():
            first = int(np.flatnonzero(~good)[0])
            i = int(index[first]) if isinstance(index, np.ndarray) else int(index)
            raise SimulatorError(f"{LANES.name(int(me[first]))} reads {name}[{i}], which nobody has written yet")


class Cells:
    """What a kernel indexes: ``x[i]`` and ``x[i] = v`` for all active lanes at once."""

    name: str
    data: np.ndarray
    shadow: Shadow
    low: int  # the indexes in bounds are low <= i < high
    high: int
    tracked: bool  # whether reads are recorded: nothing that is only read can race

    def _cells(self, i: Any, who: np.ndarray) -> Any:
        """Where in ``data`` these indexes are."""
        raise NotImplementedError

    def misaligned(self, i: Any, numbers: int) -> Any:
        """Whether ``x + i`` is off the multiples of ``numbers`` elements."""
        raise NotImplementedError

    def _index(self, i: Any, who: np.ndarray) -> Any:
        """The active lanes' indexes (or the one they share), found to be in bounds."""
        if isinstance(i, np.ndarray):
            if i.dtype.kind not in "iu":
                raise SimulatorError(f"{self.name}: an index is an integer, got {i.dtype}")
            i = i if LANES.full else i[who]
            if int(i.min()) < self.low or int(i.max()) >= self.high:
                bad = (i < self.low) | (i >= self.high)
                first = int(np.flatnonzero(bad)[0])
                self._out_of_bounds(int(i[first]), int(who[first]))
        elif not self.low <= i < self.high:
            self._out_of_bounds(int(i), int(who[0]))
        return i

    def _out_of_bounds(self, i: int, lane: int) -> None:
        raise SimulatorError(f"{LANES.name(lane)} reaches for {self.name}[{i}], outside of [{self.low}, {self.high})")

    def __getitem__(self, i: Any) -> Any:
        if LANES.count == 0:
            return np.zeros(LANES.n, self.data.dtype)
        who = LANES.who
        i = self._index(i, who)
        cells = self._cells(i, who)
        self.shadow.check_valid(self.name, i, cells, who)
        if self.tracked:
            self.shadow.read(self.name, i, np.broadcast_to(cells, who.shape), who)
        return self._spread(_widened(self.data[cells]), who)

    def __setitem__(self, i: Any, value: Any) -> None:
        if LANES.count == 0:
            return
        who = LANES.who
        i = self._index(i, who)
        cells = np.broadcast_to(self._cells(i, who), who.shape)
        value = self._own(value, who)
        self.shadow.write(self.name, i, cells, who)
        self.data[cells] = value

    def update(self, function: Any, i: Any, value: Any, unwritten: bool = False) -> Any:
        """An atomic operation, lane after lane; what was there before each (which may be ``unwritten``)."""
        if LANES.count == 0:
            return np.zeros(LANES.n, self.data.dtype)
        who = LANES.who
        i = self._index(i, who)
        cells = np.broadcast_to(self._cells(i, who), who.shape)
        value = np.broadcast_to(self._own(value, who), who.shape)
        if not unwritten:
            self.shadow.check_valid(self.name, i, cells, who)
        self.shadow.write(self.name, i, cells, who, atomic=True)
        before = np.empty(who.shape, self.data.dtype)
        for k, (cell, v) in enumerate(zip(cells.tolist(), value, strict=True)):
            before[k] = self.data[cell]
            self.data[cell] = function(before[k], v)
        return self._spread(_widened(before), who)

    def _own(self, value: Any, who: np.ndarray) -> Any:
        """The active lanes' values, if they have a type that fits."""
        if getattr(value, "dtype", None) == np.float64 and self.data.dtype == np.float32:
            raise SimulatorError(
                f"a float64 is stored in {self.name}, which is float32: some number before it was not written in its "
                "type, as in T(0.5)"
            )
        return value[who] if isinstance(value, np.ndarray) and not LANES.full else value

    def _spread(self, value: Any, who: np.ndarray) -> Any:
        """A value for every lane of what the active ones have read."""
        if LANES.full or not isinstance(value, np.ndarray):
            return value
        out = np.zeros(LANES.n, value.dtype)
        out[who] = value
        return out


def _widened(value: Any) -> Any:
    """Integers are computed in 64 bits; uint32 keeps its width."""
    return (
        value.astype(np.int64)
        if value.dtype.kind in "iub" and value.dtype.itemsize < 8 and value.dtype != np.uint32
        else value
    )


class Pointer(Cells):
    """An address in device memory, and what may be reached from there."""

    def __init__(self, name: str, data: np.ndarray, shadow: Shadow, first: int, low: int, high: int, tracked: bool):
        self.name, self.data, self.shadow, self.tracked = name, data, shadow, tracked
        self.first, self.low, self.high = first, low, high

    def _cells(self, i: Any, who: np.ndarray) -> Any:
        return self.first + i

    def misaligned(self, i: Any, numbers: int) -> Any:
        return (self.first + i) % numbers != 0


class Scattered:
    """``pointer_at`` where the address differs from thread to thread: a pointer for each."""

    name = "pointer_at(...)"

    def __init__(self, addresses: np.ndarray, dtype: Any):
        self.addresses, self.dtype = addresses, np.dtype(dtype)

    def _each(self, what: Any, *values: Any) -> Any:
        out = np.zeros(LANES.n, self.dtype)
        for address in LANES.split(self.addresses):
            got = what(LANES.pointer_to(address, self.dtype), *values)
            if got is not None:
                out = np.where(LANES.active, got, out)
        return _widened(out)

    def __getitem__(self, i: Any) -> Any:
        return self._each(lambda pointer: pointer[i])

    def __setitem__(self, i: Any, value: Any) -> None:
        self._each(lambda pointer: pointer.__setitem__(i, value))

    def update(self, function: Any, i: Any, value: Any, unwritten: bool = False) -> Any:
        return self._each(lambda pointer: pointer.update(function, i, value, unwritten))

    def misaligned(self, i: Any, numbers: int) -> Any:
        return self._each(lambda pointer: pointer.misaligned(i, numbers)) != 0


class SharedArray(Cells):
    """``shared(count, dtype)``: one array per block."""

    tracked = True

    def __init__(self, count: int, dtype: Any):
        self.name = f"shared{len(LANES.shared_arrays)}"
        self.data = poison(count * LANES.blocks, dtype)
        self.shadow = Shadow(self.data.size, np.zeros(self.data.size, bool))
        self.low, self.high = 0, count
        others = LANES.shared_arrays.values()
        used = sum(array.high * array.data.itemsize for array in (*others, self))
        if used > LIMIT:
            raise SimulatorError(f"a block asks for {used} bytes of shared memory; there are {LIMIT}")

    def _cells(self, i: Any, who: np.ndarray) -> Any:
        return LANES.block[who] * self.high + i

    def misaligned(self, i: Any, numbers: int) -> Any:
        return i % numbers != 0


class LocalArray:
    """``local(count, dtype)``: every thread's own."""

    def __init__(self, count: int, dtype: Any):
        self.rows: list[Any] = [None] * count
        self.dtype = np.dtype(dtype)

    def __getitem__(self, i: Any) -> Any:
        if not isinstance(i, np.ndarray):
            if not 0 <= i < len(self.rows):
                raise SimulatorError(f"a local array of {len(self.rows)} has no place {i}")
            if self.rows[i] is None:
                raise SimulatorError(f"a local array is read at {i}, where nothing has been written yet")
            return _widened(self.rows[i])
        out = np.zeros(LANES.n, self.dtype)
        for k in np.unique(i[LANES.active]).tolist():
            out = np.where(i == k, self[k], out)
        return out

    def __setitem__(self, i: Any, value: Any) -> None:
        value = np.broadcast_to(np.asarray(value), LANES.n).astype(self.dtype)
        if not isinstance(i, np.ndarray):
            if not 0 <= i < len(self.rows):
                raise SimulatorError(f"a local array of {len(self.rows)} has no place {i}")
            old = self.rows[i]
            self.rows[i] = value if old is None else LANES.put(old, value)
            return
        for k in np.unique(i[LANES.active]).tolist():
            old = self.rows[k]
            mine = LANES.active & (i == k)
            self.rows[k] = np.where(mine, value, np.zeros(LANES.n, self.dtype) if old is None else old)


def poison(count: int, dtype: Any) -> np.ndarray:
    """Fresh memory: NaN in every float, -1 (or the largest number) in every integer."""
    return np.full(count * np.dtype(dtype).itemsize, 0xFF, np.uint8).view(dtype)
