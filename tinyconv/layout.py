"""How a tensor lies in memory, by PyTorch's names. Programs say them to be faster; here they change nothing.

There is one layout, :data:`strided`, and one order in which new memory is filled, C order (``contiguous_format``).
``x.to(memory_format=tinyconv.channels_last)`` is accepted, since the numbers are the same, and returns ``x`` as it is;
``x.is_contiguous(memory_format=...)`` says how it really lies.
"""

from __future__ import annotations

from typing import Any

__all__ = ["channels_last", "contiguous_format", "layout", "memory_format", "preserve_format", "strided"]


class layout:
    """What kind of storage a tensor has."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return f"tinyconv.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format(layout):
    """In which order the axes of a tensor follow one another in memory."""


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
channels_last = memory_format("channels_last")
preserve_format = memory_format("preserve_format")


def expect_format(name: str, value: Any, ndim: int) -> None:
    """Check a ``memory_format`` argument (None: not given).

    Raises:
        TypeError: no memory format.
        RuntimeError: ``channels_last`` of a tensor that has not four axes.
    """
    if value is None:
        return
    if not isinstance(value, memory_format):
        raise TypeError(f"{name}: memory_format must be a tinyconv.memory_format, got {value!r}")
    if value is channels_last and ndim != 4:
        raise RuntimeError(f"{name}: channels_last is for tensors of 4 dimensions, got {ndim}")
