"""What the upper rungs share: whole tiles, and how large they are."""

from __future__ import annotations

from typing import Any, NamedTuple

from tinyconv.kernels.cuda import arrays, index
from tinyconv.kernels.cuda.kernel import Constant

BM, BN, BK, TM, TN, THREADS, RESULTS, DOWN, ACROSS, ROW_A, SLAB_A, SLAB_B, TWO_A, TWO_B, HELD_A, HELD_B = (
    Constant(name)
    for name in (
        "BM", "BN", "BK", "TM", "TN", "THREADS", "RESULTS", "DOWN", "ACROSS", "ROW_A", "SLAB_A", "SLAB_B", "TWO_A",
        "TWO_B", "HELD_A", "HELD_B",
    )
)  # fmt: skip


class Tile(NamedTuple):
    """BM x BN numbers of c a block, TM x TN a thread; BK is how far a block goes along k at a time (a *slab*)."""

    BM: int
    BN: int
    BK: int
    TM: int
    TN: int

    @property
    def constants(self) -> dict[str, int]:
        """What a kernel must know at compilation: threads in a block, and how they lie, DOWN x ACROSS; the lengths of a
        slab's rows (four more numbers for a, so that 32 threads that write it meet 32 banks) and of slabs; how many
        numbers of a slab a thread fetches."""
        down, across = self.BM // self.TM, self.BN // self.TN
        row_a, threads = self.BM + 4, down * across
        return {
            **self._asdict(), "THREADS": threads, "RESULTS": self.TM * self.TN, "DOWN": down, "ACROSS": across,
            "ROW_A": row_a, "SLAB_A": self.BK * row_a, "SLAB_B": self.BK * self.BN, "TWO_A": 2 * self.BK * row_a,
            "TWO_B": 2 * self.BK * self.BN, "HELD_A": self.BM * self.BK // threads,
            "HELD_B": self.BN * self.BK // threads,
        }  # fmt: skip


LARGE = Tile(128, 128, 8, 8, 8)
TOY = Tile(8, 8, 4, 4, 4)  # the same text with four threads, for the simulator
WALKED: dict[str, Any] = {name: (value,) for name, value in LARGE.constants.items()}  # what tests compile


def threads_of(THREADS: int, **_: int) -> int:
    """The size of a block."""
    return THREADS


def filled_up(x: Any, rows: int, columns: int) -> Any:
    """``x`` in a matrix of whole multiples of ``rows`` and ``columns``."""
    shape = -(-x.shape[0] // rows) * rows, -(-x.shape[1] // columns) * columns
    if shape == x.shape:
        return x
    y = arrays.full(shape, 0, x.dtype)
    index.setitem(y, (slice(0, x.shape[0]), slice(0, x.shape[1])), x)
    return y


def cut(x: Any, rows: int, columns: int) -> Any:
    """Its first rows and columns."""
    return x if x.shape == (rows, columns) else arrays.copy(index.getitem(x, (slice(0, rows), slice(0, columns))))


def multiply(kernel: Any, a: Any, b: Any, tile: Tile) -> Any:
    """Fill up to whole tiles, launch a block for each, cut to size."""
    from tinyconv.kernels.cuda.runtime import launch

    M, N = a.shape[0], b.shape[1]
    a, b = filled_up(a, tile.BM, tile.BK), filled_up(b, tile.BK, tile.BN)
    c = arrays.empty((a.shape[0], b.shape[1]), a.dtype)
    grid = c.shape[1] // tile.BN, c.shape[0] // tile.BM
    launch(kernel, grid, a, b, c, c.shape[1], a.shape[1], **tile.constants)
    return cut(c, M, N)
