"""What random transforms draw: single numbers from the default generator.

In a loader's worker that is a generator of the batch's own (:func:`tinyconv.random.use_generator`), so what happens to
an image does not depend on which worker makes it, or when.
"""

from __future__ import annotations

from ... import dtypes
from ...ops.random import rand, randint

__all__ = ["happens", "integer", "uniform"]


def uniform(low: float, high: float) -> float:
    """A float64 from [low, high]."""
    return low + (high - low) * rand(1, dtype=dtypes.float64).item()


def integer(low: int, high: int) -> int:
    """An int from [low, high)."""
    return int(randint(low, high, (1,)).item())


def happens(p: float) -> bool:
    """True with probability ``p``: never for 0, always for 1."""
    return uniform(0, 1) < p
