"""Adam and AdamW: each parameter's step is scaled by running averages of its gradient and of the square.

``m = beta1 * m + (1 - beta1) * g`` and ``v = beta2 * v + (1 - beta2) * g**2`` start at 0 and are therefore too small at
first; divided by ``1 - beta**t`` they are not. The step is ``p = p - lr * m / (sqrt(v) + eps)`` with these corrected
moments (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015). AMSGrad takes the largest v so far
(Reddi et al., "On the convergence of Adam and beyond", ICLR 2018). AdamW shrinks the parameter itself, ``p * (1 - lr *
weight_decay)``, instead of adding the decay to the gradient, where v would scale it away (Loshchilov and Hutter,
"Decoupled weight decay regularization", ICLR 2019).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import kernels
from ..autograd import no_grad
from ..ops import tensor, zeros_like
from ..tensor import Tensor
from .optimizer import (
    Optimizer,
    check_betas,
    check_gradient,
    check_memory,
    check_not_differentiable,
    check_not_negative,
    check_rate,
    described,
)

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam; with ``decoupled_weight_decay`` AdamW.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        betas: how much remains of the averages of the gradient and of its square, in [0, 1).
        eps: added to the denominator.
        weight_decay: L2 penalty.
        amsgrad: divide by the largest average so far.
        foreach: accepted for PyTorch's sake; one kernel call changes all parameters anyway.
        maximize: ascend instead of descend.
        capturable: accepted for PyTorch's sake; without effect.
        differentiable: must be False: the update is not recorded.
        fused: accepted for PyTorch's sake, like ``foreach``.
        decoupled_weight_decay: shrink the parameter instead of adding to the gradient.

    Raises:
        ValueError: a negative option, a beta outside [0, 1) or that is no float; what :class:`Optimizer` refuses.
        RuntimeError: ``foreach`` and ``fused`` together.
        NotImplementedError: ``differentiable``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        name = type(self).__name__
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_rate(lr)
        if not eps >= 0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        kinds = {Tensor if isinstance(beta, Tensor) else type(beta) for beta in betas}
        if kinds not in ({float}, {Tensor}):
            raise ValueError(f"betas must be either both floats or both Tensors, got {betas}")
        check_not_differentiable(name, differentiable)
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": (float(betas[0]), float(betas[1])),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    @no_grad()
    def _step_group(self, group: dict[str, Any]) -> None:
        """One kernel call for all parameters that are alike: in backend, in dtype, and in the number of steps."""
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        calls: dict[Any, tuple[list, ...]] = {}
        for p in group["params"]:
            if p.grad is None:
                continue
            check_gradient(type(self).__name__, p)
            memory = self.state[p]
            if not memory:
                memory["step"] = tensor(0.0)
                memory.update((name, zeros_like(p)) for name in names)
            memory["step"].add_(1)
            x = p.array
            lists = calls.setdefault((type(x), x.dtype, memory["step"].item()), tuple([[] for _ in range(5)]))
            lists[0].append(x)
            lists[1].append(p.grad.array)
            for values, name in zip(lists[2:], names):
                a = memory[name].array
                if a.shape != x.shape or a.dtype != x.dtype:  # the kernel would write past its end
                    raise RuntimeError(
                        f"{type(self).__name__}: a parameter of {described(x)} has an {name} of {described(a)}"
                    )
                values.append(a)
            p._bump()
        for (_, _, step), (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs) in calls.items():
            kernels.of(params[0]).adam(
                params,
                grads,
                exp_avgs,
                exp_avg_sqs,
                max_exp_avg_sqs if group["amsgrad"] else None,
                float(group["lr"]),
                *group["betas"],
                float(group["eps"]),
                float(group["weight_decay"]),
                group["decoupled_weight_decay"],
                group["maximize"],
                int(step),
            )

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        check_memory(parameter, memory)


class AdamW(Adam):
    """Adam with decoupled weight decay; arguments and errors as :class:`Adam`."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
