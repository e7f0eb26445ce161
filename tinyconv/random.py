"""Random numbers: the seed and the offset of one counter-based generator.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11) turns (seed, counter) into four random
words without any state in between. A generator is therefore two integers, and drawing n numbers only moves the
offset: the same numbers come out on the CPU and on a GPU, with one thread or many, and a checkpoint resumes the
stream by storing both.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .tensor import Tensor, wrap
from .tensor import device as Device

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
    "substream",
    "use_generator",
]


class Generator:
    """A stream of random numbers: ``seed`` and the ``offset`` (in Philox counters) of the next draw.

    Every generator starts with PyTorch's default seed, so a program is reproducible even if it never seeds.

    Attributes:
        device: what it was made for, as programs ask; it serves all.
    """

    def __init__(self, device: Any = "cpu", seed: int = 67280421310721):
        self.device = Device(device)
        self.seed_value, self.offset = seed, 0

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream at ``seed`` (any Python int; negative ones wrap to 64 bits).

        Raises:
            ValueError: ``seed`` needs more than 64 bits.
            TypeError: ``seed`` is not an int.
        """
        try:
            seed = seed.__index__()
        except AttributeError:
            raise TypeError(f"manual_seed: seed must be an int, got {seed!r}") from None
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: seed must fit in 64 bits, got {seed}")
        self.seed_value, self.offset = seed % 2**64, 0
        return self

    def initial_seed(self) -> int:
        """The seed in use."""
        return self.seed_value

    def seed(self) -> int:
        """Restart at a seed taken from the operating system, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self.seed_value

    def take(self, counters: int) -> tuple[int, int]:
        """Reserve ``counters`` Philox counters: the (seed, offset) to draw with."""
        offset = self.offset
        self.offset = offset + counters
        return self.seed_value, offset

    @property
    def state(self) -> tuple[int, int]:
        """(seed, offset): where the stream is. It continues from what is assigned."""
        return self.seed_value, self.offset

    @state.setter
    def state(self, state: tuple[int, int]) -> None:
        self.seed_value, self.offset = int(state[0]), int(state[1])

    def get_state(self) -> Tensor:
        """:attr:`state` as programs save it: a tensor of 16 bytes, the seed and the offset."""
        return wrap(np.array(self.state, "<u8").view(np.uint8))

    def set_state(self, new_state: Tensor) -> Generator:
        """Continue the stream that :meth:`get_state` described.

        Raises:
            TypeError: no tensor of bytes.
            RuntimeError: not as many of them.
        """
        if not isinstance(new_state, Tensor) or new_state.array.dtype != np.uint8:
            got = new_state.dtype if isinstance(new_state, Tensor) else type(new_state).__name__
            raise TypeError(f"set_state: new_state must be a tensor of uint8 (see get_state), got {got}")
        if new_state.numel() != 16:
            raise RuntimeError(f"set_state: new_state must have 16 bytes, got {new_state.numel()}")
        self.seed_value, self.offset = np.frombuffer(bytes(new_state.flatten().tolist()), "<u8").tolist()
        return self

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed_value}, offset={self.offset})"


_in_use: ContextVar[Generator | None] = ContextVar("_in_use", default=None)


class _DefaultGenerator(Generator):
    """What is drawn from unless told otherwise: a stream of its own, or in :func:`use_generator` the one given there.

    A thread starts outside every such block, so a block speaks for its own thread only.
    """

    def __init__(self) -> None:
        self._own = Generator()
        self.device = self._own.device

    @property
    def _stream(self) -> Generator:
        return _in_use.get() or self._own

    @property
    def seed_value(self) -> int:
        return self._stream.seed_value

    @seed_value.setter
    def seed_value(self, value: int) -> None:
        self._stream.seed_value = value

    @property
    def offset(self) -> int:
        return self._stream.offset

    @offset.setter
    def offset(self, value: int) -> None:
        self._stream.offset = value

    def take(self, counters: int) -> tuple[int, int]:
        return self._stream.take(counters)


default_generator = _DefaultGenerator()


@contextmanager
def use_generator(generator: Generator) -> Iterator[Generator]:
    """Inside, all that this thread draws from the default generator comes from ``generator`` instead.

    What is drawn while one sample is made then depends on that sample's generator alone, and not on what other threads
    draw meanwhile. ``manual_seed`` and the like, called inside, seed ``generator``.
    """
    token = _in_use.set(generator)
    try:
        yield generator
    finally:
        _in_use.reset(token)


def substream(seed: int, index: int) -> Generator:
    """Stream number ``index`` of the family ``seed``: streams of one family do not meet before 2**32 counters each.

    Args:
        seed: 64 bits. Draw it: the family's first stream is that of ``Generator().manual_seed(seed)``.
        index: 0 <= index < 2**31.
    """
    generator = Generator().manual_seed(seed)
    generator.offset = index << 32
    return generator


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, which initialization, dropout and shuffling draw from unless told otherwise."""
    return default_generator.manual_seed(int(seed))  # a fraction, too: programs seed with time.time()


def seed() -> int:
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default generator's stream is: 16 bytes."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Continue the default generator where :func:`get_rng_state` was taken.

    Raises:
        TypeError, RuntimeError: ``new_state`` is nothing that it returns.
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Iterable[object] | None = None, enabled: bool = True, device_type: str = "cuda"
) -> Iterator[None]:
    """Let a ``with`` block draw what it likes: afterwards the default generator is where it was.

    Args:
        devices, device_type: accepted for PyTorch's sake: one generator serves all devices.
        enabled: False does nothing.
    """
    state = default_generator.state
    try:
        yield
    finally:
        if enabled:
            default_generator.state = state
