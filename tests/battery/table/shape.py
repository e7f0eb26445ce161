"""Shapes, joins, indexing."""

from ..arrays import index, integers, mask, places, x
from .entry import call, entry, program

reshaped = (
    call(x(2, 3), 3, 2),
    call(x(2, 3), (6,)),
    call(x(2, 3), -1),
    call(x(2, 3, 4), 2, -1),
    call(x(), 1),
    call(x(), 1, 1),
    call(x(0, 3), 3, 0),
    call(x(0, 3), -1),
    call(x(1), ()),
    call(x(2, 1, 3), 2, 3),
)
misshaped = (call(x(2, 3), 4), call(x(2, 3), -1, -1), call(x(2, 3), 5, -1), call(x(0, 3), 0, -1), call(x(2, 3), -2))
entry("Tensor.reshape", *reshaped, rejected=misshaped)
entry("Tensor.view", *reshaped, rejected=misshaped, without={"layouts": "strides decide"})
entry(
    "tinyconv.reshape",
    call(x(2, 3), (3, 2)),
    call(x(2, 3), [-1]),
    call(x(2, 3, 4), (2, -1)),
    call(x(), (1,)),
    call(x(1), ()),
    call(x(0, 3), (3, 0)),
)
entry("view_as reshape_as expand_as", call(x(1, 3), x(3, 1)), call(x(3), x(3)))
entry(
    "flatten",
    call(x(2, 3)),
    call(x(2, 3, 4), 1),
    call(x(2, 3, 4), 0, 1),
    call(x(2, 3, 4), start_dim=-2),
    call(x()),
    call(x(0, 3)),
    call(x(2, 3, 4), start_dim=1, end_dim=-1),
    call(x(2, 3), 0, 0),
    rejected=(call(x(2, 3), 1, 0), call(x(2, 3), 2)),
)
entry("ravel", call(x(2, 3)), call(x()), call(x(0, 3)))
entry(
    "unflatten",
    call(x(2, 6), 1, (2, 3)),
    call(x(2, 6), 1, (-1, 3)),
    call(x(6, 2), 0, (2, -1)),
    call(x(2, 6), dim=-1, sizes=(6, 1)),
    rejected=(call(x(2, 6), 1, (4, 2)), call(x(2, 6), 1, (-1, 4))),
)
entry(
    "squeeze",
    call(x(2, 1, 3)),
    call(x(2, 1, 3), 1),
    call(x(2, 1, 3), 0),
    call(x(1, 1)),
    call(x()),
    call(x(1, 2, 1), (0, 2)),
    call(x(1, 2, 1), (0, 1)),
    call(x(0, 1)),
    call(x(), 0),
    call(x(2, 1), dim=-1),
    rejected=(call(x(2, 1), 2),),
)
entry(
    "unsqueeze",
    call(x(2, 3), 0),
    call(x(2, 3), 1),
    call(x(2, 3), -1),
    call(x(2, 3), dim=2),
    call(x(), 0),
    call(x(0), 1),
    rejected=(call(x(2, 3), 3), call(x(2, 3), -4)),
)
entry(
    "transpose swapaxes swapdims",
    call(x(2, 3), 0, 1),
    call(x(2, 3, 4), 0, -1),
    call(x(2, 3), 1, 1),
    call(x(), 0, 0),
    call(x(0, 3), 0, 1),
    rejected=(call(x(2, 3), 0, 2),),
)
entry("movedim moveaxis", call(x(2, 3, 4), 0, 2), call(x(2, 3, 4), (0, 1), (2, 0)), call(x(2, 3), -1, 0))
entry(
    "permute",
    call(x(2, 3, 4), (2, 0, 1)),
    call(x(2, 3), (1, 0)),
    call(x(), ()),
    call(x(2, 3, 4), (-1, 0, 1)),
    call(x(0, 3), (1, 0)),
    rejected=(call(x(2, 3), (0, 0)), call(x(2, 3), (0,)), call(x(2, 3), (0, 2))),
)
entry("t", call(x(2, 3)), call(x(3)), call(x()), call(x(0, 2)), rejected=(call(x(2, 3, 4)),))
entry("T", call(x(2, 3)), call(x(1, 1)))
entry("mT adjoint mH H", call(x(2, 3)), call(x(2, 3, 4)), rejected=(call(x(3)),))
entry(
    "expand",
    call(x(1, 3), 2, 3),
    call(x(3), 2, -1),
    call(x(3), (2, 3)),
    call(x(), 2),
    call(x(1), 0),
    call(x(2, 1), -1, 4),
    call(x(1, 3), 2, 1, 3),
    rejected=(call(x(2, 3), 3, 3), call(x(3), -1, 3), call(x(2, 3), 3)),
)
entry(
    "broadcast_to",
    call(x(1, 3), (2, 3)),
    call(x(3), (2, 3)),
    call(x(), (2,)),
    call(x(2, 1), (2, 4)),
    rejected=(call(x(2, 3), (3, 3)),),
)
entry("broadcast_tensors", call(x(2, 1), x(3)), call(x(), x(2, 2)), call(x(3)))
entry("broadcast_shapes", call((2, 1), (3,)), call((1,), (4, 1), (1, 5)), rejected=(call((2,), (3,)),))
entry(
    "repeat",
    call(x(2, 3), 2, 1),
    call(x(3), 2, 2),
    call(x(3), (2,)),
    call(x(), 3),
    call(x(2, 3), 0, 1),
    call(x(2, 0), 1, 2),
    rejected=(call(x(2, 3), 2), call(x(3), -1)),
)
entry("tile", call(x(2, 3), (2, 1)), call(x(3), (2, 2)), call(x(2, 3), (2,)), call(x(), (3,)))
entry(
    "repeat_interleave",
    call(x(3), 2),
    call(x(2, 3), 2, 1),
    call(x(2, 3), index(3, below=3), 1),
    call(x(2, 3), 2),
    call(x(3), index(3, below=3)),
    call(x(2, 3), 0, dim=0),
)
joins = (
    call([x(2, 3), x(2, 3, salt=1)]),
    call((x(2, 3), x(2, 3, salt=1)), 1),
    call([x(2, 3)], dim=-1),
    call([x(0, 3), x(2, 3)]),
    call([integers(2), x(2)]),
    call([x(2, 3), x(4, 3, salt=1)]),
)
entry(
    "cat concat concatenate",
    *joins,
    call([x(0), x(2, 3)]),
    rejected=(call([]), call([x(2, 3), x(2, 2)]), call([x(), x()]), call([x(2, 3), x(2, 3, 1)]), call([x(2)], 1)),
)
entry(
    "stack",
    *joins[:3],
    call([x(), x(salt=1)]),
    call([x(2), x(2, salt=1)], 1),
    call([x(0), x(0)]),
    call([integers(2), x(2)]),
    rejected=(call([]), call([x(2, 3), x(2, 2)]), call([x(2)], 2)),
)
entry(
    "hstack vstack dstack column_stack row_stack",
    call([x(2, 3), x(2, 3, salt=1)]),
    call((x(3), x(3, salt=1))),
    call([x(), x(salt=1)]),
    call([x(2, 1, 2), x(2, 1, 2, salt=1)]),
)
entry(
    "split",
    call(x(7, 2), 3),
    call(x(7, 2), [2, 5]),
    call(x(2, 5), 2, 1),
    call(x(2, 5), (1, 4), dim=1),
    call(x(0, 2), 2),
    call(x(4), 4),
    call(x(4), 9),
    rejected=(call(x(7), [2, 2]), call(x(7), -1), call(x(), 1)),
)
entry(
    "chunk",
    call(x(7, 2), 3),
    call(x(2, 5), 2, 1),
    call(x(2, 5), chunks=9, dim=-1),
    call(x(0, 2), 2),
    rejected=(call(x(7), 0), call(x(), 1)),
)
entry("tensor_split", call(x(7, 2), 3), call(x(2, 5), 2, dim=1), call(x(7), (2, 4)), call(x(7), [0, 9]))
entry("hsplit vsplit dsplit", call(x(4, 4, 4), 2), call(x(4, 4, 4), [1, 3]))
entry("unbind", call(x(3, 2)), call(x(2, 3), 1), call(x(2, 0)), call(x(2, 3), dim=-1), rejected=(call(x()),))
entry(
    "flip",
    call(x(2, 3), (0,)),
    call(x(2, 3), (0, 1)),
    call(x(2, 3), [-1]),
    call(x(2, 3), ()),
    call(x(0, 3), (0,)),
    rejected=(call(x(2, 3), (0, 0)), call(x(2, 3), (2,))),
)
entry("fliplr", call(x(2, 3)), call(x(2, 3, 2)), rejected=(call(x(3)),))
entry("flipud", call(x(2, 3)), call(x(3)), rejected=(call(x()),))
entry(
    "roll",
    call(x(2, 3), 1),
    call(x(2, 3), 1, 0),
    call(x(2, 3), (1, -2), (0, 1)),
    call(x(5), -7),
    call(x(2, 3), shifts=2, dims=1),
    call(x(0), 2),
    call(x(), 1),
    rejected=(call(x(2, 3), (1, 2), (0,)),),
)
entry("rot90", call(x(2, 3)), call(x(2, 3), 2), call(x(2, 3, 2), 1, (1, 2)), call(x(2, 3), -1), call(x(2, 3), 4))
entry("split_with_sizes", call(x(7, 2), [2, 5]), call(x(2, 5), (1, 4), dim=1), rejected=(call(x(7), [2, 2]),))
entry(
    "select_scatter",
    call(x(3, 2), x(2, salt=1), 0, 1),
    call(x(2, 3), x(2, salt=1), 1, -1),
    call(x(3), x(salt=1), dim=0, index=2),
    rejected=(call(x(3, 2), x(2), 0, 3), call(x(3, 2), x(3), 0, 1)),
)
entry(
    "slice_scatter",
    call(x(5, 2), x(5, 2, salt=1)),
    call(x(5, 2), x(2, 2, salt=1), 0, 1, 3),
    call(x(2, 5), x(2, 3, salt=1), dim=1, start=0, end=5, step=2),
    call(x(2, 5), x(2, 2, salt=1), 1, -2),
    call(x(5), x(0), 0, 3, 3),
    rejected=(call(x(5), x(2), 0, 1, 4), call(x(5), x(5), 0, 0, 5, 0), call(x(5), x(5), 1)),
)
entry(
    "unravel_index",
    call(index(2, 3, below=24), (2, 3, 4)),
    call(index(5, below=7), 7),
    call(index(below=6), (2, 3)),
    rejected=(call(x(3), (2, 3)), call(index(3, below=6), (2, -3))),
    without={"dtypes": "an index"},
)
entry(
    "narrow",
    call(x(5, 2), 0, 1, 3),
    call(x(2, 5), 1, -2, 2),
    call(x(2, 5), dim=1, start=2, length=0),
    rejected=(call(x(5), 0, 3, 3), call(x(5), 0, 0, -1)),
)
entry(
    "select", call(x(3, 2), 0, 1), call(x(2, 3), 1, -1), call(x(3), 0, 2), rejected=(call(x(3), 0, 3), call(x(), 0, 0))
)
entry(
    "index_select",
    call(x(3, 2), 0, index(4, below=3)),
    call(x(2, 3), 1, index(2, below=3)),
    call(x(3), -1, index(0, below=3)),
    call(x(3, 2), dim=0, index=index(2, below=3, dtype="int32")),
    call(x(), 0, index(1, below=1)),
    rejected=(call(x(3), 0, integers(2, below=9, salt=4)), call(x(3), 0, x(2)), call(x(3), 0, index(2, 2, below=2))),
)
entry(
    "gather",
    call(x(3, 2), 0, index(4, 2, below=3)),
    call(x(2, 3), 1, index(2, 5, below=3)),
    call(x(2, 3), -1, index(1, 2, below=3)),
    call(x(3), 0, index(0, below=3)),
    call(x(2, 3), dim=1, index=index(2, 1, below=3)),
    call(x(), 0, index(below=1)),
    rejected=(call(x(2, 3), 1, index(3, 3, below=2)), call(x(2, 3), 1, x(2, 3)), call(x(2, 3), 1, index(2, below=2))),
)
entry(
    "put",
    call(x(2, 3), places(4, below=6), x(4, salt=1)),
    call(x(2, 3), places(2, 2, below=6), x(4, salt=1), True),
    call(x(2, 3), index(8, below=6), x(2, 4, salt=1), accumulate=True),
    call(x(3), index(0, below=2), x(0, salt=1)),
    call(x(), index(1, below=1), x(1, salt=1)),
    rejected=(
        call(x(3), index(2, below=3), x(3)),
        call(x(3), index(2, below=3), integers(2)),
        call(x(3), index(2, below=9), x(2)),
    ),
)
entry("take", call(x(2, 3), index(4, below=6)), call(x(2, 3), index(2, 2, below=6)), call(x(3), index(0, below=2)))
entry(
    "take_along_dim",
    call(x(2, 3), index(2, 2, below=3), 1),
    call(x(2, 3), index(4, below=6)),
    call(x(2, 3), index(1, 3, below=2), dim=0),
    without={f"shapes: {form}": "an index out of bounds reads what lies behind there" for form in ("[2, 1]", "[1, 3]")},
)
entry(
    "scatter",
    call(x(3, 4), 1, index(3, 2, below=4), 0.5),
    call(x(3, 4), 0, index(1, 4, below=3), x(1, 4, salt=1)),
    call(x(4), dim=0, index=index(1, below=4), src=x(1, salt=1)),
    call(x(3, 4), 1, index(3, 1, below=4), x(3, 2, salt=1)),
    call(x(3, 4), 1, index(3, 1, below=4), value=2),
    call(x(2, 4), 1, index(2, 3, below=4), 2.0, reduce="add"),
    call(x(2, 4), 1, index(2, 0, below=4), 2.0),
    rejected=(
        call(x(3, 4), 1, x(3, 2), 0.5),
        call(x(3, 4), 2, index(3, 2, below=4), 0.5),
        call(x(3, 4), 1, index(4, 2, below=4), 0.5),
    ),
    without={"rejects: , 0]": "nothing is written"} | {"dtypes: , 0]": "dtypes of nothing are not looked at there"},
)
entry(
    "scatter_add",
    call(x(3, 4), 1, index(3, 6, below=4), x(3, 6, salt=1)),
    call(x(3, 4), 0, index(5, 2, below=3), x(5, 2, salt=1)),
    call(x(4), 0, index(2, below=4), x(3, salt=1)),
    rejected=(call(x(3, 4), 1, index(3, 6, below=4), x(3, 2)),),
)
MEETING = {
    "values: nan": "of what meets NaN, which gradients are NaN depends on the order",
    "values: infinite": "as with NaN",
}
entry(
    "as_strided",
    call(x(3, 4), (2, 3), (1, 2)),
    call(x(3, 4), size=(2, 2, 2), stride=(4, 1, 1), storage_offset=3),
    call(x(6), [4, 3], [1, 1]),
    call(x(6), (), ()),
    rejected=(call(x(6), (2, 2), (1,)), call(x(6), (9,), (1,)), call(x(6), (2,), (-1,)), call(x(6), (2,), (1,), 9)),
    without={"layouts": "of the memory, whatever the layout", "shapes": "of a smaller one"},
)
entry(
    "scatter_reduce",
    call(x(3, 4), 1, index(3, 6, below=4), x(3, 6, salt=1), "sum"),
    call(x(3, 4), 0, index(5, 4, below=3), x(5, 4, salt=1), "prod"),
    call(x(3, 4), 0, index(5, 4, below=3), x(5, 4, salt=1), "mean", include_self=False),
    call(x(3, 4), 1, index(3, 6, below=4), x(3, 6, salt=1), "amax", include_self=False),
    call(x(4), 0, index(3, below=4), x(3, salt=1), reduce="amin"),
    rejected=(
        call(x(3, 4), 1, index(3, 6, below=4), x(3, 2), "sum"),
        call(x(3, 4), 1, index(3, 6, below=9), x(3, 6), "sum"),
        call(x(3, 4), 1, index(3, 6, below=4), x(3, 6), "median"),
    ),
    without=MEETING,
)
entry(
    "index_reduce",
    call(x(3, 2), 0, index(4, below=3), x(4, 2, salt=1), "prod"),
    call(x(2, 3), 1, index(5, below=3), x(2, 5, salt=1), "mean"),
    call(x(3), 0, index(5, below=3), x(5, salt=1), "amax", include_self=False),
    call(x(3), 0, index(5, below=3), x(5, salt=1), reduce="amin"),
    rejected=(call(x(3, 2), 0, index(4, below=3), x(3, 2), "prod"), call(x(3), 0, index(2, below=3), x(2), "sum")),
    without=MEETING,
)
entry(
    "index_add",
    call(x(3, 2), 0, index(4, below=3), x(4, 2, salt=1)),
    call(x(2, 3), 1, index(2, below=3), x(2, 2, salt=1), alpha=2),
    call(x(3), 0, index(5, below=3), x(5, salt=1)),
    rejected=(call(x(3, 2), 0, index(4, below=3), x(3, 2)),),
)
entry(
    "index_fill",
    call(x(3, 2), 0, index(2, below=3), 0.5),
    call(x(2, 3), 1, index(1, below=3), 2),
    call(x(2, 3), 1, index(2, below=3), x(salt=1)),
)
entry(
    "index_copy",
    call(x(3, 2), 0, index(1, below=3), x(1, 2, salt=1)),
    call(x(2, 3), 1, index(1, below=3), x(2, 1, salt=1)),
)
entry(
    "index_put",
    call(x(3, 2), (index(1, below=3),), x(2, salt=1)),
    call(x(3, 2), (index(4, below=3),), x(4, 2, salt=1), accumulate=True),
)
entry(
    "masked_fill",
    call(x(2, 3), mask(2, 3), 0.5),
    call(x(2, 3), mask(3), -1),
    call(x(2, 3), mask(2, 1), x(salt=1)),
    call(x(), mask(), 1.0),
    call(x(0), mask(0), 1.0),
    call(x(2, 3), mask=mask(2, 3), value=float("-inf")),
    call(integers(3), mask(3), 2),
    rejected=(call(x(3), x(3), 1.0), call(x(3), mask(3), x(3))),
)
entry(
    "masked_select",
    call(x(2, 3), mask(2, 3)),
    call(x(2, 3), mask(3)),
    call(x(), mask()),
    call(x(0), mask(0)),
    rejected=(call(x(3), x(3)),),
)
entry(
    "masked_scatter",
    call(x(2, 3), mask(2, 3), x(6, salt=1)),
    call(x(2, 3), mask(3), x(2, 3, salt=1)),
    rejected=(call(x(6), mask(6), x(1)),),
)
entry(
    "nonzero_static",
    call(x(2, 3, kind="relu"), size=2),
    call(x(2, 3), size=9),
    call(integers(3, below=2), size=4, fill_value=7),
    call(mask(2, 2), size=0),
    call(x(), size=2),
    rejected=(call(x(2), size=-1), call(x(2))),
)
entry(
    "nonzero",
    call(x(2, 3, special="zero")),
    call(mask(2, 3)),
    call(mask(2, 3), as_tuple=True),
    call(x()),
    call(x(0)),
    call(integers(5, below=2)),
)
entry("argwhere", call(x(2, 3, special="zero")), call(mask(2, 3)), call(x(0)))
entry(
    "tril triu",
    call(x(3, 3)),
    call(x(2, 4), 1),
    call(x(4, 2), -1),
    call(x(2, 3, 3)),
    call(x(3, 3), diagonal=9),
    call(mask(3, 3)),
    call(integers(3, 3), -2),
    call(x(0, 3)),
    rejected=(call(x(3)),),
)
entry(
    "diag",
    call(x(3)),
    call(x(3, 3)),
    call(x(2, 3), 1),
    call(x(2), -1),
    call(x(0)),
    rejected=(call(x()), call(x(2, 2, 2))),
)
entry(
    "diagonal", call(x(3, 3)), call(x(2, 3), 1), call(x(2, 3, 4), 0, 1, 2), call(x(2, 3), offset=-1), call(x(2, 3), 5)
)
entry(
    "diagonal_scatter",
    call(x(3, 3), x(3, salt=1)),
    call(x(2, 3), x(2, salt=1), 1),
    call(x(2, 3, 4), x(4, 2, salt=1), offset=0, dim1=0, dim2=1),
    rejected=(call(x(3, 3), x(2)), call(x(3, 3), x(3), 0, 1, 1)),
)
entry("diag_embed", call(x(3)), call(x(2, 3)), call(x(2, 3), 1))
entry("diagflat", call(x(3)), call(x(2, 2), 1))
entry(
    "Tensor.unfold",
    call(x(7), 0, 3, 2),
    call(x(2, 7), 1, 2, 1),
    call(x(5, 2), 0, 5, 1),
    call(x(7), -1, 2, 3),
    rejected=(call(x(3), 0, 4, 1), call(x(3), 0, 2, 0)),
)
entry("atleast_1d atleast_2d atleast_3d", call(x()), call(x(3)), call(x(2, 3)), call(x(2, 3, 1, 2)))
entry("cartesian_prod", call(x(2), x(3)), call(x(2)))
entry("combinations", call(x(4)), call(x(4), 3), call(x(3), 2, True))
entry(
    "meshgrid",
    call(x(2), x(3), indexing="ij"),
    call(x(2), x(3), indexing="xy"),
    call([x(2), x(3)], indexing="ij"),
    call(x(2), x(), indexing="ij"),
)
entry("block_diag", call(x(2, 2), x(1, 3)))
entry("clone", call(x(2, 3)), call(x()), call(x(0)), call(integers(3)))
entry("contiguous", call(x(2, 3)), call(x()), call(x(0)))


def item(m, f, *tensors):
    """Each form of index in turn."""
    t, i, b = tensors
    keys = (
        0,
        -1,
        slice(None),
        slice(0, 2),
        slice(None, None, 2),
        None,
        ...,
        (0, 1),
        (slice(1, None), 0),
        (..., 0),
        (None, 0),
        (0, None, ..., 1),
        (slice(None), [0, 1, 0]),
        [1, 0],
        ([0, 1], [1, 0]),
        i,
        (i, 0),
        (0, i),
        (slice(None), i),
        (i, slice(None), i),
        (..., i),
        b,
        (b, 0),
        (slice(5, 1)),
        (slice(None), None, i),
        True,
        False,
        (True, 0),
        (i[:, None], i),
        slice(-100, 100),
        ([[0, 1], [1, 0]],),
        (i, None, i),
        (0, slice(None), i),
    )
    return [f(t, key) for key in keys]


def wrong(*key):
    def indexed_wrongly(m, f, t):
        return f(t, key[0])

    return program(indexed_wrongly, x(2, 3))


def write(m, f, t, i, b, v):
    """Numbers and tensors written by each form of index."""
    results = []
    for key, value in (
        (0, 1.5),
        (slice(1, None), v),
        ((..., 0), v[0]),
        (i, 2),
        (b, 0.5),
        ((i, 0), v[0]),
        (None, 3),
        ((0, 1), v[0]),
        ([1, 0], v),
        ((slice(None), slice(None, None, 2)), 0),
        ((slice(None), None, 0), 2.0),
        (b, v[0, 0, 0]),
    ):
        y = t * 1
        f(y, key, value)
        results.append(y)
    return results


entry(
    "Tensor.__getitem__",
    program(item, x(2, 3, 4), index(2, below=2), mask(2)),
    rejected=tuple(map(wrong, (2, -3, (0, 0, 0), 0.5, "a", (slice(None), 3), [5], {}, slice(None, None, 0)))),
)
entry("Tensor.__setitem__", program(write, x(2, 2, 3), index(2, below=2), mask(2), x(1, 2, 3, salt=1)))
entry("Tensor.__iter__", call(x(3, 2)), call(x(2)), call(x(0)), call(integers(2, 2)))
