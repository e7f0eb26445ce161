"""LRScheduler: what every schedule of the learning rate has in common."""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any

from ...caller import warn
from ...tensor import Tensor
from ..optimizer import Optimizer

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base class. A subclass defines ``get_lr()``, the rates of the groups at step ``self.last_epoch``.

    Args:
        optimizer: whose groups' ``lr`` to change. An ``lr`` that is a Tensor is changed in place.
        last_epoch: the number of steps already taken; -1 for a new start.

    Attributes:
        base_lrs: each group's rate at the start.
        last_epoch: t, the number of steps taken.

    Raises:
        TypeError: ``optimizer`` is no Optimizer.
        KeyError: resuming (``last_epoch >= 0``) with an optimizer that does not know its ``initial_lr``.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = _checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    f"last_epoch >= 0 (got {last_epoch}): load the optimizer's state first, or leave last_epoch at -1"
                )
        self.base_lrs = [_copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        """Step 0: set the rates that the first ``optimizer.step()`` will use."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The groups' rates at step ``last_epoch``, computed from the present ones."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[Any]:
        """The groups' rates at step ``last_epoch``, computed from the first ones; by default :meth:`get_lr`."""
        return self.get_lr()

    def get_last_lr(self) -> list[Any]:
        """The groups' rates as the last step set them."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Take one step: set the groups' next rates. Warns if ``optimizer.step()`` was never called before.

        Args:
            epoch: jump to this step, by the closed formula. PyTorch deprecates it; resume by ``load_state_dict``.
        """
        if self._step_count == 1 and not self.optimizer._stepped:
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first learning rate of the "
                "schedule is never used. Call `optimizer.step()` first",
            )
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            rates = self.get_lr()
        else:
            self.last_epoch = epoch
            rates = self._get_closed_form_lr()
        self._set(rates)

    def _set(self, rates: Sequence[Any]) -> None:
        """Give each group its rate."""
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_lr(group, lr)
        self._last_lr = self._present()

    def _present(self) -> list[Any]:
        return [_copied(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[Any]:
        """The present rates times ``factor``."""
        return [lr * factor for lr in self._present()]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave (the rates themselves are in the optimizer's state)."""
        self.__dict__.update(state_dict)


def set_lr(group: dict[str, Any], lr: Any) -> None:
    """Set the rate of a group; a Tensor keeps its identity."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(float(lr))
    else:
        group["lr"] = lr


def _copied(lr: Any) -> Any:
    return lr.clone() if isinstance(lr, Tensor) else lr


def _checked(optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def for_each_group(name: str, optimizer: Any, value: Any) -> list[Any]:
    """``value``, one for all groups or a list with one for each, as such a list.

    Raises:
        TypeError: ``optimizer`` is no Optimizer.
        ValueError: a list of another length.
    """
    n = len(_checked(optimizer).param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {n}."
        )
    return list(value)


def memory_of(function: Any) -> dict[str, Any] | None:
    """What a state dict holds of a function: nothing of a plain one (None), the attributes of a callable object."""
    return None if function is None or isinstance(function, FunctionType) else function.__dict__.copy()
