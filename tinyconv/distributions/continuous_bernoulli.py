"""Bernoulli's formula as a density on the unit interval, for pixels between black and white."""

from __future__ import annotations

from typing import Any

from ..ops import relu, where
from ..tensor import Tensor
from . import constraints
from .discrete import TwoSided
from .inverse import open_uniform

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(TwoSided):
    """``p(x) = exp(logits * x - a)`` for x from 0 to 1, with the a that makes its integral 1 (Loaiza-Ganem and
    Cunningham, "The continuous Bernoulli", NeurIPS 2019). ``probs`` is not the mean.

    Near to logits of 0 the formulas, 0 / 0 there, are Taylor's series instead.

    Args:
        probs: the sigmoid of the logits: a tensor or a number.
        logits: instead.
        lims: where PyTorch begins with its series; here they have more terms, and need not be told.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, or no probability.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, probs: Any = None, logits: Any = None, lims: Any = (0.499, 0.501),
                 validate_args: bool | None = None):  # fmt: skip
        super().__init__(probs, logits, validate_args)

    def _near_0(self) -> tuple[Tensor, Tensor, Tensor]:
        """Whether the series are good; the logits for the formulas; those for the series, squared."""
        t = self.logits
        near = t.abs() < 0.5
        return near, t.masked_fill(near, 1.0), t.masked_fill(~near, 0.0) ** 2

    def log_normalizer(self) -> Tensor:
        """The a: ``log((exp(logits) - 1) / logits)``."""
        near, t, s = self._near_0()
        far = relu(t) + (-(-t.abs()).expm1()).log() - t.abs().log()
        return where(near, self.logits / 2 + s * (1 / 24 + s * (-1 / 2880 + s * (1 / 181440 - s / 9676800))), far)

    @property
    def mean(self) -> Tensor:
        near, t, s = self._near_0()
        series = 1 / 12 + s * (-1 / 720 + s * (1 / 30240 + s * (-1 / 1209600 + s / 47900160)))
        return where(near, 0.5 + self.logits * series, -1 / (-t).expm1() - 1 / t)

    @property
    def variance(self) -> Tensor:
        near, t, s = self._near_0()
        series = 1 / 12 + s * (-1 / 240 + s * (1 / 6048 + s * (-1 / 172800 + s / 5322240)))
        return where(near, series, 1 / t**2 - 1 / (4 * (t.abs() / 2).sinh() ** 2))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self.icdf(open_uniform(self.logits, self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self.logits * value - self.log_normalizer()

    def cdf(self, value: Tensor) -> Tensor:
        """Of positive logits the mirror image, without overflow."""
        t, rises = self._away_from_0()
        x = where(rises, 1 - value, value)
        p = (t * x).expm1() / t.expm1()
        return where(rises, 1 - p, p).clamp(0, 1)

    def icdf(self, value: Tensor) -> Tensor:
        t, rises = self._away_from_0()
        p = where(rises, 1 - value, value)
        x = (p * t.expm1()).log1p() / t
        return where(rises, 1 - x, x)

    def _away_from_0(self) -> tuple[Tensor, Tensor]:
        """The logits' negative absolute value, at least so far from 0 that what is divided by it is finite; and
        where they are positive."""
        t = -self.logits.abs()
        return where(t > -1e-6, t - 1e-6, t), self.logits > 0

    def entropy(self) -> Tensor:
        return self.log_normalizer() - self.logits * self.mean
