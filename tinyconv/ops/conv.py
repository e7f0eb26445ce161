"""Convolution and its two gradients.

A convolution layer slides a small kernel over an image and takes a dot product at every place:

    y[n, o, i, j] = b[o] + sum over c, kh, kw of  w[o, c, kh, kw] * x[n, c, i*SH + kh*DH - PH, j*SW + kw*DW - PW]

It is linear in x and linear in w, so it has two adjoints. The one in x, ``conv2d_gx``, spreads every gy over the
window it came from, and is what is known as a *transposed convolution*. The one in w, ``conv2d_gw``, correlates gy
with x. The three are closed under differentiation: the gradient of each in each of its arguments is again one of the
three, so second and higher derivatives of convolutional networks need nothing else.

=============================  =========================  =========================
y                              gradient in 1st argument   gradient in 2nd argument
=============================  =========================  =========================
Conv2d:    y  = conv(x, w)     gx = conv_gx(gy, w)        gw = conv_gw(gy, x)
Conv2dGx:  gx = conv_gx(gy,w)  ggy = conv(ggx, w)         gw = conv_gw(gy, ggx)
Conv2dGw:  gw = conv_gw(gy,x)  ggy = conv(x, ggw)         gx = conv_gx(gy, ggw)
=============================  =========================  =========================
"""

from __future__ import annotations

import functools
from typing import Any

from .. import kernels
from ..autograd import Deferred, Function, written_down
from ..tensor import Tensor, wrap
from .pad import pad
from .reduce import Sum
from .types import same_type
from .windows import as_rows, check_reach, count_windows, images, pair, row_pair, window_steps


class Conv2d(Function):
    """y = conv(x, w) + b;  gx = conv_gx(gy, w),  gw = conv_gw(gy, x),  gb = sum of gy over all but the channels."""

    fresh_gradients = True
    takes_deferred = True

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, stride: Any, padding: Any, dilation: Any, groups: int
    ) -> Tensor:
        need = ctx.needs_input_grad
        ctx.geometry = stride, padding, dilation, groups
        ctx.input_size, ctx.kernel_size = x.array.shape[2:], w.array.shape[2:]
        ctx.save_for_backward(x if need[1] else None, w if need[0] else None)
        bias = None if b is None else b.array
        return wrap(kernels.of(x.array).conv2d(x.array, w.array, bias, stride, padding, dilation, groups))

    @staticmethod
    def backward(ctx: Any, gy: Any) -> tuple:
        x, w = ctx.saved_tensors
        bias = ctx.needs_input_grad[2]
        if isinstance(gy, Deferred) and (x is not None or not bias):
            gx, gw, gb = gy.of_conv2d(x, w, ctx.input_size, ctx.kernel_size, ctx.geometry)
            return gx, gw, gb if bias else None, None, None, None, None
        gy = written_down(gy)
        gx = None if w is None else Conv2dGx.apply(gy, w, ctx.input_size, *ctx.geometry)
        gw = None if x is None else Conv2dGw.apply(gy, x, ctx.kernel_size, *ctx.geometry)
        gb = Sum.apply(gy, (0, 2, 3), False) if bias else None
        return gx, gw, gb, None, None, None, None


class Conv2dGx(Function):
    """gx = conv_gx(gy, w), the adjoint of conv in x."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, w: Tensor, input_size: Any, *geometry: Any) -> Tensor:
        need = ctx.needs_input_grad
        ctx.geometry, ctx.kernel_size = geometry, w.array.shape[2:]
        ctx.save_for_backward(gy if need[1] else None, w if need[0] else None)
        return wrap(kernels.of(gy.array).conv2d_gx(gy.array, w.array, input_size, *geometry))

    @staticmethod
    def backward(ctx: Any, ggx: Tensor) -> tuple:
        gy, w = ctx.saved_tensors
        ggy = None if w is None else Conv2d.apply(ggx, w, None, *ctx.geometry)
        gw = None if gy is None else Conv2dGw.apply(gy, ggx, ctx.kernel_size, *ctx.geometry)
        return ggy, gw, None, None, None, None, None


class Conv2dGw(Function):
    """gw = conv_gw(gy, x), the adjoint of conv in w."""

    @staticmethod
    def forward(ctx: Any, gy: Tensor, x: Tensor, kernel_size: Any, *geometry: Any) -> Tensor:
        need = ctx.needs_input_grad
        ctx.geometry, ctx.input_size = geometry, x.array.shape[2:]
        ctx.save_for_backward(gy if need[1] else None, x if need[0] else None)
        return wrap(kernels.of(gy.array).conv2d_gw(gy.array, x.array, kernel_size, *geometry))

    @staticmethod
    def backward(ctx: Any, ggw: Tensor) -> tuple:
        gy, x = ctx.saved_tensors
        ggy = None if x is None else Conv2d.apply(x, ggw, None, *ctx.geometry)
        gx = None if gy is None else Conv2dGx.apply(gy, ggw, ctx.input_size, *ctx.geometry)
        return ggy, gx, None, None, None, None, None


class ConvTranspose2d(Function):
    """y = conv_gx(x, w) + b: the roles of input and output gradient exchanged."""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor | None, size: Any, *geometry: Any) -> Tensor:
        need = ctx.needs_input_grad
        ctx.geometry, ctx.kernel_size = geometry, w.array.shape[2:]
        ctx.save_for_backward(x if need[1] else None, w if need[0] else None)
        backend = kernels.of(x.array)
        y = backend.conv2d_gx(x.array, w.array, size, *geometry)
        if b is not None:
            backend.add_(y, backend.getitem(b.array, (slice(None), None, None)))
        return wrap(y)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, w = ctx.saved_tensors
        gx = None if w is None else Conv2d.apply(gy, w, None, *ctx.geometry)
        gw = None if x is None else Conv2dGw.apply(x, gy, ctx.kernel_size, *ctx.geometry)
        gb = Sum.apply(gy, (0, 2, 3), False) if ctx.needs_input_grad[2] else None
        return gx, gw, gb, None, None, None, None, None


def _shapes(x: Tensor, w: Tensor) -> str:
    return f"(x: {tuple(x.array.shape)}, weight: {tuple(w.array.shape)})"


def _check_bias(bias: Tensor | None, channels: int, name: str) -> None:
    if bias is not None and bias.array.shape != (channels,):
        raise RuntimeError(f"{name}: bias must have shape ({channels},), got {tuple(bias.array.shape)}")


def _check_groups(groups: Any, name: str) -> None:
    if not hasattr(groups, "__index__"):
        raise TypeError(f"{name}: groups must be an int, got {groups!r}")
    if groups < 1:
        raise RuntimeError(f"{name}: groups must be a positive int, got {groups}")


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """2-D convolution (cross-correlation) of images with kernels: the formula at the head of this file.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        weight: ``(O, C/groups, KH, KW)``.
        bias: ``(O,)`` or None.
        stride: step between windows, an int or (vertical, horizontal).
        padding: zeros around the image, likewise; or ``"valid"`` (none) or ``"same"`` (output as large as the input;
            stride 1 only).
        dilation: distance between kernel taps, likewise.
        groups: output group g sees input group g alone; ``groups=C`` is a depthwise convolution.

    Returns:
        ``(N, O, OH, OW)`` with ``OH = floor((H + 2*padding - dilation*(KH - 1) - 1) / stride) + 1``.

    Raises:
        RuntimeError: ranks, channels, types or devices that do not fit; a kernel larger than the padded image; a stride
            or dilation below 1, a negative padding, groups that do not divide the channels.
        TypeError: options that are no ints.
    """
    return convolved(input, weight, bias, stride, padding, dilation, groups, "conv2d")


def convolved(
    input: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int, name: str
) -> Tensor:
    """:func:`conv2d`, whose messages call it ``name``."""
    x, options, _, single = conv2d_arguments(input, weight, bias, stride, padding, dilation, groups, name)
    y = Conv2d.apply(x, weight, bias, *options)
    return y.squeeze(0) if single else y


def conv2d_arguments(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    name: str = "conv2d",
) -> tuple[Tensor, tuple, tuple[int, int], bool]:
    """Check the arguments of :func:`conv2d`: images (N, C, H, W); stride, padding, dilation and groups; the output's
    size; whether ``input`` was one image."""
    same_type(name, input=input, weight=weight, bias=bias)
    x, single = images(input, name)
    if weight.array.ndim != 4:
        raise RuntimeError(f"{name}: weight must have shape (O, C/groups, KH, KW), got {tuple(weight.array.shape)}")
    _check_groups(groups, name)
    after = None
    if isinstance(padding, str):
        stride, dilation = pair(stride, f"{name}: stride", 1), pair(dilation, f"{name}: dilation", 1)
        padding, after = _named_padding(padding, stride, dilation, weight.array.shape[2:], name)
    geometry = window_steps(name, stride, padding, dilation)
    if after is not None and after != geometry[1]:  # an even kernel needs one more row below than above
        x = pad(x, (0, after[1] - geometry[1][1], 0, after[0] - geometry[1][0]))
    options = *geometry, groups
    size = _conv2d_size(x.array.shape, weight.array.shape, None if bias is None else bias.array.shape, *options, name)
    return x, options, size, single


@functools.lru_cache(maxsize=1024)
def _conv2d_size(
    x: tuple, w: tuple, b: tuple | None, stride: tuple, padding: tuple, dilation: tuple, groups: int, name: str
) -> tuple[int, int]:
    """The size of the output for input, weight and bias of these shapes.

    Raises:
        RuntimeError: they do not fit.
    """
    (_, C, H, W), (O, CG, KH, KW) = x, w
    row = name == "conv1d"  # whose users know nothing of an image one pixel high
    seen = [tuple(shape[:2] + shape[3:]) if row else tuple(shape) for shape in (x, w)]
    shapes = f"(x: {seen[0]}, weight: {seen[1]})"
    if C % groups or O % groups:
        raise RuntimeError(f"{name}: groups must divide the {C} input and {O} output channels, got {groups} {shapes}")
    if CG * groups != C:
        raise RuntimeError(f"{name}: weight expects {CG * groups} input channels, x has {C} {shapes}")
    if b is not None and b != (O,):
        raise RuntimeError(f"{name}: bias must have shape ({O},), got {tuple(b)}")
    OH, OW = count_windows((H, W), (KH, KW), stride, padding, dilation)
    if OH < 1 or OW < 1 or not KH or not KW:
        check_reach((KH, KW)[row:], dilation[row:], (H, W)[row:], padding[row:], name, shapes)
    return OH, OW


def _named_padding(padding: str, stride: tuple, dilation: tuple, kernel: tuple, name: str) -> tuple:
    """("valid" or "same") as (zeros before, zeros after)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding != "same":
        raise RuntimeError(f"{name}: padding must be an int, two ints, 'valid' or 'same', got {padding!r}")
    if stride != (1, 1):
        raise RuntimeError(f"{name}: padding='same' is not supported for strided convolutions (stride {stride})")
    total = [d * (k - 1) for d, k in zip(dilation, kernel)]
    before = tuple([n // 2 for n in total])
    return before, tuple([n - b for n, b in zip(total, before)])


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Transposed convolution (Zeiler et al. 2010): every input value spreads a copy of the kernel over the output; the
    adjoint of :func:`conv2d` in its input.

    Args:
        input: ``(N, C, H, W)``, or one image ``(C, H, W)``.
        weight: ``(C, O/groups, KH, KW)``.
        bias: ``(O,)`` or None.
        stride, padding, dilation: those of the convolution this is the adjoint of.
        output_padding: rows and columns to add on one side, since several input sizes of a strided convolution have the
            same output size; less than stride or dilation.
        groups: as in :func:`conv2d`.

    Returns:
        ``(N, O, OH, OW)`` with ``OH = (H - 1)*stride - 2*padding + dilation*(KH - 1) + output_padding + 1``.

    Raises:
        RuntimeError, TypeError: as :func:`conv2d`.
    """
    return _transposed(input, weight, bias, stride, padding, output_padding, groups, dilation, "conv_transpose2d")


def _transposed(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
    name: str,
) -> Tensor:
    """:func:`conv_transpose2d`, whose messages call it ``name``."""
    same_type(name, input=input, weight=weight, bias=bias)
    x, single = images(input, name)
    if weight.array.ndim != 4:
        raise RuntimeError(f"{name}: weight must have shape (C, O/groups, KH, KW), got {tuple(weight.array.shape)}")
    (_, C, H, W), (CW, OG, KH, KW) = x.array.shape, weight.array.shape
    if not OG or not KH or not KW:
        raise RuntimeError(f"{name}: expected a weight with channels and a kernel with taps {_shapes(input, weight)}")
    _check_groups(groups, name)
    if CW % groups:
        raise RuntimeError(f"{name}: groups must divide the {CW} input channels, got {groups} {_shapes(input, weight)}")
    if C != CW:
        raise RuntimeError(f"{name}: weight expects {CW} input channels, x has {C} {_shapes(input, weight)}")
    _check_bias(bias, OG * groups, name)
    geometry = window_steps(name, stride, padding, dilation)
    extra = pair(output_padding, f"{name}: output_padding", 0)
    if any([e >= s and e >= d for e, s, d in zip(extra, geometry[0], geometry[2])]):
        raise RuntimeError(f"{name}: output_padding must be smaller than stride or dilation, got {output_padding!r}")
    OH, OW = [(n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, e, s, p, d in zip((H, W), (KH, KW), extra, *geometry)]
    if OH < 1 or OW < 1:
        raise RuntimeError(f"{name}: the output would be {OH} x {OW} {_shapes(input, weight)}")
    y = ConvTranspose2d.apply(x, weight, bias, (OH, OW), *geometry, groups)
    return y.squeeze(0) if single else y


# ------------------------------------------------------------------------------------------ rows: images one pixel high


def _row_kernel(input: Tensor, weight: Tensor, channels: int, name: str) -> Tensor:
    """``weight`` (O, C/groups, K), or for a transposed convolution (C, O/groups, K), as kernels one pixel high.

    Raises:
        RuntimeError: not 3-D, or made for another number of channels than ``input`` has.
    """
    same_type(name, input=input, weight=weight)
    if weight.array.ndim != 3:
        raise RuntimeError(f"{name}: weight must have 3 dimensions, got {tuple(weight.array.shape)}")
    if channels != input.array.shape[-2]:
        raise RuntimeError(
            f"{name}: weight expects {channels} input channels, x has {input.array.shape[-2]} {_shapes(input, weight)}"
        )
    return weight.unsqueeze(2)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """1-D convolution: :func:`conv2d` of images one pixel high.

    Args:
        input: ``(N, C, L)``, or one sequence ``(C, L)``.
        weight: ``(O, C/groups, K)``.
        bias, stride, padding, dilation, groups: as in :func:`conv2d`, with an int for each.

    Returns:
        ``(N, O, OL)`` with ``OL = floor((L + 2*padding - dilation*(K - 1) - 1) / stride) + 1``.

    Raises:
        RuntimeError, TypeError: as :func:`conv2d`.
    """
    name = "conv1d"
    x = as_rows(input, name)
    _check_groups(groups, name)
    w = _row_kernel(input, weight, weight.array.shape[1] * groups if weight.array.ndim == 3 else 0, name)
    if not isinstance(padding, str):
        padding = row_pair(padding, "conv1d: padding", 0, 0)
    steps = row_pair(stride, "conv1d: stride", 1, 1), padding, row_pair(dilation, "conv1d: dilation", 1, 1)
    return convolved(x, w, bias, *steps, groups, name).squeeze(-2)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """1-D transposed convolution: :func:`conv_transpose2d` of images one pixel high.

    Args:
        input: ``(N, C, L)``, or one sequence ``(C, L)``.
        weight: ``(C, O/groups, K)``.
        bias, stride, padding, output_padding, groups, dilation: as in :func:`conv_transpose2d`, with an int for each.

    Returns:
        ``(N, O, OL)`` with ``OL = (L - 1)*stride - 2*padding + dilation*(K - 1) + output_padding + 1``.

    Raises:
        RuntimeError, TypeError: as :func:`conv2d`.
    """
    name = "conv_transpose1d"
    x = as_rows(input, name)
    w = _row_kernel(input, weight, weight.array.shape[0], name)
    steps = (
        row_pair(stride, f"{name}: stride", 1, 1),
        row_pair(padding, f"{name}: padding", 0, 0),
        row_pair(output_padding, f"{name}: output_padding", 0, 0),
        groups,
        row_pair(dilation, f"{name}: dilation", 1, 1),
    )
    return _transposed(x, w, bias, *steps, name).squeeze(-2)
