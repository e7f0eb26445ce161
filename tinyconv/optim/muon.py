"""Muon: momentum, whose matrix is made orthogonal before the step.

With the average of gradients ``m = momentum * m + (1 - momentum) * g``, of which Nesterov's variant takes a step ahead,
``u = momentum * m + (1 - momentum) * g``, and of ``u = U S V^T`` the product ``O``, nearly ``U V^T``:
``p = (1 - lr * weight_decay) * p - lr * ratio * O`` (Jordan et al., "Muon: an optimizer for hidden layers in neural
networks", 2024).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..autograd import no_grad
from ..ops import addmm, norm_of, zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer, check_gradient, check_memory

__all__ = ["Muon"]


class Muon(Optimizer):
    """Muon, for the matrices of hidden layers; biases, embeddings and kernels are for another rule, such as AdamW.

    Args:
        params: tensors of two axes, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: learning rate, a number or a one-element Tensor.
        weight_decay: how much of the parameter decays each step, times lr.
        momentum: how much remains of the average of gradients.
        nesterov: look ahead.
        ns_coefficients: (a, b, c) of :func:`orthogonal`.
        eps: the smallest norm that it divides by.
        ns_steps: how often it iterates.
        adjust_lr_fn: how the step depends on the shape (A, B): None or "original": times ``sqrt(max(1, A / B))``;
            "match_rms_adamw": times ``0.2 sqrt(max(A, B))``, as large as AdamW's.

    Raises:
        ValueError: a negative option, another ``adjust_lr_fn``, 100 steps or more, not three coefficients, a parameter
            that is no matrix; what :class:`Optimizer` refuses.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not float(lr) >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {p.shape}"
                    )

    @no_grad()
    def _step_group(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            if p.grad is not None:
                self._step(p, group)

    def _step(self, p: Tensor, group: dict[str, Any]) -> None:
        check_gradient("Muon", p)
        g: Tensor = p.grad.detach()  # type: ignore[union-attr]
        memory, momentum, lr = self.state[p], group["momentum"], float(group["lr"])
        if not memory:
            memory["momentum_buffer"] = zeros_like(p)
        m = memory["momentum_buffer"].lerp_(g, 1 - momentum)
        u = g.lerp(m, momentum) if group["nesterov"] else m
        direction = orthogonal(u, group["ns_coefficients"], group["ns_steps"], group["eps"])
        A, B = p.shape
        ratio = 0.2 * math.sqrt(max(A, B)) if group["adjust_lr_fn"] == "match_rms_adamw" else math.sqrt(max(1, A / B))
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(direction, alpha=-lr * ratio)

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        check_memory(parameter, memory)


def orthogonal(x: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """Nearly ``U V^T`` of ``x = U S V^T``: Newton's iteration after Schulz, ``x = a x + (b x x^T + c (x x^T)**2) x``,
    brings every singular value near 1 (between 0.5 and 1.5 after five, where it is made for speed). PyTorch computes it
    in bfloat16, with three digits; here it is in the type of x.

    Raises:
        ValueError: 100 steps or more, or not three coefficients.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    y = x.T if tall else x
    y = y / norm_of(y).clamp(min=eps)
    for _ in range(steps):
        gram = y @ y.T
        y = addmm(y, addmm(gram, gram, gram, beta=b, alpha=c), y, beta=a)
    return y.T if tall else y
