"""The roofline: what each kernel reaches, under the two limits of the machine (Williams, Waterman, Patterson 2009)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

INK, PALE = "#222222", "#8a8a8a"
COLOURS = {"memory": "#0072b2", "arithmetic": "#d55e00"}  # safe for colour-blind readers


def points(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each kernel: its largest size, at the most threads. Of convolutions the forward passes, of matrix
    products the squares: the others would lie on top of them."""
    most = max(row["threads"] for row in rows)
    largest: dict[str, dict[str, Any]] = {}
    for row in rows:
        kind, _, rest = row["name"].partition(" ")
        beside = (kind == "conv" and not rest.endswith("forward")) or (kind == "gemm" and "square" not in rest)
        if row["threads"] == most and not beside and row["bytes"] >= largest.get(row["name"], row)["bytes"]:
            largest[row["name"]] = row
    return list(largest.values())


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Write the picture; its suffix says in which format."""
    from matplotlib import pyplot as plt

    shown = points(rows)
    peak = max(row["peak_gflops"] for row in shown)
    memory = max(shown, key=lambda row: row["bytes"])["copy_gbytes_per_second"]
    cache = max(row["copy_gbytes_per_second"] for row in shown)
    low = min(row["intensity"] for row in shown) / 2
    high = max(max(row["intensity"] for row in shown) * 3, 4 * peak / memory)

    figure, axes = plt.subplots(figsize=(12, 7.5))
    x = np.geomspace(low, high, 400)
    names, roofs = [], []
    for bandwidth, style, place in ((memory, "-", "memory"), (cache, "--", "cache")):
        if style == "-" or bandwidth > 1.2 * memory:
            roof = np.minimum(peak, bandwidth * x)
            roofs += list(zip(x, roof, strict=True))
            axes.plot(x, roof, style, color=INK, linewidth=1.6, zorder=2)
            name = axes.annotate(
                f"copy from {place}: {bandwidth:.0f} GB/s",
                (low * 1.1, bandwidth * low * 1.1),
                xytext=(0, 6),
                textcoords="offset points",
                rotation=slope(axes, figure, low, high, shown, peak),
                rotation_mode="anchor",
                color=INK,
                fontsize=9,
            )
            names.append(name)
    name = axes.annotate(
        f"multiply-add peak: {peak:.0f} GFLOP/s",
        (high, peak),
        xytext=(-4, 5),
        textcoords="offset points",
        ha="right",
        color=INK,
        fontsize=9,
    )
    names.append(name)
    bound = [("memory" if row["intensity"] < peak / memory else "arithmetic", row) for row in shown]
    for kind, colour in COLOURS.items():
        chosen = [row for which, row in bound if which == kind]
        axes.scatter(
            [row["intensity"] for row in chosen],
            [row["gflops"] for row in chosen],
            s=26,
            color=colour,
            zorder=3,
            label=f"bound by {kind}",
        )
    threads = shown[0]["threads"]
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(low, high),
        ylim=limits(shown, peak),
        xlabel="intensity: operations per byte that has to move",
        ylabel="billions of operations a second",
        title=f"tinyconv's kernels under the roofline, float32, {threads} thread{'s' if threads > 1 else ''}",
    )
    axes.grid(True, which="major", color="#e6e6e6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", frameon=False)
    label(axes, names, roofs, [(row["name"], row["intensity"], row["gflops"], COLOURS[kind]) for kind, row in bound])
    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)


def limits(shown: list[dict[str, Any]], peak: float) -> tuple[float, float]:
    """From below the slowest kernel to above the roof."""
    return min(row["gflops"] for row in shown) / 2, 2.5 * max(peak, *(row["gflops"] for row in shown))


def slope(axes: Any, figure: Any, low: float, high: float, shown: list[dict[str, Any]], peak: float) -> float:
    """The angle of a line of slope 1 on both logarithmic axes, in degrees."""
    bottom, top = limits(shown, peak)
    box = axes.get_position()
    width, height = figure.get_size_inches() * (box.width, box.height)
    return float(np.degrees(np.arctan2(height / np.log10(top / bottom), width / np.log10(high / low))))


def label(axes: Any, names: list, roofs: list, texts: list[tuple[str, float, float, str]]) -> None:
    """A name beside each point: the nearest of some places where it covers no name, point or roof, with a thin line
    where that is far."""
    figure = axes.figure
    figure.canvas.draw()
    dots = axes.transData.transform([(x, y) for _, x, y, _ in texts])
    taken = [name.get_window_extent() for name in names]
    crossed = [*dots, *axes.transData.transform(roofs)]
    scale = figure.dpi / 72
    places = sorted(
        ((dx, dy) for dx in (7, -7, 30, -30, 60, -60) for dy in range(-240, 241, 8)),
        key=lambda d: np.hypot(d[0], 2 * d[1]),
    )
    for (name, x, y, _), dot in sorted(zip(texts, dots, strict=True), key=lambda pair: -pair[1][1]):
        text = axes.annotate(
            name.removesuffix(" forward"),
            (x, y),
            (7, 0),
            textcoords="offset points",
            fontsize=7.5,
            color=INK,
            va="center",
        )
        for dx, dy in places:
            text.set_position((dx, dy))
            text.set_horizontalalignment("left" if dx > 0 else "right")
            box = text.get_window_extent().expanded(1.02, 1.05)
            clear = not any(box.overlaps(other) for other in taken)
            inside = axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1 and axes.bbox.y0 < box.y0 and box.y1 < axes.bbox.y1
            if clear and inside and not any(box.contains(*other) for other in crossed):
                break
        taken.append(box)
        if np.hypot(dx, dy) > 12:
            end = axes.transData.inverted().transform(dot + np.array((dx, dy)) * scale)
            axes.plot([x, end[0]], [y, end[1]], color=PALE, linewidth=0.5, zorder=1)
