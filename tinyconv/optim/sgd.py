"""Stochastic gradient descent with momentum.

Polyak's heavy ball: a velocity v gathers the gradients, ``v = momentum * v + (1 - dampening) * g``, and the parameter
follows it, ``p = p - lr * v``. Nesterov's variant looks one step ahead, ``p = p - lr * (g + momentum * v)``. As in
PyTorch, lr multiplies v (Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML
2013, put it into v), weight decay is added to the gradient, ``g + weight_decay * p``, and the first v is g itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..tensor import Tensor, wrap
from .optimizer import (
    Optimizer,
    check_gradient,
    check_memory,
    check_not_differentiable,
    check_not_negative,
    check_rate,
    described,
)

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, by default without momentum.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate.
        momentum: how much of the velocity remains from one step to the next.
        dampening: how much of the gradient is kept out of the velocity.
        weight_decay: L2 penalty.
        nesterov: look one step ahead.
        maximize: ascend instead of descend.
        foreach: accepted for PyTorch's sake; one kernel call changes all parameters anyway.
        differentiable: must be False: the update is not recorded.
        fused: accepted for PyTorch's sake, like ``foreach``.

    Raises:
        ValueError: a negative lr, momentum or weight_decay; nesterov without momentum or with dampening; what
            :class:`Optimizer` refuses.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_rate(lr)
        check_not_negative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_not_differentiable("SGD", differentiable)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _step_group(self, group: dict[str, Any]) -> None:
        """One kernel call for all parameters that are alike: in backend, in dtype, and in having a velocity or not."""
        momentum, state = float(group["momentum"]), self.state
        calls: dict[Any, tuple[list, list, list]] = {}
        kind: Any = None
        call: tuple[list, list, list] = ([], [], [])
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            x, g, v, first = p.array, grad.array, None, False
            if g.shape != x.shape or g.dtype != x.dtype:
                check_gradient("SGD", p)
            if momentum != 0:
                memory = state[p]
                buffer: Any = memory.get("momentum_buffer")
                first = buffer is None
                if first:
                    # Zeros, though the kernel reads none of them: it is not reached if a later parameter is refused.
                    buffer = memory["momentum_buffer"] = wrap(kernels.of(x).full(x.shape, 0, x.dtype))
                v = buffer.array
                if v.shape != x.shape or v.dtype != x.dtype:  # the kernel would write past its end
                    raise RuntimeError(f"SGD: a parameter of {described(x)} has a momentum_buffer of {described(v)}")
            if (type(x), x.dtype, first) != kind:
                kind = (type(x), x.dtype, first)
                call = calls.setdefault(kind, ([], [], []))
            call[0].append(x)
            call[1].append(g)
            call[2].append(v)
            p._bump()
        for (_, _, first), (xs, gs, vs) in calls.items():
            kernels.of(xs[0]).sgd(
                xs,
                gs,
                vs if momentum != 0 else None,
                float(group["lr"]),
                momentum,
                float(group["dampening"]),
                float(group["weight_decay"]),
                group["nesterov"],
                group["maximize"],
                first,
            )

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        check_memory(parameter, memory)
