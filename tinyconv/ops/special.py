"""Special functions: those of SciPy that statistics and physics need, and what is made of them.

As in ``elementary.py``, a row says what a function is and its gradient, as a formula in gy, x and y. (Abramowitz and
Stegun, "Handbook of Mathematical Functions", 1964: 6.3 digamma, 6.4 polygamma, 7.1 erf, 9.6 Bessel functions; DLMF
25.11 Hurwitz's zeta function.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import Function
from ..tensor import Tensor, wrap
from .compare import eq, gt, le, lt, where
from .elementary import erfc, exp, log, log1p, sin
from .elementwise import abs, add, div, mul, neg, sign, sub
from .logic import logical_and
from .types import expect, floating, floating_operands

ROOT_PI = math.sqrt(math.pi)
Formula = Callable[[Tensor], Tensor]
GRADIENTS: dict[str, Callable] = {}


class Special(Function):
    """y = f(x) for a function f with a row below;  gx as it says there."""

    function: str

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: str) -> Tensor:
        y = wrap(kernels.of(x.array).special([x.array], function))
        ctx.function = function
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return GRADIENTS[ctx.function](gy, *ctx.saved_tensors), None

    def operation(self) -> str:
        return self.function.capitalize()


def _row(name: str, meaning: str, gradient: Callable) -> Formula:
    GRADIENTS[name] = gradient

    def function(input: Tensor) -> Tensor:
        return Special.apply(floating(input, name), name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = meaning
    return function


lgamma: Formula = _row("lgamma", "``log |gamma(input)|``: infinite at 0, -1, -2, ...", lambda gy, x, y: gy * digamma(x))
digamma: Formula = _row("digamma", "The derivative of :func:`lgamma`.", lambda gy, x, y: gy * polygamma(1, x))
erfinv: Formula = _row("erfinv", "The inverse of erf: infinite at -1 and 1, NaN beyond.",
              lambda gy, x, y: gy * exp(y * y) * (ROOT_PI / 2))  # fmt: skip
erfcx: Formula = _row("erfcx", "``exp(input**2) * erfc(input)``, without overflow for large ``input``.",
             lambda gy, x, y: gy * (2 * x * y - 2 / ROOT_PI))  # fmt: skip
i0e: Formula = _row(
    "i0e", "``exp(-|input|) * i0(input)``, without overflow.", lambda gy, x, y: gy * (i1e(x) - sign(x) * y)
)
i1e: Formula = _row("i1e", "``exp(-|input|) * i1(input)``, without overflow.",
           lambda gy, x, y: gy * (i0e(x) - _over(y, x) - sign(x) * y))  # fmt: skip
ndtri: Formula = _row("ndtri", "The inverse of :func:`ndtr`: infinite at 0 and 1, NaN beyond.",
             lambda gy, x, y: gy * exp(y * y / 2) * math.sqrt(2 * math.pi))  # fmt: skip
log_ndtr: Formula = _row("log_ndtr", "``log(ndtr(input))``, exact also far below 0.",
                lambda gy, x, y: gy / erfcx(x / -math.sqrt(2)) * math.sqrt(2 / math.pi))  # fmt: skip


def _over(y: Tensor, x: Tensor) -> Tensor:
    """``i1e(x) / x``, which at 0 is 1/2."""
    middle = eq(x, 0)
    return where(middle, 0.5, div(y, where(middle, 1.0, x)))


class Zeta(Function):
    """y = zeta(s, q);  gq = -gy * s * zeta(s + 1, q)."""

    @staticmethod
    def forward(ctx: Any, s: Tensor, q: Tensor) -> Tensor:
        ctx.save_for_backward(s, q)
        return wrap(kernels.of(q.array).special([s.array, q.array], "zeta"))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        if ctx.needs_input_grad[0]:
            raise NotImplementedError("zeta: there is no gradient of its first argument")
        s, q = ctx.saved_tensors
        return None, neg(mul(gy, mul(s, Zeta.apply(add(s, 1), q))))


def _tensors(input: Any, other: Any, name: str) -> tuple[Tensor, Tensor]:
    """Two floating-point operands of one type, a number as a 0-d tensor."""
    a, b = floating_operands(input, other, name)
    a = a if isinstance(a, Tensor) else b.new_full((), a)
    return a, b if isinstance(b, Tensor) else a.new_full((), b)


def zeta(input: Any, other: Any) -> Tensor:
    """Hurwitz's zeta function, the sum of ``(k + other) ** -input`` over k = 0, 1, 2, ...; broadcast as in
    :func:`add`."""
    s, q = _tensors(input, other, "zeta")
    shape = add(s, q).array.shape
    return Zeta.apply(s.expand(shape), q.expand(shape))


def polygamma(n: int, input: Tensor) -> Tensor:
    """The derivative number ``n`` of :func:`digamma`: ``(-1)**(n + 1) * n! * zeta(n + 1, input)``; for n = 1 by
    reflection below 1/2.

    Raises:
        RuntimeError: a negative n.
    """
    if n < 0:
        raise RuntimeError(f"polygamma: n must not be negative, got {n}")
    x = floating(input, "polygamma")
    if n == 0:
        return digamma(x)
    scale = float((-1) ** (n + 1) * math.factorial(n))
    if n > 1:
        return mul(zeta(x.new_full((), n + 1), x), scale)
    below = lt(x, 0.5)
    y = zeta(x.new_full((), 2), where(below, sub(1, x), x))
    wave = sin(mul(where(below, x, 0.5), math.pi))
    return where(below, sub(div(math.pi**2, mul(wave, wave)), y), y)


def polygamma_method(self: Tensor, n: int) -> Tensor:
    """``tinyconv.polygamma(n, self)``."""
    return polygamma(n, self)


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function: ``p * (p - 1) / 4 * log(pi) + sum of lgamma(input - j / 2)``
    over j = 0 ... p - 1.

    Raises:
        RuntimeError: p below 1.
    """
    if p < 1:
        raise RuntimeError(f"mvlgamma: p must be at least 1, got {p}")
    expect("mvlgamma", "iuf", input=input)
    x = floating(input, "mvlgamma")
    y = lgamma(x)
    for j in range(1, p):
        y = add(y, lgamma(sub(x, j / 2)))
    return add(y, p * (p - 1) / 4 * math.log(math.pi))


def i0(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind, of order 0: its derivative is :func:`i1`."""
    x = floating(input, "i0")
    return mul(exp(abs(x)), i0e(x))


def i1(input: Tensor) -> Tensor:
    """The modified Bessel function of the first kind, of order 1."""
    x = floating(input, "i1")
    return mul(exp(abs(x)), i1e(x))


def ndtr(input: Tensor) -> Tensor:
    """The area under the normal distribution up to ``input``: ``erfc(-input / sqrt(2)) / 2``."""
    return mul(erfc(mul(floating(input, "ndtr"), -math.sqrt(0.5))), 0.5)


class Entr(Function):
    """y = -x * log(x);  gx = -gy * (log(x) + 1)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        y = neg(mul(x, log(where(gt(x, 0), x, 1.0))))
        return where(lt(x, 0), -math.inf, y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return neg(mul(gy, add(log(ctx.saved_tensors[0]), 1)))


def entr(input: Tensor) -> Tensor:
    """Entropy, ``-input * log(input)``: 0 at 0, -inf below."""
    return Entr.apply(floating(input, "entr"))


def xlog1py(input: Any, other: Any) -> Tensor:
    """``input * log1p(other)``, and 0 where ``input`` is 0 (except where ``other`` is NaN); broadcast as in
    :func:`add`."""
    a, b = _tensors(input, other, "xlog1py")
    return mul(a, log1p(where(logical_and(eq(a, 0), le(b, -1)), 0.0, b)))
