"""What this machine's vector unit looks like, and the register tiles that follow from it.

The only table of its kind: everything else asks for the names at the end of this file.

A *tile* is the block of sums that an innermost loop keeps in registers. One of R rows and V vectors multiplies, in each
step, R numbers with V vectors: that takes R*V registers for the sums, V for the vectors of this step and one for the
number (spread over a vector) that they are multiplied with. One register too many, and the compiler keeps a sum in
memory inside of the innermost loop. Two fused multiply-add units with a latency of 4 cycles are busy only if there are
at least 8 sums that do not wait for each other. So the shapes are the largest that fit, and are never below 8 sums.
"""

from __future__ import annotations

import platform
from typing import NamedTuple

from numba.core import config
from numba.core.codegen import get_host_cpu_features

Shape = tuple[int, int]


class Unit(NamedTuple):
    """A vector unit, and the shapes of the tiles that its registers hold; where there are two, the larger one first.

    Attributes:
        vector_bytes: of the widest vectors.
        registers: how many of them there are.
        tiles: (rows, vectors) of matrix products and convolutions.
        dots: (rows, taps) of weight gradients: every row's vector, in a register, times a vector for each tap; the
            sums are added up over their lanes at the end.
        window_tiles: (rows, 4) where the vectors are the four pixels of a window of 2 x 2, whose maximum is kept.
        window_dots: (rows, taps) of weight gradients where one pixel of each such window has a gradient; a row takes
            three registers (its gradients, its winners, and the gradients of those at the pixel under way).
        patch: vectors of a patch, the pixels to which one window of 2 x 2 outputs gives its gradient, that are summed
            at once (``winners.py``).
        patch_dots: (rows, vectors) of the part of a weight gradient that is summed at once over what the windows'
            winners saw (``winners.py``).
    """

    vector_bytes: int
    registers: int
    tiles: tuple[Shape, ...]
    dots: tuple[Shape, ...]
    window_tiles: tuple[Shape, ...]
    window_dots: tuple[Shape, ...]
    patch: int
    patch_dots: Shape


UNITS = {
    "avx512": Unit(
        vector_bytes=64, registers=32, tiles=((8, 3), (6, 4)), dots=((3, 9), (2, 9)),
        window_tiles=((6, 4), (4, 4)), window_dots=((4, 4), (3, 5)), patch=18, patch_dots=(5, 3),
    ),
    "avx2": Unit(
        vector_bytes=32, registers=16, tiles=((6, 2), (4, 3)), dots=((2, 6), (1, 9)),
        window_tiles=((2, 4),), window_dots=((2, 4),), patch=12, patch_dots=(4, 3),
    ),
    "neon": Unit(
        vector_bytes=16, registers=32, tiles=((8, 3), (6, 4)), dots=((3, 9), (2, 9)),
        window_tiles=((6, 4), (4, 4)), window_dots=((2, 5),), patch=18, patch_dots=(4, 4),
    ),
    "sse": Unit(
        vector_bytes=16, registers=16, tiles=((6, 2), (4, 3)), dots=((2, 6), (1, 9)),
        window_tiles=((2, 4),), window_dots=((2, 4),), patch=12, patch_dots=(4, 3),
    ),
}  # fmt: skip


def unit_of(machine: str, features: str) -> str:
    """The row of ``UNITS`` for a processor: its architecture, and its features as LLVM writes them
    (``+avx2,-avx512f``)."""
    if machine in ("aarch64", "arm64"):
        return "neon"
    on = {f[1:] for f in features.split(",") if f.startswith("+")}
    if "avx512f" in on:
        return "avx512"
    return "avx2" if {"avx2", "fma"} <= on else "sse"


# What Numba compiles for: this machine, unless NUMBA_CPU_FEATURES says otherwise.
UNIT = unit_of(platform.machine(), get_host_cpu_features() if config.CPU_FEATURES is None else config.CPU_FEATURES)
VECTOR_BYTES, REGISTERS, TILES, DOTS, WINDOW_TILES, WINDOW_DOTS, PATCH, PATCH_DOTS = UNITS[UNIT]
# (positions, vectors) of convolutions with output channels in the lanes: the tiles that leave a register for a constant
# from outside of the loop.
CHANNEL_TILES = tuple([(rows, vectors) for rows, vectors in TILES if rows * vectors + vectors + 1 < REGISTERS])
