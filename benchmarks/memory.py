"""Memory of training: the process's peak, how much of it training adds to the loaded library, page faults a step.

Every network, batch size and side in a fresh process. "adds" is the peak of resident memory during training minus
resident memory before it, when the library has taken one step on one image (so that its code is loaded) and the batches
are there. Page faults are those of the second half of the steps. Needs Linux.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .harness import BenchmarkError, Columns, peer_module, positive, run_process, versions
from .training import IMAGES

PROCESSES = True
RUNS = [("lenet5", 64), ("lenet5", 256), ("resnet20", 128)]
MIB = 2**20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--only", choices=sorted(IMAGES), help="one network (default: all)")
    parser.add_argument("--batch-size", type=positive, nargs="+", metavar="N", help="(default: 64 and 256; 128)")
    parser.add_argument("--steps", type=positive, default=20, metavar="N", help="of each half (default: 20)")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every network, batch size and number of threads; one row each.

    Raises:
        BenchmarkError: this is not Linux.
    """
    if sys.platform != "linux":
        raise BenchmarkError("memory: needs Linux's /proc/self/status")
    torch = peer_module(options.vs)
    print(f"memory of training, {versions(torch)}")
    table = Columns(network=9, batch=5, threads=7, side=5, loaded=8, peak=8, adds=8, faults=8)
    runs = [(network, n) for network, n in RUNS if options.only in (None, network)]
    if options.batch_size:
        runs = [(network, n) for network in dict(runs) for n in options.batch_size]
    rows = []
    for network in dict(runs):
        measure("ours", network, 1, options.threads[0], 1)  # a compiler's memory is not meant
    for network, batch_size in runs:
        for threads in options.threads:
            row: dict[str, Any] = {"name": network, "batch_size": batch_size, "threads": threads}
            for side, key in (("ours", "ours"), ("theirs", "peer"))[: 2 if torch else 1]:
                measured = measure(side, network, batch_size, threads, options.steps)
                row |= {f"{key}_{name}": value for name, value in measured.items()}
                sizes = [measured[f"{what}_bytes"] / MIB for what in ("loaded", "peak", "added")]
                table.print(network, batch_size, threads, key, *sizes, measured["faults_per_step"])
            if torch:
                row["ratio"] = row["peer_added_bytes"] / row["ours_added_bytes"]
                row["peak_ratio"] = row["peer_peak_bytes"] / row["ours_peak_bytes"]
                table.print("ratio", None, None, None, None, row["peak_ratio"], row["ratio"])
            rows.append(row)
    print("loaded, peak, adds: MiB; ratio: the peer's over ours; faults: page faults a step")
    return rows


def measure(side: str, network: str, batch_size: int, threads: int, steps: int) -> dict[str, float]:
    """Bytes and page faults of one side."""
    (line,) = run_process(
        "memory",
        {
            "side": side,
            "network": network,
            "image": IMAGES[network],
            "threads": threads,
            "batch_size": batch_size,
            "steps": steps,
        },
    )
    loaded, peak = line.value["loaded"], line.value["peak"]
    return {
        "loaded_bytes": loaded,
        "peak_bytes": peak,
        "added_bytes": peak - loaded,
        "faults_per_step": line.value["faults"],
    }
