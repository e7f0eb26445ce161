"""A convolution, ReLU and max-pooling in one pass: the work items of ``conv.py``, which pool what they computed before
they turn it back, and in the gradients spread to the winners what they have turned into lanes."""

from __future__ import annotations

import numpy as np

from .. import reference
from .arrays import compiled_for
from .conv import forward, input_gradient, output_size, weight_gradient


def conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups):
    OH, OW = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = np.empty((len(x), len(w), OH // 2, OW // 2), x.dtype)
    if not compiled_for(x) or not w.shape[1] or not y.size:
        return reference.conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups)
    winners = np.empty(y.shape, np.uint8)
    forward(x, w, b, y, winners, (OH, OW), stride, padding, dilation, groups)
    return y, winners


def max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups):
    gx = np.empty((len(gy), w.shape[1] * groups, *input_size), gy.dtype)
    if not compiled_for(gy) or not gy.size or not gx.size:
        return reference.max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups)
    out = output_size(input_size, w.shape[2:], stride, padding, dilation)
    input_gradient(gy, where, w, gx, out, stride, padding, dilation, groups)
    return gx


def max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups):
    gw = np.empty((gy.shape[1], x.shape[1] // groups, *kernel_size), x.dtype)
    if not compiled_for(x) or not gw.size or not gy.size:
        return reference.max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups)
    out = output_size(x.shape[2:], kernel_size, stride, padding, dilation)
    weight_gradient(gy, where, x, gw, out, stride, padding, dilation, groups)
    return gw
