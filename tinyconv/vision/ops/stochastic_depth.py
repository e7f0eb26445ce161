"""Stochastic depth (Huang et al., "Deep networks with stochastic depth", ECCV 2016): dropout of whole blocks."""

from __future__ import annotations

from ... import empty, nn
from ...tensor import Tensor

__all__ = ["StochasticDepth", "stochastic_depth"]


def stochastic_depth(input: Tensor, p: float, mode: str, training: bool = True) -> Tensor:
    """In training, zeros with probability ``p``, and else ``input / (1 - p)``.

    Args:
        input: ``(N, ...)``, what a residual block adds.
        p: the probability.
        mode: "row", by chance for each sample, or "batch", for all together.
        training: whether to do anything.

    Raises:
        ValueError: another mode, or ``p`` is no probability.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"stochastic_depth: p must be in [0, 1], got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"stochastic_depth: mode must be 'batch' or 'row', got {mode!r}")
    if not training or p == 0:
        return input
    rows = input.shape[0] if mode == "row" else 1
    factors = empty((rows, *[1] * (input.dim() - 1)), dtype=input.dtype, device=input.device).bernoulli_(1 - p)
    return input * (factors / (1 - p) if p < 1 else factors)


class StochasticDepth(nn.Module):
    """:func:`stochastic_depth` as a layer."""

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Tensor) -> Tensor:
        """``(N, ...)``, of the same shape."""
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"
