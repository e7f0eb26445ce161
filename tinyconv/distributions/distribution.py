"""Distribution: what all of them can do, and how their parameters are checked."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

from ..autograd import no_grad
from ..ops import broadcast_tensors, tensor
from ..tensor import Size, Tensor
from .constraints import Constraint

__all__ = ["Distribution"]


class Distribution:
    """Base class.

    Args:
        batch_shape: of independent distributions.
        event_shape: of one value of each.
        validate_args: whether parameters and values are checked (by default they are).

    Attributes:
        arg_constraints: what each parameter must satisfy, by its name.
        support: what values there are.
        has_rsample: whether :meth:`rsample` works: gradients go through the values.
        has_enumerate_support: whether :meth:`enumerate_support` does.

    Raises:
        ValueError: a parameter that is not allowed.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    support: Any = None
    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args: bool = True

    def __init__(self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self._given().items():
                value = getattr(self, name)
                if not bool(constraint.check(value.detach()).all()):
                    raise ValueError(
                        f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of "
                        f"distribution {self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n"
                        f"{value}"
                    )

    def _given(self) -> dict[str, Constraint]:
        """The parameters that were given: not those that are worked out of others."""
        return {name: constraint for name, constraint in self.arg_constraints.items() if name in vars(self)}

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether parameters and values are checked where ``validate_args`` is not said.

        Raises:
            ValueError: no bool.
        """
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected a bool, got {value!r}")
        Distribution._validate_args = value

    # -------------------------------------------------------------------------------------------------------- shapes

    @property
    def batch_shape(self) -> Size:
        """The shape of independent distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value of each."""
        return self._event_shape

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        """The shape of ``sample(sample_shape)``."""
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def expand(self, batch_shape: Any) -> Self:
        """The same distribution with a larger batch: its parameters are views."""
        batch, old = tuple(batch_shape), len(self._batch_shape)
        own = {name: getattr(self, name) for name in self._given()}
        expanded: Any = {name: value.expand(*batch, *value.shape[old:]) for name, value in own.items()}
        made = type(self)(**expanded, validate_args=False)
        made._validate_args = self._validate_args
        return made

    # ------------------------------------------------------------------------------------------------------- drawing

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Values, ``sample_shape + batch_shape + event_shape``, without gradients."""
        with no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Values through which gradients reach the parameters.

        Raises:
            NotImplementedError: there is no such way, as with discrete values.
        """
        raise NotImplementedError(f"{type(self).__name__} has no rsample")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values there are, along a new first axis; with ``expand`` for the whole batch.

        Raises:
            NotImplementedError: there are too many.
        """
        raise NotImplementedError(f"{type(self).__name__} has no enumerate_support")

    # ------------------------------------------------------------------------------------------------- probabilities

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability (density) of values: ``sample_shape + batch_shape``.

        Raises:
            ValueError: a value that cannot be, or of another shape (if arguments are validated).
        """
        raise NotImplementedError(f"{type(self).__name__} has no log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to this one."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The value up to which the probability is this one."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf")

    def entropy(self) -> Tensor:
        """The mean of ``-log_prob``, for each in the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy")

    def perplexity(self) -> Tensor:
        """``e ** entropy``."""
        return self.entropy().exp()

    @property
    def mean(self) -> Tensor:
        """The mean of each in the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no mean")

    @property
    def mode(self) -> Tensor:
        """The most probable value of each in the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no mode")

    @property
    def variance(self) -> Tensor:
        """The variance of each in the batch."""
        raise NotImplementedError(f"{type(self).__name__} has no variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def _check_value(self, value: Any) -> None:
        """Raise a ValueError for values that :meth:`log_prob` cannot be asked about."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        own, start = self._extended_shape(), value.dim() - len(self._event_shape)
        if value.shape[start:] != self._event_shape:
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        for i, j in zip(reversed(value.shape), reversed(own)):
            if 1 not in (i, j) and i != j:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {own}.")
        if self.support is not None and not bool(self.support.check(value.detach()).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        own = {name: getattr(self, name) for name in self._given()}
        shown = ", ".join([f"{k}: {v if v.numel() == 1 else v.size()}" for k, v in own.items()])
        return f"{type(self).__name__}({shown})"


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; numbers take the type and place of the tensors.

    Raises:
        ValueError: neither tensor nor number.
    """
    if not all([isinstance(v, (Tensor, int, float)) for v in values]):
        raise ValueError(f"parameters must be numbers or tensors, got {[type(v).__name__ for v in values]}")
    like = next((v for v in values if isinstance(v, Tensor)), tensor(0.0))
    return broadcast_tensors(
        *[v if isinstance(v, Tensor) else tensor(v, dtype=like.dtype, device=like.device) for v in values]
    )


def sum_rightmost(x: Tensor, dims: int) -> Tensor:
    """``x`` summed over its last ``dims`` axes."""
    return x if dims == 0 else x.reshape(*x.shape[: x.dim() - dims], -1).sum(-1)


LOG_2PI = math.log(2 * math.pi)
