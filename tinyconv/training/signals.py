"""Ctrl-C and ``kill``, answered between two steps."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from .callbacks import Callback
from .state import TrainingState

__all__ = ["Interrupted", "StopSignals"]


class Interrupted(Exception):
    """SIGINT or SIGTERM came; the step under way is finished.

    Attributes:
        signum: which of them. A process ends with ``128 + signum`` by convention: 130, 143.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class StopSignals(Callback):
    """While a training runs, the first SIGINT or SIGTERM is noted, and :class:`Interrupted` raised after the step under
    way. A second signal kills at once.

    As a context manager, ``with StopSignals() as stop``, it listens for longer than the training. Use it in the main
    thread, the only one to which Python delivers signals.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[int, Any] = {}
        self._entered_by_fit = False

    def __enter__(self) -> StopSignals:
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._previous[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        self._previous = {}

    def on_begin(self, state: TrainingState) -> None:
        if not self._previous:
            self._entered_by_fit = True
            self.__enter__()
        self.check()

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
        if self._entered_by_fit:
            self._entered_by_fit = False
            self.__exit__()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)

    def check(self) -> None:
        """Raise if a signal has come.

        Raises:
            Interrupted: it has.
        """
        if self.received is not None:
            raise Interrupted(self.received)

    def on_step(self, state: TrainingState) -> None:
        """Raise if a signal came during this step."""
        self.check()

    def on_test_step(self, state: TrainingState) -> None:
        """Raise if a signal came during this batch of a test."""
        self.check()

    def on_epoch(self, state: TrainingState) -> None:
        """Raise if a signal came since."""
        self.check()
