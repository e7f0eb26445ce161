"""Normalization: by the batch (Ioffe & Szegedy 2015), and by each sample itself.

In batch normalization each channel is shifted and scaled to mean 0 and variance 1 over the batch, then scaled by w and
shifted by b:

    xh = (x - mean) * rstd,   rstd = 1 / sqrt(var + eps),   y = xh * w + b            (algorithm 1 of the paper)

mean and var depend on x, so the gradient has three terms; with M values per channel,

    gx = w * rstd * (gy - mean(gy) - xh * mean(gy * xh)),   gw = sum(gy * xh),   gb = sum(gy).

One kernel computes these. When the backward pass is itself recorded (``create_graph``), the same formula is written
out in tensor operations instead, and the engine differentiates those.

The others differ in what shares its mean and variance: a group of channels, or one channel of one image (instance
normalization). Whatever it is becomes one channel of a single image ``(1, rows, L)``, and the kernel is the same. In
layer normalization it is the last axes of a sample, and each of their elements has a w and a b of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes, kernels
from ..autograd import Function, is_grad_enabled
from ..tensor import Tensor, wrap
from .convert import cast
from .elementary import sqrt
from .elementwise import div, mul
from .pad import pad
from .pool import avg_pool2d
from .shape import sizes
from .types import same_type


class BatchNorm(Function):
    """x is (N, C, L); the statistics are those of x."""

    materialize_grads = False  # only the first output has a gradient
    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor, eps: float) -> tuple:
        y, mean, var, rstd = map(wrap, kernels.of(x.array).batch_norm_train(x.array, w.array, b.array, eps))
        ctx.eps = eps
        ctx.save_for_backward(x, w, mean, rstd)
        ctx.mark_non_differentiable(mean, var)
        return y, mean, var

    @staticmethod
    def backward(ctx: Any, gy: Tensor, *_: Any) -> tuple:
        x, w, mean, rstd = ctx.saved_tensors
        if not x.numel():  # of which there are no statistics
            return mul(gy, 0), w.new_zeros(w.array.shape), w.new_zeros(w.array.shape), None
        if not is_grad_enabled():
            gx, gw, gb = kernels.of(x.array).batch_norm_gx(gy.array, x.array, mean.array, rstd.array, w.array)
            return wrap(gx), wrap(gw), wrap(gb), None
        axes = (0, 2)
        centred = x - x.mean(axes, keepdim=True)
        rstd = div(1.0, sqrt((centred * centred).mean(axes, keepdim=True) + ctx.eps))
        xh = centred * rstd
        gx = rstd * w.reshape(-1, 1) * (gy - gy.mean(axes, keepdim=True) - xh * (gy * xh).mean(axes, keepdim=True))
        return gx, (gy * xh).sum(axes), gy.sum(axes), None


class LayerNorm(Function):
    """y = xh * w + b, with xh the last axes of x, as many as w has, brought to mean 0 and variance 1. With g = gy * w,
    gx = rstd * (g - mean(g) - xh * mean(g * xh))."""

    fresh_gradients = True

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, b: Tensor, eps: float) -> Tensor:
        shape, length = x.array.shape, w.numel()
        rows = x.reshape(x.numel() // max(length, 1), length)
        y, mean, rstd = kernels.of(x.array).layer_norm(
            rows.array, w.reshape(length).array, b.reshape(length).array, eps
        )
        ctx.eps = eps
        ctx.save_for_backward(x, w, wrap(mean), wrap(rstd))
        return wrap(y).reshape(shape)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, w, mean, rstd = ctx.saved_tensors
        shape, length, count = x.array.shape, w.numel(), x.array.ndim - w.array.ndim
        if not is_grad_enabled():
            rows = x.numel() // max(length, 1), length
            gx, gw, gb = kernels.of(x.array).layer_norm_gx(
                gy.reshape(rows).array, x.reshape(rows).array, mean.array, rstd.array, w.reshape(length).array
            )
            return wrap(gx).reshape(shape), *[wrap(g).reshape(w.array.shape) for g in (gw, gb)], None
        lead, axes = tuple(range(count)), tuple(range(count, x.array.ndim))
        centred, g = x - x.mean(axes, keepdim=True), gy * w
        rstd = div(1.0, sqrt((centred * centred).mean(axes, keepdim=True) + ctx.eps))
        xh = centred * rstd
        gx = rstd * (g - g.mean(axes, keepdim=True) - xh * (g * xh).mean(axes, keepdim=True))
        return gx, *[g.sum(lead) if lead else g for g in (gy * xh, gy)], None


class Normalize(Function):
    """y = (x - mean) * rstd * w + b with given statistics, which get no gradient (evaluation mode); x is
    (N, C, ...)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, mean: Tensor, var: Tensor, w: Tensor, b: Tensor, eps: float) -> Tensor:
        backend, shape = kernels.of(x.array), x.array.shape
        rstd = wrap(backend.div(1.0, backend.sqrt(backend.add(var.array, eps))))
        ctx.save_for_backward(x, mean, rstd, w)
        rows = x.reshape(*shape[:2], math.prod(shape[2:]))
        return wrap(backend.batch_norm(rows.array, mean.array, rstd.array, w.array, b.array)).reshape(shape)

    @staticmethod
    def backward(ctx: Any, gy: Tensor) -> tuple:
        x, mean, rstd, w = ctx.saved_tensors
        channels = (-1, *(1,) * (x.array.ndim - 2))
        m, r = mean.reshape(channels), rstd.reshape(channels)
        axes, need = (0, *range(2, x.array.ndim)), ctx.needs_input_grad
        gx = gy * (r * w.reshape(channels)) if need[0] else None
        gw = (gy * ((x - m) * r)).sum(axes) if need[3] else None
        gb = gy.sum(axes) if need[4] else None
        return gx, None, None, gw, gb, None


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Batch normalization over all axes but the channels'.

    Args:
        input: ``(N, C, ...)``.
        running_mean, running_var: ``(C,)``: in training, moved towards the batch's mean and (unbiased) variance by
            ``momentum``, in place; otherwise used in their stead. None: the batch's statistics always.
        weight, bias: ``(C,)``, or None for 1 and 0.
        training: normalize by the batch's statistics.
        momentum: share of the new value in the running one.
        eps: added to the variance.

    Returns:
        As ``input``.

    Raises:
        RuntimeError: statistics, weight or bias that are not ``(C,)``; evaluation without running statistics.
        ValueError: training on one value per channel.
    """
    same_type("batch_norm", input=input, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    shape = input.array.shape
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm: expected input of shape (N, C, ...), got {tuple(shape)}")
    C, length = shape[1], math.prod(shape[2:])
    for name, value in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if value is not None and value.array.shape != (C,):
            raise RuntimeError(f"batch_norm: {name} must have shape ({C},), got {tuple(value.array.shape)}")
    if training and shape[0] * length == 1:
        raise ValueError(
            f"batch_norm: expected more than 1 value per channel when training, got input of shape {tuple(shape)}"
        )
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError("batch_norm: running_mean and running_var must be given in evaluation mode")
    w = input.new_ones((C,)) if weight is None else weight
    b = input.new_zeros((C,)) if bias is None else bias
    if not training:
        assert running_mean is not None and running_var is not None
        return Normalize.apply(input, running_mean.detach(), running_var.detach(), w, b, eps)
    y, mean, var = BatchNorm.apply(input.reshape(shape[0], C, length), w, b, eps)
    _follow(running_mean, running_var, mean, var, shape[0] * length, momentum)
    return y.reshape(shape)


def _follow(
    running_mean: Tensor | None, running_var: Tensor | None, mean: Tensor, var: Tensor, count: int, momentum: float
) -> None:
    """Move the running statistics towards those of ``count`` values by ``momentum``, in place."""
    if not count:
        return
    for running, new, factor in ((running_mean, mean, 1.0), (running_var, var, count / (count - 1))):
        if running is not None:
            backend = kernels.of(running.array)
            backend.mul_(running.array, 1 - momentum)
            backend.add_(running.array, new.array, momentum * factor)
            running._bump()


def _standardized(x: Tensor, rows: int, eps: float, w: Tensor | None = None, b: Tensor | None = None) -> tuple:
    """``x`` cut into ``rows`` rows, each with mean 0 and variance 1 (then times w plus b, ``(rows,)``); the means and
    the variances."""
    length = x.numel() // max(rows, 1)
    w = x.new_ones((rows,)) if w is None else w
    b = x.new_zeros((rows,)) if b is None else b
    y, mean, var = BatchNorm.apply(x.reshape(1, rows, length), w, b, eps)
    return y.reshape(x.array.shape), mean, var


def _scaled(y: Tensor, weight: Tensor | None, bias: Tensor | None, shape: tuple) -> Tensor:
    """``y * weight + bias``, both seen in ``shape``."""
    y = y if weight is None else y * weight.reshape(shape)
    return y if bias is None else y + bias.reshape(shape)


def _last_axes(
    x: Tensor, normalized_shape: Any, name: str, short: type[Exception] = RuntimeError, **parameters: Tensor | None
) -> tuple[int, ...]:
    """``normalized_shape`` as a tuple, if ``x`` ends with it and the parameters have it.

    Raises:
        RuntimeError: they do not; but if ``x`` has too few axes, ``short``.
    """
    last = sizes((normalized_shape,))
    shape = tuple(x.array.shape)
    for argument, value in parameters.items():
        if value is not None and tuple(value.array.shape) != last:
            raise RuntimeError(f"{name}: {argument} must have shape {last}, got {tuple(value.array.shape)}")
    if not last or shape[len(shape) - len(last) :] != last:
        kind = short if len(shape) < len(last) else RuntimeError
        raise kind(f"{name}: normalized_shape is {last}, so input must end with it, got shape {shape}")
    return last


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Layer normalization (Ba et al. 2016): each sample by the mean and variance over its last axes.

    Args:
        input: ``(..., *normalized_shape)``.
        normalized_shape: the last axes' sizes.
        weight, bias: of that shape, or None for 1 and 0.
        eps: added to the variance.

    Returns:
        ``(x - mean) / sqrt(var + eps) * weight + bias``, as ``input``.

    Raises:
        RuntimeError: an input, weight or bias of another shape.
    """
    same_type("layer_norm", input=input, weight=weight, bias=bias)
    last = _last_axes(input, normalized_shape, "layer_norm", weight=weight, bias=bias)
    weight = input.new_ones(last) if weight is None else weight
    bias = input.new_zeros(last) if bias is None else bias
    return LayerNorm.apply(input, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Normalization by the root of the mean square (Zhang & Sennrich 2019): :func:`layer_norm` that leaves the mean.

    Args:
        input, normalized_shape, weight: as in :func:`layer_norm`, but the weight may be of any type.
        eps: added to the mean square (default: the type's ``finfo.eps``).

    Returns:
        ``x / sqrt(mean(x**2) + eps) * weight``, as ``input``.

    Raises:
        RuntimeError: ``input`` does not end with ``normalized_shape``, or ``weight`` has another.
        ValueError: ``input`` has fewer dimensions.
    """
    same_type("rms_norm", input=input)
    weight = weight if weight is None else cast(weight, input.array.dtype)
    last = _last_axes(input, normalized_shape, "rms_norm", ValueError, weight=weight)
    axes = tuple(range(input.array.ndim - len(last), input.array.ndim))
    small = dtypes.finfo(input.dtype).eps if eps is None else eps
    return _scaled(div(input, sqrt((input * input).mean(axes, keepdim=True) + small)), weight, None, last)


def _check_channels(name: str, C: int, **parameters: Tensor | None) -> None:
    for argument, value in parameters.items():
        if value is not None and tuple(value.array.shape) != (C,):
            raise RuntimeError(f"{name}: {argument} must have shape ({C},), got {tuple(value.array.shape)}")


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Group normalization (Wu & He 2018): each image by the means and variances of groups of its channels.

    Args:
        input: ``(N, C, ...)``.
        num_groups: into how many groups of equally many channels.
        weight, bias: ``(C,)``, or None for 1 and 0.
        eps: added to the variances.

    Returns:
        As ``input``.

    Raises:
        RuntimeError: ``num_groups`` does not divide C; a weight or bias that is not ``(C,)``.
        ValueError: one value a group.
    """
    same_type("group_norm", input=input, weight=weight, bias=bias)
    shape = tuple(input.array.shape)
    if len(shape) < 2:
        raise RuntimeError(f"group_norm: expected input of shape (N, C, ...), got {shape}")
    N, C = shape[:2]
    if num_groups < 1 or C % num_groups:
        raise RuntimeError(f"group_norm: num_groups must divide the {C} channels of input {shape}, got {num_groups}")
    if N * C // num_groups * math.prod(shape[2:]) == 1:
        raise ValueError(f"group_norm: expected more than 1 value per group when training, got input of shape {shape}")
    _check_channels("group_norm", C, weight=weight, bias=bias)
    return _scaled(_standardized(input, N * num_groups, eps)[0], weight, bias, (C,) + (1,) * (len(shape) - 2))


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Instance normalization (Ulyanov et al. 2016): each channel of each image by its own mean and variance.

    Args:
        input: ``(N, C, ...)``.
        running_mean, running_var: ``(C,)``: with ``use_input_stats`` moved towards the images' average mean and
            (unbiased) variance by ``momentum``, in place; otherwise used in their stead.
        weight, bias: ``(C,)``, or None for 1 and 0.
        use_input_stats: normalize by the images' own statistics.
        momentum: share of the new value in the running one.
        eps: added to the variances.

    Returns:
        As ``input``.

    Raises:
        RuntimeError: statistics, weight or bias that are not ``(C,)``; no running statistics where they are needed.
        ValueError: images of one pixel.
    """
    if not use_input_stats:
        mean, var = (
            cast(s, input.array.dtype) if s is not None and s.array.dtype.kind == "f" else s
            for s in (running_mean, running_var)
        )
        return batch_norm(input, mean, var, weight, bias, False, momentum, eps)
    name = "instance_norm"
    same_type(name, input=input, weight=weight, bias=bias)
    shape = tuple(input.array.shape)
    if len(shape) < 3:
        raise RuntimeError(f"{name}: expected input of shape (N, C, L, ...), got {shape}")
    N, C = shape[:2]
    count = math.prod(shape[2:])
    if count == 1:
        raise ValueError(f"{name}: expected more than 1 spatial element when training, got input of shape {shape}")
    _check_channels(name, C, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    w, b = (None if p is None else p.expand(N, C).reshape(N * C) for p in (weight, bias))
    y, mean, var = _standardized(input, N * C, eps, w, b)
    if N:
        _follow(running_mean, running_var, mean.reshape(N, C).mean(0), var.reshape(N, C).mean(0), count, momentum)
    return y


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Local response normalization (Krizhevsky et al. 2012, section 3.3): each value by its neighbours in the channels
    beside its own.

    Args:
        input: ``(N, C, ...)``.
        size: how many channels, its own in the middle; those before the first and behind the last count as zeros.
        alpha, beta, k: of the formula.

    Returns:
        ``x / (k + alpha * mean of the squares)**beta``, as ``input``.

    Raises:
        ValueError: fewer than 3 dimensions.
    """
    shape = input.array.shape
    if len(shape) < 3:
        raise ValueError(f"local_response_norm: expected input of shape (N, C, L, ...), got {tuple(shape)}")
    if not input.numel():
        return input
    squares = (input * input).reshape(shape[0], 1, shape[1], -1)
    around = pad(squares, (0, 0, size // 2, (size - 1) // 2))
    return div(input, (avg_pool2d(around, (size, 1), 1).reshape(shape) * alpha + k) ** beta)
