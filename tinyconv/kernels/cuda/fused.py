"""Convolution, ReLU and 2x2 max-pooling: on the GPU three launches one after the other, as in ``reference/``.

A tile's results lie in the registers of many threads, in the order of the pixels; a window's four would have to be
brought together from two rows of the image. On the CPU fusing saves trips to memory that a GPU's second-level cache, of
tens of megabytes, makes cheap. So the names are here, and what they spare is left to a measurement. Nor is ReLU in the
epilogue of a linear layer: two launches.
"""

from __future__ import annotations

from ..formulas import NOBODY, relu
from ..reference.fused import WINDOWS_2X2
from ..reference.windows import count_windows
from .arrays import BLOCK, permute
from .conv import conv2d, conv2d_gw, conv2d_gx
from .elementwise import relu as relu_of
from .elementwise import relu_gx
from .kernel import FLOATS, T, kernel
from .language import cuda, uint8
from .matmul import linear, matmul
from .pool import max_pool2d, max_pool2d_gx
from .reduce import sum
from .runtime import ceil_div, launch


@kernel("T*, uint8*, int32", T=FLOATS, block=BLOCK, registers=40)
def cut(y, where, n):
    """ReLU in place; where it cuts a maximum, nobody has won."""
    i = cuda.grid(1)
    if i < n:
        if y[i] <= T(0):
            where[i] = uint8(NOBODY)
        y[i] = relu(y[i])


def linear_relu(x, w, b):
    return relu_of(linear(x, w, b))


def linear_gradients(gy, y, x, w, bias):
    gz = gy if y is None else relu_gx(gy, y)
    gx, gw = None if w is None else matmul(gz, w), None if x is None else matmul(permute(gz, (1, 0)), x)
    return gx, gw, sum(gz, (0,), False) if bias else None


def conv2d_relu_max_pool2d(x, w, b, stride, padding, dilation, groups):
    y = conv2d(x, w, b, stride, padding, dilation, groups)
    y, where = max_pool2d(y, *WINDOWS_2X2, (y.shape[2] // 2, y.shape[3] // 2))
    launch(cut, ceil_div(y.size, BLOCK), y, where, y.size)
    return y, where


def _to_winners(gy, where, size):
    """The gradient before ReLU and max-pooling: NOBODY is none of a window's pixels, so none receives anything."""
    return max_pool2d_gx(gy, where, size, *WINDOWS_2X2)


def max_pool2d_conv2d_gx(gy, where, w, input_size, stride, padding, dilation, groups):
    gz = _to_winners(gy, where, count_windows(input_size, w.shape[2:], stride, padding, dilation))
    return conv2d_gx(gz, w, input_size, stride, padding, dilation, groups)


def max_pool2d_conv2d_gw(gy, where, x, kernel_size, stride, padding, dilation, groups):
    gz = _to_winners(gy, where, count_windows(x.shape[2:], kernel_size, stride, padding, dilation))
    return conv2d_gw(gz, x, kernel_size, stride, padding, dilation, groups), sum(gz, (0, 2, 3), False)
