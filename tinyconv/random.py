"""Random numbers: the seed and the offset of one counter-based generator.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11) turns (seed, counter) into four random
words without any state in between. A generator is therefore two integers, and drawing n numbers only moves the
offset: the same numbers come out on the CPU and on a GPU, with one thread or many, and a checkpoint resumes the
stream by storing both.
"""

from __future__ import annotations

import os

__all__ = ["Generator", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


class Generator:
    """A stream of random numbers: ``seed`` and the ``offset`` (in Philox counters) of the next draw.

    Every generator starts with PyTorch's default seed, so a program is reproducible even if it never seeds.
    """

    def __init__(self, device: object = "cpu", seed: int = 67280421310721):
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

    def get_state(self) -> tuple[int, int]:
        """(seed, offset): all there is to save."""
        return self.seed_value, self.offset

    def set_state(self, state: tuple[int, int]) -> Generator:
        """Continue the stream that :meth:`get_state` described."""
        self.seed_value, self.offset = int(state[0]), int(state[1])
        return self

    def __repr__(self) -> str:
        return f"Generator(seed={self.seed_value}, offset={self.offset})"


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, which initialization, dropout and shuffling draw from unless told otherwise."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> tuple[int, int]:
    """(seed, offset) of the default generator."""
    return default_generator.get_state()


def set_rng_state(state: tuple[int, int]) -> None:
    """Continue the default generator where :func:`get_rng_state` was taken."""
    default_generator.set_state(state)
