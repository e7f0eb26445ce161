"""Rprop: only the sign of the gradient counts, and each number has a step size of its own.

The size grows while the sign stays and shrinks when it turns; where it turned, that step is left out (Riedmiller and
Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993). For full batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops import full_like, where, zeros_like
from ..tensor import Tensor
from .optimizer import check_not_differentiable, check_rate
from .rule import Rule

__all__ = ["Rprop"]


class Rprop(Rule):
    """Resilient backpropagation.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        etas: the factors by which a size shrinks, in (0, 1), and grows, above 1.
        step_sizes: the smallest and the largest size.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.
        differentiable: must be False: the update is not recorded.
        capturable: accepted for PyTorch's sake; without effect.

    Raises:
        ValueError: etas on the wrong side of 1, a negative lr; what :class:`~tinyconv.optim.Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_rate(lr)
        if not 0 < etas[0] < 1 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        check_not_differentiable("Rprop", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        return {"prev": zeros_like(p), "step_size": full_like(p, float(group["lr"]))}

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        size, turned = memory["step_size"], g * memory["prev"]
        size.copy_(where(turned > 0, size * grow, where(turned < 0, size * shrink, size)))
        size.copy_(where(size < smallest, smallest, where(size > largest, largest, size)))
        g = where(turned < 0, 0.0, g)
        p.sub_(g.sign() * size)
        memory["prev"].copy_(g)
