"""Time to accuracy: wall seconds from the start of a process until LeNet-5 reads 99.0% of MNIST's test images.

Everything counts: interpreter, imports, decoding the images, training, evaluation several times an epoch. Ours finds
its kernels compiled by an earlier process; what compiling them adds is printed. Both sides train the same network from
the same weights, with the same batches in the same order, shifts, optimizer and learning rates: the data comes from one
function in NumPy, and the processes differ in the library only.

The hyperparameters were chosen on 10,000 images split off the training set, where 11 of 12 seeds reached 99.0%.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

import tinyconv

from . import ours
from .harness import Columns, Line, geometric_mean, peer_module, positive, run_process, versions
from .startup import mnist_folder

PROCESSES = True
NEVER = 101.0  # percent
RECIPE: dict[str, Any] = {
    "lr": 0.05,
    "sgd": {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
    "batch_size": 64,
    "epochs": 4,
    "evaluations": 2,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--accuracy", type=float, default=99.0, metavar="PERCENT", help="the goal (default: 99.0)")
    parser.add_argument(
        "--seed", type=int, nargs="+", default=[0], metavar="S", help="of weights, order and shifts (default: 0)"
    )
    parser.add_argument("--epochs", type=positive, default=RECIPE["epochs"], metavar="N", help="(default: %(default)s)")
    parser.set_defaults(threads=[os.cpu_count() or 1])
    parser.add_argument("--limit", type=positive, metavar="N", help="the first N training and test images only")
    parser.add_argument(
        "--cold", action=argparse.BooleanOptionalAction, default=True, help="measure what compiling adds (default: yes)"
    )


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train both sides for every number of threads and seed; one row each.

    Raises:
        BenchmarkError: there is no MNIST.
    """
    torch = peer_module(options.vs)
    folder = str(mnist_folder() / "MNIST" / "raw")
    print(f"LeNet-5 to {options.accuracy}% of MNIST's test images, {versions(torch)}")
    table = Columns(threads=7, seed=5, epoch=5, ours=7, seconds=7, peer=7, **{"seconds ": 7}, ratio=6)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch, "weights.npz")
        for threads in options.threads:
            for seed in options.seed:
                tinyconv.manual_seed(seed)
                arrays: dict[str, Any] = ours.Training("lenet5").weights()
                np.savez(weights, **arrays)
                task = {**RECIPE, "folder": folder, "weights": str(weights), "goal": options.accuracy, "seed": seed}
                task |= {"threads": threads, "epochs": options.epochs, "limit": options.limit}
                row: dict[str, Any] = {"name": "lenet5", "threads": threads, "seed": seed, "goal": options.accuracy}
                if not rows:
                    row |= compile_kernels(task, options.cold)
                lines = {"ours": run_process("accuracy", {**task, "side": "ours"})}
                if torch:
                    lines["peer"] = run_process("accuracy", {**task, "side": "theirs"})
                rows.append(row | outcome(lines, options.accuracy))
                print_outcome(table, rows[-1])
    print("ours, peer: percent of the test images, and seconds since the start of the process")
    if (mean := geometric_mean(rows)) is not None:
        print(f"ratio: how many times sooner ours is there; of the goal, geometric mean: {mean:.3g}")
    if options.cold:
        print(f"with no kernels compiled by an earlier process, add {rows[0]['compiling_seconds']:.1f} s to ours")
    return rows


def compile_kernels(task: dict[str, Any], cold: bool) -> dict[str, float]:
    """Run ours on a few images, so that all its kernels are compiled and kept; if ``cold``, also see what that takes
    where none are."""
    few = {**task, "side": "ours", "limit": 2 * task["batch_size"], "epochs": 1, "goal": NEVER}
    run_process("accuracy", few)
    if not cold:
        return {}
    with tempfile.TemporaryDirectory() as empty:
        first, second = (run_process("accuracy", few, {"NUMBA_CACHE_DIR": empty})[-1].seconds for _ in range(2))
    return {"compiling_seconds": first - second}


def outcome(lines: dict[str, list[Line]], goal: float) -> dict[str, Any]:
    """The part of a row that says when each side reached the goal (None: it did not), and its way there."""
    row: dict[str, Any] = {}
    for side, said in lines.items():
        row[f"{side}_seconds"] = next((line.seconds for line in said if line.value["accuracy"] >= goal), None)
        row[f"{side}_curve"] = [{"seconds": line.seconds, **line.value} for line in said]
    if row["ours_seconds"] and row.get("peer_seconds"):
        row["ratio"] = row["peer_seconds"] / row["ours_seconds"]
    return row


def print_outcome(table: Columns, row: dict[str, Any]) -> None:
    """A line for each evaluation, and one for the result."""
    what = row["threads"], row["seed"]
    curves = [row.get(f"{side}_curve", []) for side in ("ours", "peer")]
    for points in zip_longest(*curves):
        epoch = next(point["epoch"] for point in points if point)
        cells = [cell for p in points for cell in ((f"{p['accuracy']:.2f}", p["seconds"]) if p else (None, None))]
        seconds = [point["seconds"] for point in points if point]
        table.print(*what, epoch, *cells, seconds[1] / seconds[0] if len(seconds) == 2 else None)
    reached = ["never" if s is None else s for s in (row.get(f"{side}_seconds", "") for side in ("ours", "peer"))]
    table.print(*what, "goal", "", reached[0], "", reached[1], row.get("ratio"))
