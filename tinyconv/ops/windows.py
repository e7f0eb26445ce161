"""Windows that slide over an image: what a convolution or a pooling is told about them, checked and brought to pairs.

Users say ``stride=2`` or ``stride=(2, 1)``; kernels take pairs, (vertical, horizontal). A sequence ``(N, C, L)`` is
handled as images one pixel high, so its options become pairs, too. Stride, padding and dilation together (for pooling
also the kernel size before them, for convolution the groups after them) are called the ``geometry``.
"""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .types import same_type

Pair = tuple[int, int]
Triple = tuple[int, int, int]


# ------------------------------------------------------------------------------------------------------------- numbers


def pair(value: Any, name: str, minimum: int) -> Pair:
    """``3`` or ``(3, 5)`` as two ints, vertical first.

    Args:
        value: what a user gave.
        name: what an error calls it, ``"conv2d: stride"``.
        minimum: the least that is allowed.

    Raises:
        TypeError: something else than ints.
        RuntimeError: neither one int nor two, or below ``minimum``.
    """
    if type(value) is int and value >= minimum:  # what it nearly always is
        return value, value
    if type(value) is tuple and len(value) == 2:
        a, b = value
        if type(a) is type(b) is int and a >= minimum and b >= minimum:
            return a, b
    two = (value, value) if hasattr(value, "__index__") else tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(two) == 1:
        two = two * 2
    if not two or not all([hasattr(v, "__index__") for v in two]):
        raise TypeError(f"{name} must be an int or two ints, got {value!r}")
    if len(two) != 2:
        raise RuntimeError(f"{name} must be an int or two ints, got {value!r}")
    a, b = (v.__index__() for v in two)
    if a < minimum or b < minimum:
        raise RuntimeError(f"{name} must be at least {minimum}, got {value!r}")
    return a, b


def row_pair(value: Any, name: str, minimum: int, vertical: int) -> Pair:
    """``3`` or ``(3,)``, an option for a sequence, as the pair ``(vertical, 3)`` for an image one pixel high.

    Raises:
        TypeError: something else than ints.
        RuntimeError: not one int, or below ``minimum``.
    """
    one = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not all([hasattr(v, "__index__") for v in one]):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if len(one) != 1:
        raise RuntimeError(f"{name} must be an int, got {value!r}")
    return vertical, pair(one[0], name, minimum)[1]


def triple(value: Any, name: str, minimum: int) -> Triple:
    """``3`` or ``(3, 5, 7)`` as three ints, depth first.

    Raises:
        TypeError: something else than ints.
        RuntimeError: neither one int nor three, or below ``minimum``.
    """
    three = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if not three or not all([hasattr(v, "__index__") for v in three]):
        raise TypeError(f"{name} must be an int or three ints, got {value!r}")
    three = three * 3 if len(three) == 1 else three
    if len(three) != 3 or min(three) < minimum:
        raise RuntimeError(f"{name} must be an int or three ints of at least {minimum}, got {value!r}")
    return three


# ------------------------------------------------------------------------------------------------------------- windows


def window_steps(name: str, stride: Any, padding: Any, dilation: Any) -> tuple[Pair, Pair, Pair]:
    """Stride, padding and dilation of a convolution's windows, as pairs."""
    return (
        pair(stride, f"{name}: stride", 1),
        pair(padding, f"{name}: padding", 0),
        pair(dilation, f"{name}: dilation", 1),
    )


def image_windows(kernel: Any, stride: Any, padding: Any, name: str) -> tuple[Pair, Pair, Pair]:
    """Kernel size, stride and padding of a pooling's windows over an image, as pairs. The stride is by default the
    kernel size."""
    stride = kernel if stride is None or stride == [] else stride
    return (
        pair(kernel, f"{name}: kernel_size", 1),
        pair(stride, f"{name}: stride", 1),
        pair(padding, f"{name}: padding", 0),
    )


def row_windows(kernel: Any, stride: Any, padding: Any, name: str) -> tuple[Pair, Pair, Pair]:
    """Kernel size, stride and padding of a pooling's windows along a sequence, as pairs for an image one pixel high."""
    stride = kernel if stride is None or stride == [] else stride
    return (
        row_pair(kernel, f"{name}: kernel_size", 1, 1),
        row_pair(stride, f"{name}: stride", 1, 1),
        row_pair(padding, f"{name}: padding", 0, 0),
    )


def box_windows(kernel: Any, stride: Any, padding: Any, name: str) -> tuple[Triple, Triple, Triple]:
    """Kernel size, stride and padding of a pooling's windows in a volume, as triples, depth first."""
    stride = kernel if stride is None or stride == [] else stride
    return (
        triple(kernel, f"{name}: kernel_size", 1),
        triple(stride, f"{name}: stride", 1),
        triple(padding, f"{name}: padding", 0),
    )


def count_windows(size: tuple, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple) -> Pair:
    """How many windows fit below and beside each other, (OH, OW): each is
    ``floor((size + 2*padding - dilation*(kernel - 1) - 1) / stride) + 1``."""
    (H, W), (KH, KW), (SH, SW), (PH, PW), (DH, DW) = size, kernel, stride, padding, dilation
    return (H + 2 * PH - DH * (KH - 1) - 1) // SH + 1, (W + 2 * PW - DW * (KW - 1) - 1) // SW + 1


def check_reach(kernel: Any, dilation: Any, size: Any, padding: Any, name: str, shapes: str) -> None:
    """Check that a kernel fits into the padded input, axis by axis (as many axes as there are).

    Raises:
        RuntimeError: it does not, or has no taps.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    padded = [n + 2 * p for n, p in zip(size, padding)]
    if min(kernel) < 1 or any([r > n for r, n in zip(reach, padded)]):
        raise RuntimeError(
            f"{name}: the kernel, {' x '.join(map(str, reach))} with dilation, does not fit into the padded input, "
            f"{' x '.join(map(str, padded))} {shapes}"
        )


# -------------------------------------------------------------------------------------------------------------- images


def images(x: Tensor, name: str) -> tuple[Tensor, bool]:
    """``x`` as a batch (N, C, H, W); a single image (C, H, W) becomes a batch of one.

    Raises:
        RuntimeError: neither 3-D nor 4-D.
    """
    if x.array.ndim == 3:
        return x.unsqueeze(0), True
    if x.array.ndim != 4:
        raise RuntimeError(f"{name}: expected input of shape (N, C, H, W) or (C, H, W), got {tuple(x.array.shape)}")
    return x, False


def as_rows(x: Tensor, name: str) -> Tensor:
    """``x`` (N, C, L) or (C, L) as images one pixel high.

    Raises:
        RuntimeError: neither 2-D nor 3-D.
    """
    same_type(name, input=x)
    if x.array.ndim not in (2, 3):
        raise RuntimeError(f"{name}: expected input of shape (N, C, L) or (C, L), got {tuple(x.array.shape)}")
    return x.unsqueeze(-2)
