"""What this machine's vector unit looks like, and the register tiles that follow from it.

The only table of its kind: everything else asks for ``VECTOR_BYTES`` and ``TILES``.

A tile of MR x NV vectors needs MR*NV accumulators, NV registers for the vectors of this step and one for a broadcast
scalar; one too many, and the compiler spills to memory inside the innermost loop. To keep two fused multiply-add
units of 4 cycles latency busy takes at least 8 accumulators.
"""

from __future__ import annotations

import platform

from numba.core import config
from numba.core.codegen import get_host_cpu_features

#               bytes, registers, (rows, vectors) of two tiles: the widest with 8 rows or so, and one with fewer; of
#               two tiles that sum over lanes, which keep their rows in registers; then of those for windows of four
#               pixels: those whose vectors are the pixels, and those that sum over lanes; then for winners alone: the
#               vectors of a patch, and (rows, vectors) of what a winner saw
UNITS = {
    "avx512": (64, 32, ((8, 3), (6, 4)), ((3, 9), (2, 9)), ((6, 4), (4, 4)), ((4, 4), (3, 5)), 18, (5, 3)),
    "avx2": (32, 16, ((6, 2), (4, 3)), ((2, 6), (1, 9)), ((2, 4),), ((2, 4),), 12, (4, 3)),
    "neon": (16, 32, ((8, 3), (6, 4)), ((3, 9), (2, 9)), ((6, 4), (4, 4)), ((2, 5),), 18, (4, 4)),
    "sse": (16, 16, ((6, 2), (4, 3)), ((2, 6), (1, 9)), ((2, 4),), ((2, 4),), 12, (4, 3)),
}


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
VECTOR_BYTES, REGISTERS, TILES, DOTS, WINDOWS, WINDOW_DOTS, PATCH, PATCH_DOTS = UNITS[UNIT]
# Convolutions with channels in lanes: the same tiles, if they leave a register for a constant from outside of the loop.
CHANNEL_TILES = tuple([(rows, vectors) for rows, vectors in TILES if rows * vectors + vectors + 1 < REGISTERS])
