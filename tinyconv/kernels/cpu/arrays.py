"""Memory and views: NumPy's own are as good as it gets on the host."""

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
