"""One table of every differentiable operation: what ``test_gradients.py`` checks against calculus and against PyTorch.

A case is a function of a library (tinyconv, or PyTorch for comparison) and of tensors, and the shapes of the tensors.
It is filed under the ``Function`` it is there for; a Function without a case is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import tinyconv
from tinyconv.ops.activation import (
    Activation,
    Gelu,
    GeluTanh,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    LogSigmoid,
    ReLU,
    ReLUGx,
    Sigmoid,
    SigmoidGx,
    SiLU,
    Tanh,
    TanhGx,
)
from tinyconv.ops.bits import NextAfter
from tinyconv.ops.compare import Clamp, Compare, Maximum, Minimum, Where
from tinyconv.ops.complex import Angle
from tinyconv.ops.conv import Conv2d, Conv2dGw, Conv2dGx, ConvTranspose2d
from tinyconv.ops.convert import Cast, ToDevice
from tinyconv.ops.cumulative import Cumprod, Cumsum, Leaders, Prod
from tinyconv.ops.decomposition import QR, SVD, Cholesky, Det, Eigh, Slogdet, Solve
from tinyconv.ops.diagonal import Diagonal
from tinyconv.ops.dropout import Dropout
from tinyconv.ops.elementary import GRADIENTS, Atan2, Elementary, Exp, Hypot, Log, LogAddExp, Logit, Sqrt
from tinyconv.ops.elementwise import Abs, Add, Div, Lerp, Mul, Neg, Pow, Remainder, RoundedDiv, Sign, Sub
from tinyconv.ops.embedding import Embedding
from tinyconv.ops.fold import Fold, Unfold
from tinyconv.ops.fused import Conv2dReLUMaxPool2d, LinearReLU, conv2d_relu_max_pool2d, linear_relu
from tinyconv.ops.gamma import StandardGamma
from tinyconv.ops.index import Gather, Scatter, Slice, Write
from tinyconv.ops.inplace import Fill
from tinyconv.ops.join import Cat
from tinyconv.ops.loss import CrossEntropy, NLLLoss, ToTargets
from tinyconv.ops.lu import LU
from tinyconv.ops.matmul import Linear, LinearGw, MatMul
from tinyconv.ops.norm import BatchNorm, LayerNorm, Normalize
from tinyconv.ops.pad import Pad
from tinyconv.ops.pool import AtWinners, AvgPool2d, AvgPool2dGx, MaxPool2d, ToWinners
from tinyconv.ops.probability_loss import BinaryCrossEntropy
from tinyconv.ops.pseudoinverse import Pinv
from tinyconv.ops.rearrange import Flip
from tinyconv.ops.recurrent import LSTMCell, Pieces
from tinyconv.ops.reduce import Extreme, Mean, Pick, Sum, WithoutNaN
from tinyconv.ops.regression_loss import Huber, MseLoss
from tinyconv.ops.scatter_reduce import ScatterExtreme
from tinyconv.ops.shape import Clone, Expand, Permute, Reinterpret, View, Windows
from tinyconv.ops.softmax import LogSoftmax, Softmax
from tinyconv.ops.sort import MedianOfAll, Sort
from tinyconv.ops.special import GRADIENTS as OF_SPECIAL
from tinyconv.ops.special import Entr, Special, Zeta
from tinyconv.ops.statistics import Variance
from tinyconv.ops.storage import AsStrided


@dataclass(frozen=True)
class Case:
    function: type
    name: str
    compute: Callable
    shapes: tuple
    check: dict = field(default_factory=dict)  # options for gradcheck
    peer: bool = True  # whether PyTorch can run it

    def __str__(self) -> str:
        return f"{self.function.__name__}-{self.name}"


CASES: list[Case] = []


def gradient(m, y, x):
    """dy/dx with its history, for Functions that only third derivatives go back through."""
    return m.autograd.grad(y, x, create_graph=True)[0]


def case(function: type, name: str, compute: Callable, *shapes: tuple, peer: bool = True, **check) -> None:
    CASES.append(Case(function, name, compute, shapes, check, peer))


# Functions that no case can reach: one needs a second device (tests/kernels/test_opaque.py has one), two have no
# gradient, that of random numbers is no difference of two draws (test_gamma.py); one is what others have in common.
WITHOUT_CASE = {Activation, Compare, Reinterpret, StandardGamma, ToDevice}


# ---------------------------------------------------------------------------------------------------------- elementwise

for name, shapes in {
    "same": ((2, 3), (2, 3)),
    "row": ((2, 3), (3,)),
    "outer": ((2, 1), (1, 3)),
    "0-d": ((), (2, 2)),
    "0-d both": ((), ()),
    "middle": ((2, 1, 2), (1, 3, 1)),
    "empty": ((0, 3), (3,)),
}.items():
    case(Add, name, lambda m, a, b: a + b, *shapes)
    case(Sub, name, lambda m, a, b: a - b, *shapes)
    case(Mul, name, lambda m, a, b: a * b, *shapes)
    case(Div, name, lambda m, a, b: a / (b * b + 0.5), *shapes)
    case(Pow, name, lambda m, a, b: (a * a + 0.5) ** b, *shapes)
    case(Maximum, name, lambda m, a, b: m.maximum(a, b), *shapes)
    case(Minimum, name, lambda m, a, b: m.minimum(a, b), *shapes)
    case(Where, name, lambda m, a, b: m.where(a.detach() > 0, a, b), *shapes)

case(NextAfter, "row", lambda m, a, b: m.nextafter(a, b) * a, (2, 3), (3,))
case(Add, "alpha", lambda m, a, b: m.add(a, b, alpha=3), (2, 3), (3,))
case(Sub, "alpha", lambda m, a, b: m.sub(a, b, alpha=3), (2, 3), (3,))
case(Add, "numbers", lambda m, x: (x + 2, 2 + x, x + True), (2, 3))
case(Sub, "numbers", lambda m, x: (x - 2, 2 - x), (2, 3))
case(Mul, "numbers", lambda m, x: (x * 2.5, 2.5 * x), (2, 3))
case(Mul, "square", lambda m, x: x * x, (2, 3))
case(Div, "numbers", lambda m, x: (x / 2, 2 / (x * x + 1)), (2, 3))
case(Pow, "exponents", lambda m, x: (x**3, x**2.0, x**1, (x * x + 0.5) ** -1.5), (2, 3))
case(Pow, "zero", lambda m, x: x**0, (2, 3))
case(Pow, "base", lambda m, x: 2.0**x, (2, 3))
case(Pow, "zero exponents", lambda m, x: (x * 0 + 3) ** m.tensor([0.0, 1.0, 2.0], dtype=x.dtype) + x**2, (2, 3))
case(Where, "numbers", lambda m, x: (m.where(x.detach() > 0, x, 0.0), m.where(x.detach() > 0, 1.0, x)), (2, 3))
case(RoundedDiv, "", lambda m, a, b: (a / 0.3).div(b * b + 0.5, rounding_mode="floor") * a, (2, 3), (3,))
case(
    RoundedDiv,
    "towards zero",
    lambda m, a, b: (a / 0.3).div(b * b + 0.5, rounding_mode="trunc") * a,
    (2, 3),
    (3,),
)
case(Remainder, "", lambda m, a, b: (a / 0.3) % (b * b + 0.5), (2, 3), (3,))
case(Remainder, "fmod", lambda m, a, b: m.fmod(a / 0.3, b * b + 0.5), (2, 3), (2, 1))
case(Remainder, "numbers", lambda m, x: (x % 0.7, m.fmod(x, 0.7)), (2, 3))
case(Remainder, "of a number", lambda m, x: 0.7 % (x * x + 0.5), (2, 3), peer=False)  # PyTorch has no gradient
case(Lerp, "", lambda m, a, b, w: (m.lerp(a, b, w), a.lerp(b, 0.3), a.lerp(b, 1.5)), (2, 3), (3,), (2, 1))
case(Mul, "addcmul", lambda m, a, b, c: (m.addcmul(a, b, c, value=0.5), a.addcmul(b, c)), (2, 3), (3,), (2, 1))
case(Div, "addcdiv", lambda m, a, b, c: m.addcdiv(a, b, c * c + 0.5, value=2), (2, 3), (3,), (2, 1))
case(Div, "reciprocal", lambda m, x: (m.reciprocal(x * x + 1), m.rsqrt(x * x + 1), m.square(x)), (2, 3))
case(Clamp, "numbers", lambda m, x: (x.clamp(-0.5, 0.5), x.clamp(min=0.1), m.clamp_max(x, 0.1), x.clip(1, -1)), (3, 4))
case(Clamp, "tensors", lambda m, x, a, b: (x.clamp(a, b), x.clamp(min=a), x.clamp(max=b)), (3, 4), (4,), (3, 1))
case(Where, "fmax", lambda m, a, b: (m.fmax(a, b), m.fmin(a, b)), (2, 3), (3,))
case(Where, "nan to num", lambda m, x: m.nan_to_num(x * x), (2, 3))
case(Neg, "", lambda m, x: -x, (2, 3))
case(Sign, "", lambda m, x: m.sign(x) * x, (2, 3))
case(Angle, "", lambda m, x: m.angle(x) * x, (2, 3))
case(Abs, "", lambda m, x: abs(x), (2, 3))
case(Exp, "", lambda m, x: x.exp(), (2, 3))
case(Log, "", lambda m, x: (x * x + 0.1).log(), (2, 3))
case(Sqrt, "", lambda m, x: (x * x + 0.1).sqrt(), (2, 3))

INSIDE = {  # what brings a number into the domain
    "acos": lambda m, x: m.tanh(x) * 0.9, "asin": lambda m, x: m.tanh(x) * 0.9, "atanh": lambda m, x: m.tanh(x) * 0.9,
    "acosh": lambda m, x: x * x + 1.5, "log1p": lambda m, x: x * x - 0.5, "log2": lambda m, x: x * x + 0.1,
    "log10": lambda m, x: x * x + 0.1,
}  # fmt: skip
for name in GRADIENTS:
    inside = INSIDE.get(name, lambda m, x: x)
    case(Elementary, name, lambda m, x, n=name, f=inside: (getattr(m, n)(f(m, x)), x * x), (2, 3))
case(Elementary, "decimals", lambda m, x: (m.round(x, decimals=1) + x, x.round(decimals=-1) * x, m.frac(x)), (2, 3))
SPECIAL_INSIDE = {name: lambda m, x: m.sigmoid(x) * 0.9 + 0.05 for name in ("erfinv", "ndtri")} | {
    name: lambda m, x: x * x + 0.3 for name in ("lgamma", "digamma")
}
for name in OF_SPECIAL:
    inside = SPECIAL_INSIDE.get(name, lambda m, x: x)
    spelled = {"lgamma": "gammaln"}.get(name, name)
    case(Special, name, lambda m, x, n=spelled, f=inside: (getattr(m.special, n)(f(m, x)), x * x), (2, 3),
         peer=name != "digamma")  # fmt: skip
case(Special, "bessel", lambda m, x: (m.special.i0(x), m.special.i1(x)), (2, 3))
case(Zeta, "", lambda m, x: m.special.zeta(3.0, x * x + 0.5) + m.polygamma(2, x * x + 0.5), (2, 3))
case(Zeta, "trigamma", lambda m, x: m.polygamma(1, x), (2, 3), peer=False)  # theirs has fewer digits
case(Entr, "", lambda m, x: m.special.entr(x * x + 0.1), (2, 3))
case(Mul, "xlog1py", lambda m, a, b: m.special.xlog1py(a, b * b), (2, 3), (3,))
case(Atan2, "", lambda m, a, b: m.atan2(a, b), (2, 3), (3,))
case(Hypot, "", lambda m, a, b: m.hypot(a, b), (2, 3), (3,))
case(LogAddExp, "", lambda m, a, b: m.logaddexp(a, b), (2, 3), (3,))
case(Log, "xlogy", lambda m, a, b: (m.xlogy(a, b * b + 0.1), m.xlogy(a, 2.5), m.xlogy(2, b * b + 0.1)), (2, 3), (3,))
case(Logit, "", lambda m, x: (m.logit(m.tanh(x) * 0.4 + 0.5), m.logit(x, eps=0.2)), (2, 3))
case(Mul, "degrees", lambda m, x: (m.deg2rad(x), m.rad2deg(x)), (2, 3))
case(Pow, "float_power", lambda m, x: m.float_power(x, 2), (2, 3))
case(Tanh, "", lambda m, x: m.tanh(x), (2, 3))
case(TanhGx, "twice", lambda m, x: m.tanh(m.tanh(x)), (2, 3))
case(Sigmoid, "", lambda m, x: m.sigmoid(x), (2, 3))
case(SigmoidGx, "twice", lambda m, x: m.sigmoid(m.sigmoid(x)), (2, 3))
case(ReLU, "", lambda m, x: m.relu(x), (3, 4))
case(ReLUGx, "curved", lambda m, x: m.relu(x) ** 3, (3, 4))
for name, options in (
    ("rrelu", {"lower": 0.1, "upper": 0.4}), ("threshold", {"threshold": 0.2, "value": 3.0}), ("hardshrink", {}),
    ("softshrink", {"lambd": 0.3}),
):  # fmt: skip
    case(Where, name, lambda m, x, n=name, o=options: getattr(m.nn.functional, n)(x, **o) * x, (3, 4))
for name, options in (
    ("elu", {"alpha": 0.7}), ("celu", {"alpha": 1.5}), ("selu", {}), ("softplus", {}),
    ("softplus", {"beta": 3.0, "threshold": 1.0}),
):  # fmt: skip
    case(Where, f"{name} {options}", lambda m, x, n=name, o=options: getattr(m.nn.functional, n)(x, **o), (3, 4))
for name, options in (("mish", {}), ("glu", {"dim": 1})):
    case(Mul, f"{name} {options}", lambda m, x, n=name, o=options: getattr(m.nn.functional, n)(x, **o), (3, 4))
for function, name, options in (
    (LeakyReLU, "leaky_relu", {"negative_slope": 0.2}), (Hardtanh, "hardtanh", {"min_val": -0.4, "max_val": 0.9}),
    (Hardtanh, "relu6", {}), (Hardswish, "hardswish", {}), (SiLU, "silu", {}), (Gelu, "gelu", {}),
    (GeluTanh, "gelu", {"approximate": "tanh"}),
):  # fmt: skip
    case(function, name, lambda m, x, n=name, o=options: getattr(m.nn.functional, n)(x, **o) * x, (3, 4))
case(Sub, "tanhshrink", lambda m, x: m.nn.functional.tanhshrink(x), (3, 4))
case(Div, "softsign", lambda m, x: m.nn.functional.softsign(x), (3, 4))
case(LogSigmoid, "", lambda m, x: m.nn.functional.logsigmoid(x), (3, 4))
# PyTorch takes 1/6 as a float32 in its gradient.
case(Hardsigmoid, "", lambda m, x: m.nn.functional.hardsigmoid(x) * x, (3, 4), peer=False)
case(Where, "prelu", lambda m, x, w: m.nn.functional.prelu(x, w), (2, 3, 2), (3,))
case(Where, "prelu one", lambda m, x, w: m.nn.functional.prelu(x, w), (4,), (1,))


def activated(m, x):
    """Activations that overwrite their input, each a product that may need its own gradient's inputs."""
    F, y = m.nn.functional, x * 1.5
    for f in (F.silu, F.mish, F.hardswish, F.elu, F.selu, F.celu, F.leaky_relu, F.hardtanh, F.relu6):
        y = f(y + 0.1, inplace=True)
    return y


case(Mul, "activations in place", activated, (3, 4))
case(Cast, "there and back", lambda m, x: x.to(m.float32).to(x.dtype) * x, (2, 3), eps=1e-2, atol=1e-3)

# ---------------------------------------------------------------------------------------------------------------- shape

case(View, "view", lambda m, x: x.view(3, -1), (2, 3))
case(View, "reshape", lambda m, x: x.t().reshape(6), (2, 3))
case(View, "flatten", lambda m, x: (x.flatten(), x.flatten(1), m.flatten(x, 0, 1)), (2, 3, 2))
case(View, "squeeze", lambda m, x: (x.squeeze(), x.squeeze(1), x.unsqueeze(0), x.unsqueeze(-1)), (2, 1, 3))
case(View, "unflatten", lambda m, x: x.unflatten(1, (2, -1)), (2, 4))
case(Clone, "", lambda m, x: x.clone(), (2, 3))
case(Clone, "contiguous", lambda m, x: x.t().contiguous() * 2, (2, 3))
case(Permute, "", lambda m, x: x.permute(2, 0, 1), (2, 3, 4))
case(Permute, "transposes", lambda m, x: (x.transpose(0, -1), x.mT), (2, 3, 4))
case(Permute, "t", lambda m, x: (x.t(), x.T), (2, 3))
case(Expand, "", lambda m, x: (x.expand(4, 2, 3), x.expand(-1, -1, 3)), (1, 2, 1))
case(Expand, "0-d", lambda m, x: x.expand(2, 3), ())
case(Flip, "", lambda m, x: (x.flip(0), m.flip(x, (0, 1))), (2, 3))
case(Cat, "", lambda m, a, b: m.cat([a, b, a], 1), (2, 3), (2, 1))
case(Pad, "", lambda m, x: m.nn.functional.pad(x, (1, 2, 0, 1), value=3.0) ** 2, (2, 3))
for mode in ("reflect", "replicate", "circular"):
    case(Gather, f"pad {mode}", lambda m, x, o=mode: m.nn.functional.pad(x, (2, 1, 0, 2), o) ** 2, (2, 2, 3, 4))
case(Pad, "crop", lambda m, x: m.nn.functional.pad(x, (-1, 2, 1, -1)) ** 2, (3, 3))
case(Cat, "stack", lambda m, a, b: (m.stack([a, b]), m.stack([a, b], -1)), (2, 3), (2, 3))

# ------------------------------------------------------------------------------------------------------------- indexing

case(Diagonal, "", lambda m, x: (x.diagonal(), x.diagonal(1, 0, 2) ** 2, m.diagonal(x, -1, -1, 0)), (3, 2, 4))
case(Diagonal, "matrix", lambda m, x: (x.diag(), x.diag(1), x.trace(), x[0].diag(-1) ** 2, m.diag_embed(x, 1)), (2, 3))
case(Where, "triangles", lambda m, x: (x.tril(), x.triu(1), m.tril(x, -1)), (2, 3, 3))
case(Windows, "", lambda m, x: (x.unfold(1, 2, 1), x.unfold(0, 3, 2) ** 2), (5, 4))
case(Permute, "movedim", lambda m, x: (x.movedim(0, 2), m.movedim(x, (0, 1), (2, 0)), x.swapaxes(0, 1)), (2, 3, 4))
case(Slice, "pieces", lambda m, x: (*x.split(2), *x.chunk(2, 1), *m.split(x, [1, 4]), *x.unbind(1)), (5, 3))
case(Slice, "gradient", lambda m, x: (*m.gradient(x, spacing=2.0), *m.gradient(x, dim=0, edge_order=2,
     spacing=[m.tensor([0.0, 1.0, 3.0, 3.5], dtype=x.dtype)])), (4, 3))  # fmt: skip
case(Slice, "more pieces", lambda m, x: (*m.tensor_split(x, 3), *x.tensor_split((1, 2)), x.narrow(0, 1, 2)), (5, 3))
case(Cat, "stacks", lambda m, a, b: (m.hstack([a, b]), m.vstack([a, b]), m.dstack([a, b]), m.column_stack([a, b])),
     (2, 3), (2, 3))  # fmt: skip
case(Cat, "roll", lambda m, x: (x.roll(1), x.roll((1, -1), (0, 1)) ** 2), (3, 4))
case(Flip, "rot90", lambda m, x: (m.rot90(x), m.rot90(x, 2), m.rot90(x, 3) ** 2, x.fliplr(), x.flipud()), (3, 4))
case(Expand, "repeat", lambda m, x: (x.repeat(2, 1, 2) ** 2, m.tile(x, (2,)), x.repeat_interleave(2, 1)), (2, 3))
case(Gather, "repeat_interleave", lambda m, x: x.repeat_interleave(m.tensor([2, 0, 1]), 1) ** 2, (2, 3))
case(Expand, "meshgrid", lambda m, a, b: (*m.meshgrid(a, b, indexing="ij"), *m.broadcast_tensors(a, b[:1])), (3,), (2,))
case(Gather, "gather", lambda m, x: x.gather(1, m.tensor([[0, 0, 2], [1, 0, 1]])) ** 2, (3, 4))
case(Gather, "by name", lambda m, x: (x.index_select(0, m.tensor([2, 0, 2])) ** 2, x.take(m.tensor([0, 5])),
     m.take_along_dim(x, x.detach().argsort(1), 1), x.masked_select(x.detach() > 0) ** 2), (3, 4))  # fmt: skip
case(Scatter, "scatter_add", lambda m, x, y: x.scatter_add(1, m.tensor([[0, 0, 2], [1, 0, 1]]), y) ** 2, (3, 4), (2, 3))
case(Scatter, "index_add", lambda m, x, y: x.index_add(1, m.tensor([0, 0, 3]), y, alpha=2) ** 2, (2, 4), (2, 3))
case(Write, "scatter", lambda m, x, y: (x.scatter(1, m.tensor([[0, 3], [1, 0]]), y) ** 2,
     x.scatter(0, m.tensor([[0, 2]]), 2.0) ** 2), (3, 4), (2, 2))  # fmt: skip
case(Write, "put", lambda m, x, y: (m.put(x, m.tensor([0, 5, -1]), y) ** 2,
     x.put(m.tensor([1, 1, 2]), y, accumulate=True) ** 2), (2, 4), (3,))  # fmt: skip
case(Write, "scatter a corner", lambda m, x, y: x.scatter(1, m.tensor([[0, 3], [1, 0]]), y) ** 2, (3, 4), (3, 3),
     peer=False)  # fmt: skip
case(Write, "by name", lambda m, x, y: (x.index_fill(0, m.tensor([1]), 2.0), x.index_copy(1, m.tensor([2, 0]), y) ** 2,
     x.masked_scatter(m.tensor([True, False, False, True]), y)), (2, 4), (2, 2))  # fmt: skip
case(
    Where,
    "masked_fill",
    lambda m, x, v: (x.masked_fill(x.detach() > 0, 2.0), x.masked_fill(x.detach() < 0, v)),
    (3, 4),
    (),
)
case(Slice, "", lambda m, x: (x[1], x[:, 1:], x[..., 0], x[None, ::2], x[-1, 1:3]), (3, 4))
case(Slice, "iteration", lambda m, x: list(x), (3, 2))
case(Gather, "list", lambda m, x: x[[0, 2, 0]], (3, 2))
case(Gather, "mask", lambda m, x: x[m.tensor([True, False, True])], (3, 2))
case(Gather, "tensors", lambda m, x: x[m.tensor([0, 1, 0]), m.tensor([1, 1, 1])], (3, 2))
case(Gather, "mixed", lambda m, x: x[1:, m.tensor([[0, 1], [1, 1]])], (3, 2))
case(Scatter, "gather twice", lambda m, x: x[[0, 0, 1]][[2, 0, 0]] ** 2, (3, 2))


def write(m, x, value):
    y = x * 1
    y[1:, 0] = value
    y[m.tensor([0, 2])] = y[m.tensor([2, 0])] * 2
    y[0] = 3.0
    return y


case(Write, "", write, (3, 2), (2,))
case(Write, "broadcast", write, (3, 2), ())
case(
    Write,
    "unpool",
    lambda m, x: m.nn.functional.max_unpool2d(x, m.tensor([[[0, 3], [12, 10]]]), 2) ** 2,
    (1, 2, 2),
)


def fill(m, x, value):
    y = x * x
    y[0].fill_(2.0)
    y[1].fill_(value)
    y[2].copy_(x[0])
    y[3].zero_()
    return y


case(Fill, "", fill, (5, 2), ())

# ----------------------------------------------------------------------------------------------------------- reductions

case(Sum, "", lambda m, x: (x.sum(), x.sum(1), x.sum((0, 2), keepdim=True), x.sum(-1) ** 2), (2, 3, 2))
case(Mean, "", lambda m, x: (x.mean(), x.mean(1), x.mean((0, 2), keepdim=True)), (2, 3, 2))
case(Sum, "0-d", lambda m, x: (x.sum(), x.sum(0)), ())
case(Mean, "0-d", lambda m, x: (x.mean(), x.mean(0)), ())
case(Sum, "to size",
     lambda m, x: (x.sum_to_size(1, 3), x.sum_to_size(3), x.unsqueeze(0).sum_to_size(1, 3)), (2, 3))  # fmt: skip
case(Extreme, "", lambda m, x: (x.max(), x.min(), x.amax(1), x.amin((0, 2), keepdim=True)), (2, 3, 2))
case(Extreme, "ties", lambda m, x: m.cat([x, x]).amax() + m.cat([x, x]).min(), (3,), peer=True)
case(Pick, "", lambda m, x: (x.max(1)[0], x.min(0)[0], x.max(2, keepdim=True)[0], x.max(-1)[0] ** 2), (2, 3, 2))

case(Sum, "logsumexp", lambda m, x: (x.logsumexp(1), m.logsumexp(x, (0, 2), keepdim=True)), (2, 3, 2))
case(WithoutNaN, "", lambda m, x: (without_first(m, x).nansum(1), m.nanmean(without_first(m, x))), (2, 3))
case(Variance, "", lambda m, x: (x.var(), x.std(1), m.var(x, (0, 2), correction=0, keepdim=True), *m.std_mean(x, 2)),
     (2, 3, 2))  # fmt: skip
case(Extreme, "both", lambda m, x: tuple(m.aminmax(x)) + tuple(m.aminmax(x, dim=1)), (2, 3))
case(Sqrt, "norm", lambda m, x: (x.norm(), x.norm(dim=1), m.norm(x, 2, (0, 1), keepdim=True)), (2, 3))
case(Abs, "norm", lambda m, x: (x.norm(1), m.linalg.norm(x, float("inf"), 1), m.linalg.vector_norm(x, -float("inf"))),
     (2, 3))  # fmt: skip
case(Pow, "norm", lambda m, x: (x.norm(3), x.norm(1.5, dim=0), m.linalg.vector_norm(x, -2)), (2, 3))
case(Sum, "matrix norm", lambda m, x: (m.linalg.norm(x), m.linalg.norm(x, 1), m.linalg.matrix_norm(x, -float("inf"))),
     (2, 3))  # fmt: skip
case(Sub, "cross", lambda m, a, b: (m.cross(a, b, dim=1), m.linalg.cross(a, b * b)), (2, 3), (1, 3))
case(Where, "renorm", lambda m, x: (x.renorm(2, 0, 0.5), m.renorm(x, 1, 1, 0.1)), (2, 3))
case(MatMul, "powers", lambda m, x: (x.matrix_power(3), m.matrix_power(x, 4), x.matrix_power(1)), (2, 3, 3))
case(MatMul, "covariances", lambda m, x: (x.cov(), m.cov(x[0], correction=0), m.corrcoef(x)[0, 1]), (2, 4))
case(Cat, "products", lambda m, a, b: (m.block_diag(a, b), m.cartesian_prod(a[0], b), m.combinations(b)), (2, 3), (3,))
case(Mul, "trapezoid", lambda m, y, x: (m.trapezoid(y, x), m.trapz(y, dx=0.5, dim=0)), (2, 3), (3,))
case(Cumprod, "vander", lambda m, x: m.vander(x, 4), (3,), peer=False)  # PyTorch's own gradient is an error
case(Div, "sinc", lambda m, x: (m.sinc(x), m.logaddexp2(x, x[:1])), (2, 3))
case(MedianOfAll, "", lambda m, x: (x.median(), m.nanmedian(x), m.relu(x).median()), (3, 3))
case(Sqrt, "distances", lambda m, a, b: (m.dist(a, a[:1] * 2), m.cdist(a, b), m.cdist(a, b, p=1)), (2, 3), (4, 3))


def without_first(m, x):
    """``x`` with NaN as the first element."""
    hole = m.zeros(x.shape, dtype=m.bool)
    hole[(0,) * x.ndim] = True
    return x.masked_fill(hole, float("nan"))


# -------------------------------------------------------------------------------------------- running totals, sorting

case(Cumsum, "", lambda m, x: (x.cumsum(0), m.cumsum(x, -1) ** 2), (2, 3, 2))
case(Cumsum, "0-d", lambda m, x: m.cumsum(x, 0), ())
case(Cumprod, "", lambda m, x: (x.cumprod(0), m.cumprod(x, -1)), (2, 3))
case(Cumprod, "zeros", lambda m, x: m.cumprod(with_zeros(m, x), 1), (3, 4), atol=1e-4)
case(Prod, "", lambda m, x: (x.prod(), x.prod(1), m.prod(x, 0, keepdim=True)), (2, 3))
case(
    Prod,
    "zeros",
    lambda m, x: (with_zeros(m, x).prod(1), m.prod(with_zeros(m, x), 0, True), with_zeros(m, x).prod()),
    (3, 4),
)
case(Leaders, "", lambda m, x: (x.cummax(1)[0], m.cummin(x, 0).values ** 2), (3, 4))
case(Sort, "", lambda m, x: (x.sort()[0], m.sort(x, 0, descending=True).values ** 2, m.msort(x)), (3, 4))
case(Sort, "topk", lambda m, x: (x.topk(2)[0], m.topk(x, 2, 0, largest=False).values ** 2), (3, 4))
case(Gather, "order", lambda m, x: (x.median(), x.median(1).values, x.kthvalue(2, 0)[0], x.mode(1)[0]), (3, 4))
case(
    Sort,
    "nanquantile",
    lambda m, x: (m.nanquantile(m.where(x.detach() > 1, float("nan"), x), 0.3), x.nanquantile(0.5, 1)),
    (3, 4),
)
case(Sort, "quantile", lambda m, x: (x.quantile(0.3), m.quantile(x, m.tensor([0.1, 0.5], dtype=x.dtype), 1)), (3, 4))


def with_zeros(m, x):
    """``x`` with one 0 in its second row, and two in its third."""
    mask = m.ones(x.shape, dtype=x.dtype)
    mask[1, 1] = mask[2, 0] = mask[2, 2] = 0
    return x * mask


# ------------------------------------------------------------------------------------------------------ matrix products

case(MatMul, "matrices", lambda m, a, b: a @ b, (2, 3), (3, 2))
case(MatMul, "vectors", lambda m, a, b: a @ b, (3,), (3,))
case(MatMul, "row", lambda m, a, b: a @ b, (3,), (3, 2))
case(MatMul, "column", lambda m, a, b: a @ b, (2, 3), (3,))
case(MatMul, "batches", lambda m, a, b: m.matmul(a, b), (2, 1, 2, 3), (2, 3, 2))
case(MatMul, "transposed", lambda m, a, b: m.mm(a.t(), b.t()), (3, 2), (2, 3))
case(Linear, "", lambda m, x, w, b: m.nn.functional.linear(x, w, b), (2, 3), (4, 3), (4,))
case(Linear, "no bias", lambda m, x, w: m.nn.functional.linear(x, w), (2, 3), (4, 3))
case(Linear, "vector", lambda m, x, w, b: m.nn.functional.linear(x, w, b), (3,), (4, 3), (4,))
case(Linear, "3-d", lambda m, x, w, b: m.nn.functional.linear(x, w, b), (2, 2, 3), (4, 3), (4,))
case(MatMul, "by names", lambda m, a, b: (m.mm(a, b), m.mv(a, b[:, 0]), m.dot(a[0], b[:, 1])), (2, 3), (3, 2))
case(MatMul, "bmm", lambda m, a, b: (m.bmm(a, b), b.baddbmm(b, b, beta=2, alpha=3)), (2, 2, 3), (2, 3, 3))
case(MatMul, "add", lambda m, c, a, b: (m.addmm(c, a, b, beta=0.5, alpha=2), c[0].addmv(a, b[:, 1])), (2, 2), (2, 3),
     (3, 2))  # fmt: skip
case(Mul, "outer, kron", lambda m, a, b: (m.outer(a[0], b[0]), m.kron(a, b), m.inner(a, b[:, :2])), (2, 2), (3, 3))
for equation, shapes in {
    "ij,jk->ik": ((2, 3), (3, 2)),
    "bij,bjk": ((2, 2, 3), (2, 3, 2)),
    "ii->i": ((3, 3),),
    "ii": ((3, 3),),
    "...ij->...ji": ((2, 2, 3),),
    "i,j": ((2,), (3,)),
    "bn,anm,bm->ba": ((2, 3), (2, 3, 2), (2, 2)),
    "...i,...i->...": ((2, 3), (3,)),
    "iij,jk->k": ((2, 2, 3), (3, 2)),
    "ab,cd->": ((2, 2), (2, 3)),
}.items():
    function = Mul if equation in ("i,j", "ab,cd->") else MatMul if "," in equation else Permute
    case(function, equation, lambda m, *xs, e=equation: m.einsum(e, *xs), *shapes)
case(
    MatMul, "tensordot", lambda m, a, b: (m.tensordot(a, b), m.tensordot(a, b, ([1, 0], [0, 2]))), (2, 3, 2), (3, 2, 2)
)
case(
    MatMul,
    "bilinear",
    lambda m, a, b, w, c: m.nn.functional.bilinear(a, b, w, c),
    (2, 2, 3),
    (2, 2, 2),
    (4, 3, 2),
    (4,),
)
case(
    MatMul,
    "attention",
    lambda m, q, k, v: m.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True) ** 2,
    (2, 3, 4),
    (2, 3, 4),
    (2, 3, 2),
)
case(LinearGw, "", lambda m, x, w: m.nn.functional.linear(x, w) ** 2, (2, 3), (4, 3))

# -------------------------------------------------------------------------------------------------------- decomposition


def regular(m, x):
    return x + 3 * m.eye(x.shape[-1], dtype=x.dtype)


def definite(m, x):
    return x @ x.mT + m.eye(x.shape[-1], dtype=x.dtype)


def mixed(q, r):
    """Of factors, numbers of which none has a gradient of exactly 0."""
    return q @ r.mT[..., : q.shape[-1], :] + q


def squared(x):
    """Of numbers some of which have a gradient of exactly 0, numbers none of which has."""
    return x @ x.mT


for function, name, compute, *shapes in (
    (Solve, "", lambda m, a, b: m.linalg.solve(regular(m, a), b), (2, 3, 3), (3, 2)),
    (Solve, "right", lambda m, a, b: m.linalg.solve(regular(m, a), b, left=False), (3, 3), (2, 2, 3)),
    (Solve, "mirrors", lambda m, a, b: m.linalg.householder_product(a, b), (4, 3), (3,)),
    (Solve, "triangle", lambda m, a, b: m.linalg.solve_triangular(regular(m, a), b, upper=True), (3, 3), (3, 2)),
    (Solve, "inverse", lambda m, a: m.linalg.inv(regular(m, a)), (2, 3, 3)),
    (Det, "", lambda m, a: m.linalg.det(a), (2, 3, 3)),
    (Slogdet, "", lambda m, a: m.linalg.slogdet(a)[1], (2, 3, 3)),
    (Cholesky, "", lambda m, a: m.linalg.cholesky(definite(m, a)), (2, 3, 3)),
    (Cholesky, "upper", lambda m, a: m.linalg.cholesky(definite(m, a), upper=True), (3, 3)),
    (LU, "", lambda m, a: squared(m.linalg.lu_factor(regular(m, a))[0]), (2, 3, 3)),
    (LU, "tall", lambda m, a: squared(m.linalg.lu_factor(a)[0]), (4, 2)),
    (LU, "wide", lambda m, a: squared(m.linalg.lu_factor(a)[0]), (2, 4)),
    (LU, "solving", lambda m, a, b: m.linalg.lu_solve(*m.linalg.lu_factor(regular(m, a)), b), (3, 3), (2, 3, 1)),
    (QR, "", lambda m, a: mixed(*m.linalg.qr(regular(m, a))), (2, 3, 3)),
    (QR, "tall", lambda m, a: tuple(m.linalg.qr(a)), (4, 3)),
    (QR, "wide", lambda m, a, b: mixed(*m.linalg.qr(m.cat([regular(m, a), b], 1))), (3, 3), (3, 1)),
    (Eigh, "", lambda m, a: (m.linalg.eigvalsh(a + a.mT), m.linalg.eigh(a + a.mT)[1] ** 2), (2, 3, 3)),
    (SVD, "", lambda m, a: (m.linalg.svdvals(a), m.linalg.svd(a)[0] ** 2, m.linalg.svd(a)[2] ** 2), (3, 3)),
    (SVD, "tall", lambda m, a: [x**2 for x in m.linalg.svd(a, full_matrices=False)], (4, 3)),
    (SVD, "wide", lambda m, a: [x**2 for x in m.linalg.svd(a, full_matrices=False)], (2, 3, 4)),
    (SVD, "norms", lambda m, a: (m.linalg.matrix_norm(a, 2), m.linalg.matrix_norm(a, "nuc"), m.linalg.cond(a)), (3, 2)),
    (Pinv, "tall", lambda m, a: m.linalg.pinv(a), (4, 3)),
    (Pinv, "wide", lambda m, a: m.linalg.pinv(a), (2, 3, 4)),
    (Pinv, "least squares", lambda m, a, b: m.linalg.lstsq(a, b)[0], (4, 3), (4, 2)),
    (MatMul, "exponential", lambda m, a: m.linalg.matrix_exp(a), (2, 3, 3)),
    (MatMul, "chain", lambda m, a, b, c: m.linalg.multi_dot([a, b, c]), (2, 3), (3, 4), (4,)),
):
    case(function, name, compute, *shapes)

# ---------------------------------------------------------------------------------------------------------- convolution

for name, options, shapes in (
    ("plain", {}, ((2, 2, 4, 4), (3, 2, 3, 2), (3,))),
    ("strided", {"stride": (2, 1), "padding": (1, 2)}, ((1, 2, 4, 3), (2, 2, 3, 3), (2,))),
    ("dilated", {"dilation": (2, 1), "padding": 1}, ((1, 1, 5, 4), (2, 1, 2, 3), (2,))),
    ("grouped", {"groups": 2, "padding": 1}, ((1, 4, 3, 3), (2, 2, 2, 2), (2,))),
    ("one image", {"stride": 2}, ((2, 4, 4), (3, 2, 2, 2), (3,))),
    ("same", {"padding": "same"}, ((1, 1, 3, 4), (1, 1, 2, 3), (1,))),
    ("unreached pixels", {"stride": 3}, ((1, 1, 6, 6), (1, 1, 2, 2), (1,))),
):
    case(Conv2d, name, lambda m, x, w, b, o=options: m.nn.functional.conv2d(x, w, b, **o), *shapes)
    case(Conv2dGx, name, lambda m, x, w, b, o=options: m.nn.functional.conv2d(x, w, b, **o) ** 2, *shapes)
    case(Conv2dGw, name, lambda m, x, w, o=options: m.nn.functional.conv2d(x, w, **o) ** 2, *shapes[:2])


def cut_linear(m, *parameters):
    """A linear layer and ReLU, by one Function here."""
    if m is tinyconv:
        return linear_relu(*parameters) ** 2
    return m.relu(m.nn.functional.linear(*parameters)) ** 2


case(LinearReLU, "", cut_linear, (3, 4), (5, 4), (5,))
case(LinearReLU, "stacked, without bias", cut_linear, (2, 3, 4), (5, 4))


def fused(m, *parameters, stride, padding):
    """A convolution, ReLU and max-pooling, by one Function here."""
    if m is tinyconv:
        return conv2d_relu_max_pool2d(*parameters, stride, padding, (1, 1), 1) ** 2
    F = m.nn.functional
    return F.max_pool2d(F.relu(F.conv2d(*parameters, stride, padding)), 2) ** 2


case(Conv2dReLUMaxPool2d, "", lambda m, x, w, b: fused(m, x, w, b, stride=(1, 1), padding=(1, 1)),
     (2, 2, 4, 5), (3, 2, 3, 2), (3,))  # fmt: skip
case(Conv2dReLUMaxPool2d, "strided", lambda m, x, w, b: fused(m, x, w, b, stride=(1, 2), padding=(0, 1)),
     (1, 2, 5, 6), (2, 2, 2, 3), (2,))  # fmt: skip

for name, options, shapes in (
    ("plain", {}, ((2, 2, 2, 3), (2, 3, 2, 2), (3,))),
    ("strided", {"stride": 2, "padding": 1, "output_padding": (1, 0)}, ((1, 2, 2, 3), (2, 2, 3, 3), (2,))),
    ("dilated", {"dilation": 2}, ((1, 1, 2, 2), (1, 2, 2, 2), (2,))),
    ("grouped", {"groups": 2}, ((1, 4, 2, 2), (4, 1, 2, 2), (2,))),
    ("one image", {"stride": 2}, ((2, 2, 2), (2, 3, 2, 2), (3,))),
):
    case(ConvTranspose2d, name, lambda m, x, w, b, o=options: m.nn.functional.conv_transpose2d(x, w, b, **o), *shapes)
    case(
        ConvTranspose2d,
        name + " no bias",
        lambda m, x, w, o=options: m.nn.functional.conv_transpose2d(x, w, **o),
        *shapes[:2],
    )

steps = {"stride": 2, "padding": 1, "dilation": 2, "groups": 2}
case(Conv2d, "sequence", lambda m, x, w, b: m.nn.functional.conv1d(x, w, b, **steps) ** 2, (2, 4, 7), (2, 2, 3), (2,))
case(Conv2d, "one sequence", lambda m, x, w: m.nn.functional.conv1d(x, w, padding="same") ** 2, (2, 4), (2, 2, 2))
case(
    ConvTranspose2d,
    "sequence",
    lambda m, x, w, b: m.nn.functional.conv_transpose1d(x, w, b, output_padding=1, **steps) ** 2,
    (2, 4, 3),
    (4, 1, 3),
    (2,),
)

windows = {"kernel_size": (2, 3), "stride": (1, 2), "padding": (1, 1), "dilation": (2, 1)}
case(Unfold, "", lambda m, x: m.nn.functional.unfold(x, **windows) ** 2, (2, 2, 3, 4))
case(Unfold, "one image", lambda m, x: m.nn.functional.unfold(x, 2), (2, 3, 3))
case(Fold, "", lambda m, x: m.nn.functional.fold(x, (3, 3), 2, padding=1) ** 2, (1, 8, 16))
case(Fold, "one image", lambda m, x: m.nn.functional.fold(x, (3, 3), 2, stride=1), (4, 4))

case(AsStrided, "", lambda m, x: m.as_strided(x, (3, 2, 2), (3, 1, 1), 1) ** 2, (4, 3))
case(AsStrided, "of a view", lambda m, x: (x * 2).t()[1:].as_strided((2, 2, 2), (1, 3, 3)) ** 2, (4, 3))

# -------------------------------------------------------------------------------------------------------------- volumes

steps3d = {"stride": (2, 1, 1), "padding": 1, "dilation": (1, 2, 1), "groups": 2}
case(Conv2d, "volume", lambda m, x, w, b: m.nn.functional.conv3d(x, w, b, **steps3d) ** 2,
     (1, 4, 3, 3, 2), (2, 2, 2, 2, 2), (2,))  # fmt: skip
case(ConvTranspose2d, "volume", lambda m, x, w, b: m.nn.functional.conv_transpose3d(x, w, b, **steps3d) ** 2,
     (1, 4, 2, 3, 2), (4, 1, 3, 2, 2), (2,))  # fmt: skip
case(MaxPool2d, "volume", lambda m, x: m.nn.functional.max_pool3d(x, 2, 1) ** 2, (1, 2, 3, 3, 2))
case(AvgPool2d, "volume", lambda m, x: m.nn.functional.avg_pool3d(x, 2, 1, 1) ** 2, (1, 2, 2, 3, 2))

# -------------------------------------------------------------------------------------------------------------- pooling

for name, options, x in (
    ("plain", {"kernel_size": 2}, (2, 2, 4, 4)),
    ("overlapping", {"kernel_size": 3, "stride": (1, 2), "padding": 1}, (1, 2, 4, 5)),
    ("ceil", {"kernel_size": (2, 3), "stride": 2, "padding": (0, 1), "ceil_mode": True}, (1, 1, 5, 6)),
    ("one image", {"kernel_size": 2, "stride": 1}, (2, 3, 3)),
):
    case(MaxPool2d, name, lambda m, x, o=options: m.nn.functional.max_pool2d(x, **o), x)
    case(ToWinners, name, lambda m, x, o=options: m.nn.functional.max_pool2d(x, **o) ** 2, x)
    case(AvgPool2d, name, lambda m, x, o=options: m.nn.functional.avg_pool2d(x, **o), x)
    case(AvgPool2dGx, name, lambda m, x, o=options: m.nn.functional.avg_pool2d(x, **o) ** 2, x)
case(MaxPool2d, "dilated", lambda m, x: m.nn.functional.max_pool2d(x, 2, dilation=2, stride=1), (1, 1, 4, 4))
case(
    AtWinners,
    "differentiated before",
    lambda m, x: gradient(m, (m.nn.functional.max_pool2d(x, 2) ** 3).sum(), x),
    (1, 1, 4, 4),
)
case(AvgPool2d, "inside", lambda m, x: m.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False), (1, 1, 4, 4))
case(MaxPool2d, "adaptive", lambda m, x: m.nn.functional.adaptive_max_pool2d(x, (3, 2)) ** 2, (2, 4, 5))
case(MaxPool2d, "sequence", lambda m, x: m.nn.functional.max_pool1d(x, 2, padding=1) ** 2, (2, 3, 5))
case(AvgPool2d, "sequence", lambda m, x: m.nn.functional.avg_pool1d(x, 3, 2, 1) ** 2, (2, 3, 5))
case(AvgPool2d, "norm", lambda m, x: m.nn.functional.lp_pool2d(x, 2, 2), (2, 3, 4, 4))
case(AvgPool2d, "sum", lambda m, x: m.nn.functional.avg_pool2d(x, 2, divisor_override=1), (1, 1, 4, 4))

# ------------------------------------------------------------------------------------------------------------- sampling

for mode in ("bilinear", "bicubic"):
    for padding in ("zeros", "border", "reflection"):
        case(
            Gather,
            f"{mode} {padding}",
            lambda m, x, grid, o=(mode, padding, False): m.nn.functional.grid_sample(x, grid.tanh() * 1.3, *o) ** 2,
            (1, 2, 3, 4),
            (1, 2, 3, 2),
        )
case(MatMul, "affine grid", lambda m, theta: m.nn.functional.affine_grid(theta, (2, 1, 2, 3), False) ** 2, (2, 2, 3))

# -------------------------------------------------------------------------------------------------------- normalization


def normalize(m, x, w, b):
    mean, var = m.tensor([0.5, -0.5], dtype=x.dtype), m.tensor([2.0, 0.5], dtype=x.dtype)
    return m.nn.functional.batch_norm(x, mean, var, w, b)


case(BatchNorm, "", lambda m, x, w, b: m.nn.functional.batch_norm(x, None, None, w, b, True), (3, 2, 2, 2), (2,), (2,))
case(BatchNorm, "1-d", lambda m, x, w, b: m.nn.functional.batch_norm(x, None, None, w, b, True), (4, 2), (2,), (2,))
case(BatchNorm, "plain", lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True) ** 2, (4, 2))
case(LayerNorm, "", lambda m, x, w, b: m.nn.functional.layer_norm(x, (2, 3), w, b) ** 2, (3, 2, 3), (2, 3), (2, 3))
case(LayerNorm, "one row", lambda m, x, w: m.nn.functional.layer_norm(x, (5,), w) ** 2, (5,), (5,))
case(LayerNorm, "plain", lambda m, x: m.nn.functional.layer_norm(x, (3,)) ** 2, (2, 2, 3))
case(BatchNorm, "group", lambda m, x, w, b: m.nn.functional.group_norm(x, 2, w, b) ** 2, (2, 4, 3), (4,), (4,))
case(BatchNorm, "instance", lambda m, x, w: m.nn.functional.instance_norm(x, weight=w) ** 2, (2, 2, 4), (2,))
case(Div, "rms norm", lambda m, x, w: m.nn.functional.rms_norm(x, (3,), w, 0.1) ** 2, (2, 3), (3,))
case(Div, "response", lambda m, x: m.nn.functional.local_response_norm(x, 3, 0.5, 0.75, 2.0), (2, 5, 2, 2))
case(Normalize, "", normalize, (3, 2, 2, 2), (2,), (2,))

# --------------------------------------------------------------------------------------------------- recurrent networks

case(
    LSTMCell,
    "",
    lambda m, x, h, c, *w: m.lstm_cell(x, (h, c), *w),
    (2, 3),
    (2, 2),
    (2, 2),
    (8, 3),
    (8, 2),
    (8,),
    (8,),
)
case(Pieces, "gru", lambda m, *xs: m.gru_cell(*xs), (2, 3), (2, 2), (6, 3), (6, 2), (6,), (6,))
case(Tanh, "rnn", lambda m, *xs: m.rnn_tanh_cell(*xs), (2, 3), (2, 2), (2, 3), (2, 2), (2,), (2,))
case(ReLU, "rnn", lambda m, *xs: m.rnn_relu_cell(*xs), (2, 3), (2, 2), (2, 3), (2, 2))

# --------------------------------------------------------------------------------------------------- softmax and losses

case(LogSoftmax, "", lambda m, x: (m.log_softmax(x, 1), m.log_softmax(x, 0)), (2, 3))
case(LogSoftmax, "4-d", lambda m, x: m.nn.functional.log_softmax(x, dim=1) ** 2, (2, 3, 1, 2))
case(Softmax, "", lambda m, x: (x.softmax(1), m.softmax(x, 0)), (2, 3))
case(Softmax, "softmin", lambda m, x: m.nn.functional.softmin(x, 1), (2, 3))
case(Softmax, "4-d", lambda m, x: m.nn.functional.softmax(x, dim=-3) ** 2, (2, 3, 1, 2))


def targets(m, *shape):
    return m.tensor([0, 1, 2, 0]).reshape(shape)


for reduction in ("mean", "sum", "none"):
    options = {"reduction": reduction}
    case(NLLLoss, reduction, lambda m, x, o=options: m.nn.functional.nll_loss(x, targets(m, 4), **o), (4, 3))
    case(
        ToTargets,
        reduction,
        lambda m, x, o=options: m.nn.functional.nll_loss(x.tanh(), targets(m, 2, 2), ignore_index=1, **o) ** 2,
        (2, 3, 2),
    )
    case(CrossEntropy, reduction, lambda m, x, o=options: m.nn.functional.cross_entropy(x, targets(m, 4), **o), (4, 3))
    case(
        CrossEntropy,
        f"smoothed {reduction}",
        lambda m, x, o=options: m.nn.functional.cross_entropy(x, targets(m, 4), label_smoothing=0.1, **o),
        (4, 3),
    )
    case(
        CrossEntropy,
        f"weighted {reduction}",
        lambda m, x, o=options: m.nn.functional.cross_entropy(
            x, targets(m, 4), m.tensor([1.0, 2.0, 0.5], dtype=x.dtype), ignore_index=2, label_smoothing=0.2, **o
        ),
        (4, 3),
    )
    case(
        LogSoftmax,
        f"soft targets {reduction}",
        lambda m, x, t, o=options: m.nn.functional.cross_entropy(x, t.softmax(1), label_smoothing=0.1, **o),
        (4, 3),
        (4, 3),
    )
    case(
        Sub if reduction == "none" else MseLoss,
        f"mse {reduction}",
        lambda m, x, t, o=options: m.nn.functional.mse_loss(x, t, **o),
        (2, 3),
        (2, 3),
    )
case(
    ToTargets,
    "ignored",
    lambda m, x: m.nn.functional.nll_loss(x.tanh(), m.tensor([0, -100, 2]), reduction="none") ** 2,
    (3, 3),
)
case(CrossEntropy, "one sample", lambda m, x: m.nn.functional.cross_entropy(x, m.tensor(2)), (3,))


for mode, size, shape in (
    ("nearest", (5, 3), (1, 2, 2, 3)),
    ("nearest", (4, 6), (1, 2, 2, 3)),
    ("nearest", 7, (2, 1, 3)),
    ("linear", 5, (2, 1, 3)),
    ("bilinear", (5, 2), (1, 2, 3, 3)),
    ("bicubic", (5, 2), (1, 2, 3, 3)),
    ("trilinear", (3, 2, 4), (1, 2, 2, 3, 2)),
    ("area", (3, 2), (1, 2, 5, 4)),
):
    function = {"nearest": AvgPool2dGx if size == (4, 6) else Gather, "area": Mean}.get(mode, Linear)
    case(
        function,
        f"interpolate {mode} {size}",
        lambda m, x, size=size, mode=mode: m.nn.functional.interpolate(x, size, mode=mode) ** 2,
        shape,
    )
case(Permute, "pixel shuffle", lambda m, x: m.nn.functional.pixel_shuffle(x, 2) ** 2, (1, 8, 2, 3))
case(Permute, "pixel unshuffle", lambda m, x: m.nn.functional.pixel_unshuffle(x, 2) ** 2, (1, 2, 4, 6))
case(Permute, "channel shuffle", lambda m, x: m.nn.functional.channel_shuffle(x, 3) ** 2, (1, 6, 2, 2))


def embedded(m, w, **options):
    return m.nn.functional.embedding(m.tensor([[0, 2, 2], [3, 0, -1 + 3]]), w, **options) ** 2


case(Embedding, "", embedded, (4, 3))


def bagged(m, w, shares=None, **options):
    index = m.tensor([[0, 2, 2], [3, 0, 2]])
    return m.nn.functional.embedding_bag(index, w, per_sample_weights=shares, **options) ** 2


case(Embedding, "bag", lambda m, w: bagged(m, w, mode="mean"), (4, 3))
case(Embedding, "largest of a bag", lambda m, w: bagged(m, w, mode="max"), (4, 3))
case(Embedding, "weighted bag", lambda m, w, s: bagged(m, w, s, mode="sum"), (4, 3), (2, 3))


def met(m, x, src, reduce, include_self):
    index = m.tensor([[0, 1], [0, 1], [2, 1], [0, 2]])
    return x.scatter_reduce(0, index, src, reduce, include_self=include_self) ** 2


for reduce in ("sum", "prod", "mean", "amax", "amin"):
    for include_self in (True, False):
        function = ScatterExtreme if reduce.startswith("a") else Scatter if reduce != "prod" else Write
        case(function, f"{reduce} {include_self}", lambda m, x, s, o=(reduce, include_self): met(m, x, s, *o),
             (4, 2), (4, 2))  # fmt: skip


def signs(m, *shape):
    return m.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0], dtype=m.float64)[: int(np.prod(shape))].reshape(shape)


for name, compute, shapes in (
    ("l1", lambda F, m, x, t: F.l1_loss(x, t), ((2, 3), (2, 3))),
    ("smooth l1", lambda F, m, x, t: F.smooth_l1_loss(x, t, beta=0.7, reduction="none"), ((2, 3), (2, 3))),
    ("huber", lambda F, m, x, t: F.huber_loss(x, t, delta=0.7), ((2, 3), (2, 3))),
    ("gaussian", lambda F, m, x, t, v: F.gaussian_nll_loss(x, t, v * v + 0.1), ((2, 3), (2, 3), (2, 3))),
    ("poisson", lambda F, m, x, t: F.poisson_nll_loss(x, t), ((2, 3), (2, 3))),
    ("rates", lambda F, m, x: F.poisson_nll_loss(x * x, signs(m, 2, 3) + 2, False, True), ((2, 3),)),
    ("divergence", lambda F, m, x, t: F.kl_div(x, t.sigmoid(), reduction="batchmean"), ((2, 3), (2, 3))),
    ("log divergence", lambda F, m, x, t: F.kl_div(x, t, reduction="sum", log_target=True), ((2, 3), (2, 3))),
    ("cosine", lambda F, m, a, b: F.cosine_embedding_loss(a, b, signs(m, 4).to(a.dtype), -0.5), ((4, 3), (4, 3))),
    ("hinge", lambda F, m, x: F.hinge_embedding_loss(x, signs(m, 4, 2).to(x.dtype), 0.5), ((4, 2),)),
    ("ranking", lambda F, m, a, b: F.margin_ranking_loss(a, b, signs(m, 4).to(a.dtype), 0.3), ((4,), (4,))),
    ("soft margin", lambda F, m, x: F.soft_margin_loss(x, signs(m, 4, 2).to(x.dtype)), ((4, 2),)),
    ("triplet", lambda F, m, a, b, c: F.triplet_margin_loss(a, b, c, swap=True), ((4, 3), (4, 3), (4, 3))),
    ("multi margin", lambda F, m, x: F.multi_margin_loss(x, targets(m, 4), 2, 0.7), ((4, 3),)),
    ("listed labels", lambda F, m, x: F.multilabel_margin_loss(x, m.tensor([[0, 2, -1], [1, -1, 0]])), ((2, 3),)),
    ("paths", lambda F, m, x: F.ctc_loss(F.log_softmax(x, -1), m.tensor([[1, 2]]), [4], [2]), ((4, 1, 3),)),
    ("pairs", lambda F, m, x: F.pdist(x), ((3, 2),)),
    ("multi label", lambda F, m, x, t: F.multilabel_soft_margin_loss(x, t), ((4, 3), (4, 3))),
    ("logits", lambda F, m, x, t: F.binary_cross_entropy_with_logits(x, t), ((2, 3), (2, 3))),
    ("similarity", lambda F, m, a, b: F.cosine_similarity(a, b, -1), ((2, 3), (1, 3))),
    ("distance", lambda F, m, a, b: (F.pairwise_distance(a, b), F.pairwise_distance(a, b, 3.0)), ((2, 3), (2, 3))),
    ("normalize", lambda F, m, x: (F.normalize(x), F.normalize(x, 3.0, 0)), ((2, 3),)),
):
    function = {
        "l1": Abs,
        "huber": Huber,
        "soft margin": LogSigmoid,
        "logits": LogSigmoid,
        "multi label": LogSigmoid,
    }.get(name, Sub)
    if name in ("cosine", "similarity", "normalize"):
        function = Div
    if name == "log divergence":
        function = Exp
    if name == "hinge":
        function = Where
    case(function, name, lambda m, *xs, compute=compute: compute(m.nn.functional, m, *xs), *shapes)
for name in ("mean", "none"):
    case(
        BinaryCrossEntropy,
        name,
        lambda m, x, t, o=name: m.nn.functional.binary_cross_entropy(x.sigmoid(), t.sigmoid(), reduction=o),
        (2, 3),
        (2, 3),
    )


def dropped(m, x):
    m.manual_seed(0)
    return m.nn.functional.dropout(x, 0.4)


case(Dropout, "", dropped, (4, 5), peer=False)
