"""DropBlock (Ghiasi et al., "DropBlock: a regularization method for convolutional networks", NeurIPS 2018)."""

from __future__ import annotations

from ... import empty, nn
from ...nn import functional as F
from ...tensor import Tensor

__all__ = ["DropBlock2d", "drop_block2d"]


def drop_block2d(
    input: Tensor, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6, training: bool = True
) -> Tensor:
    """In training, squares of neighbouring pixels become 0, and the others larger, so that the sum stays.

    Args:
        input: ``(N, C, H, W)``.
        p: the part of the pixels that becomes 0.
        block_size: the side of a square.
        inplace: write into ``input``.
        eps: added to the number of pixels that stay.
        training: whether to do anything.

    Raises:
        ValueError: ``p`` is no probability.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"drop_block2d: p must be in [0, 1], got {p}")
    if not training or p == 0:
        return input
    N, C, H, W = input.shape
    side = min(block_size, W, H)
    OH, OW = H - side + 1, W - side + 1
    corners = empty((N, C, OH, OW), dtype=input.dtype, device=input.device).bernoulli_(p * H * W / (side**2 * OH * OW))
    gone = F.max_pool2d(F.pad(corners, [side // 2] * 4), side, stride=1, padding=side // 2)
    kept = 1 - gone
    scale = kept.numel() / (eps + kept.sum())
    return input.mul_(kept).mul_(scale) if inplace else input * kept * scale


class DropBlock2d(nn.Module):
    """:func:`drop_block2d` as a layer."""

    def __init__(self, p: float, block_size: int, inplace: bool = False, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = p
        self.block_size = block_size
        self.inplace = inplace
        self.eps = eps

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C, H, W)``, of the same shape."""
        return drop_block2d(input, self.p, self.block_size, self.inplace, self.eps, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, block_size={self.block_size}, inplace={self.inplace})"
