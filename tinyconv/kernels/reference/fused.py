"""A linear layer and ReLU; a convolution, ReLU and max-pooling over windows of 2 x 2 pixels: one after the other."""

from __future__ import annotations

import numpy as np

from ..formulas import NOBODY
from .conv import conv2d, conv2d_gw, conv2d_gx
from .elementwise import relu, relu_gx
from .matmul import linear, matmul
from .pool import max_pool2d, max_pool2d_gx
from .reduce import sum
from .windows import Windows

WINDOWS_2X2 = (2, 2), (2, 2), (0, 0), (1, 1)


def linear_relu(x, w, b):
    return relu(linear(x, w, b))


def linear_gradients(gy, y, x, w, bias):
    gz = gy if y is None else relu_gx(gy, y)
    gx, gw = None if w is None else matmul(gz, w), None if x is None else matmul(gz.T, x)
    return gx, gw, sum(gz, (0,), False) if bias else None


def conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups):
    z = conv2d(x, w, b, stride, padding, dilation, groups)
    y, where = max_pool2d(z, *WINDOWS_2X2, (z.shape[2] // 2, z.shape[3] // 2))
    where[y <= 0] = NOBODY
    return relu(y), where


def _to_winners(gy, where, size):
    """The gradient before ReLU and max-pooling."""
    return max_pool2d_gx(np.where(where == NOBODY, gy.dtype.type(0), gy), where % NOBODY, size, *WINDOWS_2X2)


def max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups):
    size = Windows(input_size, w.shape[2:], stride, padding, dilation).output_size
    return conv2d_gx(_to_winners(gy, where, size), w, input_size, stride, padding, dilation, groups)


def max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups):
    gz = _to_winners(gy, where, Windows(x.shape[2:], kernel_size, stride, padding, dilation).output_size)
    return conv2d_gw(gz, x, kernel_size, stride, padding, dilation, groups), gz.sum((0, 2, 3), dtype=gy.dtype)
