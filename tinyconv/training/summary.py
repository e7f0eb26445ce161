"""What a network consists of and costs: for each module the output's shape, the parameters and the multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..autograd import Function, intercept, no_grad
from ..nn import Module
from ..ops.conv import Conv2d, ConvTranspose2d
from ..ops.creation import zeros
from ..ops.fused import Conv2dReLUMaxPool2d
from ..ops.matmul import Linear, MatMul
from ..ops.windows import count_windows
from ..tensor import Tensor

__all__ = ["ModuleSummary", "summarize"]


@dataclass
class ModuleSummary:
    """One call of one module.

    Attributes:
        name: the module's path in the model; "" is the model itself.
        kind: its class.
        depth: how many modules it is inside of.
        output_shape: of its (first) output, without the batch axis.
        parameters: numbers that it trains, itself and the modules inside of it, each counted once.
        macs: multiply-adds for one sample, in convolutions and matrix products, likewise. (What is called FLOPs in
            tables of networks is this number, too.)
    """

    name: str
    kind: str
    depth: int
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


def _conv(y: Any, x: Tensor, w: Tensor, *_: Any) -> int:
    return math.prod(y.array.shape) * math.prod(w.array.shape[1:])


def _conv_relu_pool(_: Any, x: Tensor, w: Tensor, b: Tensor | None, geometry: tuple) -> int:
    places = count_windows(x.array.shape[2:], w.array.shape[2:], *geometry[:3])
    return x.array.shape[0] * math.prod(places) * math.prod(w.array.shape)


# How many multiply-adds y = function(*args) takes.
MACS: dict[type[Function], Callable[..., int]] = {
    Conv2d: _conv,
    Conv2dReLUMaxPool2d: _conv_relu_pool,
    ConvTranspose2d: lambda y, x, w, *_: math.prod(x.array.shape) * math.prod(w.array.shape[1:]),
    Linear: lambda y, x, w, b: math.prod(y.array.shape) * x.array.shape[-1],
    MatMul: lambda y, a, b: math.prod(y.array.shape) * a.array.shape[-1],
}


def summarize(model: Module, input_size: tuple[int, ...]) -> list[ModuleSummary]:
    """Run one sample of zeros through ``model`` in evaluation mode, and note each module that is called.

    Args:
        model: any module of one input.
        input_size: the sample's shape, without the batch axis.

    Returns:
        A row for each call, the caller before the called: the first is the model itself, with the totals.

    Raises:
        RuntimeError, ValueError: the model rejects such an input.
    """
    rows: list[ModuleSummary] = []
    running: list[ModuleSummary] = []  # the modules that are being called, outermost first

    def enter(name: str, module: Module) -> None:
        parameters = sum(p.numel() for p in module.parameters())
        rows.append(ModuleSummary(name, type(module).__name__, len(running), (), parameters, 0))
        running.append(rows[-1])

    def leave(output: Any) -> None:
        running.pop().output_shape = _shape(output)

    def count(apply: Callable, function: type[Function], args: tuple) -> Any:
        y = apply(function, *args)
        if function in MACS:
            macs = MACS[function](y, *args)
            for row in running:
                row.macs += macs
        return y

    modes = {module: module.training for module in model.modules()}
    handles = []
    for name, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(lambda module, args, name=name: enter(name, module)))
        handles.append(module.register_forward_hook(lambda module, args, output: leave(output)))
    try:
        model.eval()
        with no_grad(), intercept(count):
            like = next(model.parameters(), None)
            model(zeros(1, *input_size, device=None if like is None else like.device))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    return rows


def _shape(output: Any) -> tuple[int, ...]:
    """Of the first tensor in it, without the batch axis."""
    while not isinstance(output, Tensor):
        parts = list(output.values()) if isinstance(output, dict) else output
        if not isinstance(parts, (tuple, list)) or not parts:
            return ()
        output = parts[0]
    return tuple(output.array.shape[1:])
