"""Interpolation: an image in another size.

Place j of the output looks at place ``s = j * scale`` of the input (scale = input size / output size), or, if the two
grids are aligned by their pixels' centres, at ``(j + 1/2) * scale - 1/2``. *Nearest* takes one pixel, which is an
index. *Linear* and *cubic* take a weighted mean of two or four along each axis, which is a product with a matrix of
few non-zero numbers ``A``, one for each axis: ``y = A_h x A_w^T``. Its gradient is the product with the transposes.
(Multiplying the zeros too is faster than picking the pixels: 7 against 28 ms from 56 x 56 to 224 x 224. The price: an
infinity or NaN makes NaN of its whole row and column.)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor
from .creation import tensor
from .index import getitem
from .matmul import linear, matmul
from .pool import AvgPool2dGx, adaptive_avg_pool1d, adaptive_avg_pool2d
from .types import expect, number
from .volume import adaptive_avg_pool3d

AXES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,), "bilinear": (2,),
        "bicubic": (2,), "trilinear": (3,)}  # fmt: skip


@functools.lru_cache(maxsize=64)
def _nearest(n: int, out: int, scale: float, shift: float) -> list[int]:
    """The input place of each of ``out`` places, computed in float32 as PyTorch does: halves fall on the same side."""
    step = np.float32(scale)
    return [min(math.floor((np.float32(j) + np.float32(shift)) * step), n - 1) for j in range(out)]


def cubic_weights(t: Any) -> list:
    """The weights of four neighbours where the place (a number, or a tensor of them) is t behind the second (Keys 1981,
    with a = -3/4)."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


@functools.lru_cache(maxsize=64)
def _weights(n: int, out: int, scale: float, align_corners: bool, cubic: bool) -> tuple[list, list, list]:
    """The non-zero elements of the matrix A, ``(out, n)``: rows, columns, values."""
    entries: dict[tuple[int, int], float] = {}
    for j in range(out):
        s = j * scale if align_corners else (j + 0.5) * scale - 0.5
        first = math.floor(s)
        t = s - first
        taps = zip(range(first - 1, first + 3), cubic_weights(t)) if cubic else ((first, 1 - t), (first + 1, t))
        for i, weight in taps:
            place = j, min(max(i, 0), n - 1)  # beyond the edge the edge is seen again
            entries[place] = entries.get(place, 0.0) + weight
    rows, columns = zip(*entries)
    return list(rows), list(columns), list(entries.values())


def _matrix(x: Tensor, n: int, out: int, scale: float, align_corners: bool, cubic: bool) -> Tensor:
    """A, in the type of ``x``."""
    rows, columns, values = _weights(n, out, scale, align_corners, cubic)
    A = x.new_zeros((out, n))
    A[rows, columns] = tensor(values, dtype=x.dtype, device=x.device)
    return A


def _sizes(x: Tensor, size: Any, scale_factor: Any, recompute: bool | None) -> tuple[list[int], list[float | None]]:
    """The output size along each axis, and the scale that was asked for, if it is to be used as it is.

    Raises:
        ValueError: both or none are given, or not one for each axis.
        TypeError: no numbers.
    """
    spatial = x.array.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ValueError(
            "only one of size or scale_factor should be defined" if size is not None else
            "either size or scale_factor should be defined"
        )  # fmt: skip
    given = size if scale_factor is None else scale_factor
    each = list(given) if isinstance(given, (tuple, list)) else [given] * len(spatial)
    if len(each) != len(spatial):
        raise ValueError(
            f"interpolate: input {tuple(x.array.shape)} has {len(spatial)} spatial dimensions, so "
            f"{'size' if scale_factor is None else 'scale_factor'} must have as many numbers, got {given}"
        )
    if scale_factor is None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        return [int(number(n, "interpolate: size")) for n in each], [None] * len(each)
    each = [number(factor, "interpolate: scale_factor") for factor in each]
    return [math.floor(n * factor) for n, factor in zip(spatial, each)], [None if recompute else f for f in each]


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``input`` in another size.

    Args:
        input: ``(N, C, L)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``, floating point; for the first two modes of any
            type.
        size: of the output, OL or (OH, OW) or (OD, OH, OW), or one number for all.
        scale_factor: how many times larger, instead.
        mode: "nearest", "nearest-exact" (from the pixels' centres), "area" (averages); "linear" for sequences;
            "bilinear" or "bicubic" for images; "trilinear" for volumes.
        align_corners: for the last four: the corner pixels' centres stay where they are, instead of the image's edges.
        recompute_scale_factor: use the ratio of the sizes, which were rounded, instead of ``scale_factor`` itself.
        antialias: not implemented.

    Returns:
        ``(N, C, OL)``, ``(N, C, OH, OW)`` or ``(N, C, OD, OH, OW)``.

    Raises:
        ValueError: both or neither of ``size`` and ``scale_factor``, or options that do not fit the mode.
        NotImplementedError: a mode that is not made for this input.
        RuntimeError: an input or output without pixels.
    """
    expect("interpolate", "biuf" if mode in ("nearest", "nearest-exact") else "f", input=input)
    axes = input.array.ndim - 2
    if mode not in AXES or axes not in AXES[mode]:
        raise NotImplementedError(
            f"interpolate: mode must be one of {', '.join(AXES)}, of which linear wants input (N, C, L), bilinear and "
            "bicubic (N, C, H, W), trilinear (N, C, D, H, W), the others any of these; "
            f"got {mode!r} for shape {tuple(input.array.shape)}"
        )
    if antialias:
        raise NotImplementedError("interpolate: antialias is not implemented")
    if align_corners is not None and mode in ("nearest", "nearest-exact", "area"):
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    out, factors = _sizes(input, size, scale_factor, recompute_scale_factor)
    shape = input.array.shape
    if min(*shape[1:], *out) < 1:
        raise RuntimeError(
            f"interpolate: input and output sizes should be greater than 0, got input {tuple(shape)}, output {out}"
        )
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[axes - 1](input, out)
    scales = [n / o if f is None else 1 / f for n, o, f in zip(shape[2:], out, factors)]
    if mode.startswith("nearest"):
        shift = 0.5 if mode == "nearest-exact" else 0.0
        places = [_nearest(n, o, scale, shift) for n, o, scale in zip(shape[2:], out, scales)]
        repeated = _repeated(input, places) if axes < 3 and input.array.dtype.kind == "f" else None
        if repeated is not None:
            return repeated
        y = input
        for axis, picked in enumerate(places, 2):
            y = getitem(y, (*[slice(None)] * axis, picked))
        return y
    if align_corners:
        scales = [(n - 1) / (o - 1) if o > 1 else 0.0 for n, o in zip(shape[2:], out)]
    options = bool(align_corners), mode == "bicubic"
    y = input
    for axis, o, scale in zip(range(2, 1 + axes), out, scales):  # all but the last
        if shape[axis] != o or scale != 1:
            columns = y if axis == axes else y.flatten(axis + 1)
            columns = matmul(_matrix(input, shape[axis], o, scale, *options), columns)
            y = columns.reshape(*shape[:2], *out[: axis - 1], *shape[axis + 1 :])
    return linear(y, _matrix(input, shape[-1], out[-1], scales[-1], *options))


def _repeated(x: Tensor, places: list[list[int]]) -> Tensor | None:
    """``x`` at places along its last axes, if they take every pixel as often as its neighbour: that spreads a pixel
    over a window of its own, which is the adjoint of summing over windows."""
    spatial = x.array.shape[2:]
    factors = [len(p) // n for p, n in zip(places, spatial)]
    if any([p != [j // k for j in range(n * k)] for p, n, k in zip(places, spatial, factors)]):
        return None
    (KH, KW), (H, W) = [1, *factors][-2:], [1, *spatial][-2:]
    windows = (KH, KW), (KH, KW), (0, 0)
    y = AvgPool2dGx.apply(x.reshape(*x.array.shape[:2], H, W), (H * KH, W * KW), windows, (H, W), True, 1)
    return y.reshape(*x.array.shape[:2], *[len(p) for p in places])


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """:func:`interpolate` under its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate` with mode "nearest"."""
    return interpolate(input, size, scale_factor)


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """:func:`interpolate` with mode "bilinear" and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)
