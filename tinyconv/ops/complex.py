"""What PyTorch asks of complex numbers, of real ones, which are all there are here."""

from __future__ import annotations

import math
from typing import Any

from ..autograd import Function
from ..tensor import Tensor
from .compare import isnan, lt, where
from .types import expect, floating


def real(input: Tensor) -> Tensor:
    """The real part: ``input`` itself."""
    expect("real", input=input)
    return input


def conj(input: Tensor) -> Tensor:
    """The complex conjugate: ``input`` itself."""
    expect("conj", input=input)
    return input


class Angle(Function):
    """y = 0, pi where x < 0, NaN where x is NaN;  gx = 0."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return where(isnan(x), x, where(lt(x, 0), math.pi, x.new_zeros(())))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> Tensor:
        return gy.new_zeros(gy.array.shape)


def angle(input: Tensor) -> Tensor:
    """The angle in the complex plane: pi of negative numbers, 0 of the others, NaN of NaN. The gradient is 0."""
    return Angle.apply(floating(input, "angle"))
