"""The normal distribution's counterpart on the circle."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import no_grad
from ..dtypes import float64
from ..ops import rand, where
from ..ops.special import i0e, i1e
from ..tensor import Tensor
from . import constraints
from .distribution import LOG_2PI, Distribution, broadcast_all

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Angles, with the density ``exp(concentration * cos(x - loc)) / (2 * pi * I0(concentration))``.

    Args:
        loc: the mean: an angle.
        concentration: how near to it, positive.
        validate_args: whether to check these and values.

    Raises:
        ValueError: a concentration that is not positive.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular one, ``1 - I1(concentration) / I0(concentration)``."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Best and Fisher, "Efficient simulation of the von Mises distribution", Applied Statistics 1979: rejection
        from a wrapped Cauchy distribution, in rounds over the whole array, in float64.

        Their r is written as 1 + s, and the cosine f of the angle as ``1 - 2 h``, in terms that do not cancel: else no
        number would be kept where the concentration is so high that r rounds to 1, or so low that it is infinite.
        """
        with no_grad():
            k = self.concentration.to(dtype=float64).expand(self._extended_shape(sample_shape)).clamp(1e-100, 1e100)
            root = (1 + 4 * k**2).sqrt()
            a = (2 + 2 * root).sqrt()
            s = (1 + 1 / (root + 2 * k) + a) ** 2 / (4 * k * (1 + root + a))
            x, done = k - k, k != k  # NaN remains
            while not bool(done.all()):
                u, v, sign = rand((3, *k.shape), dtype=float64, device=k.device).unbind()
                denominator = s + 2 * (0.5 * math.pi * u).cos() ** 2
                h = s * (0.5 * math.pi * u).sin() ** 2 / denominator
                c, v = k * s * (s + 2) / denominator, 1 - v
                good = (c * (2 - c) > v) | ((c / v).log() + 1 - c >= 0)
                angle = 2 * h.clamp(max=1).sqrt().asin()
                x, done = where(done | ~good, x, where(sign < 0.5, -angle, angle)), done | good
            x = (x + math.pi + self.loc) % (2 * math.pi) - math.pi
            return x.to(dtype=self.loc.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - LOG_2PI - i0e(k).log()

    def entropy(self) -> Tensor:
        k = self.concentration
        return k * self.variance + LOG_2PI + i0e(k).log()
