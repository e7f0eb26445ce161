"""The ladder as a picture: a bar for each rung, on a logarithmic scale, and the peaks as lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..harness import BenchmarkError

COLORS = {"library": "tab:green", "torch": "tab:orange"}  # rungs are blue


def save(path: Path, rows: list[dict[str, Any]]) -> None:
    """Draw the rows of one or more ladders into a file.

    Raises:
        BenchmarkError: the file cannot be written, or its name does not end as a picture's should.
    """
    from matplotlib.figure import Figure

    ladders: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        ladders.setdefault((row["ladder"], row["name"]), []).append(row)
    height = sum(0.5 + 0.2 * len(lines) for lines in ladders.values())
    figure = Figure(figsize=(8, 0.4 + height), dpi=130, layout="constrained")
    panels = figure.subplots(len(ladders), squeeze=False, height_ratios=[len(v) + 1 for v in ladders.values()])[:, 0]
    for axes, ((ladder, name), lines) in zip(panels, ladders.items()):
        places = range(len(lines))
        speeds = [row["gflops"] for row in lines]
        axes.barh(places, speeds, color=[COLORS.get(row["rung"], "tab:blue") for row in lines])
        axes.set_yticks(places, [f"{row['rung']} x {row['threads']}" for row in lines], fontsize=8)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(left=min(speeds) / 3)
        axes.set_title(f"{ladder}, {name}", fontsize=9)
        for place, speed in zip(places, speeds):
            axes.annotate(
                f"{speed:.3g}",
                (speed, place),
                (-3, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7,
                color="white",
            )
        for threads, peak in sorted({(row["threads"], row["peak_gflops"]) for row in lines}):
            axes.axvline(peak, color="black", linestyle=":" if threads == 1 else "--", linewidth=0.9)
    panels[-1].set_xlabel("GFLOP/s by rung x threads; vertical lines: the measured peak, dotted on one thread")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise BenchmarkError(f"--plot {path}: {error}") from error
