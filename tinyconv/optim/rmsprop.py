"""RMSprop: the gradient divided by a running root mean square of itself.

``v = alpha * v + (1 - alpha) * g**2`` and ``p = p - lr * g / (sqrt(v) + eps)`` (Hinton, "Neural networks for machine
learning", lecture 6e, 2012). Centered, the running mean of g is taken out of v, which leaves a variance (Graves,
"Generating sequences with recurrent neural networks", 2013). With momentum, the scaled gradients gather in a velocity.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import zeros_like
from ..tensor import Tensor
from .optimizer import check_not_differentiable, check_not_negative, check_rate
from .rule import Rule, average_

__all__ = ["RMSprop"]


class RMSprop(Rule):
    """RMSprop, by default without momentum.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        alpha: how much remains of the average of squares.
        eps: added to the denominator.
        weight_decay: L2 penalty.
        momentum: how much of the velocity remains from one step to the next.
        centered: divide by the standard deviation.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.
        differentiable: must be False: the update is not recorded.
        capturable: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: a negative option; what :class:`~tinyconv.optim.Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_not_negative(momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        check_not_differentiable("RMSprop", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        memory = {"square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            memory["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            memory["grad_avg"] = zeros_like(p)
        return memory

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        v = average_(memory["square_avg"], g * g, group["alpha"])
        if group["centered"]:
            mean = average_(memory["grad_avg"], g, group["alpha"])
            v = v - mean * mean
        step = g / (v.sqrt() + group["eps"])
        if group["momentum"] > 0:
            step = memory["momentum_buffer"].mul_(group["momentum"]).add_(step)
        p.add_(step, alpha=-float(group["lr"]))
