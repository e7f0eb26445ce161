"""Convolution and pooling of volumes ``(N, C, D, H, W)``, by what is there for images.

What a window sees along depth are slices, and slices can be channels: a convolution of a volume is one of images whose
channels are all the slices that a window sees at once. A maximum, or an average, over a box is that over its depth of
those over its slices. So no kernel knows of volumes, and all derivatives are there.
"""

from __future__ import annotations

import math
from typing import Any

from ..tensor import Tensor
from .conv import conv_transpose2d, convolved
from .elementwise import add
from .gather import gather
from .index import Scatter, counting, getitem
from .pad import pad
from .pool import adaptive_avg_pool2d, adaptive_max_pool2d, avg_pooled, max_pooled, norm_of_extreme, norm_of_mean
from .shape import movedim, windows
from .types import same_type
from .windows import Triple, box_windows, check_reach, triple


def _volumes(x: Tensor, name: str) -> tuple[Tensor, bool]:
    """``x`` as a batch (N, C, D, H, W); a single volume becomes a batch of one.

    Raises:
        RuntimeError: neither 4-D nor 5-D, or not floating point.
    """
    same_type(name, input=x)
    if x.array.ndim not in (4, 5):
        raise RuntimeError(f"{name}: expected input (N, C, D, H, W) or (C, D, H, W), got {tuple(x.array.shape)}")
    return (x, False) if x.array.ndim == 5 else (x.unsqueeze(0), True)


def _weighed(input: Tensor, weight: Tensor, bias: Tensor | None, axis: int, groups: int, name: str) -> tuple:
    """The volumes, and whether it was one.

    Raises:
        RuntimeError: types or shapes that do not fit.
    """
    same_type(name, input=input, weight=weight, bias=bias)
    x, single = _volumes(input, name)
    shape = tuple(weight.array.shape)
    channels = shape[axis] * (groups if axis else 1) if len(shape) == 5 else 0
    if len(shape) != 5 or channels != x.array.shape[1] or min(shape[2:]) < 1:
        raise RuntimeError(f"{name}: weight {shape} does not fit input {tuple(input.array.shape)} in {groups} groups")
    return x, single


def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
           dilation: Any = 1, groups: int = 1) -> Tensor:  # fmt: skip
    """3-D convolution; as :func:`tinyconv.conv2d`, with three numbers where that takes two.

    Args:
        input: ``(N, C, D, H, W)``, or one volume ``(C, D, H, W)``.
        weight: ``(O, C/groups, KD, KH, KW)``.
        bias: ``(O,)`` or None.
        stride, padding, dilation, groups: as in :func:`tinyconv.conv2d`.

    Returns:
        ``(N, O, OD, OH, OW)``, or without N.

    Raises:
        RuntimeError, TypeError: as :func:`tinyconv.conv2d`.
    """
    name = "conv3d"
    x, single = _weighed(input, weight, bias, 1, groups, name)
    (SD, *steps), (DD, *gaps) = triple(stride, f"{name}: stride", 1), triple(dilation, f"{name}: dilation", 1)
    O, _, KD, KH, KW = weight.array.shape
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"{name}: padding must be ints, 'same' or 'valid', got {padding!r}")
        if padding == "same" and (SD, *steps) != (1, 1, 1):
            raise RuntimeError(f"{name}: padding='same' is not supported for strided convolutions (stride {stride})")
        totals = [d * (k - 1) * (padding == "same") for d, k in zip((*gaps[::-1], DD), (KW, KH, KD))]
        x, padding = pad(x, [n for total in totals for n in (total // 2, total - total // 2)]), 0
    PD, *margins = triple(padding, f"{name}: padding", 0)
    shapes = f"(x: {tuple(input.array.shape)}, weight: {tuple(weight.array.shape)})"
    check_reach((KD, KH, KW), (DD, *gaps), x.array.shape[2:], (PD, *margins), name, shapes)
    x = pad(x, (0, 0, 0, 0, PD, PD)) if PD else x
    N, C, _, H, W = x.array.shape
    seen = getitem(windows(x, 2, DD * (KD - 1) + 1, SD), (..., slice(None, None, DD)))
    OD = seen.array.shape[2]
    slices = seen.permute(0, 2, 1, 5, 3, 4).reshape(N * OD, C * KD, H, W)
    geometry = tuple(steps), tuple(margins), tuple(gaps)
    y = convolved(slices, weight.reshape(O, -1, KH, KW), bias, *geometry, groups, name)
    y = y.reshape(N, OD, *y.array.shape[1:]).transpose(1, 2).contiguous()
    return y.squeeze(0) if single else y


def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
                     output_padding: Any = 0, groups: int = 1, dilation: Any = 1) -> Tensor:  # fmt: skip
    """3-D transposed convolution; as :func:`conv_transpose2d`, with three numbers where that takes two.

    Args:
        input: ``(N, C, D, H, W)``, or one volume ``(C, D, H, W)``.
        weight: ``(C, O/groups, KD, KH, KW)``.
        bias: ``(O,)`` or None.
        stride, padding, output_padding, groups, dilation: as in :func:`conv_transpose2d`.

    Returns:
        ``(N, O, OD, OH, OW)``, or without N.

    Raises:
        RuntimeError, TypeError: as :func:`tinyconv.conv2d`.
    """
    name = "conv_transpose3d"
    x, single = _weighed(input, weight, bias, 0, groups, name)
    (SD, *steps), (DD, *gaps) = triple(stride, f"{name}: stride", 1), triple(dilation, f"{name}: dilation", 1)
    PD, *margins = triple(padding, f"{name}: padding", 0)
    ED, *extra = triple(output_padding, f"{name}: output_padding", 0)
    if ED >= SD and ED >= DD:
        raise RuntimeError(f"{name}: output_padding must be smaller than stride or dilation, got {output_padding!r}")
    N, C, D = x.array.shape[:3]
    OG, KD, KH, KW = weight.array.shape[1:]
    O, whole = OG * groups, (D - 1) * SD + DD * (KD - 1) + 1 + ED
    if bias is not None and bias.array.shape != (O,):
        raise RuntimeError(f"{name}: bias must have shape ({O},), got {tuple(bias.array.shape)}")
    if whole - 2 * PD < 1:
        raise RuntimeError(f"{name}: the output would have {whole - 2 * PD} slices")
    slices, taps = movedim(x, 2, 1).reshape(N * D, C, *x.array.shape[3:]), weight.reshape(C, OG * KD, KH, KW)
    y = conv_transpose2d(slices, taps, None, tuple(steps), tuple(margins), tuple(extra), groups, tuple(gaps))
    OH, OW = y.array.shape[2:]
    y = y.reshape(N, D, O, KD, OH, OW).permute(0, 2, 4, 5, 1, 3)
    goes = add(counting(D, x).unsqueeze(1) * SD, counting(KD, x) * DD)
    y = Scatter.apply(y, (N, O, OH, OW, whole), (*(slice(None),) * 4, goes.array))
    y = movedim(getitem(y, (..., slice(PD, whole - PD))), -1, 2).contiguous()
    y = y if bias is None else add(y, bias.reshape(-1, 1, 1, 1))
    return y.squeeze(0) if single else y


# -------------------------------------------------------------------------------------------------------------- pooling


def _slices_pooled(x: Tensor, pool: Any) -> Any:
    """``pool`` of every slice; with a pair, both."""
    N, C, D, H, W = x.array.shape
    y = pool(x.reshape(N, C * D, H, W))
    parts = [part.reshape(N, C, D, *part.array.shape[2:]) for part in (y if isinstance(y, tuple) else (y,))]
    return tuple(parts) if isinstance(y, tuple) else parts[0]


def _depth_pooled(x: Tensor, pool: Any) -> Any:
    """``pool`` of volumes seen as images ``(N, C, D, H*W)``; with a pair, both."""
    H, W = x.array.shape[3:]
    y = pool(x.flatten(3))
    parts = [part.unflatten(3, (H, W)) for part in (y if isinstance(y, tuple) else (y,))]
    return tuple(parts) if isinstance(y, tuple) else parts[0]


def _largest(input: Tensor, in_slice: Any, in_depth: Any, indices: bool, name: str) -> Any:
    """The maxima of boxes, and with ``indices`` their flat places ``(d*H + h)*W + w``."""
    x, single = _volumes(input, name)
    H, W = x.array.shape[3:]
    y, places = _slices_pooled(x, in_slice)
    y, depth = _depth_pooled(y, in_depth)
    OH, OW = y.array.shape[3:]
    depth = depth.flatten(3)  # a place in the image (D, OH*OW)
    rows = depth // (OH * OW)
    where = add(gather(places.flatten(3), 2, rows), rows * (H * W)).unflatten(3, (OH, OW))
    y, where = (y.squeeze(0), where.squeeze(0)) if single else (y, where)
    return (y, where) if indices else y


def max_pool3d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
               ceil_mode: bool = False, return_indices: bool = False) -> Any:  # fmt: skip
    """The maximum of each box; as :func:`tinyconv.max_pool2d`, with three numbers where that takes two.

    Args:
        input: ``(N, C, D, H, W)``, or one volume ``(C, D, H, W)``.
        kernel_size, stride, padding, dilation, ceil_mode: as there.
        return_indices: also return where the maxima are, int64 places ``(d*H + h)*W + w``.

    Returns:
        ``(N, C, OD, OH, OW)``, or without N; or a pair with the indices.

    Raises:
        RuntimeError, TypeError: as there.
    """
    name = "max_pool3d"
    (KD, *kernel), (SD, *steps), (PD, *margins) = box_windows(kernel_size, stride, padding, name)
    DD, *gaps = triple(dilation, f"{name}: dilation", 1)
    options = tuple(kernel), tuple(steps), tuple(margins), tuple(gaps), ceil_mode, True
    return _largest(input, lambda x: max_pooled(x, *options, name),
                    lambda x: max_pooled(x, (KD, 1), (SD, 1), (PD, 0), (DD, 1), ceil_mode, True, name),
                    return_indices, name)  # fmt: skip


def avg_pool3d(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
               count_include_pad: bool = True, divisor_override: int | None = None) -> Tensor:  # fmt: skip
    """The average of each box; as :func:`~tinyconv.nn.functional.avg_pool2d`, with three numbers where that takes two.

    Args:
        input: ``(N, C, D, H, W)``, or one volume ``(C, D, H, W)``.
        kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override: as there.

    Raises:
        RuntimeError, TypeError: as there.
    """
    name = "avg_pool3d"
    x, single = _volumes(input, name)
    (KD, *kernel), (SD, *steps), (PD, *margins) = box_windows(kernel_size, stride, padding, name)
    sums = None if divisor_override is None else 1
    options = tuple(kernel), tuple(steps), tuple(margins), ceil_mode, count_include_pad, divisor_override
    y = _slices_pooled(x, lambda x: avg_pooled(x, *options, name))
    y = _depth_pooled(y, lambda x: avg_pooled(x, (KD, 1), (SD, 1), (PD, 0), ceil_mode, count_include_pad, sums, name))
    return y.squeeze(0) if single else y


def _adaptive(input: Tensor, output_size: Any, name: str) -> Triple:
    """(OD, OH, OW), of which None keeps a size.

    Raises:
        RuntimeError: wrong rank, a volume without voxels, or not three sizes.
        ValueError: as many sizes as ``input`` has axes.
    """
    x, _ = _volumes(input, name)
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * 3
    if len(wanted) != 3:
        error = ValueError if len(wanted) >= input.array.ndim else RuntimeError
        raise error(f"{name}: output_size must be an int or three ints, got {output_size!r}")
    sizes = x.array.shape[2:]
    if min(sizes) < 1:
        raise RuntimeError(f"{name}: input of shape {tuple(input.array.shape)} has no voxels")
    return triple(tuple([n if size is None else size for n, size in zip(sizes, wanted)]), f"{name}: output_size", 1)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of boxes that cut volumes into ``output_size`` parts; as :func:`adaptive_avg_pool2d`."""
    name = "adaptive_avg_pool3d"
    OD, OH, OW = _adaptive(input, output_size, name)
    x, single = _volumes(input, name)
    y = _slices_pooled(x, lambda x: adaptive_avg_pool2d(x, (OH, OW)))
    y = _depth_pooled(y, lambda x: adaptive_avg_pool2d(x, (OD, OH * OW)))
    return y.squeeze(0) if single else y


def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of boxes that cut volumes into ``output_size`` parts, and where they are; as
    :func:`adaptive_max_pool2d`."""
    name = "adaptive_max_pool3d"
    OD, OH, OW = _adaptive(input, output_size, name)
    return _largest(input, lambda x: adaptive_max_pool2d(x, (OH, OW), True),
                    lambda x: adaptive_max_pool2d(x, (OD, OH * OW), True), return_indices, name)  # fmt: skip


def max_pool3d_with_indices(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                            ceil_mode: bool = False, return_indices: bool = False) -> tuple:  # fmt: skip
    """(maxima, their places): :func:`max_pool3d` with ``return_indices``, whatever is said here."""
    return max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool3d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple:
    """(maxima, their places): :func:`adaptive_max_pool3d` with ``return_indices``, whatever is said here."""
    return adaptive_max_pool3d(input, output_size, True)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The p-norm of each box, ``(sum of x**p)**(1/p)`` with p = ``norm_type``.

    Args:
        input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``.
        norm_type: p; inf (-inf) for the largest (smallest) absolute value.
        kernel_size, stride, ceil_mode: as in :func:`max_pool3d`.
    """
    if norm_type in (math.inf, -math.inf):
        return norm_of_extreme(max_pool3d, input, norm_type, kernel_size, stride, ceil_mode)
    KD, KH, KW = triple(kernel_size, "lp_pool3d: kernel_size", 1)
    means = avg_pool3d(input**norm_type, (KD, KH, KW), stride, 0, ceil_mode)
    return norm_of_mean(means, norm_type, KD * KH * KW)
