"""Adamax: Adam with a decaying maximum of the gradients in place of their root mean square.

``m = beta1 * m + (1 - beta1) * g``, ``u = max(beta2 * u, |g| + eps)`` and ``p = p - lr / (1 - beta1**t) * m / u``
(Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 7.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import maximum, zeros_like
from ..tensor import Tensor
from .optimizer import check_betas, check_not_differentiable, check_not_negative, check_rate
from .rule import Rule, average_

__all__ = ["Adamax"]


class Adamax(Rule):
    """Adamax.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        betas: how much remains of the average of the gradient and of the maximum, in [0, 1).
        eps: added to |g|.
        weight_decay: L2 penalty.
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_rate(lr)
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        check_not_differentiable("Adamax", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        beta1, beta2 = group["betas"]
        m, u = average_(memory["exp_avg"], g, beta1), memory["exp_inf"]
        u.copy_(maximum(u * beta2, g.abs() + group["eps"]))
        p.add_(m / u, alpha=-float(group["lr"]) / (1 - beta1**t))
