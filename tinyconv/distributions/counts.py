"""Distributions of counts."""

from __future__ import annotations

from typing import Any

from ..autograd import no_grad
from ..ops import arange, binomial, lgamma, logsigmoid, ones_like, poisson, softplus
from ..ops.gamma import standard_gamma
from ..tensor import Size, Tensor
from . import constraints
from .discrete import Categorical, TwoSided
from .distribution import Distribution, broadcast_all

__all__ = ["Binomial", "Multinomial", "NegativeBinomial", "Poisson"]


class _Trials(TwoSided):
    """Trials that succeed with one probability, and a ``total_count``."""

    def __init__(self, total_count: Any, probs: Any, logits: Any, validate_args: bool | None):
        if (probs is None) != (logits is None):  # else the base complains
            total_count, given = broadcast_all(total_count, probs if logits is None else logits)
            kind = next((x.dtype for x in (probs, logits) if isinstance(x, Tensor)), given.dtype)
            self.total_count, given = total_count.to(dtype=kind), given.to(dtype=kind)
            probs, logits = (given, None) if logits is None else (None, given)
        super().__init__(probs, logits, validate_args)


class Binomial(_Trials):
    """How many of ``total_count`` trials succeed.

    Args:
        total_count: how many trials: a tensor or a number.
        probs: the probability of success: a tensor or a number.
        logits: the logarithm of its odds, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, no probability, or no count.
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        super().__init__(total_count, probs, logits, validate_args)

    @property
    def support(self) -> Any:
        """0 to ``total_count``."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.mean * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        n = self.total_count
        ways = lgamma(n + 1) - lgamma(value + 1) - lgamma(n - value + 1)
        return ways + value * self.logits - n * softplus(self.logits)

    def _one_count(self) -> int:
        n = int(self.total_count.max())
        if not bool((self.total_count == n).all()):
            raise NotImplementedError(f"Binomial: all counts must be equal for this, got {self.total_count}")
        return n

    def entropy(self) -> Tensor:
        self._one_count()
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(1 + self._one_count(), dtype=self.probs.dtype, device=self.probs.device)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class NegativeBinomial(_Trials):
    """How many trials succeed until ``total_count`` have failed.

    Args:
        total_count: how many failures: a tensor or a number, not negative, and not necessarily whole.
        probs: the probability of success, below 1: a tensor or a number.
        logits: the logarithm of its odds, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, no probability, or a negative count.
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        super().__init__(total_count, probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        n = self.total_count.expand(self._extended_shape(sample_shape))
        with no_grad():
            none = n == 0
            rate = standard_gamma(n.masked_fill(none, 1.0)) * self.logits.exp()
            return poisson(rate.masked_fill(none, 0.0))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        n = self.total_count
        ways = lgamma(n + value) - lgamma(1 + value) - lgamma(n)
        ways = ways.masked_fill(n + value == 0, 0.0)  # no failure waited for: certainly 0
        return ways + n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)


class Poisson(Distribution):
    """How many events come in a time in which ``rate`` come on the average.

    Args:
        rate: a tensor or a number, not negative.
        validate_args: whether to check it and values.

    Raises:
        ValueError: a negative rate.
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None):
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return value.xlogy(self.rate) - self.rate - lgamma(value + 1)


class Multinomial(Distribution):
    """How often each of K classes comes in ``total_count`` draws.

    Args:
        total_count: how many draws.
        probs: ``(..., K)``, not negative; they are divided by their sum.
        logits: logarithms of probabilities, up to a constant, instead.
        validate_args: whether to check these and values.

    Raises:
        NotImplementedError: a ``total_count`` that is no int.
        ValueError: both or none of the two, no axis, or no probabilities.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None):  # fmt: skip
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count, self._categorical = total_count, Categorical(probs, logits, validate_args)
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @property
    def probs(self) -> Tensor:
        """The probability of each class."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """Their logarithms."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._categorical.param_shape

    @property
    def support(self) -> Any:
        """Counts of as many draws."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def expand(self, batch_shape: Any) -> Multinomial:
        made = Multinomial.__new__(Multinomial)
        made.total_count, made._categorical = self.total_count, self._categorical.expand(batch_shape)
        Distribution.__init__(made, batch_shape, self._event_shape, validate_args=False)
        made._validate_args = self._validate_args
        return made

    def sample(self, sample_shape: Any = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = self.probs.new_zeros(self._extended_shape(sample_shape))
        return counts.scatter_add(-1, drawn, ones_like(drawn, dtype=counts.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        ways = lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1)
        logits = self.logits.masked_fill((self.logits == -float("inf")) & (value == 0), 0.0)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        one = Binomial(self.total_count, self.probs)
        n = self.probs.new_full((), float(self.total_count))
        counts = one.enumerate_support(expand=False)[1:]
        log_factorials = (one.log_prob(counts).exp() * lgamma(counts + 1)).sum((0, -1))
        return n * self._categorical.entropy() - lgamma(n + 1) + log_factorials

    def __repr__(self) -> str:
        return "Multinomial()"
