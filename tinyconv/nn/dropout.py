"""Dropout (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014)."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """The settings and printing that all share."""

    def __init__(self, p: float = 0.5, inplace: bool = False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, sets each element to 0 with probability ``p`` and divides the others by 1 - p, so that the expected
    value stays; in evaluation it returns its input.

    Args:
        p: the probability.
        inplace: write into the input.

    Raises:
        ValueError: ``p`` is no probability.
    """

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some elements dropped; any shape."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """:class:`Dropout` of whole channels of ``(N, C, L)`` or ``(C, L)`` (Tompson et al., "Efficient object localization
    using convolutional networks", CVPR 2015); arguments and errors are the same."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some channels dropped."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """:class:`Dropout` of whole channels of ``(N, C, H, W)``; arguments and errors are the same. As in PyTorch three
    axes are ``(N, C, L)``, and a warning says so."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some channels dropped."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """:class:`Dropout` of whole channels of volumes ``(N, C, D, H, W)`` or ``(C, D, H, W)``; arguments and errors are
    the same."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some channels dropped."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean 0 and variance 1, for networks with selu (Klambauer et al., "Self-normalizing neural
    networks", NeurIPS 2017); arguments and errors are those of :class:`Dropout`."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some elements dropped; any shape."""
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """:class:`AlphaDropout` of whole channels of ``(N, C, ...)``."""

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with some channels dropped."""
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
