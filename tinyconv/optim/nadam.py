"""NAdam: Adam with Nesterov's look ahead.

With ``mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)`` and Adam's moments m and v, ``p = p - lr * ((1 - mu(t)) /
(1 - mu(1) ... mu(t)) * g + mu(t + 1) / (1 - mu(1) ... mu(t + 1)) * m) / (sqrt(v / (1 - beta2**t)) + eps)`` (Dozat,
"Incorporating Nesterov momentum into Adam", ICLR workshop 2016).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor, zeros_like
from ..tensor import Tensor
from .optimizer import check_betas, check_not_differentiable, check_not_negative, check_rate
from .rule import Rule, average_

__all__ = ["NAdam"]


class NAdam(Rule):
    """NAdam.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        betas: how much remains of the averages of the gradient and of its square, in [0, 1).
        eps: added to the denominator.
        weight_decay: L2 penalty.
        momentum_decay: how fast mu approaches beta1.
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        check_not_differentiable("NAdam", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"mu_product": tensor(1.0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        (beta1, beta2), lr, decay = group["betas"], float(group["lr"]), group["momentum_decay"]
        mu, following = [beta1 * (1 - 0.5 * 0.96 ** (i * decay)) for i in (t, t + 1)]
        product = memory["mu_product"].mul_(mu).item()
        m = average_(memory["exp_avg"], g, beta1)
        v = average_(memory["exp_avg_sq"], g * g, beta2)
        root = (v / (1 - beta2**t)).sqrt() + group["eps"]
        p.add_(g / root, alpha=-lr * (1 - mu) / (1 - product))
        p.add_(m / root, alpha=-lr * following / (1 - product * following))
