"""What PyTorch asks of complex numbers, of real ones, which are all there are here."""

from __future__ import annotations

import math

from ..tensor import Tensor
from .compare import isnan, where
from .types import expect, floating


def real(input: Tensor) -> Tensor:
    """The real part: ``input`` itself."""
    expect("real", input=input)
    return input


def conj(input: Tensor) -> Tensor:
    """The complex conjugate: ``input`` itself."""
    expect("conj", input=input)
    return input


def angle(input: Tensor) -> Tensor:
    """The angle in the complex plane: pi of negative numbers, 0 of the others, NaN of NaN. There is no gradient."""
    x = floating(input, "angle").detach()
    return where(isnan(x), x, where(x < 0, math.pi, x.new_zeros(())))
