"""Callback: what the loop tells to whoever listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fit import TrainingState

__all__ = ["Callback"]


class Callback:
    """Base class: override what you want to hear of.

    An exception ends the training there and then; the state is one that a checkpoint can resume from.
    """

    def on_step(self, state: TrainingState) -> None:
        """The optimizer has taken a step, and ``state`` counts it."""

    def on_test_step(self, state: TrainingState) -> None:
        """A batch of the test that follows each epoch is done."""

    def on_epoch(self, state: TrainingState) -> None:
        """An epoch and its test are done; ``state.history[-1]`` tells how it went."""
