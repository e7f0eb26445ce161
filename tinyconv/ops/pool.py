"""Pooling: one number for each window.

Max-pooling keeps the largest value of a window and so its gradient goes to the pixel that won, nowhere else (where
windows overlap, a pixel can win several times, and its gradients add up). Average pooling gives every pixel of the
window the same share. Both gradients are linear maps with an adjoint each, so higher derivatives need no further
rules.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from .. import kernels
from ..autograd import Deferred, Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .activation import ReLUGx, relu
from .creation import as_tensor
from .elementwise import abs, sign
from .join import stack
from .types import same_type
from .windows import as_rows, image_windows, images, pair, row_pair, row_windows

WINDOWS_2X2 = (2, 2), (2, 2), (0, 0), (1, 1)  # the geometry of the usual ones: kernel size, stride, padding, dilation


class MaxPool2d(Function):
    """y = max over each window;  gx = each gy sent to its winner."""

    materialize_grads = False  # only the first output has a gradient

    @staticmethod
    def forward(ctx: Any, x: Tensor, geometry: tuple, size: tuple) -> tuple:
        y, where = map(wrap, kernels.of(x.array).max_pool2d(x.array, *geometry, size))
        ctx.input_size, ctx.geometry = x.array.shape[2:], geometry
        plain = geometry == WINDOWS_2X2 and size == tuple([n // 2 for n in x.array.shape[2:]])
        ctx.maxima = (y.array, y._counter) if plain else None
        ctx.save_for_backward(where)
        return y, where

    @staticmethod
    def backward(ctx: Any, gy: Tensor, _: Any) -> tuple:
        (where,) = ctx.saved_tensors
        if ctx.maxima is not None and not is_grad_enabled():
            return Winners(gy, where, ctx.input_size, ctx.maxima), None, None
        return ToWinners.apply(gy, where, ctx.input_size, ctx.geometry), None, None

    def _release(self) -> None:
        super()._release()
        self.maxima = None


class Winners(Deferred):
    """The gradient of an image whose 2 x 2 windows' maxima were taken, not yet written down pixel by pixel: one number
    for each window, and which of the four pixels it belongs to.

    Args:
        gy: ``(N, C, H // 2, W // 2)``.
        where: which pixel of a window gy goes to, uint8, of the same shape; 4 for none.
        input_size: (H, W).
        maxima: the windows' maxima, an array, and the counter of their versions. If a ReLU made the image, it cut a
            window's winner where the maximum is 0: so they tell what the ReLU does to the gradient, unless somebody
            has changed them since.
    """

    def __init__(self, gy: Tensor, where: Tensor, input_size: tuple = (), maxima: tuple = ()):
        self.gy, self.where, self.input_size, self.maxima = gy, where, input_size, maxima

    def tensor(self) -> Tensor:
        return ToWinners.apply(self.gy, self.where, self.input_size, WINDOWS_2X2)

    def of_relu(self, y: Tensor) -> Tensor | Deferred:
        """The gradient before the ReLU that made the image y: a window whose largest pixel it cut gives nothing."""
        maxima, version = self.maxima
        if version[0]:  # somebody has changed the maxima
            return ReLUGx.apply(self.tensor(), y)
        gy = wrap(kernels.of(maxima).relu_gx(self.gy.array, maxima))
        return Winners(gy, self.where, self.input_size, self.maxima)

    def of_conv2d(
        self, x: Tensor | None, w: Tensor | None, input_size: tuple, kernel_size: tuple, geometry: tuple
    ) -> tuple:
        """The gradients of a convolution's input (None without w), and of its weight and bias (None without x)."""
        backend, gy, where = kernels.of(self.gy.array), self.gy.array, self.where.array
        gx = gw = gb = None
        if w is not None:
            gx = wrap(backend.max_pool2d_conv2d_gx(gy, where, w.array, input_size, *geometry))
        if x is not None:
            gw, gb = map(wrap, backend.max_pool2d_conv2d_gw(gy, where, x.array, kernel_size, *geometry))
        return gx, gw, gb


class ToWinners(Function):
    """gx = each gy added to the pixel that won;  ggy = ggx picked at the winners."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, where: Tensor, input_size: tuple, geometry: tuple) -> Tensor:
        ctx.input_size, ctx.geometry = input_size, geometry
        ctx.save_for_backward(where)
        return wrap(kernels.of(gy.array).max_pool2d_gx(gy.array, where.array, input_size, *geometry))

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> tuple:
        (where,) = ctx.saved_tensors
        return AtWinners.apply(ggx, where, ctx.geometry), None, None, None


class AtWinners(Function):
    """y = x picked at the winners;  gx = each gy added to its winner."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, where: Tensor, geometry: tuple) -> Tensor:
        ctx.input_size, ctx.geometry = x.array.shape[2:], geometry
        ctx.save_for_backward(where)
        return wrap(kernels.of(x.array).max_pool2d_gather(x.array, where.array, *geometry))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        (where,) = ctx.saved_tensors
        return ToWinners.apply(gy, where, ctx.input_size, ctx.geometry), None, None


class AvgPool2d(Function):
    """y = mean over each window;  gx = each gy, divided, added to all pixels of its window."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, geometry: tuple, size: tuple, include_pad: bool, divisor: int | None) -> Tensor:
        ctx.input_size, ctx.arguments = x.array.shape[2:], (geometry, size, include_pad, divisor)
        return wrap(kernels.of(x.array).avg_pool2d(x.array, *geometry, size, include_pad, divisor))

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        return AvgPool2dGx.apply(gy, ctx.input_size, *ctx.arguments), None, None, None, None


class AvgPool2dGx(Function):
    """The adjoint of AvgPool2d;  its own adjoint is AvgPool2d."""

    @staticmethod
    def forward(
        ctx: Any, gy: Tensor, input_size: tuple, geometry: tuple, size: tuple, include_pad: bool, divisor: int | None
    ) -> Tensor:
        ctx.arguments = geometry, size, include_pad, divisor
        return wrap(kernels.of(gy.array).avg_pool2d_gx(gy.array, input_size, *geometry, include_pad, divisor))

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> tuple:
        return AvgPool2d.apply(ggx, *ctx.arguments), None, None, None, None, None


@functools.lru_cache(maxsize=256)
def _output_size(
    shape: tuple, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple, ceil_mode: bool, name: str
) -> tuple:
    """(OH, OW). With ``ceil_mode`` a window may stick out at the end, but must begin inside the image or its left
    padding.

    Raises:
        RuntimeError: padding above half the kernel, or no window fits.
    """
    size = []
    for n, k, s, p, d in zip(shape[2:], kernel, stride, padding, dilation):
        if 2 * p > k:
            raise RuntimeError(
                f"{name}: padding must be at most half of the kernel size, got padding {p} and kernel size {k}"
            )
        span = n + 2 * p - d * (k - 1) - 1
        out = (-(-span // s) if ceil_mode else span // s) + 1
        if ceil_mode and (out - 1) * s >= n + p:
            out -= 1
        size.append(out)
    if min(size) < 1:
        raise RuntimeError(
            f"{name}: the output would be {size[0]} x {size[1]}: a window of {kernel} does not fit into input of shape "
            f"{tuple(shape)} with padding {padding}"
        )
    return tuple(size)


def max_pooled(
    input: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool, name: str
) -> Any:
    """:func:`max_pool2d`, whose messages call it ``name``."""
    same_type(name, input=input)
    x, single = images(input, name)
    geometry = (*image_windows(kernel, stride, padding, name), pair(dilation, f"{name}: dilation", 1))
    y, where = MaxPool2d.apply(x, geometry, _output_size(x.array.shape, *geometry, bool(ceil_mode), name))
    if single:
        y = y.squeeze(0)
    if not indices:
        return y
    places = wrap(kernels.of(x.array).max_pool2d_indices(where.array, x.array.shape[2:], *geometry))
    return y, places.squeeze(0) if single else places


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The maximum of each window.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        kernel_size: of the window, an int or (vertical, horizontal).
        stride: step between windows (default: ``kernel_size``).
        padding: of minus infinity around the image, at most half of ``kernel_size``.
        dilation: distance between a window's pixels.
        ceil_mode: round the output size up: a last window may stick out of the image.
        return_indices: also return where the maxima are, int64 places ``h*W + w`` in their plane.

    Returns:
        ``(N, C, OH, OW)``, or a pair with the indices. The first of equal values wins; NaN wins over everything.

    Raises:
        RuntimeError: wrong rank, too much padding, or no window fits.
    """
    return max_pooled(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, "max_pool2d")


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """:func:`max_pool2d` of images one pixel high: ``(N, C, L)`` or ``(C, L)``, an int for each option."""
    name = "max_pool1d"
    y = max_pooled(as_rows(input, name), *row_windows(kernel_size, stride, padding, name),
                  row_pair(dilation, f"{name}: dilation", 1, 1), ceil_mode, return_indices, name)  # fmt: skip
    return tuple([part.squeeze(-2) for part in y]) if return_indices else y.squeeze(-2)


def avg_pooled(
    input: Tensor, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, include_pad: bool, divisor: Any, name: str
) -> Tensor:
    """:func:`avg_pool2d`, whose messages call it ``name``."""
    same_type(name, input=input)
    if divisor is not None and not hasattr(divisor, "__index__"):
        raise TypeError(f"{name}: divisor_override must be an int, got {divisor!r}")
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor_override must not be 0")
    x, single = images(input, name)
    geometry = image_windows(kernel, stride, padding, name)
    size = _output_size(x.array.shape, *geometry, (1, 1), bool(ceil_mode), name)
    y = AvgPool2d.apply(x, geometry, size, bool(include_pad), divisor)
    return y.squeeze(0) if single else y


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The average of each window; with ``divisor_override=1``, its sum.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        kernel_size, stride, padding, ceil_mode: as in :func:`max_pool2d` (padding is zeros).
        count_include_pad: divide by the whole window; else by the number of its pixels inside the image.
        divisor_override: divide by this instead.

    Returns:
        ``(N, C, OH, OW)``.

    Raises:
        RuntimeError: as :func:`max_pool2d`, or ``divisor_override`` is 0.
        TypeError: ``divisor_override`` is no int.
    """
    return avg_pooled(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, "avg_pool2d")


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """:func:`avg_pool2d` of images one pixel high: ``(N, C, L)`` or ``(C, L)``, an int for each option."""
    name = "avg_pool1d"
    windows = row_windows(kernel_size, stride, padding, name)
    return avg_pooled(as_rows(input, name), *windows, ceil_mode, count_include_pad, None, name).squeeze(-2)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """The p-norm of each window, ``(sum of x**p)**(1/p)`` with p = ``norm_type``: between the sum (1) and the maximum.

    Args:
        input: ``(N, C, H, W)`` or ``(C, H, W)``.
        norm_type: p; inf (-inf) for the largest (smallest) absolute value.
        kernel_size, stride, ceil_mode: as in :func:`max_pool2d`.
    """
    if norm_type in (math.inf, -math.inf):
        return norm_of_extreme(max_pool2d, input, norm_type, kernel_size, stride, ceil_mode)
    KH, KW = pair(kernel_size, "lp_pool2d: kernel_size", 1)
    return norm_of_mean(
        avg_pooled(input**norm_type, (KH, KW), stride, 0, ceil_mode, True, None, "lp_pool2d"), norm_type, KH * KW
    )


def lp_pool1d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """:func:`lp_pool2d` of images one pixel high: ``(N, C, L)`` or ``(C, L)``."""
    name = "lp_pool1d"
    if norm_type in (math.inf, -math.inf):
        return norm_of_extreme(max_pool1d, input, norm_type, kernel_size, stride, ceil_mode)
    windows = row_windows(kernel_size, stride, 0, name)
    means = avg_pooled(as_rows(input**norm_type, name), *windows, ceil_mode, True, None, name).squeeze(-2)
    return norm_of_mean(means, norm_type, windows[0][1])


def norm_of_extreme(max_pool: Callable[..., Any], x: Tensor, p: float, kernel_size: Any, stride: Any,
                    ceil_mode: bool) -> Tensor:  # fmt: skip
    """The p-norm of each window for p = inf or -inf, by the ``max_pool`` for images of this rank."""
    sized = abs(x) * math.copysign(1.0, p)
    return max_pool(sized, kernel_size, stride, ceil_mode=ceil_mode) * math.copysign(1.0, p)


def norm_of_mean(means: Tensor, p: float, count: int) -> Tensor:
    """The p-norm of ``count`` numbers from the mean of their p-th powers."""
    return (sign(means) * relu(abs(means)) * count) ** (1.0 / p)


def _adaptive(input: Tensor, output_size: Any, name: str) -> tuple[Tensor, bool, tuple[int, int]]:
    """Images (N, C, H, W), whether ``input`` was one image, and (OH, OW)."""
    same_type(name, input=input)
    x, single = images(input, name)
    H, W = x.array.shape[2:]
    if not H or not W:
        raise RuntimeError(f"{name}: input of shape {tuple(input.array.shape)} has no pixels")
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    if len(wanted) != 2:
        raise ValueError(f"{name}: output_size must be an int or two ints, got {output_size!r}")
    filled = tuple([n if size is None else size for n, size in zip((H, W), wanted)])
    return x, single, pair(filled, f"{name}: output_size", 1)


def _row_size(output_size: Any, name: str) -> tuple[int, int | None]:
    """``output_size``, an int or None, for an image of one row."""
    if output_size is None or output_size == (None,):
        return 1, None
    return row_pair(output_size, f"{name}: output_size", 1, 1)


def _adaptive_avg_pool(input: Tensor, output_size: Any, name: str) -> Tensor:
    """:func:`adaptive_avg_pool2d`, whose messages call it ``name``."""
    shape = input.array.shape
    if output_size in (1, (1, 1), [1, 1]) and (len(shape) not in (3, 4) or not shape[-2] * shape[-1]):
        return input.mean((-2, -1), keepdim=True)
    x, single, (OH, OW) = _adaptive(input, output_size, name)
    H, W = x.array.shape[2:]
    if H % OH == 0 and W % OW == 0:
        return avg_pool2d(input, (H // OH, W // OW))
    # The average over a rectangle is that of its rows' averages.
    y = stack([x[:, :, i * H // OH : -(-(i + 1) * H // OH)].mean(2) for i in range(OH)], 2)
    y = stack([y[..., j * W // OW : -(-(j + 1) * W // OW)].mean(3) for j in range(OW)], 3)
    return y.squeeze(0) if single else y


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The averages of windows that cut the image into ``output_size`` parts, as even as whole pixels allow.

    Row i of the output averages the rows from ``floor(i*H/OH)`` up to ``ceil((i + 1)*H/OH)``; so do columns. Where OH
    does not divide H, neighbours share a row.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``; for ``output_size`` 1 any ``(..., H, W)``.
        output_size: (OH, OW), or an int for both; None keeps a size.

    Returns:
        ``(N, C, OH, OW)``, or without N. Of no pixels the one average is NaN.

    Raises:
        RuntimeError: wrong rank, an image without pixels, or a size below 1.
        ValueError: ``output_size`` has not two elements.
    """
    return _adaptive_avg_pool(input, output_size, "adaptive_avg_pool2d")


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """:func:`adaptive_avg_pool2d` of images one pixel high: ``(N, C, L) -> (N, C, OL)``, or without N."""
    name = "adaptive_avg_pool1d"
    return _adaptive_avg_pool(as_rows(input, name), _row_size(output_size, name), name).squeeze(-2)


def _spread(n: int, out: int) -> tuple[int, list[int]]:
    """The ``out`` windows of :func:`adaptive_avg_pool2d` along an axis of n places, made equally long by repeating the
    last place of the shorter ones: their length, and the places one window after another."""
    windows = [(i * n // out, -(-(i + 1) * n // out)) for i in range(out)]
    longest = max([end - start for start, end in windows])
    return longest, [min(start + k, end - 1) for start, end in windows for k in range(longest)]


def _adaptive_max_pool(input: Tensor, output_size: Any, return_indices: bool, name: str) -> Any:
    """:func:`adaptive_max_pool2d`, whose messages call it ``name``."""
    x, single, (OH, OW) = _adaptive(input, output_size, name)
    C, H, W = x.array.shape[1:]
    if not C:
        raise RuntimeError(f"{name}: input of shape {tuple(input.array.shape)} has no channels")
    if H % OH == 0 and W % OW == 0:
        return max_pool2d(input, (H // OH, W // OW), return_indices=return_indices)
    (KH, rows), (KW, columns) = _spread(H, OH), _spread(W, OW)
    y, indices = max_pool2d(x[:, :, rows][:, :, :, columns], (KH, KW), return_indices=True)
    if single:
        y, indices = y.squeeze(0), indices.squeeze(0)
    if not return_indices:
        return y
    places = as_tensor([row * W + column for row in rows for column in columns], device=x.device)
    return y, places[indices]


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of the windows of :func:`adaptive_avg_pool2d`.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        output_size: (OH, OW), or an int for both; None keeps a size.
        return_indices: also return where the maxima are, int64 places ``h*W + w`` in their plane.

    Returns:
        ``(N, C, OH, OW)``, or without N; or a pair with the indices.

    Raises:
        RuntimeError: wrong rank, an image without pixels, or a size below 1.
        ValueError: ``output_size`` has not two elements.
    """
    return _adaptive_max_pool(input, output_size, return_indices, "adaptive_max_pool2d")


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """:func:`adaptive_max_pool2d` of images one pixel high: ``(N, C, L) -> (N, C, OL)``, or without N."""
    name = "adaptive_max_pool1d"
    y = _adaptive_max_pool(as_rows(input, name), _row_size(output_size, name), return_indices, name)
    return tuple([part.squeeze(-2) for part in y]) if return_indices else y.squeeze(-2)


def max_pool2d_with_indices(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                            ceil_mode: bool = False, return_indices: bool = False) -> tuple:  # fmt: skip
    """(maxima, their places): :func:`max_pool2d` with ``return_indices``, whatever is said here."""
    return max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool1d_with_indices(input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
                            ceil_mode: bool = False, return_indices: bool = False) -> tuple:  # fmt: skip
    """(maxima, their places): :func:`max_pool1d` with ``return_indices``, whatever is said here."""
    return max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


def adaptive_max_pool2d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple:
    """(maxima, their places): :func:`adaptive_max_pool2d` with ``return_indices``, whatever is said here."""
    return adaptive_max_pool2d(input, output_size, True)


def adaptive_max_pool1d_with_indices(input: Tensor, output_size: Any, return_indices: bool = False) -> tuple:
    """(maxima, their places): :func:`adaptive_max_pool1d` with ``return_indices``, whatever is said here."""
    return adaptive_max_pool1d(input, output_size, True)
