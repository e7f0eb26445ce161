"""Convolution, ReLU and 2x2 max-pooling: on the GPU three launches one after the other, as in ``reference/``.

A tile's results lie in the registers of many threads, in the order of the pixels; a window's four would have to be
brought together from two rows of the image. On the CPU fusing saves trips to memory that a GPU's second-level cache, of
tens of megabytes, makes cheap. So the names are here, and what they spare is left to a measurement.
"""

from __future__ import annotations

from .conv import conv2d, conv2d_gw, conv2d_gx, outputs_of
from .elementwise import relu
from .pool import max_pool2d, max_pool2d_gx

_WINDOWS = (2, 2), (2, 2), (0, 0), (1, 1)


def conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups):
    y = conv2d(x, w, b, stride, padding, dilation, groups)
    y, where = max_pool2d(y, *_WINDOWS, (y.shape[2] // 2, y.shape[3] // 2))
    return relu(y), where


def max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups):
    gy = max_pool2d_gx(gy, where, outputs_of(input_size, w.shape[2:], stride, padding, dilation), *_WINDOWS)
    return conv2d_gx(gy, w, input_size, stride, padding, dilation, groups)


def max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups):
    gy = max_pool2d_gx(gy, where, outputs_of(x.shape[2:], kernel_size, stride, padding, dilation), *_WINDOWS)
    return conv2d_gw(gy, x, kernel_size, stride, padding, dilation, groups)
