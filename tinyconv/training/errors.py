"""How a training can end badly."""

from __future__ import annotations

__all__ = ["Diverged"]


class Diverged(ArithmeticError):
    """The loss, or a gradient, is infinite or no number any more.

    Attributes:
        epoch, step: where, both from 1; None where it is not known.
    """

    def __init__(self, message: str, *, epoch: int | None = None, step: int | None = None) -> None:
        super().__init__(message)
        self.epoch, self.step = epoch, step
