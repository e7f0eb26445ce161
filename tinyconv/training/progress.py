"""What the training says while it runs: a live line on a terminal, plain lines everywhere else."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .state import TrainingState

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ConsoleProgress"]


class ConsoleProgress(Callback):
    """Images per second, loss, accuracy and time left, and a line for each finished epoch.

    The loss becomes a number only when it is shown, a few times a second.

    Args:
        images: the number of images per epoch; without it the first epoch shows how many it has seen, and no time left.
        console: where to; by default standard output.
        interval: seconds between two updates, by default 0.2 on a terminal and 10 elsewhere.
    """

    def __init__(
        self, images: int | None = None, console: Console | None = None, interval: float | None = None
    ) -> None:
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

    def on_begin(self, state: TrainingState) -> None:
        self._recent.clear()
        if self._live is not None:
            self._live.start()
            if self._task is not None:
                self._live.remove_task(self._task)
            self._task = self._live.add_task("", total=self.images, status="first step (new kernels are compiled)")

    def on_end(self, state: TrainingState, error: BaseException | None) -> None:
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
            self._live.update(self._task, completed=state.loss.count, status="testing")
        self._recent.clear()  # the time that a test takes is no training time

    def on_epoch(self, state: TrainingState) -> None:
        row = state.history[-1]
        if self.images is None:
            self.images = round(row["images_per_second"] * row["train_seconds"])
            if self._live is not None:
                self._live.update(self._task, total=self.images)
        parts = [_epoch(row["epoch"], state)]
        for part, title in (("train", ""), (state.val_name, f"{state.val_name} ")):
            if f"{part}_loss" in row:
                parts.append(f"{title}loss {row[f'{part}_loss']:.4f}")
                names = [key.removeprefix(f"{part}_") for key in row if key.startswith(f"{part}_")]
                parts += [
                    f"{title}{_value(name, row[f'{part}_{name}'])}" for name in names if name not in ("loss", "seconds")
                ]
        parts.append(f"{row['images_per_second']:,.0f} images/s")
        self._print("  ".join(parts))

    def _seen(self, state: TrainingState) -> int:
        return state.epoch * (self.images or 0) + state.loss.count

    def _show(self, state: TrainingState) -> None:
        (t0, n0), (t1, n1) = self._recent[0], self._recent[-1]
        epoch = _epoch(state.epoch + 1, state)
        status = "  ".join(
            [f"loss {state.loss.value():.4f}", *(_value(name, mean.value()) for name, mean in state.means.items())]
        )
        if n1 > n0 and t1 > t0:
            speed = (n1 - n0) / (t1 - t0)
            status = f"{speed:,.0f} images/s  {status}"
            if self.images is not None:
                status += f"  {_duration((state.epochs * self.images - n1) / speed)} left"
        if self._live is None:
            of = "" if self.images is None else f" of {self.images:,}"
            self._print(f"{epoch}  {state.loss.count:,}{of} images  {status}")
        else:
            self._live.update(self._task, description=epoch, completed=state.loss.count, status=status)

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def _epoch(number: int, state: TrainingState) -> str:
    return f"epoch {number:>{len(str(state.epochs))}}/{state.epochs}"


def _value(name: str, value: float) -> str:
    return f"{name} {value:.2%}" if "accuracy" in name else f"{name} {value:.4f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
