"""Random numbers of the gamma distribution, with their derivative by its shape parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import Function, no_grad
from ..tensor import Tensor
from .compare import where
from .convert import cast
from .creation import ones_like, zeros_like
from .random import rand_like, randn_like
from .special import digamma

_NODES, _WEIGHTS = (np.polynomial.legendre.leggauss(48) + np.array([[1.0], [0.0]])) / 2  # on [0, 1]
_NEGLIGIBLE = 40.0  # exp(-40) is below the rounding of float64


class StandardGamma(Function):
    """Numbers x with the density ``x**(a - 1) * exp(-x) / gamma(a)``, by Marsaglia and Tsang, "A simple method for
    generating gamma variables", ACM TOMS 2000: for a > 1 a normal z gives ``(a - 1/3) * (1 + z / sqrt(9a - 3))**3``,
    unless it is rejected; ``gamma(a) = gamma(a + 1) * u**(1 / a)`` makes small ones of those. In float64."""

    @staticmethod
    def forward(ctx: Any, a: Tensor) -> Tensor:
        shape = cast(a, dtypes.float64.numpy)  # where it is large, the terms of the bound cancel
        small = shape < 1
        d = where(small, shape + 1, shape) - 1 / 3
        c = 1 / (9 * d).sqrt()
        v, waiting = ones_like(shape), (shape > 0) & (shape < float("inf"))  # NaN and infinity wait for nothing
        while bool(waiting.any()):
            z, u = randn_like(shape), rand_like(shape)
            new = (1 + c * z) ** 3
            bound = 0.5 * z**2 + d - d * new + d * new.clamp(min=1e-300).log()
            good = waiting & (new > 0) & ((1 - u).log() < bound)
            v, waiting = where(good, new, v), waiting & ~good
        factor = where(small, ((1 - rand_like(shape)).log() / shape).exp(), ones_like(shape))
        x = cast(d * v * factor, a.array.dtype).clamp(min=dtypes.finfo(a.dtype).tiny)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        a, x = ctx.saved_tensors
        return gy * standard_gamma_grad(a, x)


def standard_gamma(a: Tensor) -> Tensor:
    """One gamma-distributed number for each shape parameter, with the rate 1; :func:`standard_gamma_grad` gives its
    gradient."""
    return StandardGamma.apply(a)


def standard_gamma_grad(a: Tensor, x: Tensor) -> Tensor:
    """``dx / da`` where the probability of numbers up to x stays what it is: ``-(dP(a, x) / da) / p(x)`` (Figurnov,
    Mohamed and Mnih, "Implicit reparameterization gradients", NeurIPS 2018).

    With ``P(a, x)`` the integral of the density over t = x e^u, u < 0, and 1 - P that over u > 0, it is

        x * integral over u > 0 of exp(-f(u)) * (log x + u - digamma(a)) du     for x > a,
       -x * integral over u < 0 of the same                                     for x <= a,

    with ``f(u) = x (e^u - 1) - a u``; the integrands fall from u = 0 on. Gauss and Legendre's rule with 48 nodes, in
    float64, integrates them up to where f is 40. Below a = 1 the second falls so slowly that what the rule would miss
    is split off: ``exp(-f(u)) = exp(x + a u) * (1 + (exp(-x e^u) - 1))``, of whose first part the integral is
    ``exp(x) * (log x - digamma(a + 1)) / a``. Relative errors found for a from 0.001 to 10**6: below 1e-13.
    """
    dtype = x.array.dtype
    a, x = cast(a, dtypes.float64.numpy), cast(x, dtypes.float64.numpy)
    zero, one = zeros_like(x), ones_like(x)
    split = (x <= a) & (a < 1)
    x_split, x_whole = where(split, x, zero), where(split, zero, x)
    with no_grad():
        side = where(x > a, one, -one)
        end = where(split, -_NEGLIGIBLE * one, side * _reach(a.detach(), x.detach(), side))
    offset, total = x.log() - digamma(a), zero
    for node, weight in zip(_NODES.tolist(), _WEIGHTS.tolist(), strict=True):
        u = end * node
        part = (x_split + a * u).exp() * (-x_split * u.exp()).expm1()
        whole = (a * u - x_whole * u.expm1()).exp()
        total = total + weight * where(split, part, whole) * (offset + u)
    apart = where(split, x_split.exp() * (x.log() - digamma(a + 1)) / a, zero)
    return cast(x * (end * total - apart), dtype)


def _reach(a: Tensor, x: Tensor, side: Tensor) -> Tensor:
    """How far from 0 on its side f has risen to 40: Newton's method from bounds beyond it, which f's convexity keeps
    beyond it."""
    t = _NEGLIGIBLE
    below = where(a >= 3 * t, (3 * t / a).sqrt(), (t + x) / a)
    ratio = 2 * t / x
    above = where(ratio < 1, ratio.sqrt(), 1 + ratio.log1p())
    w = where(side > 0, above, below)
    for _ in range(4):
        u = side * w
        f, slope = x * u.expm1() - a * u, side * (x * u.exp() - a)
        w = w - (f - t) / slope
    return w
