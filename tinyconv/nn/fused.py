"""Which modules of a :class:`~tinyconv.nn.Sequential` can run as one kernel."""

from __future__ import annotations

from typing import Any

from ..ops.fused import conv2d_relu_max_pool2d
from ..tensor import Tensor
from .activation import ReLU
from .conv import Conv2d
from .module import Module
from .pool import MaxPool2d


def _is_plain(module: Module, kind: type) -> bool:
    """Whether a module is of exactly this class, computes what the class says, and nobody looks at what it does."""
    return type(module) is kind and not module._has_hooks() and "forward" not in module.__dict__


def fits_conv_relu_max_pool(modules: list) -> bool:
    """Whether the first three are a convolution, ReLU, and the maximum of 2 x 2 windows side by side."""
    if len(modules) < 3 or not _is_plain(modules[0], Conv2d) or modules[0].padding_mode != "zeros":
        return False
    _, relu, pool = modules[:3]
    return (
        _is_plain(relu, ReLU)
        and _is_plain(pool, MaxPool2d)
        and pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
        and not (pool.ceil_mode or pool.return_indices)
    )


def conv_relu_max_pool(conv: Any, input: Tensor) -> Tensor:
    """The output of the three."""
    return conv2d_relu_max_pool2d(input, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
