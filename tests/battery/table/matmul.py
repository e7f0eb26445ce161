"""Matrix products."""

import numpy as np

from ..arrays import integers, x
from .entry import call, entry

products = (
    *(
        call(x(*s), x(*t, salt=1))
        for s, t in (
            ((2, 3), (3, 4)),
            ((3,), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3,)),
            ((2, 1, 2, 3), (4, 3, 2)),
            ((0, 3), (3, 2)),
            ((2, 0), (0, 2)),
            ((5, 2, 3), (3,)),
            ((3,), (5, 3, 2)),
            ((2, 2, 3), (3, 4)),
            ((17, 33), (33, 19)),
        )
    ),
    call(integers(2, 3), integers(3, 2, salt=1)),
)
entry(
    "matmul __matmul__",
    *products,
    rejected=(call(x(), x(3)), call(x(3), x()), call(x(2, 3), x(2, 3)), call(x(2, 2, 3), x(3, 3, 2)), call(x(2, 3), 2)),
    formula=None,
)
entry(
    "mm",
    call(x(2, 3), x(3, 4, salt=1)),
    call(x(0, 3), x(3, 4, salt=1)),
    call(x(2, 0), x(0, 4, salt=1)),
    call(integers(2, 3), integers(3, 2, salt=1)),
    formula=np.matmul,
)
entry(
    "bmm",
    call(x(2, 2, 3), x(2, 3, 4, salt=1)),
    call(x(0, 2, 3), x(0, 3, 4)),
    call(x(2, 2, 0), x(2, 0, 4)),
    formula=np.matmul,
    without={"dtypes: , 0]": "dtypes of nothing are not looked at there"},
)
entry("mv", call(x(2, 3), x(3, salt=1)), call(x(2, 0), x(0)), formula=np.matmul)
entry("dot inner", call(x(3), x(3, salt=1)), call(x(0), x(0)), call(integers(3), integers(3, salt=1)), formula=np.dot)
entry("outer ger", call(x(3), x(2, salt=1)), call(x(0), x(2, salt=1)), call(integers(3), x(2)), formula=np.outer)
entry(
    "addmm",
    call(x(2, 4), x(2, 3, salt=1), x(3, 4, salt=2)),
    call(x(4), x(2, 3, salt=1), x(3, 4, salt=2), beta=0.5, alpha=2),
    call(x(2, 1), x(2, 0), x(0, 4)),
    call(x(), x(2, 3), x(3, 4)),
    call(x(2, 4, special="nan"), x(2, 3), x(3, 4), beta=0),
)
entry(
    "addmv",
    call(x(2), x(2, 3, salt=1), x(3, salt=2)),
    call(x(2), x(2, 3, salt=1), x(3, salt=2), beta=0.5, alpha=2),
)
entry(
    "addr",
    call(x(2, 3), x(2, salt=1), x(3, salt=2)),
    call(x(2, 3), x(2, salt=1), x(3, salt=2), beta=0.5, alpha=2),
)
entry(
    "baddbmm",
    call(x(2, 2, 4), x(2, 2, 3, salt=1), x(2, 3, 4, salt=2)),
    call(x(4), x(2, 2, 3), x(2, 3, 4), beta=0.5, alpha=2),
)
entry("addbmm", call(x(2, 4), x(3, 2, 3, salt=1), x(3, 3, 4, salt=2)))
entry(
    "einsum",
    call("ij,jk->ik", x(2, 3), x(3, 4, salt=1)),
    call("ij,jk", x(2, 3), x(3, 4, salt=1)),
    call("i,i->", x(3), x(3, salt=1)),
    call("ii->i", x(3, 3)),
    call("ii", x(3, 3)),
    call("bij,bjk->bik", x(2, 2, 3), x(2, 3, 2, salt=1)),
    call("...ij,...jk->...ik", x(2, 1, 2, 3), x(4, 3, 2, salt=1)),
    call("ij->ji", x(2, 3)),
    call("ij->", x(2, 3)),
    call("i,j->ij", x(2), x(3)),
    call("bn,anm,bm->ba", x(2, 5), x(3, 5, 4), x(2, 4)),
    call("ij,ij->i", x(2, 3), x(2, 3, salt=1)),
    call(" i j , j -> i", x(2, 3), x(3, salt=1)),
    call("nchw,ochw->no", x(2, 3, 2, 2), x(4, 3, 2, 2, salt=1)),
    call("i...->...", x(3, 2)),
    call("ij,kl->ijkl", x(1, 2), x(2, 1)),
    rejected=(
        call("ij,jk->ik", x(2, 3)),
        call("ij,jk->iz", x(2, 3), x(3, 4)),
        call("ij,jk->ik", x(2, 3), x(4, 4)),
        call("ij->ii", x(2, 3)),
    ),
)
entry(
    "tensordot",
    call(x(2, 3, 4), x(3, 4, 5, salt=1)),
    call(x(2, 3), x(3, 4, salt=1), 1),
    call(x(2, 3, 4), x(4, 3, 5), dims=([1, 2], [1, 0])),
    call(x(2), x(3), dims=0),
    call(x(2, 3), x(1, 4, salt=1), 1),
    call(integers(2, 1), integers(3, 4, salt=1), 1),
)
entry("kron", call(x(2, 3), x(2, 2, salt=1)), call(x(2), x(3, salt=1)), call(x(2, 1, 2), x(3)))
entry("trace", call(x(3, 3)), call(x(2, 3)), call(integers(3, 3)), call(x(0, 3)), formula=np.trace)
entry("matrix_power", call(x(3, 3), 2), call(x(3, 3), -2), call(x(3, 3), 0), call(x(2, 3, 3), 3))
entry(
    "cross",
    call(x(2, 3), x(2, 3, salt=1)),
    call(x(3, 2), x(3, 2, salt=1), dim=0),
    call(integers(2, 3), integers(2, 3, salt=1)),
)
entry(
    "cdist",
    call(x(3, 2), x(4, 2, salt=1)),
    call(x(2, 3, 2), x(2, 4, 2, salt=1), 1.0),
    call(x(3, 2), x(4, 2, salt=1), p=float("inf")),
    without={"values": "distances of NaN"},
)
entry(
    "F.pdist tinyconv.pdist",
    call(x(4, 3)),
    call(x(4, 3), 1.0),
    call(x(4, 3), p=float("inf")),
    call(x(1, 3)),
    rejected=(call(x(3)), call(x(2, 3), -1.0)),
    without={"values": "distances of NaN", "gradgrad": "has no second derivative there"}
    | {"shapes": "of some shapes PyTorch's gradient reads beyond its arrays, and the process dies"},
)
entry("vdot", call(x(3), x(3, salt=1)), call(x(0), x(0)))
