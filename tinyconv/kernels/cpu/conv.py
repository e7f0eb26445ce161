"""Convolution and its two gradients: which way each is computed.

There are three, which differ in what fills the lanes of a vector, and so in the layers that they are fast for. Each has
a file of its own, which says how it works:

* ``conv_images.py``: a strip of an image in each lane, where there are many images;
* ``conv_channels.py``: an output channel in each lane, where images are few and channels many;
* ``conv_planes.py``: neighbouring pixels, for depthwise 3 x 3 convolutions, where each channel is on its own.

Between the first two ``conv_plan.py`` decides, by counting cycles; it also cuts the work into items. The gradients of a
convolution with ReLU and max-pooling behind it have a faster way still, ``winners.py``, which ``fused.py`` tries first.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import reference
from ..reference import windows
from ..reference.conv import fold, unfold  # noqa: F401  (the learner's operations: clarity is all they need)
from . import conv_channels, conv_images, conv_planes
from .arrays import compiled_for, empty, flat, lanes_of
from .conv_plan import ITEMS, POOLED, POOLED_WEIGHTS, WEIGHTS, ChannelPlan, backward_plan, forward_plan

KINDS = {"weights": WEIGHTS, "pooled": POOLED, "pooled weights": POOLED_WEIGHTS}  # names are found sooner in a cache
NONE = np.empty(0, np.uint8)  # for winners, where nothing is pooled
count_windows = functools.lru_cache(maxsize=1024)(windows.count_windows)


def forward(x, w, b, y, out, stride, padding, dilation, groups):
    """conv2d, with output size ``out``, to y."""
    (N, _, H, W), (_, C, KH, KW), OG = x.shape, w.shape, len(w) // groups
    b = np.empty(0, x.dtype) if b is None else flat(b)
    planes = conv_planes.plan_for((KH, KW), stride, padding, dilation, out, C, OG, x.itemsize)
    if planes:
        conv_planes.correlate(flat(x), flat(w), b, y.reshape(-1), (N, groups, H, W, *out), planes.sizes)
        return
    plan = forward_plan((KH, KW), stride, padding, dilation, (H, W), out, N, groups, C, OG, x.itemsize)
    K, shape = KH * KW, (N, groups, C, H, W, OG, *out)
    _run(plan, x, NONE, w, b, y, K, (OG * C * K, C * K, K), shape)


def _run(plan, x, winners, w, b, y, K, steps, shape):
    """A forward pass, or an input gradient, by its plan."""
    arrays = flat(w), b, y.reshape(-1)
    if isinstance(plan, ChannelPlan):
        conv_channels.correlate(flat(x), *arrays, plan.vectors, K, steps, shape, plan.sizes, plan.tables)
    else:
        conv_images.correlate(flat(x), flat(winners), *arrays, plan.tile[0], K, steps, shape, plan.sizes, plan.tables)


def pooled_forward(x, w, b, y, winners, stride, padding, dilation, groups):
    """The maxima of conv2d's 2 x 2 windows, or 0 if that is larger, to y, and which pixels they are to ``winners``.
    Returns False, and computes nothing, where a work item has no room for all channels."""
    plan, K, shape = _plan("pooled", x.itemsize, x.shape, w.shape, stride, padding, dilation, groups)
    if w.shape[1] > plan.cut.CB:
        return False
    b, arrays = np.empty(0, x.dtype) if b is None else flat(b), (y.reshape(-1), winners.reshape(-1))
    conv_images.correlate_and_pool(flat(x), flat(w), b, *arrays, plan.tile[0], K, shape, plan.sizes, plan.tables)
    return True


def input_gradient(gy, winners, w, gx, out, stride, padding, dilation, groups):
    """conv2d_gx of gy to gx. gy has size ``out``; or if ``winners`` is not empty, it is the gradient of the maxima of a
    gradient of that size."""
    (_, C, KH, KW), (N, _, H, W), OG, unit = w.shape, gx.shape, len(w) // groups, 2 if winners.size else 1
    geometry = (KH, KW), stride, padding, dilation
    none = np.empty(0, gy.dtype)
    planes = None if winners.size else conv_planes.plan_for(*geometry, (H, W), C, OG, gy.itemsize, turned=True)
    if planes:
        conv_planes.correlate(flat(gy), flat(w), none, gx.reshape(-1), (N, groups, *out, H, W), planes.sizes)
        return
    plan = backward_plan(*geometry, out, (H, W), N, groups, OG, C, gy.itemsize, unit)
    K, shape = KH * KW, (N, groups, OG, *out, C, H, W)
    _run(plan, gy, winners, w, none, gx, K, (OG * C * K, K, C * K), shape)


def weight_gradient(gy, x, gw, stride, padding, dilation, groups):
    """conv2d_gw to gw."""
    (N, _, *size), (O, C, *kernel_size), out = x.shape, gw.shape, gy.shape[2:]
    lanes, OG = lanes_of(x), O // groups
    if lanes > N and groups >= ITEMS:  # images that fill the lanes are faster
        planes = conv_planes.plan_for(tuple(kernel_size), stride, padding, dilation, out, C, OG, x.itemsize)
        if planes:
            conv_planes.weights(flat(x), flat(gy), gw.reshape(-1), (N, groups, *size, *out), *planes)
            return
    plan, K, shape = _plan("weights", x.itemsize, x.shape, gw.shape, stride, padding, dilation, groups)
    arrays = flat(x), flat(gy), gw.reshape(-1)
    if isinstance(plan, ChannelPlan):
        conv_channels.weights(*arrays, plan.vectors, K, shape, plan.sizes, plan.tables)
    else:
        conv_images.weights(*arrays, *plan.tile, K, shape, plan.sizes, plan.tables)


def pooled_weight_gradient(gy, winners, x, gw, gb, stride, padding, dilation, groups):
    """conv2d_gw to gw, and the bias' gradient to gb, of the gradient that max-pooling over 2 x 2 windows makes of gy
    and ``winners``."""
    plan, K, shape = _plan("pooled weights", x.itemsize, x.shape, gw.shape, stride, padding, dilation, groups)
    arrays = flat(x), flat(gy), flat(winners), gw.reshape(-1), gb
    conv_images.pooled_weights(*arrays, *plan.tile, K, shape, plan.sizes, plan.tables)


@functools.lru_cache(maxsize=256)
def _plan(kind, itemsize, x_shape, w_shape, stride, padding, dilation, groups):
    """A plan, the taps of a channel, and the sizes that work items go by."""
    (N, _, H, W), (O, C), kernel_size = x_shape, w_shape[:2], w_shape[2:]
    out = count_windows((H, W), kernel_size, stride, padding, dilation)
    sizes = (H, W), out, N, groups, C, O // groups, itemsize
    plan = forward_plan(kernel_size, stride, padding, dilation, *sizes, KINDS[kind])
    return plan, math.prod(kernel_size), (N, groups, C, H, W, O // groups, *out)


def conv2d(x, w, b, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d(x, w, b, stride, padding, dilation, groups)
    out = count_windows(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = empty((len(x), len(w), *out), x.dtype)
    if not w.shape[1]:
        y[...] = 0 if b is None else b[:, None, None]
    elif y.size:
        forward(x, w, b, y, out, stride, padding, dilation, groups)
    return y


def conv2d_gx(gy, w, input_size, stride, padding, dilation, groups):
    if not compiled_for(gy):
        return reference.conv2d_gx(gy, w, input_size, stride, padding, dilation, groups)
    gx = empty((len(gy), w.shape[1] * groups, *input_size), gy.dtype)
    if not gy.size:
        gx[...] = 0
    elif gx.size:
        input_gradient(gy, NONE, w, gx, gy.shape[2:], stride, padding, dilation, groups)
    return gx


def conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups):
    if not compiled_for(x):
        return reference.conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups)
    gw = np.empty((gy.shape[1], x.shape[1] // groups, *kernel_size), x.dtype)
    if not gw.size or not gy.size:
        gw[...] = 0
    else:
        weight_gradient(gy, x, gw, stride, padding, dilation, groups)
    return gw
