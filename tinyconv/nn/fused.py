"""Which modules of a :class:`~tinyconv.nn.Sequential` can run as one kernel."""

from __future__ import annotations

from typing import Any

from ..ops.fused import conv2d_relu_max_pool2d, linear_relu
from ..tensor import Tensor
from .activation import ReLU
from .conv import Conv2d
from .hooks import has_hooks
from .linear import Linear
from .module import Module
from .pool import MaxPool2d


def run_together(modules: list[Module], i: int, input: Tensor) -> tuple[Tensor, int]:
    """Let modules from the i-th on run as one kernel: a linear layer and ReLU; a convolution, ReLU, and the maximum of
    2 x 2 windows side by side; else one module alone. The output of the last, and how many they were."""
    first, rest = modules[i], len(modules) - i
    if type(first) is Linear and rest > 1 and type(relu := modules[i + 1]) is ReLU:
        if not (_is_watched(first) or _is_watched(relu)):
            return linear_relu(input, first.weight, first.bias), 2
    elif type(first) is Conv2d and rest > 2 and _are_plain(first, modules[i + 1], modules[i + 2]):
        options = first.stride, first.padding, first.dilation, first.groups
        return conv2d_relu_max_pool2d(input, first.weight, first.bias, *options), 3
    return first(input), 1


def _is_watched(module: Module) -> bool:
    """Whether somebody looks at what a module does, or it does something else than its class."""
    return has_hooks(module) or "forward" in module.__dict__


def _are_plain(conv: Any, relu: Module, pool: Any) -> bool:
    """Whether ReLU and windows of 2 x 2 pixels, side by side, follow a convolution padded with zeros."""
    return (
        type(relu) is ReLU
        and type(pool) is MaxPool2d
        and not (_is_watched(conv) or _is_watched(relu) or _is_watched(pool))
        and conv.padding_mode == "zeros"
        and pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
        and not (pool.ceil_mode or pool.return_indices)
    )
