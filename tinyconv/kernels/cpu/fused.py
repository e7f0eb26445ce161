"""A convolution, ReLU and max-pooling in one pass: the work items of ``conv_images.py`` that keep one of a window's
pixels. The gradients of that one alone are ``winners.py``'s where it pays, else ``conv_images.py``'s. A linear layer
and ReLU: the products of ``matmul.py``, cut at 0 while they are in the cache."""

from __future__ import annotations

import numpy as np

from .. import reference
from ..formulas import NOBODY
from ..reference.fused import WINDOWS_2X2
from . import winners
from .arrays import compiled_for, empty
from .conv import conv2d, count_windows, input_gradient, pooled_forward, pooled_weight_gradient
from .elementwise import relu, relu_gx
from .matmul import gradients, matmul, product
from .pool import max_pool2d
from .reduce import sum

SMALL = 2**15  # outputs of a linear layer whose gradients one thread makes ready


def linear_relu(x, w, b):
    return product(x, w.T, b, relu=True) if compiled_for(x) else reference.linear_relu(x, w, b)


def linear_gradients(gy, y, x, w, bias):
    factors = [a.size for a in (x, w) if a is not None]
    if factors and min(factors) and 0 < gy.size <= SMALL and compiled_for(gy):
        return gradients(gy, y, x, w, bias)
    gz = gy if y is None else relu_gx(gy, y)
    gx, gw = None if w is None else matmul(gz, w), None if x is None else matmul(gz.T, x)
    return gx, gw, sum(gz, (0,), False) if bias else None


def conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups):
    OH, OW = count_windows(x.shape[2:], w.shape[2:], stride, padding, dilation)
    y = empty((len(x), len(w), OH // 2, OW // 2), x.dtype)
    if not compiled_for(x) or not w.shape[1] or not y.size:
        return reference.conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups)
    where = empty(y.shape, np.uint8)
    if not pooled_forward(x, w, b, y, where, stride, padding, dilation, groups):
        y, where = max_pool2d(conv2d(x, w, b, stride, padding, dilation, groups), *WINDOWS_2X2, (OH // 2, OW // 2))
        where[y <= 0] = NOBODY
        y = relu(y)
    return y, where


def max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups):
    gx = empty((len(gy), w.shape[1] * groups, *input_size), gy.dtype)
    if not compiled_for(gy) or not gy.size or not gx.size:
        return reference.max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups)
    if not winners.input_gradient(gy, where, w, gx, stride, padding, dilation, groups):
        out = count_windows(input_size, w.shape[2:], stride, padding, dilation)
        input_gradient(gy, where, w, gx, out, stride, padding, dilation, groups)
    return gx


def max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups):
    gw = np.empty((gy.shape[1], x.shape[1] // groups, *kernel_size), x.dtype)
    if not compiled_for(x) or not gw.size or not gy.size:
        return reference.max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups)
    gb = np.empty(len(gw), x.dtype)
    if not winners.weight_gradient(gy, where, x, gw, gb, stride, padding, dilation, groups):
        pooled_weight_gradient(gy, where, x, gw, gb, stride, padding, dilation, groups)
    return gw, gb
