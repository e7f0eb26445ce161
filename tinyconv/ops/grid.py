"""Sampling at the points of a grid (Jaderberg et al., "Spatial Transformer Networks", 2015): an image seen through a
transformation that has gradients of its own.

A grid says for each pixel of the output where in the input to look: (x, y) from -1 (left, top) to 1 (right, bottom),
the centres of the corner pixels if corners are aligned, else their outer edges. Place s between two pixels is ``k + t``
with ``k = floor(s)``; *bilinear* sampling is the mean of its neighbours along each axis, weighted by ``1 - t`` and
``t``, *bicubic* that of four with the weights of :func:`cubic_weights`:

``y[p] = sum over corners c of weight_c(t[p]) * x[k[p] + c]``

so the gradient of the grid is that of the weights, and the gradient of the image adds up where pixels were taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .. import dtypes
from ..autograd import no_grad
from ..tensor import Tensor
from .compare import clamp, eq, gt, lt, where
from .convert import cast
from .creation import arange, linspace, ones
from .elementary import floor, round
from .elementwise import add, mul, remainder, sub
from .index import Gather, counting
from .interpolate import cubic_weights
from .join import meshgrid, stack
from .logic import logical_and
from .matmul import bmm
from .reduce import sum
from .shape import reshape
from .types import same_type

TAPS = {"bilinear": (0, 2), "nearest": (0, 1), "bicubic": (-1, 4)}  # the first neighbour, and how many
PADDINGS = ("zeros", "border", "reflection")


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid by which :func:`grid_sample` applies affine maps: point ``(x, y)`` of the output looks at ``theta @ (x,
    y, 1)``.

    Args:
        theta: ``(N, 2, 3)`` for images, ``(N, 3, 4)`` for volumes.
        size: of the output: ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: whether -1 and 1 are the centres of the corner pixels, instead of their edges.

    Returns:
        ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Raises:
        NotImplementedError: sizes of neither images nor volumes.
        RuntimeError: a ``theta`` that is not floating point, or not one for each of N.
        ValueError: sizes that are not positive, or matrices of another shape.
    """
    same_type("affine_grid", theta=theta)
    N, _, *spatial = [int(n) for n in size]
    n = len(spatial)
    if n not in (2, 3):
        raise NotImplementedError(f"affine_grid: expected size (N, C, H, W) or (N, C, D, H, W), got {tuple(size)}")
    if min(N, *spatial) < 1:
        raise ValueError(f"affine_grid: sizes must be positive, got {tuple(size)}")
    if tuple(theta.array.shape) != (N, n, n + 1):
        kind = RuntimeError if theta.array.shape[1:] == (n, n + 1) else ValueError
        raise kind(
            f"affine_grid: for size {tuple(size)} theta must have shape {(N, n, n + 1)}, got {tuple(theta.array.shape)}"
        )
    lines = [_line(length, bool(align_corners), theta) for length in spatial]
    points = [*meshgrid(*lines, indexing="ij")][::-1]  # x is the last axis
    points.append(ones(*spatial, dtype=theta.dtype, device=theta.device))
    base = stack(points, -1).reshape(1, -1, n + 1)
    return bmm(base.expand(N, -1, -1), theta.transpose(1, 2)).reshape(N, *spatial, n)


def _line(length: int, align_corners: bool, like: Tensor) -> Tensor:
    """Where the pixels of an axis are, from -1 to 1."""
    if length == 1:
        return like.new_zeros(1)
    line = linspace(-1, 1, length, dtype=like.dtype, device=like.device)
    return line if align_corners else mul(line, (length - 1) / length)


def grid_sample(input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
                align_corners: bool | None = None) -> Tensor:  # fmt: skip
    """``input`` seen at the points of ``grid``.

    Args:
        input: ``(N, C, H, W)``, or volumes ``(N, C, D, H, W)``.
        grid: ``(N, OH, OW, 2)``: x and y of each point, from -1 to 1 inside the image; or ``(N, OD, OH, OW, 3)``: x,
            y and z.
        mode: "bilinear", "nearest", or "bicubic" (images only).
        padding_mode: what is outside: "zeros"; the pixels on the "border"; or the image mirrored by "reflection".
        align_corners: whether -1 and 1 are the centres of the corner pixels, instead of their edges.

    Returns:
        ``(N, C, OH, OW)`` or ``(N, C, OD, OH, OW)``.

    Raises:
        ValueError: an unknown mode or padding mode.
        RuntimeError: types or shapes that do not fit, or an input without pixels.
        NotImplementedError: volumes with mode "bicubic".
    """
    for argument, value, known in (("mode", mode, TAPS), ("padding_mode", padding_mode, PADDINGS)):
        if value not in known:
            raise ValueError(f"grid_sample: {argument} must be one of {', '.join(known)}, got {value!r}")
    same_type("grid_sample", input=input, grid=grid)
    (N, *rest), places = tuple(input.array.shape), tuple(grid.array.shape)
    n = len(rest) - 1
    if n not in (2, 3) or len(places) != n + 2 or places[0] != N or places[-1] != n:
        raise RuntimeError(
            "grid_sample: expected input (N, C, H, W) with grid (N, OH, OW, 2), or (N, C, D, H, W) with (N, OD, OH, OW,"
            f" 3), got {tuple(input.array.shape)} and {places}"
        )
    C, *spatial = rest
    if min(spatial) < 1:
        raise RuntimeError(f"grid_sample: input has no pixels: shape {tuple(input.array.shape)}")
    if mode == "bicubic" and n == 3:
        raise NotImplementedError("grid_sample: bicubic sampling is for images (N, C, H, W) only")

    index, weight = counting(N, grid).reshape(-1, *[1] * n), grid.new_ones(())
    for axis, length in enumerate(spatial):
        place, share = _neighbours(grid[..., n - 1 - axis], length, mode, padding_mode, bool(align_corners))
        taps = (place.array.shape[0], *[1] * axis, *places[:-1])  # the taps of earlier axes are axes, too
        index = add(mul(index, length), place.reshape(taps))
        weight = mul(weight, share.reshape(taps))

    P = math.prod(places[:-1])
    pixels = input.permute(0, *range(2, n + 2), 1).reshape(-1, C)
    y = mul(Gather.apply(pixels, (index.reshape(-1, P).array,)), reshape(weight, (-1, P, 1)))
    return sum(y, 0).reshape(*places[:-1], C).permute(0, n + 1, *range(1, n + 1)).contiguous()


def _neighbours(x: Tensor, length: int, mode: str, padding: str, corners: bool) -> tuple[Tensor, Tensor]:
    """The pixels that a coordinate of each point is between (int64), the first axis counting them, and their weights: 0
    for what is outside."""
    s = mul(add(x, 1), (length - 1) / 2) if corners else sub(mul(add(x, 1), length / 2), 0.5)
    if mode != "bicubic":
        s = _inside(s, length, padding, corners)
    first, taps = TAPS[mode]
    with no_grad():
        k = round(s) if mode == "nearest" else floor(s)
        around = add(k, arange(first, first + taps, dtype=s.dtype, device=s.device).reshape(-1, *[1] * s.array.ndim))
        if mode == "bicubic":
            around = _inside(around, length, padding, corners)
        inner = clamp(cast(around, dtypes.int64.numpy), 0, length - 1)
        share = cast(eq(around, inner), s.array.dtype)
    if mode != "nearest":
        t = sub(s, k)
        share = mul(share, stack([sub(1, t), t] if mode == "bilinear" else cubic_weights(t)))
    return inner, share


def _inside(s: Tensor, length: int, padding: str, corners: bool) -> Tensor:
    """Places outside of an axis taken to where their pixel comes from."""
    if padding == "zeros":
        return clamp(s, -3, length + 2)  # far outside is no farther, and no infinity
    if padding == "reflection":
        s = _reflected(s, 0.0 if corners else -0.5, length - 1.0 if corners else float(length))
    inner = logical_and(gt(s, 0), lt(s, length - 1))  # on the border itself the gradient is 0, too
    return where(inner, s, clamp(s.detach(), 0, length - 1))


def _reflected(s: Tensor, low: float, span: float) -> Tensor:
    """Places mirrored at ``low`` and ``low + span`` until they are between the two."""
    if span == 0:
        return mul(s, 0)
    s = clamp(s, -(2.0**40), 2.0**40)  # infinity has no remainder
    with no_grad():
        around = remainder(sub(s, low), 2 * span)
        slope = where(lt(around, span), 1.0, -1.0).to(s.dtype)
        start = sub(where(lt(around, span), around, sub(2 * span, around)), mul(slope, s))
    return add(mul(slope, s), add(start, low))
