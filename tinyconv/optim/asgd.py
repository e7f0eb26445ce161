"""ASGD: gradient descent that also averages the parameters it went through.

``p = p * (1 - lambd * eta) - eta * g`` with ``eta = lr / (1 + lambd * lr * t)**alpha`` falling; from step ``t0`` on,
the average of p gathers in the state, as ``ax`` (Polyak and Juditsky, "Acceleration of stochastic approximation by
averaging", 1992).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import tensor, zeros_like
from ..tensor import Tensor
from .optimizer import check_not_differentiable, check_not_negative, check_rate
from .rule import Rule

__all__ = ["ASGD"]


class ASGD(Rule):
    """Averaged stochastic gradient descent.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        lambd: decay of the parameters.
        alpha: how fast eta falls.
        t0: the step from which on to average.
        weight_decay: L2 penalty.
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
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_rate(lr)
        check_not_negative(weight_decay=weight_decay)
        check_not_differentiable("ASGD", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"eta": tensor(float(group["lr"])), "mu": tensor(1.0), "ax": zeros_like(p)}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        lr, lambd, ax = float(group["lr"]), group["lambd"], memory["ax"]
        eta, mu = memory["eta"].item(), memory["mu"].item()
        p.mul_(1 - lambd * eta).add_(g, alpha=-eta)
        if mu == 1:
            ax.copy_(p)
        else:
            ax.add_(p - ax, alpha=mu)
        # Rounded to the default type, as PyTorch does, even where a loaded state has a parameter's own.
        memory["eta"].copy_(tensor(lr / (1 + lambd * lr * t) ** group["alpha"]))
        memory["mu"].copy_(tensor(1 / max(1, t - group["t0"])))
