"""Comparison and logic."""

import numpy as np

from ..arrays import integers, mask, x
from .arithmetic import binary, ints, unary
from .entry import call, entry

for name, formula in {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
                      "ge": np.greater_equal}.items():  # fmt: skip
    entry(name, *binary(), *ints, call(mask(3), True), call(x(3, special="nan"), x(3, special="nan")),
          call(integers(3), 2.5), call(integers(3, dtype="uint8"), 3), formula=formula)  # fmt: skip
entry("greater greater_equal less less_equal not_equal", *binary(), *ints)
entry(
    "isnan isinf isfinite isposinf isneginf isreal",
    *unary(),
    call(x(9, special="nan")),
    call(x(9, special="infinite")),
    call(integers(3)),
)
entry(
    "isclose",
    *binary()[:6],
    call(x(3), x(3), 1e-3, 1e-3),
    call(x(9, special="nan"), x(9, special="nan"), equal_nan=True),
    call(x(9, special="infinite"), x(9, special="infinite")),
)
entry(
    "allclose",
    call(x(3), x(3)),
    call(x(2, 3), x(3)),
    call(x(9, special="nan"), x(9, special="nan")),
    call(x(9, special="nan"), x(9, special="nan"), equal_nan=True),
    call(x(3), x(3, salt=1), rtol=1e6),
    call(x(0), x(0)),
    call(integers(3), integers(3)),
)
entry(
    "equal",
    call(x(3), x(3)),
    call(x(2, 3), x(3)),
    call(x(3), x(3, salt=1)),
    call(x(0), x(0)),
    call(integers(3), integers(3)),
    call(x(9, special="nan"), x(9, special="nan")),
)
entry(
    "logical_and logical_or logical_xor", *binary()[:6], call(mask(2, 3), mask(3, salt=1)), call(integers(3), mask(3))
)
entry("logical_not", *unary(), call(mask(2, 3)), call(integers(3)))
entry(
    "isin",
    call(integers(2, 3), integers(4, salt=1)),
    call(integers(5), 3),
    call(integers(5), integers(2, salt=1), invert=True),
    call(x(3), x(3)),
)
entry(
    "where",
    call(mask(2, 3), x(2, 3), x(2, 3, salt=1)),
    call(mask(2, 1), x(3), x(2, 3, salt=1)),
    call(mask(3), x(3), 0.0),
    call(mask(3), 1.0, x(3)),
    call(mask(3), 1, 2.5),
    call(mask(3), integers(3), x(3)),
    call(mask(), x(2), x(2, salt=1)),
    call(mask(0), x(0), x(0)),
    call(mask(3), integers(3), integers(3, dtype="int32")),
    rejected=(call(mask(2), x(3), x(3)),),
)
entry(
    "Tensor.where",
    call(x(2, 3), mask(2, 3), x(2, 3, salt=1)),
    call(x(3), mask(2, 3), 0.5),
)
entry("tinyconv.is_tensor", call(x(3)), call(3.0), call([1.0]))
entry("is_floating_point is_complex is_nonzero", call(x(1)), call(integers(1)), call(mask(1)))
entry("Tensor.__contains__", call(x(3), 5.0), call(integers(5, below=3), 1), call(integers(5, below=3), 7))
UNDIFFERENTIABLE = {
    check: "there the gradient passes as if nothing had been written" for check in ("gradient", "gradgrad")
}
for name in ("and", "or", "xor"):
    entry(
        f"Tensor.logical_{name}_",
        *binary()[:6],
        call(mask(2, 3), mask(3, salt=1)),
        without=UNDIFFERENTIABLE | {"shapes": "as above", "values": "as above"},
    )
entry(
    "Tensor.logical_not_",
    *unary(),
    call(mask(2, 3)),
    without=UNDIFFERENTIABLE | {"shapes": "as above", "values": "as above"},
)
