"""What the parameters and values of distributions must satisfy: ``positive.check(x)`` is a tensor of bools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import finfo
from ..ops import cat as concatenate
from ..ops import split
from ..ops import stack as stacked
from ..ops.decomposition import eigvalsh
from ..tensor import Tensor

__all__ = [
    "Constraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "less_than",
    "lower_cholesky",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "real",
    "real_vector",
    "simplex",
    "stack",
    "unit_interval",
]


class Constraint:
    """A set of values.

    Attributes:
        is_discrete: whether it consists of single points.
        event_dim: how many axes of a value it is about.
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is in the set: bools, one an event."""
        raise NotImplementedError

    def __repr__(self) -> str:
        bounds = ", ".join([f"{name}={bound}" for name, bound in vars(self).items()])
        return f"{type(self).__name__}({bounds})"


def dependent_property(getter: Any = None, *, is_discrete: Any = None, event_dim: Any = None) -> Any:
    """A property that is a constraint, such as a ``support`` that depends on parameters, as ``@dependent_property`` or
    ``@dependent_property(is_discrete=False, event_dim=0)``. The constraint itself says what these two say.
    """
    return property if getter is None else property(getter)


class Real(Constraint):
    """All numbers but NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value


class Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class GreaterThan(Constraint):
    """Numbers above a bound."""

    def __init__(self, lower_bound: Any):
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class GreaterThanEq(Constraint):
    """A bound, and numbers above it."""

    def __init__(self, lower_bound: Any):
        self.lower_bound = lower_bound

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class IntegerGreaterThan(GreaterThanEq):
    """Whole numbers from a bound on."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= self.lower_bound)


class LessThan(Constraint):
    """Numbers below a bound."""

    def __init__(self, upper_bound: Any):
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class Interval(Constraint):
    """Numbers between two bounds, with these."""

    def __init__(self, lower_bound: Any, upper_bound: Any):
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class HalfOpenInterval(Interval):
    """Numbers between two bounds, with the lower of them."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class IntegerInterval(Interval):
    """Whole numbers between two bounds, with these."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & super().check(value)


class Simplex(Constraint):
    """Vectors of probabilities: nothing negative, and all together 1."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class OneHot(Constraint):
    """Vectors of one 1 and zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Multinomial(Constraint):
    """Vectors of counts, together at most ``upper_bound``: those that sum to less have a probability, too."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any):
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class LowerCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class CorrCholesky(LowerCholesky):
    """Cholesky factors of matrices of correlations: their rows have the length 1."""

    def check(self, value: Tensor) -> Tensor:
        tolerance = finfo(value.dtype).eps * value.shape[-1] * 10
        unit = (((value**2).sum(-1) - 1).abs() <= tolerance).all(-1)
        return unit & super().check(value)


class PositiveDefinite(Constraint):
    """Symmetric matrices whose eigenvalues are positive."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        symmetric = ((value - value.mT).abs() <= 1e-6 + 1e-6 * value.abs()).flatten(-2).all(-1)
        return symmetric & (eigvalsh(value) > 0).all(-1)


class IndependentConstraint(Constraint):
    """Events all of whose elements are in a set.

    Args:
        base_constraint: that set.
        reinterpreted_batch_ndims: how many axes the events have.
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int):
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        found = self.base_constraint.check(value)
        if found.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {value.dim()}")
        return found.reshape(*found.shape[: found.dim() - self.reinterpreted_batch_ndims], -1).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class Cat(Constraint):
    """Parts of ``lengths`` along an axis, each with a constraint of its own.

    Args:
        cseq: a constraint a part.
        dim: the axis.
        lengths: of the parts; default: 1 each.

    Raises:
        ValueError: not as many lengths as constraints.
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None):
        self.cseq, self.dim = list(cseq), dim
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(f"cat: {len(self.cseq)} constraints and {len(self.lengths)} lengths")
        self.is_discrete = any([c.is_discrete for c in self.cseq])
        self.event_dim = max([c.event_dim for c in self.cseq])

    def check(self, value: Tensor) -> Tensor:
        parts = split(value, self.lengths, self.dim)
        return concatenate([c.check(part) for c, part in zip(self.cseq, parts, strict=True)], self.dim)


class Stack(Constraint):
    """Slices along an axis, each with a constraint of its own.

    Args:
        cseq: a constraint a slice.
        dim: the axis.
    """

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0):
        self.cseq, self.dim = list(cseq), dim
        self.is_discrete = any([c.is_discrete for c in self.cseq])
        event_dim = max([c.event_dim for c in self.cseq])
        self.event_dim = event_dim + 1 if dim + event_dim < 0 else event_dim

    def check(self, value: Tensor) -> Tensor:
        slices = [value.select(self.dim, i) for i in range(value.shape[self.dim])]
        return stacked([c.check(v) for c, v in zip(self.cseq, slices, strict=True)], self.dim)


boolean, real, simplex, one_hot = Boolean(), Real(), Simplex(), OneHot()
lower_cholesky, corr_cholesky, positive_definite = LowerCholesky(), CorrCholesky(), PositiveDefinite()
greater_than, greater_than_eq, interval, integer_interval = GreaterThan, GreaterThanEq, Interval, IntegerInterval
half_open_interval, less_than = HalfOpenInterval, LessThan
independent, multinomial, cat, stack = IndependentConstraint, Multinomial, Cat, Stack
positive, nonnegative, unit_interval = GreaterThan(0.0), GreaterThanEq(0.0), Interval(0.0, 1.0)
nonnegative_integer, positive_integer = IntegerGreaterThan(0), IntegerGreaterThan(1)
real_vector = IndependentConstraint(real, 1)
