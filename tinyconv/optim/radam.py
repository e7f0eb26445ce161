"""RAdam: Adam that does not divide by the root mean square while that is still too uncertain.

``rho = 2 / (1 - beta2) - 1 - 2 * t * beta2**t / (1 - beta2**t)`` tells how many gradients v is an average of. Up to 5
the step is that of momentum alone, ``lr * m``; from there on Adam's, times a factor r(rho) that grows to 1 (Liu et al.,
"On the variance of the adaptive learning rate and beyond", ICLR 2020).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import zeros_like
from ..tensor import Tensor
from .optimizer import check_betas, check_not_differentiable, check_not_negative, check_rate
from .rule import Rule, average_

__all__ = ["RAdam"]


class RAdam(Rule):
    """RAdam.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        betas: how much remains of the averages of the gradient and of its square, in [0, 1).
        eps: added to the denominator.
        weight_decay: L2 penalty.
        decoupled_weight_decay: shrink the parameter, as AdamW does, instead of adding to the gradient.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.
        differentiable: must be False: the update is not recorded.
        capturable: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: a negative option, a beta outside [0, 1); what :class:`~tinyconv.optim.Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        check_not_differentiable("RAdam", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        beta1, beta2 = group["betas"]
        m = average_(memory["exp_avg"], g, beta1)
        v = average_(memory["exp_avg_sq"], g * g, beta2)
        rate, correction = float(group["lr"]) / (1 - beta1**t), 1 - beta2**t
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * t * beta2**t / correction
        if rho > 5:
            r = ((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) ** 0.5
            p.add_(m / (v.sqrt() + group["eps"]), alpha=-rate * r * correction**0.5)
        else:
            p.add_(m, alpha=-rate)
