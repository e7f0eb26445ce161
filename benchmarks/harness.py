"""What all benchmarks share: two contenders in turns, medians, ratios, a table, JSON.

A speed is a ratio. Ours and the peer's run in one process, in short blocks that take turns, so that whatever else the
machine does meets both. Before each block is a pause: after its turn a library's threads go on spinning (OpenMP's for
three milliseconds), and would take the cores away from the other's; if both are at it they take twice as long. A block
begins with some milliseconds of calls that do not count, for caches. What is reported is the median over the blocks,
and the quartiles of the blocks' ratios.

A row is marked where other programs took the cores away too often: threads that wait for each other, OpenMP's above
all, then wait for the scheduler, and the ratio is worth nothing.

What can be measured only once a process (start-up, peak memory, a whole training) runs in fresh interpreters:
``processes.py`` is their program, :func:`run_process` starts one and notes when it says something.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import tinyconv

PAUSE = 0.005  # seconds
WARM_UP = 0.01  # seconds, or one call
MANY_PREEMPTIONS = 100  # a second; on a machine that does nothing else there are a few dozen


class BenchmarkError(Exception):
    """What the user should read, without a traceback."""


class Comparison(NamedTuple):
    """Seconds per call, one number for each block; ``peer`` is None where there is none."""

    ours: np.ndarray
    peer: np.ndarray | None
    preemptions: float = 0.0  # how often a second one of our threads lost its core

    def row(self, amount: float, unit: str) -> dict[str, Any]:
        """The part of a JSON row that says how fast: rates in ``unit`` (a call does ``amount`` of it), and their
        ratio."""
        row: dict[str, Any] = {
            f"ours_{unit}": amount / np.median(self.ours),
            f"ours_{unit}_quartiles": quartiles(amount / self.ours),
        }
        if self.peer is not None:
            row[f"peer_{unit}"] = amount / np.median(self.peer)
            row[f"peer_{unit}_quartiles"] = quartiles(amount / self.peer)
            row["ratio"] = row[f"ours_{unit}"] / row[f"peer_{unit}"]
            row["ratio_quartiles"] = quartiles(self.peer / self.ours)
        row["preemptions_per_second"] = self.preemptions
        return row

    def times(self) -> dict[str, Any]:
        """The part of a JSON row that says how long a call takes, where a rate would say less."""
        row: dict[str, Any] = {"ours_microseconds": 1e6 * np.median(self.ours)}
        if self.peer is not None:
            row["peer_microseconds"] = 1e6 * np.median(self.peer)
            row["ratio"] = row["peer_microseconds"] / row["ours_microseconds"]
            row["ratio_quartiles"] = quartiles(self.peer / self.ours)
        row["preemptions_per_second"] = self.preemptions
        return row


def quartiles(values: Any) -> list[float]:
    """The lower and the upper one."""
    return [float(q) for q in np.percentile(values, [25, 75])]


def compare(ours: Callable, peer: Callable | None, options: argparse.Namespace) -> Comparison:
    """Time two functions in turns, ``options.repeats`` blocks each of about ``options.block`` seconds."""
    times, preemptions = take_turns([f for f in (ours, peer) if f is not None], options)
    return Comparison(times[0], times[1] if peer else None, preemptions)


def take_turns(functions: list[Callable], options: argparse.Namespace) -> tuple[list[np.ndarray], float]:
    """Time any number of functions in turns, as :func:`compare` times two.

    Returns:
        For each function the seconds per call, one number per block; and the preemptions per second.
    """
    calls = [calls_in(options.block, f) for f in functions]
    times: list[list[float]] = [[] for _ in functions]
    began, preempted = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    for repeat in range(options.repeats):
        order = range(len(functions)) if repeat % 2 == 0 else reversed(range(len(functions)))
        for i in order:
            time.sleep(PAUSE)
            start = time.perf_counter()
            functions[i]()
            while time.perf_counter() - start < WARM_UP:
                functions[i]()
            start = time.perf_counter()
            for _ in range(calls[i]):
                functions[i]()
            times[i].append((time.perf_counter() - start) / calls[i])
    preempted = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - preempted
    return [np.array(blocks) for blocks in times], preempted / (time.perf_counter() - began)


def calls_in(seconds: float, function: Callable) -> int:
    """How many calls fill a block; the first call, which may compile, does not count."""
    function()
    start = time.perf_counter()
    function()
    return max(1, math.ceil(seconds / (time.perf_counter() - start)))


# ------------------------------------------------------------------------------------------------- fresh processes


class Line(NamedTuple):
    """What a process said, and how many seconds after its start."""

    seconds: float
    value: Any


def run_process(task: str, options: dict[str, Any], environment: dict[str, str] | None = None) -> list[Line]:
    """Run a task of ``processes.py`` in a fresh interpreter, and wait for its end.

    Args:
        task: the function's name.
        options: its arguments.
        environment: variables that differ from this process's.

    Raises:
        BenchmarkError: it failed; with the last line of what it wrote to its standard error.
    """
    command = [sys.executable, "-m", f"{__package__}.processes", task, json.dumps(options)]
    lines = []
    start = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            cwd=Path(__file__).parents[1],
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout
        for line in process.stdout:
            lines.append(Line(time.perf_counter() - start, json.loads(line)))
        if process.wait():
            errors.seek(0)
            said = errors.read().split("\n")
            raise BenchmarkError(f"{task} {options}: {next(filter(None, reversed(said)), process.returncode)}")
    return lines


# ------------------------------------------------------------------------------------------------------ the two sides


def peer_module(name: str | None) -> ModuleType | None:
    """The library to compare with.

    Raises:
        BenchmarkError: it is not installed.
    """
    if name is None:
        return None
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BenchmarkError(f"--vs {name}: not installed ({error}); pip install 'tinyconv[parity]'") from error


def set_threads(n: int, peer: ModuleType | None) -> None:
    """Let both sides compute with n threads."""
    tinyconv.set_num_threads(n)
    if peer is not None:
        peer.set_num_threads(n)


# ------------------------------------------------------------------------------------------------------ command line


def positive(text: str) -> int:
    """A positive int, for argparse."""
    n = int(text)
    if n < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return n


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """The options every benchmark takes."""
    parser.add_argument("--vs", choices=["torch"], help="the library to compare with (default: none)")
    parser.add_argument(
        "--threads",
        type=positive,
        nargs="+",
        default=[1],
        metavar="N",
        help="of both sides, one measurement each (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")


def add_timing_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every benchmark whose sides take turns."""
    default = "(default: %(default)s)"
    parser.add_argument("--repeats", type=positive, default=25, metavar="N", help=f"blocks of each side {default}")
    parser.add_argument("--block", type=float, default=0.1, metavar="SECONDS", help=f"length of one {default}")


# ------------------------------------------------------------------------------------------------------------- output


def versions(peer: ModuleType | None) -> str:
    """One line: what is measured."""
    return f"tinyconv {tinyconv.__version__}" + (f" beside {peer.__name__} {peer.__version__}" if peer else "")


class Columns:
    """A table, printed line by line.

    Args:
        columns: names and widths.
    """

    def __init__(self, **columns: int):
        self.widths = list(columns.values())
        self.print(*columns)

    def print(self, *cells: object) -> None:
        """A line; columns at its end may be missing."""
        print("  ".join(f"{text(cell):>{width}}" for cell, width in zip(cells, self.widths)).rstrip(), flush=True)


class Table(Columns):
    """Rows, printed as soon as they are measured: some columns that say what, then those that say how fast.

    Args:
        unit: the end of the names of the numbers in a row.
        columns: names and widths of the first columns.
    """

    def __init__(self, unit: str, **columns: int):
        self.unit, self.disturbed = unit, False
        super().__init__(**columns, ours=8, peer=8, ratio=6, quartiles=14, **{"": 1})

    def add(self, row: dict[str, Any], *cells: object) -> None:
        """The line of a JSON row: ``cells`` say what was measured. Marked where it was disturbed."""
        disturbed = row["preemptions_per_second"] > MANY_PREEMPTIONS
        self.disturbed = self.disturbed or disturbed
        ours, peer = row[f"ours_{self.unit}"], row.get(f"peer_{self.unit}")
        self.print(*cells, ours, peer, row.get("ratio"), row.get("ratio_quartiles"), "!" if disturbed else "")

    def end(self, units: str) -> None:
        """What the numbers are."""
        print(f"ours, peer: {units}, medians; quartiles: of the ratio over the blocks")
        if self.disturbed:
            print(f"!: other programs took cores away more than {MANY_PREEMPTIONS} times a second; measure again")


def text(cell: object) -> str:
    """A cell of a table."""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 100 else f"{cell:.3g}"
    return f"{cell[0]:.2f}..{cell[1]:.2f}" if isinstance(cell, list) else str("" if cell is None else cell)


def geometric_mean(rows: list[dict[str, Any]]) -> float | None:
    """The geometric mean of the rows' ratios; None where there is no peer."""
    ratios = [row["ratio"] for row in rows if "ratio" in row]
    return math.exp(np.mean(np.log(ratios))) if ratios else None


def write_json(path: Path, rows: list[dict[str, Any]]) -> None:
    """The rows as a JSON list.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    try:
        path.write_text(json.dumps(rows, indent=2) + "\n")
    except OSError as error:
        raise BenchmarkError(f"--json {path}: {error.strerror}") from error
