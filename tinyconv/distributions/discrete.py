"""Distributions of whole numbers and classes, by their probabilities or by the logarithms of these."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..autograd import no_grad
from ..ops import (
    arange,
    bernoulli,
    binary_cross_entropy_with_logits,
    broadcast_tensors,
    eye,
    multinomial,
    rand,
    where,
    zeros_like,
)
from ..tensor import Size, Tensor
from . import constraints
from .distribution import Distribution, broadcast_all

__all__ = ["Bernoulli", "Categorical", "Geometric", "OneHotCategorical"]


def _either(probs: Any, logits: Any) -> None:
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")


def _away_from_the_ends(probs: Tensor) -> Tensor:
    """Probabilities whose logarithms, and those of the others, are finite."""
    eps = dtypes.finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


class TwoSided(Distribution):
    """One probability, or the logarithm of its odds: the other is worked out where it is asked for."""

    def __init__(self, probs: Any, logits: Any, validate_args: bool | None):
        _either(probs, logits)
        (given,) = broadcast_all(probs if logits is None else logits)
        if logits is None:
            self.probs = given
        else:
            self.logits = given
        super().__init__(given.shape, validate_args=validate_args)

    def __getattr__(self, name: str) -> Any:
        if name == "probs" and "logits" in vars(self):
            return self.logits.sigmoid()
        if name == "logits" and "probs" in vars(self):
            p = _away_from_the_ends(self.probs)
            return p.log() - (-p).log1p()
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return self._batch_shape


class Bernoulli(TwoSided):
    """1 with the probability ``probs``, else 0.

    Args:
        probs: the probability of 1: a tensor or a number.
        logits: the logarithm of its odds, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, or no probability.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        super().__init__(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        p = self.probs
        return (p >= 0.5).to(dtype=p.dtype).masked_fill(p == 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        logits, value = broadcast_tensors(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(2, dtype=self.probs.dtype, device=self.probs.device)
        values = values.reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class Geometric(TwoSided):
    """How many times a trial fails before it succeeds for the first time.

    Args:
        probs: the probability of success: a tensor or a number, positive.
        logits: the logarithm of its odds, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, or no probability.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ValueError(f"Geometric: expected probs to be positive, got {self.probs}")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            p = self.probs
            u = rand(self._extended_shape(sample_shape), dtype=p.dtype, device=p.device)
            return (u.clamp(min=dtypes.finfo(p.dtype).tiny).log() / (-p).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        value, probs = broadcast_tensors(value, self.probs)
        probs = where((probs == 1) & (value == 0), 0, probs)
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class Categorical(Distribution):
    """A class, 0 to K - 1, with the probabilities ``probs``.

    Args:
        probs: ``(..., K)``, not negative; they are divided by their sum.
        logits: logarithms of probabilities, up to a constant, instead.
        validate_args: whether to check these and values.

    Raises:
        ValueError: both or none of the two, no axis, or no probabilities.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True
    probs: Tensor
    logits: Tensor

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None):
        _either(probs, logits)
        name, given = ("probs", probs) if logits is None else ("logits", logits)
        assert given is not None
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if logits is None:
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    def __getattr__(self, name: str) -> Any:
        if name == "probs" and "logits" in vars(self):
            return self.logits.softmax(-1)
        if name == "logits" and "probs" in vars(self):
            return _away_from_the_ends(self.probs).log()
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter."""
        return Size((*self._batch_shape, self._num_events))

    @property
    def support(self) -> Any:
        """0 to K - 1."""
        return constraints.IntegerInterval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return self.probs.new_full(self._batch_shape, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return self.probs.new_full(self._batch_shape, math.nan)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        count = Size(sample_shape).numel()
        with no_grad():
            drawn = multinomial(self.probs.reshape(-1, self._num_events), count, True)
        return drawn.t().reshape(self._extended_shape(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        value, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=dtypes.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        values = arange(self._num_events, device=self.probs.device).reshape(-1, *[1] * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


class OneHotCategorical(Distribution):
    """:class:`Categorical`, whose values are vectors with a 1 at the place of the class.

    Args:
        probs, logits, validate_args: as there.

    Raises:
        ValueError: as there.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None):
        self._categorical = Categorical(probs, logits, validate_args)
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
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._hot(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def _hot(self, classes: Tensor) -> Tensor:
        return eye(self._event_shape[0], dtype=self.probs.dtype, device=self.probs.device)[classes]

    def expand(self, batch_shape: Any) -> OneHotCategorical:
        made = OneHotCategorical.__new__(OneHotCategorical)
        made._categorical = self._categorical.expand(batch_shape)
        Distribution.__init__(made, batch_shape, self._event_shape, validate_args=False)
        made._validate_args = self._validate_args
        return made

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        self._check_value(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._event_shape[0]
        values = self._hot(arange(n, device=self.probs.device)).reshape(n, *[1] * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values

    def __repr__(self) -> str:
        return "OneHotCategorical()"
