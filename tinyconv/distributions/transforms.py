"""Transforms y = f(x) of random values, ``torch.distributions.transforms``: what :class:`TransformedDistribution`
needs of f is its inverse and the logarithm of how it stretches, log |dy/dx|.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from typing import Any

from ..dtypes import finfo
from ..ops import as_tensor, broadcast_tensors, softplus, tensor
from ..tensor import Tensor
from . import constraints
from .distribution import sum_rightmost

__all__ = [
    "AffineTransform",
    "ComposeTransform",
    "ExpTransform",
    "PowerTransform",
    "SigmoidTransform",
    "SoftplusTransform",
    "TanhTransform",
    "Transform",
    "identity_transform",
]


class Transform:
    """Base class. A subclass defines ``domain``, ``codomain``, ``_call``, ``_inverse``, ``log_abs_det_jacobian``, and,
    if it goes up or down throughout, ``sign``.

    Args:
        cache_size: 1: the inverse of the y that was computed last is its x, and not computed.

    Attributes:
        bijective: whether every y has one x.
        domain, codomain: the constraints that x and y satisfy.
        sign: 1 if y grows with x, -1 if it falls.

    Raises:
        ValueError: another ``cache_size`` than 0 and 1.
    """

    bijective = False
    domain: Any = constraints.real
    codomain: Any = constraints.real

    def __init__(self, cache_size: int = 0):
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size must be 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._last: tuple[Tensor, Tensor] | None = None
        self._inverse_of: Any = None
        super().__init__()

    @property
    def sign(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not go up or down throughout")

    @property
    def event_dim(self) -> int:
        """How many axes an x has that is transformed as one.

        Raises:
            ValueError: a y has another number.
        """
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The transform that leads back."""
        inverse = self._inverse_of() if self._inverse_of is not None else None
        if inverse is None:
            inverse = _Inverse(self)
            self._inverse_of = weakref.ref(inverse)
        return inverse

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same transform with this ``cache_size``."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(f"{type(self).__name__}.with_cache is not implemented")

    def __call__(self, x: Tensor) -> Tensor:
        if self._last is not None and self._last[0] is x:
            return self._last[1]
        y = self._call(x)
        if self._cache_size:
            self._last = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._last is not None and self._last[1] is y:
            return self._last[0]
        x = self._inverse(y)
        if self._cache_size:
            self._last = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _call(x)")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _inverse(y)")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |dy/dx|, for each event."""
        raise NotImplementedError(f"{type(self).__name__} must define log_abs_det_jacobian(x, y)")

    def forward_shape(self, shape: Any) -> Any:
        """The shape of y for an x of ``shape``."""
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of x for a y of ``shape``."""
        return shape

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _Inverse(Transform):
    """A transform the other way round."""

    def __init__(self, forward: Transform):
        super().__init__(forward._cache_size)
        self._forward, self.bijective = forward, forward.bijective
        self.domain, self.codomain = forward.codomain, forward.domain

    @property
    def sign(self) -> Any:
        return self._forward.sign

    @property
    def inv(self) -> Transform:
        return self._forward

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._forward.with_cache(cache_size).inv

    def __call__(self, x: Tensor) -> Tensor:
        return self._forward._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._forward(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._forward.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Any) -> Any:
        return self._forward.inverse_shape(shape)

    def inverse_shape(self, shape: Any) -> Any:
        return self._forward.forward_shape(shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Inverse) and self._forward == other._forward

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"_InverseTransform({self._forward!r})"


class ComposeTransform(Transform):
    """Transforms one after the other.

    Args:
        parts: the first is applied first.
        cache_size: 1: each remembers its last value.
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0):
        self.parts = [part.with_cache(cache_size) if cache_size else part for part in parts]
        super().__init__(cache_size)
        self.bijective = all([part.bijective for part in self.parts])

    @property
    def domain(self) -> Any:
        """Of the first, for events as large as the largest of them all."""
        return self._ends()[0]

    @property
    def codomain(self) -> Any:
        """Of the last, for events as large as the largest of them all."""
        return self._ends()[1]

    def _ends(self) -> tuple[Any, Any]:
        if not self.parts:
            return constraints.real, constraints.real
        first, last = self.parts[0].domain, self.parts[-1].codomain
        before = last.event_dim
        for part in reversed(self.parts):
            before = max(before + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
        after = first.event_dim
        for part in self.parts:
            after = max(after + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
        return _larger(first, before), _larger(last, after)

    @property
    def sign(self) -> Any:
        return math.prod([part.sign for part in self.parts])

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else ComposeTransform(self.parts, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part.inv(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        total: Any = 0.0
        event_dim = self.domain.event_dim
        for part in self.parts:
            after = part(x)
            total = total + sum_rightmost(part.log_abs_det_jacobian(x, after), event_dim - part.domain.event_dim)
            event_dim += part.codomain.event_dim - part.domain.event_dim
            x = after
        return total if self.parts else x.new_zeros(x.shape)

    def forward_shape(self, shape: Any) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "ComposeTransform(\n    " + ",\n    ".join(map(repr, self.parts)) + "\n)"


def _larger(constraint: Any, event_dim: int) -> Any:
    """A constraint for events of this many axes."""
    more = event_dim - constraint.event_dim
    return constraints.independent(constraint, more) if more else constraint


identity_transform = ComposeTransform([])


def _sign(slope: Any) -> Any:
    return slope.sign() if isinstance(slope, Tensor) else (slope > 0) - (slope < 0)


class AffineTransform(Transform):
    """``y = loc + scale * x``.

    Args:
        loc, scale: tensors or numbers.
        event_dim: how many axes make an event.
        cache_size: as for :class:`Transform`.
    """

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0):
        super().__init__(cache_size)
        self.loc, self.scale = loc, scale
        self.domain = self.codomain = _larger(constraints.real, event_dim)

    @property
    def sign(self) -> Any:
        return _sign(self.scale)

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        return AffineTransform(self.loc, self.scale, self.event_dim, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        scale = self.scale if isinstance(self.scale, Tensor) else tensor(float(self.scale), dtype=x.dtype)
        return sum_rightmost(broadcast_tensors(scale.to(x.device).abs().log(), x)[0], self.event_dim)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        return bool(as_tensor(self.loc == other.loc).all()) and bool(as_tensor(self.scale == other.scale).all())

    __hash__ = object.__hash__


class _Plain(Transform):
    """What transforms without parameters share: those of one class are equal."""

    bijective = True
    sign = 1

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    __hash__ = object.__hash__


class ExpTransform(_Plain):
    """``y = exp(x)``."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x


class SigmoidTransform(_Plain):
    """``y = 1 / (1 + exp(-x))``."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        return _inside(x.sigmoid())

    def _inverse(self, y: Tensor) -> Tensor:
        y = _inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x) - softplus(x)


def _inside(y: Tensor) -> Tensor:
    """``y`` in the unit interval, without its ends."""
    limits = finfo(y.dtype)
    return y.clamp(limits.tiny, 1 - limits.eps)


class SoftplusTransform(_Plain):
    """``y = log(1 + exp(x))``."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -softplus(-x)


class TanhTransform(_Plain):
    """``y = tanh(x)``; with ``cache_size=1`` a y that is rounded to 1 has its x still."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))  # of 1 - tanh^2, without its cancellation


class PowerTransform(Transform):
    """``y = x ** exponent``, for positive x.

    Args:
        exponent: a tensor or a number.
        cache_size: as for :class:`Transform`.
    """

    bijective = True
    domain = codomain = constraints.positive

    def __init__(self, exponent: Any, cache_size: int = 0):
        super().__init__(cache_size)
        self.exponent = exponent

    @property
    def sign(self) -> Any:
        return _sign(self.exponent)

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self if self._cache_size == cache_size else PowerTransform(self.exponent, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return x**self.exponent

    def _inverse(self, y: Tensor) -> Tensor:
        return y ** (1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return (self.exponent * y / x).abs().log()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PowerTransform) and bool(as_tensor(self.exponent == other.exponent).all())

    __hash__ = object.__hash__
