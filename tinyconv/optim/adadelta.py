"""Adadelta: steps whose size is a running average of the steps before, relative to one of the gradients.

``v = rho * v + (1 - rho) * g**2``, ``step = sqrt(u + eps) / sqrt(v + eps) * g``, ``u = rho * u + (1 - rho) * step**2``
and ``p = p - lr * step``: the units of p, not of 1/g, so that lr = 1 will do (Zeiler, "ADADELTA: an adaptive learning
rate method", 2012).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import zeros_like
from ..tensor import Tensor
from .optimizer import check_not_differentiable, check_not_negative, check_rate
from .rule import Rule, average_

__all__ = ["Adadelta"]


class Adadelta(Rule):
    """Adadelta.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        rho: how much remains of both averages, in [0, 1].
        eps: added under both roots.
        weight_decay: L2 penalty.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.
        differentiable: must be False: the update is not recorded.
        capturable: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: a negative option, ``rho`` outside [0, 1]; what :class:`~tinyconv.optim.Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        if not 0 <= rho <= 1:
            raise ValueError(f"Invalid rho value: {rho}")
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_not_negative(weight_decay=weight_decay)
        check_not_differentiable("Adadelta", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "capturable": capturable,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        v, u = memory["square_avg"], memory["acc_delta"]
        average_(v, g * g, group["rho"])
        step = (u + group["eps"]).sqrt() / (v + group["eps"]).sqrt() * g
        average_(u, step * step, group["rho"])
        p.add_(step, alpha=-float(group["lr"]))
