"""Start-up: seconds from the start of a process to the end of its first training step of LeNet-5.

cold: ``tinyconv train lenet5`` where no compiled kernels are kept yet (an empty ``NUMBA_CACHE_DIR``), and again with
what the first one has left there.

warm: interpreter, import, network, one step of batch 64; ours with the kernels compiled by an earlier process, beside
PyTorch. Medians over fresh processes, which take turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tinyconv.vision.datasets import MNIST, DatasetNotFound

from .harness import BenchmarkError, Columns, peer_module, positive, quartiles, run_process, versions

PROCESSES = True
BATCH_SIZE = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--repeats", type=positive, default=7, metavar="N", help="warm processes (default: 7)")
    parser.add_argument("--cold", type=int, default=1, metavar="N", help="cold processes (default: 1; 0 for none)")
    parser.set_defaults(threads=[os.cpu_count() or 1])


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure both; one row for each number of threads and each of cold and warm.

    Raises:
        BenchmarkError: there is no MNIST for ``tinyconv train``.
    """
    torch = peer_module(options.vs)
    folder = mnist_folder() if options.cold else None
    print(f"start to end of the first training step, {versions(torch)}")
    table = Columns(what=28, threads=7, ours=8, peer=8, ratio=6)
    rows = []
    for threads in options.threads:
        if folder:
            cold, again = zip(*[command(folder, threads) for _ in range(options.cold)], strict=True)
            for name, seconds in (("cold command", cold), ("the same, warm", again)):
                row = {"name": name, "threads": threads, "ours_seconds": statistics.median(seconds)}
                rows.append(row)
                table.print(name, threads, row["ours_seconds"])
        row = {"name": "warm", "threads": threads, **warm(threads, options.repeats, torch is not None)}
        rows.append(row)
        numbers = [row.get(key) for key in ("ours_seconds", "peer_seconds", "ratio")]
        table.print("import + first step, warm", threads, *numbers)
    print("ours, peer: seconds, medians; ratio: how many times sooner ours is done")
    return rows


def mnist_folder() -> Path:
    """The place that holds ``MNIST/raw``.

    Raises:
        BenchmarkError: there is none.
    """
    try:
        return MNIST.find()
    except DatasetNotFound as error:
        raise BenchmarkError(str(error)) from error


def command(folder: Path, threads: int) -> tuple[float, float]:
    """Seconds of ``tinyconv train lenet5`` until its first step, without kept kernels and with them."""
    with tempfile.TemporaryDirectory() as empty:
        arguments = ["train", "lenet5", "--data", "mnist", "--data-dir", str(folder), "--out", f"{empty}/run"]
        options = {"arguments": [*arguments, "--threads", str(threads)]}
        first, second = (
            run_process("first_step_of_command", options, {"NUMBA_CACHE_DIR": f"{empty}/cache"}) for _ in range(2)
        )
    return first[0].seconds, second[0].seconds


def warm(threads: int, repeats: int, beside_peer: bool) -> dict[str, Any]:
    """The part of a row that says how long import and first step take."""
    sides = ["ours", "theirs"] if beside_peer else ["ours"]
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for repeat in range(repeats + 1):
        for side in sides if repeat % 2 else sides[::-1]:
            (line,) = run_process("first_step", {"side": side, "threads": threads, "batch_size": BATCH_SIZE})
            if repeat:  # the first one may compile, and brings files into memory
                seconds[side].append(line.seconds)
    row: dict[str, Any] = {"ours_seconds": statistics.median(seconds["ours"])}
    row["ours_seconds_quartiles"] = quartiles(seconds["ours"])
    if beside_peer:
        row["peer_seconds"] = statistics.median(seconds["theirs"])
        row["peer_seconds_quartiles"] = quartiles(seconds["theirs"])
        row["ratio"] = row["peer_seconds"] / row["ours_seconds"]
    return row
