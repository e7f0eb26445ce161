"""Several schedules: one after another, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, set_lr
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Combined(LRScheduler):
    """What both share: the schedulers, and their states inside the state."""

    _schedulers: list[LRScheduler]

    def _take(self, optimizer: Any, schedulers: Sequence[LRScheduler]) -> None:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise ValueError(f"{name} expects at least one scheduler, but got no scheduler.")
        optimizer = optimizer or getattr(schedulers[0], "optimizer", None)
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(f"{name} at index {i} should have `optimizer` as its attribute.")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name} does not support `ReduceLROnPlateau` scheduler, whose step() needs the metric, but got "
                    f"one at index {i}"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but scheduler "
                    f"{type(scheduler).__name__} at index {i} has another one"
                )
        self.optimizer = optimizer
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimizer; of the schedulers their state dicts."""
        return {**super().state_dict(), "_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave, with this scheduler's own schedulers."""
        for scheduler, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "_schedulers"})


class SequentialLR(_Combined):
    """One schedule after another: at each of the ``milestones`` (steps) the next one begins, at its own step 0.

    Args:
        optimizer: whose groups' ``lr`` to change.
        schedulers: at least one, all of this optimizer.
        milestones: the steps at which to change over, one fewer than schedulers.
        last_epoch: the number of steps already taken; -1 for a new start.

    Raises:
        ValueError: no schedulers, one of another optimizer, a ReduceLROnPlateau, or another number of milestones.
        TypeError: what is no scheduler.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ):
        self._take(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number of "
                f"milestone points, but got {len(schedulers)} schedulers and {len(milestones)} milestones"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Each scheduler has taken its step 0 when it was made: undo that, but for the first.
        for group in optimizer.param_groups:
            set_lr(group, group["initial_lr"])
        _step_back(self)
        first = self._schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Take one step of the schedule whose turn it is."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _step_back(scheduler: Any) -> None:
    """Take back the step that making a scheduler took; of one that combines others, theirs."""
    if isinstance(scheduler, _Combined):
        for part in scheduler._schedulers:
            _step_back(part)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(_Combined):
    """Several schedules at once: each ``step()`` is one of every scheduler, so that their factors multiply.

    Args:
        schedulers: at least one, all of one optimizer.
        optimizer: by default that of the first.

    Raises:
        ValueError: no schedulers, one of another optimizer, or a ReduceLROnPlateau.
        TypeError: what is no scheduler.
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None):
        self._take(optimizer, schedulers)
        self._last_lr = self._present()

    def step(self) -> None:  # type: ignore[override]
        """Take one step of every schedule."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._present()
