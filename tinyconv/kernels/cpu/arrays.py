"""Memory and views: NumPy's own are as good as it gets on the host. And what every compiled kernel asks of an array."""

from ..reference.arrays import (
    arange,
    assign,
    broadcast_to,
    cast,
    cat,
    copy,
    empty,
    eye,
    flip,
    from_host,
    full,
    getitem,
    index_add,
    is_contiguous,
    permute,
    setitem,
    to_host,
    view,
)


def flat(x):
    """The elements in C order: dense, writeable and aligned, so that one compiled version serves all arrays."""
    return (x if x.flags.carray else x.copy(order="C")).reshape(-1)


def compiled_for(x) -> bool:
    """Whether there are compiled kernels for this type: float32 and float64. Others go to the reference backend."""
    return x.dtype.char in "fd"
