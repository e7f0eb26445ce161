"""Arithmetic, elementary functions and activations: element by element."""

import numpy as np
from scipy import special

from ..arrays import index, integers, mask, x
from .entry import call, entry, exclude


def unary(kind="normal", **more):
    """A function of one array, in shapes down to none at all."""
    return tuple(call(x(*shape, kind=kind), **more) for shape in ((2, 3), (), (0, 3), (3, 1, 4), (37,)))


def binary(a="normal", b="normal", **more):
    """A function of two arrays that broadcast, or of an array and a number."""
    pairs = (((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ()), ((3, 1), (3, 4)), ((0, 3), (3,)), ((), ()))
    return (
        *(call(x(*s, kind=a), x(*t, kind=b, salt=1), **more) for s, t in pairs),
        call(x(2, 3, kind=a), 2, **more),
        call(x(2, 3, kind=a), 2.5, **more),
    )


def operators(names, *calls, **more):
    """Operators take no options."""
    entry(names, *(c for c in calls if not c.kwargs), **more)


ints = (call(integers(2, 3), integers(3, salt=1)), call(integers(2, 3), 2), call(integers(4, dtype="int32"), 3))

for name in ("abs", "sign", "exp", "square", "sin", "cos", "tanh", "sinh", "cosh", "expm1", "floor", "ceil",
             "trunc", "deg2rad", "rad2deg", "positive", "exp2", "tan"):  # fmt: skip
    entry(name, *unary(), call(integers(2, 3)), formula=getattr(np, name))
for name, formula in {
    "neg": np.negative, "absolute": np.abs, "negative": np.negative, "sgn": np.sign, "sigmoid": special.expit,
    "atan": np.arctan, "arctan": np.arctan, "erf": special.erf, "erfc": special.erfc, "fix": np.trunc, "sinc": np.sinc,
    "frac": lambda a: a - np.trunc(a), "asinh": np.arcsinh, "arcsinh": np.arcsinh,
}.items():  # fmt: skip
    entry(name, *unary(), call(integers(2, 3)), formula=formula)
entry("relu", *unary(), call(integers(2, 3)), formula=lambda a: np.maximum(a, 0))
entry("round", *unary(), call(x(2, 3), decimals=1), call(x(2, 3), decimals=-1), call(integers(2, 3)),
      formula=lambda a, decimals=0: np.round(a, decimals))  # fmt: skip
for name, formula in {
    "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sqrt": np.sqrt,
    "rsqrt": lambda a: 1 / np.sqrt(a), "reciprocal": lambda a: 1 / a,
}.items():  # fmt: skip
    entry(name, *unary("positive"), call(x(2, 3)), call(integers(2, 3)), formula=formula)
for name, formula in {"asin": np.arcsin, "acos": np.arccos, "atanh": np.arctanh, "arctanh": np.arctanh,
                      "arcsin": np.arcsin,
                      "arccos": np.arccos}.items():  # fmt: skip
    entry(name, *unary("unit"), call(x(2, 3)), formula=formula)
entry("acosh arccosh", call(x(2, 3, kind="positive")), call(x(3)), formula=np.arccosh)
entry(
    "logit",
    *unary("unit"),
    call(x(3), eps=0.1),
    call(x(3), 0.1),
    without={"values: zero": "the slope at -0 depends on where a vector ends there"},
)

entry(
    "add",
    *binary(),
    *ints,
    call(x(2, 3), x(3, salt=1), alpha=2),
    call(x(2, 3), 3, alpha=0.5),
    call(integers(3), integers(3, salt=1), alpha=2),
)
entry("sub subtract", *binary(), *ints, call(x(2, 3), x(3, salt=1), alpha=2), call(x(2, 3), 3, alpha=0.5))
operators("__add__ __radd__ __iadd__ __sub__ __isub__", *binary(), *ints)
operators(
    "__pow__ __ipow__",
    *binary("positive"),
    call(x(2, 3), -1),
    call(x(2, 3), 0),
    call(x(2, 3), 3),
    call(integers(2, 3), 2),
    call(integers(3), 0.5),
)
entry("rsub __rsub__", call(x(2, 3), 2), call(x(2, 3), 2.5), call(integers(3), 2.5), call(x(3), x(2, 3, salt=1)))
entry("mul multiply", *binary(), *ints, formula=np.multiply)
div_calls = (*binary(b="positive"), call(x(2, 3), x(3, salt=1)), *ints, call(integers(2, 3), 0), call(x(3), 0))
entry(
    "div divide",
    *div_calls,
    *(call(*c.args, rounding_mode=mode) for mode in ("floor", "trunc") for c in div_calls[:9]),
    call(integers(4), index(4, below=3, salt=3), rounding_mode="floor"),
    call(x(3), x(3, salt=1), rounding_mode=None),
)
entry("__truediv__ __itruediv__ true_divide", *div_calls)
entry("__rtruediv__", call(x(2, 3, kind="positive"), 2), call(integers(3), 2.5), call(x(3), x(2, 3, salt=1)))
entry(
    "floor_divide __floordiv__ __ifloordiv__ remainder __mod__ __imod__ fmod",
    *div_calls,
    call(integers(2, 3), -2),
    call(x(2, 3), -2),
)
entry("__rfloordiv__ __rmod__", call(x(2, 3, kind="positive"), 2), call(integers(3, below=1), 2.5))
entry(
    "pow float_power",
    *binary("positive"),
    *binary(b="positive"),
    call(x(2, 3), -1),
    call(x(2, 3), 0),
    call(x(2, 3), 3),
    call(x(3), 0.5),
    call(integers(2, 3), 2),
    call(integers(3), integers(3, salt=1)),
    call(integers(3), 0.5),
    call(integers(3), 2.0),
    call(integers(3), -1),
)
entry(
    "tinyconv.pow",
    *binary("positive"),
    call(2, x(2, 3)),
    call(2.5, integers(3)),
    call(2, integers(3)),
    call(0, x(3)),
    call(x(2, 3), 3),
)
entry("__rpow__", call(x(2, 3), 2), call(integers(3), 2), call(integers(3), 2.5))
entry("maximum minimum fmax fmin", *binary()[:6], *ints[:1], call(x(2, 3, kind="distinct"), x(3, kind="distinct")))
entry("atan2 arctan2 hypot logaddexp logaddexp2 heaviside", *binary()[:6])
entry("xlogy", *binary("normal", "positive"), call(x(3), 0))
entry(
    "lerp",
    call(x(2, 3), x(2, 3, salt=1), 0.3),
    call(x(2, 3), x(3, salt=1), x(2, 3, salt=2)),
    call(x(3), x(3, salt=1), 0.8),
    call(x(), x(3, salt=1), 0.5),
)
entry(
    "addcmul addcdiv",
    call(x(2, 3), x(2, 3, salt=1), x(3, salt=2, kind="positive")),
    call(x(2, 3), x(2, 1, salt=1), x(3, salt=2, kind="positive"), value=0.5),
    call(x(0, 3), x(3, salt=1), x(3, salt=2)),
    without={"values: [0, 3]": "of no elements NaN may or may not come"},
)
entry(
    "clamp clip",
    *unary(min=-0.5, max=0.5),
    call(x(2, 3), -0.5, 0.5),
    call(x(2, 3), min=0.1),
    call(x(2, 3), max=0.1),
    call(x(2, 3), 0.5, -0.5),
    call(x(2, 3), x(3, salt=1), x(2, 1, salt=2)),
    call(x(2, 3), min=x(2, 3, salt=1)),
    call(x(2, 3), max=x(3, salt=1)),
    call(integers(2, 3), 2, 5),
    call(integers(2, 3), 2.5),
    call(x(2, 3, dtype="float64"), 0, 1),
    rejected=(call(x(3)), call(x(3), 0, x(3))),
)
entry("clamp_min clamp_max", call(x(2, 3), 0.1), call(x(2, 3), x(3, salt=1)), call(integers(3), 2), call(x(0), 1))
entry(
    "nan_to_num",
    *unary(),
    call(x(4, special="nan"), 1.0),
    call(x(9, special="infinite"), nan=0.5, posinf=2.0, neginf=-3.0),
    call(integers(3)),
)
entry(
    "bitwise_and bitwise_or bitwise_xor",
    call(integers(2, 3), integers(3, salt=1)),
    call(mask(2, 3), mask(3, salt=1)),
    call(integers(4), 5),
    call(mask(3), True),
    call(integers(4, dtype="int32"), integers(4)),
    rejected=(call(x(3), x(3)),),
)
entry("bitwise_not", call(integers(2, 3)), call(mask(2, 3)), call(integers(3, dtype="uint8")), rejected=(call(x(3)),))
entry(
    "bitwise_left_shift bitwise_right_shift __lshift__ __rshift__ __ilshift__ __irshift__",
    call(integers(2, 3), integers(3, below=4, salt=1)),
    call(integers(4), 2),
)
entry("__rlshift__ __rrshift__", call(integers(3, below=4), 2))

# --------------------------------------------------------------------------------------------------------- activations

entry("F.relu", *unary(), call(x(2, 3), inplace=False), call(integers(2, 3)))
entry("F.tanh F.sigmoid", *unary())
SIXTH = {"gradient: float64": "1/6 is a float32 there"}
entry(
    "F.relu6 selu F.selu F.silu F.mish F.hardswish F.softsign F.tanhshrink F.logsigmoid",
    *unary(),
    call(x(2, 3)),
)
entry("F.hardsigmoid", *unary(), call(x(2, 3)), without=SIXTH)
entry(
    "celu F.celu F.elu",
    *unary(),
    call(x(2, 3), 0.5),
    call(x(2, 3), alpha=1.5),
    without={"values: nan": "NaN or its neighbour's slope, by vector width there"},
)
entry("F.leaky_relu", *unary(), call(x(2, 3), 0.2), call(x(2, 3), negative_slope=-0.2))
entry(
    "prelu F.prelu Tensor.prelu",
    call(x(2, 3, 2), x(3, salt=1)),
    call(x(2, 3), x(1)),
    call(x(4), x(1)),
    call(x(0, 3), x(3)),
)
entry("rrelu F.rrelu", call(x(2, 3)), call(x(2, 3), 0.1, 0.3), random=True)
entry(
    "F.gelu",
    *unary(),
    call(x(2, 3), approximate="tanh"),
    call(x(2, 3), approximate="none"),
    formula=lambda a, approximate="none": (
        a * special.ndtr(a)
        if approximate == "none"
        else 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))
    ),
    without={"values: infinite": "the vectorized code there gives NaN"},
)
entry(
    "F.hardtanh",
    *unary(),
    call(x(2, 3), -0.5, 0.25),
    call(x(2, 3), min_val=0.0),
    without={"dtypes: uint8": "without negative limits"},
)
entry("F.softplus", *unary(), call(x(2, 3), 2), call(x(2, 3), beta=3, threshold=1), call(x(2, 3), threshold=0.5))
entry("hardshrink F.hardshrink F.softshrink Tensor.hardshrink", *unary(), call(x(2, 3), 0.2))
entry(
    "threshold F.threshold",
    call(x(2, 3), 0.1, 2.0),
    call(x(), 0.1, 2.0),
    call(x(0, 2), 0, 1),
    call(x(2, 3), threshold=0.1, value=-1.0),
)
entry(
    "F.glu",
    call(x(2, 4)),
    call(x(4, 3), 0),
    call(x(2, 6, 3), dim=1),
    call(x(0, 4)),
    rejected=(call(x(2, 3)), call(x())),
)
entry(
    "softmax log_softmax F.softmax F.log_softmax",
    call(x(2, 3), 1),
    call(x(2, 3), dim=0),
    call(x(2, 3, 4, 2), dim=1),
    call(x(2, 3, 4), -1),
    call(x(), 0),
    call(x(0, 3), 1),
    call(x(2, 0), 1),
    call(x(2, 1), 1),
    call(integers(2, 3), 1),
    call(x(3), 0),
    call(x(2, 37), 1),
    rejected=(call(x(2, 3), 2), call(x(2, 3), -3)),
)
entry("F.softmin", call(x(2, 3), 1), call(x(2, 3), dim=0), call(x(2, 3, 4), -1))
entry("F.gumbel_softmax", call(x(2, 3)), call(x(2, 3), tau=0.5, hard=True), call(x(3, 2), dim=0), random=True)
entry("Tensor.__pos__", *unary(), call(integers(3)))
exclude("Tensor.__abs__", "spelled Tensor.abs")
entry("F.relu_", *unary(), call(integers(2, 3)))
entry("F.selu_", *unary(), without={"values: nan": "there the slope at NaN is NaN in place"})
entry(
    "F.celu_ F.elu_",
    *unary(),
    call(x(2, 3), alpha=1.5),
    without={"values: nan": "there the slope at NaN is NaN in place"},
)
exclude("Tensor.float_power_", "wants a float64 tensor there; here it writes what fits")
