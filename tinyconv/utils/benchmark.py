"""How long a statement takes: PyTorch's Timer, on Python's ``timeit``."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..kernels import get_num_threads, set_num_threads

__all__ = ["Measurement", "Timer"]

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


@dataclass(frozen=True)
class Measurement:
    """What was measured.

    Attributes:
        number_per_run: how often the statement was run for each time.
        raw_times: seconds per run, of ``number_per_run`` statements each.
        stmt, label, sub_label, description, num_threads: what was said of it.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    num_threads: int = 1
    times: list[float] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", [t / self.number_per_run for t in self.raw_times])

    @property
    def mean(self) -> float:
        """Seconds per statement, on average."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """Seconds per statement: half of the runs took less."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The width of the middle half of the times."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def __repr__(self) -> str:
        scale, unit = next(((s, u) for s, u in UNITS if self.median >= s), UNITS[-1])
        lines = [self.label or self.stmt, *filter(None, (self.sub_label, self.description))]
        if len(self.times) > 1:
            lines += [f"  Median: {self.median / scale:.2f} {unit}", f"  IQR:    {self.iqr / scale:.2f} {unit}"]
        else:
            lines.append(f"  {self.median / scale:.2f} {unit}")
        runs, per = len(self.times), self.number_per_run
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines.append(f"  {runs} measurement{'s' if runs > 1 else ''}, {per} runs per measurement, {threads}")
        return "\n".join(lines)


class Timer:
    """Times a statement.

    Args:
        stmt: the code.
        setup: code that is run before, once a measurement, and not timed.
        global_setup: accepted, without effect.
        timer: the clock.
        globals: the names that the code knows.
        label, sub_label, description, env: said of it.
        num_threads: how many threads the kernels may use.
    """

    def __init__(self, stmt: str = "pass", setup: str = "pass", global_setup: str = "",
                 timer: Callable[[], float] = timeit.default_timer, globals: Mapping[str, Any] | None = None,
                 label: str | None = None, sub_label: str | None = None, description: str | None = None,
                 env: str | None = None, num_threads: int = 1):  # fmt: skip
        names: dict[str, Any] = dict(globals or {})
        self._timer = timeit.Timer(stmt, setup, timer, names)
        self._said = {"stmt": stmt, "label": label, "sub_label": sub_label, "description": description,
                      "num_threads": num_threads}  # fmt: skip
        self.num_threads = num_threads

    def _times(self, number: int, repeats: int) -> list[float]:
        before = get_num_threads()
        set_num_threads(self.num_threads)
        try:
            return self._timer.repeat(repeats, number)
        finally:
            set_num_threads(before)

    def _measured(self, number: int, repeats: int) -> Measurement:
        said: dict[str, Any] = self._said
        return Measurement(number, self._times(number, repeats), **said)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One time, of ``number`` statements, after a few that are not counted."""
        self._times(max(number // 100, 2), 1)
        return self._measured(number, 1)

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Times of blocks of statements, each block long enough for the clock, for at least ``min_run_time`` seconds
        together.

        Args:
            callback: called with (number of statements, seconds) of each block.
            min_run_time: in seconds.
        """
        number = 1
        while (took := self._times(number, 1)[0]) < min_run_time / 100 and number < 10**9:
            number *= 10
        found = self._measured(number, max(1, round(min_run_time / max(took, 1e-9))))
        for t in found.raw_times if callback is not None else ():
            callback(number, t)
        return found
