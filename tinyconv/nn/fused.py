"""Which modules of a :class:`~tinyconv.nn.Sequential` can run as one kernel."""

from __future__ import annotations

from typing import Any

from ..ops.fused import conv2d_relu_max_pool2d, linear_relu
from ..tensor import Tensor
from .activation import ReLU
from .conv import Conv2d
from .linear import Linear
from .module import Module
from .pool import MaxPool2d


def _is_plain(module: Module, kind: type) -> bool:
    """Whether a module is of exactly this class, computes what the class says, and nobody looks at what it does."""
    return type(module) is kind and not module._has_hooks() and "forward" not in module.__dict__


def run_together(modules: list[Module], i: int) -> int:
    """How many modules from the i-th on run as one kernel: a linear layer and ReLU; a convolution, ReLU, and the
    maximum of 2 x 2 windows side by side; else 1."""
    first = type(modules[i])
    if first is Linear and len(modules) > i + 1 and _is_plain(modules[i], Linear) and _is_plain(modules[i + 1], ReLU):
        return 2
    if first is Conv2d and len(modules) > i + 2 and _is_conv_relu_max_pool(*modules[i : i + 3]):
        return 3
    return 1


def _is_conv_relu_max_pool(conv: Any, relu: Any, pool: Any) -> bool:
    return (
        _is_plain(conv, Conv2d)
        and conv.padding_mode == "zeros"
        and _is_plain(relu, ReLU)
        and _is_plain(pool, MaxPool2d)
        and pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
        and not (pool.ceil_mode or pool.return_indices)
    )


def output_of(count: int, first: Any, input: Tensor) -> Tensor:
    """The output of the last of so many modules, of which ``first`` is the first."""
    if count == 1:
        return first(input)
    if count == 2:
        return linear_relu(input, first.weight, first.bias)
    return conv2d_relu_max_pool2d(
        input, first.weight, first.bias, first.stride, first.padding, first.dilation, first.groups
    )
