"""Layers that make images larger (or smaller) by interpolation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Another size: ``(N, C, L) -> (N, C, OL)`` or ``(N, C, H, W) -> (N, C, OH, OW)``.

    Args:
        size: of the output, one number or one per axis.
        scale_factor: how many times larger, instead.
        mode: "nearest", "linear", "bilinear", "bicubic", ...: see :func:`~tinyconv.nn.functional.interpolate`.
        align_corners: whether the corner pixels' centres stay where they are, or the image's edges.
        recompute_scale_factor: use the ratio of the rounded sizes instead of ``scale_factor`` itself.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ):
        super().__init__()
        self.size = size
        self.scale_factor: Any
        if isinstance(scale_factor, Sequence):
            self.scale_factor = tuple([float(factor) for factor in scale_factor])
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """``input`` in the other size."""
        return F.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        what = f"size={self.size!r}" if self.scale_factor is None else f"scale_factor={self.scale_factor!r}"
        return f"{what}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """:class:`Upsample` of images with mode "nearest".

    Args:
        size: (OH, OW), or one number for both.
        scale_factor: how many times larger, instead.
    """

    def __init__(
        self, size: int | tuple[int, int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ):
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """:class:`Upsample` of images with mode "bilinear" and aligned corners.

    Args:
        size: (OH, OW), or one number for both.
        scale_factor: how many times larger, instead.
    """

    def __init__(
        self, size: int | tuple[int, int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ):
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
