"""Dropout (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014)."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, sets each element to 0 with probability ``p`` and divides the others by 1 - p, so that the expected
    value stays; in evaluation it returns its input.

    Args:
        p: the probability.
        inplace: write into the input.

    Raises:
        ValueError: ``p`` is no probability.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some elements dropped; any shape."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
