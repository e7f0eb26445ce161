"""What the training says while it runs: a live line on a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .fit import TrainingState

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ConsoleProgress"]


class ConsoleProgress(Callback):
    """Images a second, loss, accuracy and time left, and a line for each finished epoch.

    The loss becomes a number only when it is shown, a few times a second.

    Args:
        images: the number of images an epoch.
        console: where to; by default standard output.
        interval: seconds between two updates, by default 0.2 on a terminal and 10 elsewhere.
    """

    def __init__(self, images: int, console: Console | None = None, interval: float | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.images = images
        self.console = console or Console()
        live = self.console.is_terminal
        self.interval = interval if interval is not None else 0.2 if live else 10.0
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=16), TextColumn("{task.fields[status]}"))
        self._live = Progress(*columns, console=self.console, transient=True) if live else None
        self._task: Any = None
        self._shown_at = time.monotonic()
        # (time, images seen) of the last updates: the speed is that of the last seconds, not the mean since the start.
        self._recent: deque[tuple[float, int]] = deque(maxlen=25 if live else 2)

    def __enter__(self) -> ConsoleProgress:
        if self._live is not None:
            self._live.start()
            self._task = self._live.add_task("", total=self.images, status="first step (new kernels are compiled)")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def on_step(self, state: TrainingState) -> None:
        now = time.monotonic()
        if not self._recent:
            self._recent.append((now, self._seen(state)))
        if now - self._shown_at >= self.interval:
            self._shown_at = now
            self._recent.append((now, self._seen(state)))
            self._show(state)

    def on_test_step(self, state: TrainingState) -> None:
        if self._live is not None and state.loss.count:
            self._live.update(self._task, completed=self.images, status="testing")
        self._recent.clear()  # the time that a test takes is no training time

    def on_epoch(self, state: TrainingState) -> None:
        row = state.history[-1]
        parts = [
            _epoch(row["epoch"], state),
            f"loss {row['train_loss']:.4f}",
            f"accuracy {row['train_accuracy']:.2%}",
        ]
        if "test_accuracy" in row:
            parts += [f"test loss {row['test_loss']:.4f}", f"test accuracy {row['test_accuracy']:.2%}"]
        parts.append(f"{row['images_per_second']:,.0f} images/s")
        self._print("  ".join(parts))

    def _seen(self, state: TrainingState) -> int:
        return state.epoch * self.images + state.loss.count

    def _show(self, state: TrainingState) -> None:
        (t0, n0), (t1, n1) = self._recent[0], self._recent[-1]
        epoch = _epoch(state.epoch + 1, state)
        status = f"loss {state.loss.value():.4f}  accuracy {state.accuracy.value():.2%}"
        if n1 > n0 and t1 > t0:
            speed = (n1 - n0) / (t1 - t0)
            left = (state.epochs * self.images - n1) / speed
            status = f"{speed:,.0f} images/s  {status}  {_duration(left)} left"
        if self._live is None:
            self._print(f"{epoch}  {state.loss.count:,} of {self.images:,} images  {status}")
        else:
            self._live.update(self._task, description=epoch, completed=state.loss.count, status=status)

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def _epoch(number: int, state: TrainingState) -> str:
    return f"epoch {number:>{len(str(state.epochs))}}/{state.epochs}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
