"""L-BFGS: Newton's method with a Hessian guessed from the last few steps.

Each step s and the change y of the gradient along it tell how the function curves: H y = s for the inverse Hessian H.
From the last ``history_size`` pairs the product of H with the gradient is computed in two loops over them, without ever
forming H (Nocedal, "Updating quasi-Newton matrices with limited storage", 1980; Nocedal and Wright, "Numerical
optimization", algorithms 7.4 and 7.5). For full batches: the gradients of two steps must be of one function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..autograd import enable_grad, no_grad
from ..ops import cat
from ..tensor import Tensor
from .line_search import strong_wolfe
from .optimizer import Optimizer, check_rate

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS. ``step`` needs a closure, which it calls several times.

    Args:
        params: tensors, or one dict with ``params``.
        lr: the length of a step, of which 1 is Newton's.
        max_iter: iterations a step.
        max_eval: evaluations of the closure a step, by default 5/4 of that.
        tolerance_grad: end when no element of the gradient is larger.
        tolerance_change: end when no element of the parameters, nor the loss, changes by more.
        history_size: how many pairs to remember.
        line_search_fn: "strong_wolfe", or None for steps of length ``lr``.

    Raises:
        ValueError: a negative lr, a history of no pairs, or several parameter groups.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ):
        check_rate(lr)
        if not isinstance(history_size, int) or history_size < 1:
            raise ValueError(f"LBFGS: history_size must be at least 1, got {history_size!r}")
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ------------------------------------------------------------------------------- the parameters as one vector

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    def _gradient(self) -> Tensor:
        return cat(
            [(p.new_zeros((p.numel(),)) if p.grad is None else p.grad.detach().reshape(-1)) for p in self._params]
        )

    def _move(self, t: float, direction: Tensor) -> None:
        start = 0
        for p in self._params:
            p.add_(direction[start : start + p.numel()].reshape(p.shape), alpha=t)
            start += p.numel()

    def _evaluated_at(self, closure: Callable, t: float, direction: Tensor) -> tuple[float, Tensor]:
        """The loss and its gradient at a distance t along ``direction``; the parameters stay."""
        before = [p.detach().clone() for p in self._params]
        self._move(t, direction)
        loss = float(closure())
        gradient = self._gradient()
        for p, old in zip(self._params, before, strict=True):
            p.copy_(old)
        return loss, gradient

    # ----------------------------------------------------------------------------------------------------- stepping

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:
        """Go on until ``max_iter``, ``max_eval`` or one of the tolerances is reached.

        Args:
            closure: clears the gradients, evaluates the loss, calls ``backward()`` and returns the loss.

        Returns:
            The loss before the step.

        Raises:
            RuntimeError: an unknown line search.
        """
        group, evaluate = self.param_groups[0], enable_grad(closure)
        lr, search = float(group["lr"]), group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported, got line_search_fn={search!r}")
        memory = self.state[self._params[0]]
        memory.setdefault("func_evals", 0)
        memory.setdefault("n_iter", 0)
        first = evaluate()
        loss, gradient, evaluations = float(first), self._gradient(), 1
        memory["func_evals"] += 1
        if _largest(gradient) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            memory["n_iter"] += 1
            direction = self._direction(memory, gradient, group["history_size"])
            memory["prev_flat_grad"], memory["prev_loss"] = gradient.clone(), loss
            t = min(1.0, 1.0 / gradient.abs().sum().item()) * lr if memory["n_iter"] == 1 else lr
            slope = _dot(gradient, direction)
            memory["d"], memory["t"] = direction, t
            if slope > -group["tolerance_change"]:
                break
            used = 0
            if search is not None:

                def along(t: float, direction: Tensor = direction) -> tuple[float, Tensor]:
                    return self._evaluated_at(evaluate, t, direction)

                found = strong_wolfe(along, t, direction, loss, gradient, slope, group["max_eval"] - evaluations)
                loss, gradient, t, used = found
                self._move(t, direction)
            else:
                self._move(t, direction)
                if iteration != group["max_iter"]:  # else the next step's closure would evaluate it again
                    loss, used = float(evaluate()), 1
                    gradient = self._gradient()
            memory["t"] = t
            evaluations += used
            memory["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(direction) * abs(t) <= group["tolerance_change"]
                or abs(loss - memory["prev_loss"]) < group["tolerance_change"]
            ):
                break
        return first

    @staticmethod
    def _direction(memory: dict[str, Any], gradient: Tensor, history_size: int) -> Tensor:
        """Minus the inverse Hessian times the gradient; the gradient itself at the very first."""
        if memory["n_iter"] == 1:
            memory.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -gradient
        ys, ss, ro = memory["old_dirs"], memory["old_stps"], memory["ro"]
        y, s = gradient - memory["prev_flat_grad"], memory["d"] * memory["t"]
        curvature = _dot(y, s)
        if curvature > 1e-10:
            if len(ys) == history_size:
                del ys[0], ss[0], ro[0]
            ys.append(y)
            ss.append(s)
            ro.append(1.0 / curvature)
            memory["H_diag"] = curvature / _dot(y, y)
        q, shares = -gradient, []
        for y, s, r in zip(reversed(ys), reversed(ss), reversed(ro), strict=True):
            shares.append(r * _dot(s, q))
            q.add_(y, alpha=-shares[-1])
        q = q * memory["H_diag"]
        for y, s, r, share in zip(ys, ss, ro, reversed(shares), strict=True):
            q.add_(s, alpha=share - r * _dot(y, q))
        return q


def _dot(a: Tensor, b: Tensor) -> float:
    return (a * b).sum().item()


def _largest(x: Tensor) -> float:
    return x.abs().max().item()
