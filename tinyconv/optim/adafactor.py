"""Adafactor: for a matrix, the averages of squared gradients are kept of rows and of columns only.

With ``b = t**beta2_decay`` the averages over each row and each column of ``g**2`` are ``r = (1 - b) r + b mean(g**2)``
and ``c``, and ``v = r c / mean(r)`` stands for the average of ``g**2`` itself (of a vector v is that average). With
``u = g / sqrt(v)``, ``p = p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d)`` (Shazeer and Stern,
"Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018). Of more than two axes the last two count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import dtypes
from ..autograd import no_grad
from ..ops import norm_of, tensor
from ..tensor import Tensor
from .optimizer import Optimizer, check_gradient

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with ``params`` and options.
        lr: the largest step, relative to the size of a parameter; a number or a one-element Tensor.
        beta2_decay: how fast the averages come to reach back; not positive.
        eps: (eps1, eps2): the smallest ``sqrt(v)``, by default the precision of the parameter's type, and the smallest
            size that a parameter is taken to have.
        d: the largest size of an update, at least 1.
        weight_decay: how much of the parameter decays each step, times lr.
        foreach: accepted for PyTorch's sake; without effect.
        maximize: ascend instead of descend.

    Raises:
        ValueError: an option out of range; what :class:`Optimizer` refuses.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not float(lr) >= 0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        for i, least in enumerate(eps, 1):
            if least is not None and not least >= 0:
                raise ValueError(f"epsilon{i} should be >= 0 but is: {least}")
        if not d >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    @no_grad()
    def _step_group(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            if p.grad is not None:
                self._step(p, group)

    def _step(self, p: Tensor, group: dict[str, Any]) -> None:
        check_gradient("Adafactor", p)
        memory, g = self.state[p], p.grad.detach()  # type: ignore[union-attr]
        g = -g if group["maximize"] else g
        if not memory:
            memory["step"] = tensor(0.0)
            memory.update({name: p.new_zeros(shape) for name, shape in _averages(p).items()})
        t = memory["step"].add_(1).item()
        lr, (eps1, eps2), share = float(group["lr"]), group["eps"], t ** group["beta2_decay"]
        eps1 = dtypes.finfo(p.dtype).eps if eps1 is None else eps1
        step = max(eps2, _size(p)) * min(lr, 1 / t**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        squares = g * g
        if p.dim() < 2:
            v = memory["variance"].lerp_(squares, share)
        else:
            rows = memory["row_var"].lerp_(squares.mean(-1, True), share)
            columns = memory["col_var"].lerp_(squares.mean(-2, True), share)
            v = rows @ columns / rows.mean(-2, True).clamp(min=eps1)
        update = v.clamp(min=eps1 * eps1).rsqrt() * g
        p.add_(update, alpha=-step / max(1.0, _size(update) / group["d"]))

    def _check_memory(self, parameter: Tensor, memory: dict[str, Any]) -> None:
        for name, shape in _averages(parameter).items():
            if name in memory and tuple(memory[name].shape) != shape:
                raise ValueError(
                    f"loaded state dict has a {name} of shape {tuple(memory[name].shape)} for a parameter of shape "
                    f"{tuple(parameter.shape)}"
                )


def _averages(p: Tensor) -> dict[str, tuple]:
    """The names and shapes of what is remembered of a parameter."""
    if p.dim() < 2:
        return {"variance": tuple(p.shape)}
    *batch, M, N = p.shape
    return {"row_var": (*batch, M, 1), "col_var": (*batch, 1, N)}


def _size(x: Tensor) -> float:
    """The root of the mean square."""
    return norm_of(x, 2).item() / x.numel() ** 0.5
