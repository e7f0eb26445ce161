"""A CUDA graph: launches that are written down once, and then all run by one call.

A launch costs the host some microseconds of Python, more than a small network's kernel runs for. What a step of
training launches is the same each time, down to the addresses, if its shapes are; so it is *recorded* once, without
running, and *replayed* as often as one likes. Three things make a replay right:

* **Memory.** What is allocated while recording comes from a pool of the graph's own, in which blocks are reused as
  usual, and which nobody else gets: at every replay each address is the graph's. What was there before and is read or
  written by the graph is kept alive.
* **Random numbers.** A kernel that draws has parameters called ``seed`` and ``offset``. They are bound anew at each
  replay to where the default generator then stands, which moves on as if the step had run in the ordinary way: the
  numbers are those that it would have drawn.
* **Nothing else that changes.** Other numbers are repeated as they are. Whatever would put the host's knowledge of the
  moment into a graph is refused while recording: to wait for a result, to copy from the host, to let an optimizer step
  (whose learning rate changes).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from . import runtime
from .allocator import Block, Pool
from .array import DeviceArray
from .kernel import Kernel, Variant

_MASK = 2**64 - 1


class Address:
    """Where an array lies, without keeping it alive: what a graph remembers of a block of its own pool."""

    def __init__(self, block: Block):
        self.pointer, self.nbytes = block.pointer, block.nbytes


class Launch(NamedTuple):
    """A kernel, its blocks and its arguments."""

    variant: Variant
    grid: tuple[int, int, int]
    args: tuple


class Fresh(NamedTuple):
    """A place where an array begins to exist: what was there before is not to be read."""

    array: DeviceArray


class Executable(Protocol):
    """What a device makes of a graph."""

    def rebind(self, number: int, args: tuple) -> None:
        """Give launch ``number`` other arguments from now on."""

    def run(self) -> None:
        """Launch all of it."""


class Graph:
    """A sequence of launches.

    Attributes:
        entries: what was recorded, in order.
        drawn: how many of the generator's counters it consumes.
    """

    def __init__(self, generator: Any):
        """``generator`` has ``seed_value`` and ``offset``: the one whose draws are bound anew."""
        self._generator = generator
        self._device = runtime.device()
        self._pool = Pool(self._device.allocator)
        self.entries: list[Launch | Fresh] = []
        self.drawn = 0
        self._suspects = False
        self._random: list[int] = []  # the numbers of the launches that draw
        self._seed = self._offset = 0
        self._bound = (0, 0)  # the seed and the offset with which it would run now
        self._executable: Executable | None = None

    # -------------------------------------------------------------------------------------------------------- recording

    @contextmanager
    def record(self) -> Iterator[None]:
        """Write down, instead of running, what this thread launches inside.

        The generator is left where it was: nothing has been drawn yet.

        Raises:
            RuntimeError: something inside cannot be repeated, and what; or this graph or another is recorded already.
        """
        if self.entries:
            raise RuntimeError("this graph has been recorded already: make another")
        if runtime.recording() is not None:
            raise RuntimeError("a graph is being recorded already: graphs do not nest")
        on, generator = self._device, self._generator
        suspected = on.suspected
        runtime.faults()  # before: its cell is nobody's in particular
        on.suspected = False
        self._seed, self._offset = generator.seed_value, generator.offset
        with runtime.recorded_in(self):
            try:
                yield
                if generator.seed_value != self._seed:
                    raise RuntimeError("manual_seed inside a graph would be forgotten: seed before it")
                self.drawn = generator.offset - self._offset
                self._find_random()
            except BaseException:
                self.entries.clear()
                raise
            finally:
                generator.seed_value, generator.offset = self._seed, self._offset
                self._suspects, on.suspected = on.suspected, suspected
        self._bound = self._seed, self._offset
        self._executable = on.executable([*self.entries])

    def take(self, nbytes: int) -> Block:
        """Memory for an array made while recording."""
        return self._pool.take(nbytes)

    def fresh(self, array: DeviceArray) -> None:
        """Note where it begins."""
        self.entries.append(Fresh(self._address(array)))

    def launch(self, variant: Variant, grid: tuple[int, int, int], args: tuple) -> None:
        """Write a launch down."""
        self.entries.append(Launch(variant, grid, tuple(map(self._address, args))))

    def _address(self, value: Any) -> Any:
        """An argument to remember: an array keeps its memory, unless that is the graph's own."""
        if not isinstance(value, DeviceArray):
            return value
        block = value.block
        if getattr(block, "allocator", None) is self._pool:
            block = Address(block)  # type: ignore[assignment]
        return DeviceArray(block, value.offset, value.shape, value.strides, value.dtype, value.writeable)

    # -------------------------------------------------------------------------------------------------------- replaying

    def replay(self) -> None:
        """Run it: at once on the device, without waiting for the end.

        Raises:
            RuntimeError: it has not been recorded.
        """
        if self._executable is None:
            raise RuntimeError("this graph has not been recorded: with tinyconv.cuda.graph(g): ...")
        self._bind_random()
        self._executable.run()
        self._generator.offset += self.drawn
        self._device.suspected |= self._suspects

    @property
    def launches(self) -> list[Launch]:
        """The entries that run."""
        return [entry for entry in self.entries if isinstance(entry, Launch)]

    def _find_random(self) -> None:
        """Which launches draw, and whether all from the default generator."""
        for number, (variant, _, args) in enumerate(self.launches):
            places = _random_places(variant.kernel)
            if places is None:
                continue
            seed, offset = (args[i] for i in places)
            if seed != self._seed & _MASK or not 0 <= offset - (self._offset & _MASK) < self.drawn:
                raise RuntimeError(
                    f"{variant.name}: a graph draws from the default generator alone; numbers from another one would "
                    "be the same at every replay"
                )
            self._random.append(number)

    def _bind_random(self) -> None:
        seed, offset = self._generator.seed_value, self._generator.offset
        if not self._random or (seed, offset) == self._bound:
            return
        assert self._executable is not None
        self._bound = seed, offset
        launches, moved = self.launches, offset - self._offset
        for number in self._random:
            variant, _, args = launches[number]
            at_seed, at_offset = _random_places(variant.kernel) or (0, 0)
            bound = list(args)
            bound[at_seed], bound[at_offset] = seed & _MASK, (args[at_offset] + moved) & _MASK
            self._executable.rebind(number, tuple(bound))


def _random_places(kernel: Kernel) -> tuple[int, int] | None:
    """Where among a kernel's parameters the generator's are."""
    names = [p.name for p in kernel.parameters]
    return (names.index("seed"), names.index("offset")) if "seed" in names else None
