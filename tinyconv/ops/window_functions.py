"""Windows that fade a signal out towards its ends: Hann, Hamming, Blackman, Bartlett, Kaiser.

Each is symmetric over L places; *periodic*, as a discrete Fourier transform wants it, it is the symmetric one over
L + 1 places without its last.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..tensor import Tensor
from .convert import cast
from .creation import arange, ones
from .elementary import cos, sqrt
from .elementwise import abs, div, mul, rsub, square
from .special import i0


def _window(name: str, formula: Callable[[Tensor], Tensor], window_length: int, periodic: bool, dtype: Any, device: Any,
            requires_grad: bool) -> Tensor:  # fmt: skip
    """The window that ``formula`` makes of places from 0 to 1, computed in float64.

    Raises:
        TypeError: a length that is no int.
        RuntimeError: a negative length, or a type that is not floating point.
    """
    window_length, kind = operator.index(window_length), dtypes.as_numpy(dtype)
    if kind.kind != "f":
        raise RuntimeError(f"{name}: dtype must be floating point, got {dtype}")
    if window_length < 0:
        raise RuntimeError(f"{name}: window_length must not be negative, got {window_length}")
    if window_length < 2:
        return ones(window_length, dtype=dtype, device=device, requires_grad=requires_grad)
    places = arange(window_length, dtype=dtypes.float64, device=device)
    out = cast(formula(div(places, window_length if periodic else window_length - 1)), kind)
    return out.requires_grad_(requires_grad)


def _cosines(*weights: float) -> Callable[[Tensor], Tensor]:
    """``weights[0] - weights[1] cos(2 pi x) + weights[2] cos(4 pi x)``, as far as there are weights."""

    def formula(x: Tensor) -> Tensor:
        y: Any = weights[0]
        for k, weight in enumerate(weights[1:], 1):
            y = mul(cos(mul(x, 2 * math.pi * k)), (-1) ** k * weight) + y
        return y

    return formula


def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None,
                requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``(1 - cos(2 pi n / (N - 1))) / 2`` at n = 0, ..., N - 1.

    Args:
        window_length: N, or N - 1 if periodic.
        periodic: without the last place.
        dtype: floating point; by default the default type.
        device: where to put it.
        requires_grad: record what is computed with it.

    Raises:
        RuntimeError: a negative length, or a type that is not floating point.
    """
    return _window("hann_window", _cosines(0.5, 0.5), window_length, periodic, dtype, device, requires_grad)


def hamming_window(window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
                   dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``alpha - beta cos(2 pi n / (N - 1))``; the other arguments are those of :func:`hann_window`."""
    formula = _cosines(alpha, beta)
    return _window("hamming_window", formula, window_length, periodic, dtype, device, requires_grad)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None,
                    requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``0.42 - 0.5 cos(2 pi n / (N - 1)) + 0.08 cos(4 pi n / (N - 1))``; arguments as :func:`hann_window`."""
    formula = _cosines(0.42, 0.5, 0.08)
    return _window("blackman_window", formula, window_length, periodic, dtype, device, requires_grad)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = None, device: Any = None,
                    requires_grad: bool = False) -> Tensor:  # fmt: skip
    """A triangle: ``1 - abs(2 n / (N - 1) - 1)``; arguments as :func:`hann_window`."""
    return _window("bartlett_window", lambda x: rsub(abs(mul(x, 2.0) - 1), 1.0), window_length, periodic, dtype, device,
                   requires_grad)  # fmt: skip


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None,
                  device: Any = None, requires_grad: bool = False) -> Tensor:  # fmt: skip
    """``I0(beta sqrt(1 - (2 n / (N - 1) - 1)**2)) / I0(beta)``, with the modified Bessel function I0 (Kaiser and
    Schafer 1980).

    Args:
        window_length, periodic, dtype, device, requires_grad: as :func:`hann_window`.
        beta: the larger, the narrower.
    """

    def formula(x: Tensor) -> Tensor:
        under_root = rsub(square(mul(x, 2.0) - 1), 1.0)
        return div(i0(mul(sqrt(under_root), beta)), i0(x.new_full((), beta)))

    return _window("kaiser_window", formula, window_length, periodic, dtype, device, requires_grad)
