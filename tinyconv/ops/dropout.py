"""Dropout: elements, or whole channels, set to zero at random in training, so that none can rely on another.

What is left is divided by 1 - p, so that the expected value stays. *Alpha* dropout keeps the variance too, for networks
with selu: what is dropped goes to the value that selu has at minus infinity, and ``a x + b`` brings mean and variance
back.
"""

from __future__ import annotations

import math
from typing import Any

from .. import kernels
from ..autograd import Function
from ..caller import warn
from ..random import default_generator
from ..tensor import Tensor, wrap
from .elementwise import add, mul, sub
from .types import expect


class Dropout(Function):
    """y = x / (1 - p) where a random number is >= p, else 0. Given the seed it is linear in x and diagonal, so gx is
    the same function of gy, and the mask is drawn again instead of being stored."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: float, seed: int, offset: int) -> Tensor:
        ctx.arguments = p, seed, offset
        return wrap(kernels.of(x.array).dropout(x.array, p, seed, offset))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return Dropout.apply(gy, *ctx.arguments), None, None, None


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, set each element to 0 with probability ``p`` and divide the others by 1 - p (Srivastava et al.
    2014).

    Args:
        input: any shape, floating point.
        p: probability of a zero, in [0, 1].
        training: False returns ``input`` unchanged.
        inplace: write the result into ``input``.

    Raises:
        ValueError: ``p`` outside [0, 1].
    """
    _check_p(p, "dropout")
    if not training or p == 0:
        return input
    expect("dropout", "f", input=input)
    seed, offset = default_generator.take(-(-input.numel() // 8))
    if inplace:
        return input.dropout_(p, seed, offset)
    return Dropout.apply(input, float(p), seed, offset)


def _check_p(p: float, name: str) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p must be a probability in [0, 1], got {p}")


def _channels(x: Tensor, p: float) -> Tensor:
    """One number for each channel of (N, C, ...): 0 with probability ``p``, else 1 / (1 - p)."""
    shape = x.array.shape
    return dropout(x.new_ones((*shape[:2], *[1] * (len(shape) - 2))), p)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of ``(N, C, L)`` or ``(C, L)`` (Tompson et al. 2015): neighbours, which say
    nearly the same, cannot fill in for what is dropped.

    Raises:
        ValueError: ``p`` outside [0, 1].
        RuntimeError: an input of another rank.
    """
    _check_p(p, "dropout1d")
    n = input.array.ndim
    if n not in (2, 3):
        raise RuntimeError(f"dropout1d: expected input (N, C, L) or (C, L), got shape {tuple(input.array.shape)}")
    if not training or p == 0:
        return input
    expect("dropout1d", "f", input=input)
    factors = _channels(input, p) if n == 3 else _channels(input.unsqueeze(0), p).squeeze(0)
    return input.mul_(factors) if inplace else mul(input, factors)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of images ``(N, C, H, W)``. Any input ``(N, C, ...)`` is taken, with a warning:
    three axes are ``(N, C, L)``, never one image.

    Raises:
        ValueError: ``p`` outside [0, 1].
        RuntimeError: an input of fewer than two axes.
    """
    _check_p(p, "dropout2d")
    shape = tuple(input.array.shape)
    if len(shape) != 4:
        warn(f"dropout2d: expected input (N, C, H, W), {shape} is taken for (N, C, ...)")
    return feature_dropout(input, p, training, inplace, "dropout2d")


def feature_dropout(input: Tensor, p: float, training: bool, inplace: bool = False,
                    name: str = "feature_dropout") -> Tensor:  # fmt: skip
    """:func:`dropout` of whole channels of ``(N, C, ...)``, whose errors call it ``name``.

    Raises:
        ValueError: ``p`` outside [0, 1].
        RuntimeError: an input of fewer than two axes.
    """
    _check_p(p, name)
    if not training or p == 0:
        return input
    expect(name, "f", input=input)
    if input.array.ndim < 2:
        raise RuntimeError(f"{name}: expected input (N, C, ...), got shape {tuple(input.array.shape)}")
    factors = _channels(input, p)
    return input.mul_(factors) if inplace else mul(input, factors)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """:func:`dropout` of whole channels of volumes ``(N, C, D, H, W)`` or ``(C, D, H, W)``. Any other input is taken
    for ``(C, ...)``, with a warning.

    Raises:
        ValueError: ``p`` outside [0, 1].
        RuntimeError: an input without axes.
    """
    _check_p(p, "dropout3d")
    shape = tuple(input.array.shape)
    if len(shape) not in (4, 5):
        warn(f"dropout3d: expected input (N, C, D, H, W) or (C, D, H, W), {shape} is taken for (C, ...)")
    if not training or p == 0:
        return input
    expect("dropout3d", "f", input=input)
    if not shape:
        raise RuntimeError("dropout3d: expected input (N, C, D, H, W) or (C, D, H, W), got shape ()")
    factors = _channels(input, p) if len(shape) == 5 else _channels(input.unsqueeze(0), p).squeeze(0)
    return input.mul_(factors) if inplace else mul(input, factors)


def _alpha(input: Tensor, kept: Tensor, p: float, inplace: bool) -> Tensor:
    """Alpha dropout, with ``kept`` 0 for what is dropped and 1 / (1 - p) for the rest."""
    expect("alpha_dropout", "f", input=input)
    if p == 1:
        return input.mul_(0) if inplace else mul(input, 0)
    kept = mul(kept, 1 - p)
    alpha = 1.7580993408473766  # selu's alpha times its scale
    a = 1 / math.sqrt((alpha * alpha * p + 1) * (1 - p))
    b = mul(add(sub(kept, 1), p), alpha * a)
    return input.mul_(mul(kept, a)).add_(b) if inplace else add(mul(input, mul(kept, a)), b)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Alpha dropout (Klambauer et al., "Self-normalizing neural networks", 2017): keeps mean 0 and variance 1.

    Args:
        input: any shape, floating point.
        p: probability of a drop, in [0, 1].
        training: False returns ``input`` unchanged.
        inplace: write the result into ``input``.

    Raises:
        ValueError: ``p`` outside [0, 1].
    """
    _check_p(p, "alpha_dropout")
    if not training or p == 0:
        return input
    return _alpha(input, dropout(input.new_ones(input.array.shape), p), p, inplace)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """:func:`alpha_dropout` of whole channels of ``(N, C, ...)``."""
    _check_p(p, "feature_alpha_dropout")
    if not training or p == 0:
        return input
    if input.array.ndim < 2:
        raise RuntimeError(f"feature_alpha_dropout: expected input (N, C, ...), got shape {tuple(input.array.shape)}")
    return _alpha(input, _channels(input, p), p, inplace)
