"""Every core: panels, then blocks of rows, are work items, which threads take one by one.

Each item writes what nobody else writes, and reads what was finished before: nothing to wait for but the end of each
of the two steps.
"""

from tinyconv.kernels.cpu.compile import jit
from tinyconv.kernels.cpu.parallel import parallel_for

from . import packing


@jit
def steps(a, b, panels, c, starts):
    """All panels, then all blocks at once."""
    parallel_for(packing.pack, len(panels), (b, panels))
    parallel_for(packing.block, (len(a) + packing.ROWS - 1) // packing.ROWS, (a, panels, c, starts))


def matmul(a, b):
    """The rung below, with its panels and blocks handed to threads."""
    return packing.matmul(a, b, steps)
