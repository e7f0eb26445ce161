"""Rule: an optimizer that is a formula for one parameter, written in tensor operations.

A subclass says how its memory of a parameter starts and what one step is. What all rules share is here: the step
count, the sign of ``maximize``, and weight decay as an addition to the gradient, ``g + weight_decay * p``.
"""

from __future__ import annotations

from typing import Any

from ..autograd import no_grad
from ..ops import tensor
from ..tensor import Tensor
from .optimizer import Optimizer, check_gradient, check_memory

__all__ = ["Rule"]


class Rule(Optimizer):
    """Base class. A subclass defines ``_start`` and ``_update``."""

    def _start(self, p: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
        """What is remembered of ``p`` before its first step."""
        raise NotImplementedError

    def _update(self, p: Tensor, g: Tensor, memory: dict[str, Tensor], group: dict[str, Any], t: int) -> None:
        """Change ``p`` and ``memory``, in place, at step t = 1, 2, ... with the gradient ``g``."""
        raise NotImplementedError

    @no_grad()
    def _step_group(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            if p.grad is not None:
                self._step(p, group)

    def _step(self, p: Tensor, group: dict[str, Any]) -> None:
        check_gradient(type(self).__name__, p)
        memory = self.state[p]
        if not memory:
            memory.update(step=tensor(0.0), **self._start(p, group))
        memory["step"].add_(1)
        g: Tensor = p.grad.detach()  # type: ignore[union-attr]
        if group["maximize"]:
            g = -g
        decay = group.get("weight_decay", 0)
        if decay != 0:
            if group.get("decoupled_weight_decay", False):
                p.mul_(1 - float(group["lr"]) * decay)
            else:
                g = g.add(p, alpha=decay)
        self._update(p, g, memory, group, int(memory["step"].item()))

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        check_memory(parameter, memory)


def average_(average: Tensor, x: Tensor, keep: float) -> Tensor:
    """An exponential moving average, in place: ``keep * average + (1 - keep) * x``."""
    return average.mul_(keep).add_(x, alpha=1 - keep)
