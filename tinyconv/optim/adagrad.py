"""Adagrad: the gradient divided by the root of the sum of all its squares so far.

``s = s + g**2`` and ``p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)`` (Duchi, Hazan and Singer, "Adaptive
subgradient methods for online learning and stochastic optimization", JMLR 2011).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import full_like
from ..tensor import Tensor
from .optimizer import check_not_differentiable, check_not_negative, check_rate
from .rule import Rule

__all__ = ["Adagrad"]


class Adagrad(Rule):
    """Adagrad.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        lr_decay: how fast the rate falls.
        weight_decay: L2 penalty.
        initial_accumulator_value: what s starts at.
        eps: added to the denominator.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.
        differentiable: must be False: the update is not recorded.
        fused: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: a negative option; what :class:`~tinyconv.optim.Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_rate(lr)
        check_not_negative(
            lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value
        )
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        check_not_differentiable("Adagrad", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"sum": full_like(p, group["initial_accumulator_value"])}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        total = memory["sum"].add_(g * g)
        rate = float(group["lr"]) / (1 + (t - 1) * group["lr_decay"])
        p.add_(g / (total.sqrt() + group["eps"]), alpha=-rate)
