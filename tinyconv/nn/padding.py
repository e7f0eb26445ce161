"""Padding as layers: what :func:`~tinyconv.nn.functional.pad` puts around the last axis (1d), two (2d) or
three axes (3d)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ..tensor import Tensor
from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Sides1d = int | tuple[int, int]
Sides2d = int | tuple[int, int, int, int]
Sides3d = int | tuple[int, int, int, int, int, int]


class _Pad(Module):
    """One number for all sides, or (left, right), or (left, right, top, bottom), or those and (front, back)."""

    axes: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Any):
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, Iterable) else (padding,) * (2 * self.axes)

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with more elements around it."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: Any, value: float):
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """``input`` with ``value`` around it."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """``value`` before and after: ``(..., L) -> (..., left + L + right)``.

    Args:
        padding: (left, right), or one number for both; negative ones cut off.
        value: of the new elements.
    """

    axes = 1

    def __init__(self, padding: Sides1d, value: float):
        super().__init__(padding, value)


class ConstantPad2d(_ConstantPad):
    """``value`` all around: ``(..., H, W) -> (..., top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom), or one number for all; negative ones cut off.
        value: of the new elements.
    """

    axes = 2

    def __init__(self, padding: Sides2d, value: float):
        super().__init__(padding, value)


class ConstantPad3d(_ConstantPad):
    """``value`` all around: ``(..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom, front, back), or one number for all; negative ones cut off.
        value: of the new elements.
    """

    axes = 3

    def __init__(self, padding: Sides3d, value: float):
        super().__init__(padding, value)


class ZeroPad1d(_ConstantPad):
    """Zeros before and after: ``(..., L) -> (..., left + L + right)``.

    Args:
        padding: (left, right), or one number for both; negative ones cut off.
    """

    axes = 1

    def __init__(self, padding: Sides1d):
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(_ConstantPad):
    """Zeros all around: ``(..., H, W) -> (..., top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom), or one number for all; negative ones cut off.
    """

    axes = 2

    def __init__(self, padding: Sides2d):
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(_ConstantPad):
    """Zeros all around: ``(..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom, front, back), or one number for all; negative ones cut off.
    """

    axes = 3

    def __init__(self, padding: Sides3d):
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """The mirror image, edge not repeated, before and after: ``(..., L) -> (..., left + L + right)``.

    Args:
        padding: (left, right), or one number for both; less than the axis is long.
    """

    axes = 1
    mode = "reflect"

    def __init__(self, padding: Sides1d):
        super().__init__(padding)


class ReflectionPad2d(_Pad):
    """The mirror image, edge not repeated, all around:
    ``(..., H, W) -> (..., top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom), or one number for all; less than the axis is long.
    """

    axes = 2
    mode = "reflect"

    def __init__(self, padding: Sides2d):
        super().__init__(padding)


class ReflectionPad3d(_Pad):
    """The mirror image, edge not repeated, all around:
    ``(..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom, front, back), or one number for all; less than the axis is long.
    """

    axes = 3
    mode = "reflect"

    def __init__(self, padding: Sides3d):
        super().__init__(padding)


class ReplicationPad1d(_Pad):
    """The edge, repeated, before and after: ``(..., L) -> (..., left + L + right)``.

    Args:
        padding: (left, right), or one number for both.
    """

    axes = 1
    mode = "replicate"

    def __init__(self, padding: Sides1d):
        super().__init__(padding)


class ReplicationPad2d(_Pad):
    """The edge, repeated, all around:
    ``(..., H, W) -> (..., top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom), or one number for all.
    """

    axes = 2
    mode = "replicate"

    def __init__(self, padding: Sides2d):
        super().__init__(padding)


class ReplicationPad3d(_Pad):
    """The edge, repeated, all around:
    ``(..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom, front, back), or one number for all.
    """

    axes = 3
    mode = "replicate"

    def __init__(self, padding: Sides3d):
        super().__init__(padding)


class CircularPad1d(_Pad):
    """The other end of the axis before and after: ``(..., L) -> (..., left + L + right)``.

    Args:
        padding: (left, right), or one number for both; at most as much as the axis is long.
    """

    axes = 1
    mode = "circular"

    def __init__(self, padding: Sides1d):
        super().__init__(padding)


class CircularPad2d(_Pad):
    """The other end of the axis all around:
    ``(..., H, W) -> (..., top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom), or one number for all; at most as much as the axis is long.
    """

    axes = 2
    mode = "circular"

    def __init__(self, padding: Sides2d):
        super().__init__(padding)


class CircularPad3d(_Pad):
    """The other end of the axis all around:
    ``(..., D, H, W) -> (..., front + D + back, top + H + bottom, left + W + right)``.

    Args:
        padding: (left, right, top, bottom, front, back), or one number for all; at most as much as the axis is long.
    """

    axes = 3
    mode = "circular"

    def __init__(self, padding: Sides3d):
        super().__init__(padding)
