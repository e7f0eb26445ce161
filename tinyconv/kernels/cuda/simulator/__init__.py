"""A GPU in Python: runs the kernels of this folder anywhere, and checks every step.

It finds what on a GPU would be a wrong number now and then: two threads that write one cell, or one that reads what
another writes, with no barrier between (in shared and in global memory); barriers and warp operations that not all
threads reach; indexes out of bounds; numbers that nobody has written; misaligned 128-bit accesses; float64 in a float32
kernel. Each is a :class:`SimulatorError` whose traceback ends in the kernel's own line.

``rewrite.py`` turns the kernel into one that runs for all threads at once; ``lanes.py`` knows which of them are active;
``memory.py`` is what they read and write; ``dialect.py`` the functions they may call. ``examples/watch_a_block.py``
steps through a block with :func:`watch`.
"""

from __future__ import annotations

import ctypes
import threading
from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..allocator import Allocator
from ..array import DeviceArray
from ..graph import Fresh, Launch
from ..kernel import Variant, names_of
from .dialect import BUILTINS, dialect
from .errors import SimulatorError
from .lanes import LANES
from .memory import Pointer, Shadow, poison
from .rewrite import rewritten, written_parameters
from .watch import Step, watch

__all__ = ["Simulator", "SimulatorError", "Step", "watch"]

_LANES_AT_ONCE = 1 << 16
_DIALECT = dialect()


class Memory:
    """One allocation: its bytes, and which of them have been written (None: all)."""

    def __init__(self, data: np.ndarray, valid: np.ndarray | None, owner: Any = None):
        self.data, self.valid, self.owner = data, valid, owner


class Simulator:
    """The device "cuda", simulated."""

    name = "simulator"
    capability = (0, 0)
    tf32 = True

    def __init__(self, total: int = 2**32):
        self._memories: dict[int, Memory] = {}
        self._next, self._free_bytes = 1 << 40, total
        self._lock = threading.Lock()
        self.fault: DeviceArray | None = None
        self.suspected = False
        self.allocator = Allocator(self._allocate, self._free, total)

    # --------------------------------------------------------------------------------------------------------- memory

    def _allocate(self, nbytes: int) -> int:
        if nbytes > self._free_bytes:
            raise MemoryError
        self._free_bytes -= nbytes
        pointer, self._next = self._next, self._next + nbytes + 512
        self._memories[pointer] = Memory(poison(nbytes, np.uint8), np.zeros(nbytes, bool))
        return pointer

    def _free(self, pointer: int) -> None:
        self._free_bytes += self._memories.pop(pointer).data.size

    def fresh(self, array: DeviceArray) -> None:
        """The memory's old contents are gone."""
        memory = self._memories[array.block.pointer]
        memory.data.fill(0xFF)
        memory.valid = np.zeros(memory.data.size, bool)

    def adopt(self, low: int, nbytes: int, owner: Any) -> int:
        """Let host memory be device memory as well, for tests: its address here."""
        pointer, self._next = self._next, self._next + -(-nbytes // 512) * 512 + 512  # aligned, as a GPU's are
        data = np.ctypeslib.as_array((ctypes.c_uint8 * nbytes).from_address(low))
        self._memories[pointer] = Memory(data, None, owner)
        return pointer

    def release(self, pointer: int) -> None:
        """Forget what was adopted."""
        del self._memories[pointer]

    def bytes_of(self, array: DeviceArray) -> np.ndarray:
        """All bytes of the allocation that an array lies in."""
        return self._memories[array.block.pointer].data

    def to_device(self, array: DeviceArray, host: np.ndarray) -> None:
        memory = self._memories[array.block.pointer]
        memory.data[array.offset : array.offset + host.nbytes] = np.frombuffer(host.tobytes(), np.uint8)
        if memory.valid is not None:
            memory.valid[array.offset : array.offset + host.nbytes] = True

    def to_host(self, array: DeviceArray, host: np.ndarray) -> None:
        data = self._memories[array.block.pointer].data[array.offset : array.offset + host.nbytes]
        host[...] = data.view(host.dtype).reshape(host.shape)

    def synchronize(self) -> None:
        """Nothing: every launch has ended when it returns."""

    def memory(self) -> tuple[int, int]:
        """Bytes: free and in all."""
        return self._free_bytes, self.allocator.total

    # --------------------------------------------------------------------------------------------------------- launch

    def executable(self, entries: list[Launch | Fresh]) -> SimulatedGraph:
        return SimulatedGraph(self, entries)

    def launch(self, variant: Variant, grid: tuple[int, int, int], args: tuple) -> None:
        function, written = variant.compiled.get(Simulator) or self._prepare(variant)
        with self._lock, np.errstate(all="ignore"):
            shadows = self._shadows(variant, args, written)
            arguments = [
                self._argument(p.name, dtype, p.pointer, count, value, shadows)
                for p, dtype, count, value in zip(
                    variant.kernel.parameters, variant.types, variant.counts, args, strict=True
                )
            ]
            LANES.pointer_to = partial(self._pointer_to, shadows)
            threads, blocks = int(np.prod(variant.block)), int(np.prod(grid))
            if threads > 1024:
                raise SimulatorError(f"{variant.name}: a block has at most 1024 threads, got {variant.block}")
            at_once = max(1, _LANES_AT_ONCE // threads)
            for first in range(0, blocks, at_once):
                LANES.begin(grid, variant.block, first, min(at_once, blocks - first))
                function(*arguments)
            for pointer, shadow in shadows.items():
                self._note_written(self._memories[pointer], shadow)

    @staticmethod
    def _prepare(variant: Variant) -> tuple[Callable, set[str]]:
        """The lockstep twin of a kernel, and the parameters it may write through."""
        twins: dict[Callable, Callable] = {}

        def twin(function: Callable) -> Callable:
            if function not in twins:
                namespace: dict[str, Any] = {"__name__": function.__module__, **BUILTINS}
                twins[function] = lambda *args: namespace[function.__name__](*args)  # in case it calls itself
                namespace.update(names_of(function, variant.constants, _DIALECT, twin))
                exec(rewritten(function), namespace)
                twins[function] = namespace[function.__name__]
            return twins[function]

        function = variant.kernel.function
        variant.compiled[Simulator] = twin(function), written_parameters(function)
        return variant.compiled[Simulator]

    def _shadows(self, variant: Variant, args: tuple, written: set[str]) -> dict[int, Shadow]:
        """A shadow for each allocation; reads are of interest where there are writes."""
        pointers = [
            (p.name, dtype, array)
            for p, dtype, array in zip(variant.kernel.parameters, variant.types, args, strict=True)
            if p.pointer and array is not None
        ]
        changed = {array.block.pointer for name, _, array in pointers if name in written}
        shadows: dict[int, Shadow] = {}
        for _, dtype, array in pointers:
            address = array.block.pointer
            if address not in shadows:
                memory = self._memories[address]
                valid = None if memory.valid is None else memory.valid[:: dtype.itemsize]
                size = memory.data.size // dtype.itemsize
                shadows[address] = Shadow(size, valid, tracked=address in changed)
        return shadows

    def _pointer_to(self, shadows: dict[int, Shadow], address: int, dtype: Any) -> Pointer:
        """A pointer to an address that the kernel has read, good to the end of the allocation."""
        dtype = np.dtype(dtype)
        bases = sorted(self._memories)
        base = bases[bisect_right(bases, address) - 1] if bases and address >= bases[0] else 0
        memory = self._memories.get(base)
        first, rest = divmod(address - base, dtype.itemsize)
        if memory is None or address - base >= memory.data.size or rest:
            raise SimulatorError(f"there is no array of {dtype} at the address {address:#x}")
        size = memory.data.size // dtype.itemsize
        shadow = shadows.get(base)
        if shadow is None or not hasattr(shadow, "writer"):
            valid = None if memory.valid is None else memory.valid[:: dtype.itemsize]
            shadow = shadows[base] = Shadow(size, valid)
        data = memory.data[: size * dtype.itemsize].view(dtype)
        return Pointer("pointer_at(...)", data, shadow, first, 0, size - first, True)

    def _argument(self, name: str, dtype: np.dtype, pointer: bool, count: int | None, value: Any, shadows: dict) -> Any:
        if not pointer:
            if count is None:
                return _number(name, dtype, value)
            if not isinstance(value, tuple) or len(value) != count:
                raise SimulatorError(f"{name} is a tuple of {count} numbers, got {value}")
            return tuple(_number(name, dtype, number) for number in value)
        if value is None:
            return Pointer(name, np.empty(0, dtype), Shadow(0, None), 0, 0, 0, False)
        if value.dtype.itemsize != dtype.itemsize:
            raise SimulatorError(f"{name} points to {dtype}, got {value!r}")
        memory, shadow = self._memories[value.block.pointer], shadows[value.block.pointer]
        low, high = value.span()
        whole = memory.data.size // dtype.itemsize * dtype.itemsize
        first, rest = divmod(value.offset, dtype.itemsize)
        if rest:
            raise SimulatorError(f"{name}: {value!r} lies at an odd address")
        tracked = hasattr(shadow, "writer")
        return Pointer(name, memory.data[:whole].view(dtype), shadow, first, low, high + 1, tracked)

    @staticmethod
    def _note_written(memory: Memory, shadow: Shadow) -> None:
        if memory.valid is None or not hasattr(shadow, "writer") or shadow.valid is None:
            return
        itemsize = memory.valid.size // max(1, shadow.valid.size)
        if itemsize > 1:
            whole = shadow.valid.size * itemsize
            memory.valid[:whole] = np.repeat(shadow.valid, itemsize)
        if memory.valid.all():
            memory.valid = None


class SimulatedGraph:
    """A graph that launches one after the other. Memory that the graph has just taken is undefined at every replay."""

    def __init__(self, device: Simulator, entries: list[Launch | Fresh]):
        self.device, self.entries = device, entries

    def rebind(self, number: int, args: tuple) -> None:
        place, old = [(i, e) for i, e in enumerate(self.entries) if isinstance(e, Launch)][number]
        self.entries[place] = old._replace(args=args)

    def run(self) -> None:
        for entry in self.entries:
            if isinstance(entry, Launch):
                self.device.launch(*entry)
            else:
                self.device.fresh(entry.array)


def _number(name: str, dtype: np.dtype, value: Any) -> Any:
    """A host's number in the parameter's type; integers stay Python's, which compute in any width."""
    if dtype.kind == "f":
        return dtype.type(value)
    if not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        raise SimulatorError(f"{name} is {dtype}, got {value}")
    return int(value) if dtype != np.uint64 else np.uint64(value)
