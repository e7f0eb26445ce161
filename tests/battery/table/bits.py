"""Signs, fractions and exponents of numbers, common divisors, and what complex numbers have."""

import numpy as np

from ..arrays import integers, mask, x
from .arithmetic import binary, ints, unary
from .entry import call, entry

entry(
    "copysign",
    *binary(),
    *ints,
    call(x(2, 3), -1),
    call(x(2, 3), -0.0),
    call(x(2, 3), x(3, special="zero")),
    without={"values: nan": "there the gradient is NaN, too", "values: infinite": "as above"},
    formula=lambda a, b: np.copysign(a, b, dtype="float32" if a.dtype.kind != "f" else a.dtype),
)
entry("signbit", *unary(), call(integers(2, 3)), call(mask(3)), formula=lambda a: np.signbit(a) & (a.dtype.kind != "b"))
entry("nextafter", *binary()[:6], formula=np.nextafter)
entry("frexp", *unary(), formula=np.frexp, rejected=(call(integers(2)),))
entry("ldexp", call(x(2, 3), integers(3)), call(integers(2, 3), integers(3, salt=1)), call(x(3), x(3, salt=1)))
for name in ("gcd", "lcm"):
    entry(
        name,
        call(integers(2, 3), integers(3, salt=1)),
        call(integers(4, dtype="int32"), integers(4, salt=1)),
        call(integers(0, 3), integers(3)),
        call(integers(), integers(2, salt=1)),
        formula=getattr(np, name),
        rejected=(call(x(2), x(2)),),
    )
entry("real tinyconv.conj Tensor.conj", *unary(), call(integers(2, 3)))
entry("angle", *unary(), call(integers(2, 3)))
