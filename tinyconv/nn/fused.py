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


def _are_plain(*modules: Module) -> bool:
    """Whether modules compute what their class says, and nobody looks at what they do."""
    return not any([module._has_hooks() or "forward" in module.__dict__ for module in modules])


def run_together(modules: list[Module], i: int) -> int:
    """How many modules from the i-th on run as one kernel: a linear layer and ReLU; a convolution, ReLU, and the
    maximum of 2 x 2 windows side by side; else 1."""
    first = type(modules[i])
    if first is Linear and len(modules) > i + 1 and type(modules[i + 1]) is ReLU and _are_plain(*modules[i : i + 2]):
        return 2
    if first is Conv2d and len(modules) > i + 2 and _are_conv_relu_max_pool(*modules[i : i + 3]):
        return 3
    return 1


def _are_conv_relu_max_pool(conv: Any, relu: Any, pool: Any) -> bool:
    return (
        type(relu) is ReLU
        and type(pool) is MaxPool2d
        and conv.padding_mode == "zeros"
        and pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
        and not (pool.ceil_mode or pool.return_indices)
        and _are_plain(conv, relu, pool)
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
