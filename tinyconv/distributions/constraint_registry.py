"""Transforms from real numbers onto what a constraint allows, so that an optimizer may move freely:
``scale = transform_to(Normal.arg_constraints["scale"])(unconstrained)``.

``biject_to`` gives bijective transforms with a ``log_abs_det_jacobian`` (for Hamiltonian Monte Carlo);
``transform_to`` gives those that work element by element where it can, better for optimizers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import constraints
from .constraints import Constraint
from .transforms import (
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    SigmoidTransform,
    SoftmaxTransform,
    StackTransform,
    StickBreakingTransform,
    Transform,
    identity_transform,
)

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Which transform leads to which constraint, by the constraint's class."""

    def __init__(self) -> None:
        self._factories: dict[type, Callable[[Any], Transform]] = {}

    def register(self, constraint: Any, factory: Callable[[Any], Transform] | None = None) -> Callable:
        """``factory(constraint)`` is the transform onto constraints of this class. Without a factory: a decorator.

        Raises:
            TypeError: no constraint, and no class of constraints.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        cls = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not isinstance(cls, type) or not issubclass(cls, Constraint):
            raise TypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._factories[cls] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform onto ``constraint``.

        Raises:
            NotImplementedError: none is known.
        """
        factory = self._factories.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"Cannot transform {type(constraint).__name__} constraints")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _to_interval(constraint: Any) -> Transform:
    lower, upper = constraint.lower_bound, constraint.upper_bound
    if isinstance(lower, (int, float)) and isinstance(upper, (int, float)) and (lower, upper) == (0, 1):
        return SigmoidTransform()
    return ComposeTransform([SigmoidTransform(), AffineTransform(lower, upper - lower)])


def _register_what_both_share(onto: ConstraintRegistry) -> None:
    onto.register(constraints.real, lambda c: identity_transform)
    for above in (constraints.greater_than, constraints.greater_than_eq):
        onto.register(above, lambda c: ComposeTransform([ExpTransform(), AffineTransform(c.lower_bound, 1)]))
    onto.register(
        constraints.less_than, lambda c: ComposeTransform([ExpTransform(), AffineTransform(c.upper_bound, -1)])
    )
    for between in (constraints.interval, constraints.half_open_interval):
        onto.register(between, _to_interval)
    onto.register(constraints.corr_cholesky, lambda c: CorrCholeskyTransform())
    onto.register(
        constraints.independent, lambda c: IndependentTransform(onto(c.base_constraint), c.reinterpreted_batch_ndims)
    )
    onto.register(constraints.cat, lambda c: CatTransform([onto(part) for part in c.cseq], c.dim, c.lengths))
    onto.register(constraints.stack, lambda c: StackTransform([onto(part) for part in c.cseq], c.dim))


_register_what_both_share(biject_to)
_register_what_both_share(transform_to)
biject_to.register(constraints.simplex, lambda c: StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda c: LowerCholeskyTransform())
transform_to.register(constraints.positive_definite, lambda c: PositiveDefiniteTransform())
