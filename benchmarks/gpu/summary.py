"""The one table that says it all, and the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..harness import BenchmarkError, Columns, geometric_mean

Rows = list[dict[str, Any]]


def part(rows: Rows, name: str) -> Rows:
    """The measurements of one part."""
    return [row for row in rows if row["part"] == name and row.keys() & {"name", "bytes"}]


def lines(rows: Rows) -> list[tuple[str, str, str]]:
    """What was to be shown, the aim, and what was found; "not measured" where a part is missing."""
    checked, copied = part(rows, "check"), part(rows, "copy")
    large = [row for row in part(rows, "gemm") if row["name"].startswith("square") and row["shape"][0] >= 2048]
    threefold = [row for row in part(rows, "gemm") if row["name"].startswith("3xTF32")]
    threes = [row for row in part(rows, "conv") if row["kernel_size"] == 3]
    shares = [row["of_copy"] for row in part(rows, "kernels")]
    launches = {row["name"]: row["ours_microseconds"] for row in part(rows, "launch")}
    trained = part(rows, "train")
    right = sum(not row["wrong"] for row in checked)
    found = [
        (
            "kernels that are right",
            "all",
            f"{right} of {len(checked)}" if checked else "",
        ),
        ("a launch, microseconds", "", f"{launches['a kernel']:.2f}" if launches else ""),
        ("the same in a graph", "", f"{launches['a kernel, in a graph']:.2f}" if launches else ""),
        ("copy, GB/s", "", f"{max(r['ours_gbytes_per_second'] for r in copied):,.0f}" if copied else ""),
        ("SGEMM from 2048 on / cuBLAS", "0.75", ratio(large)),
        ("3xTF32 from 2048 on / cuBLAS fp32", "1.2", ratio(threefold)),
        ("3x3 convolutions / cuDNN", "0.5", ratio(threes)),
        ("memory-bound kernels, of copy", "80%", f"{np.median(shares):.0%}, least {min(shares):.0%}" if shares else ""),
    ]
    for network, graphs, aim in (("lenet5", False, "1.0"), ("lenet5", True, "2.0"), ("resnet20", False, ""),
                                 ("resnet20", True, "")):  # fmt: skip
        chosen = [r for r in part(rows, "steps") if (r["name"], r["graphs"]) == (network, graphs)]
        what = "graphs / PyTorch's graphs" if graphs else "eager / PyTorch eager"
        found.append((f"{network} steps, {what}", aim if not graphs else "", ratio(chosen)))
        if graphs:
            eager = [r for r in part(rows, "steps") if (r["name"], r["graphs"]) == (network, False)]
            found.append((f"{network} steps, graphs / PyTorch eager", aim, against_eager(chosen, eager)))
    last = trained[-1] if trained else None
    told = f"{last['accuracy']:.2%} of {last['data']} in {last['seconds']:.0f} s" if last else ""
    found.append(("LeNet-5, trained", "99%", told))
    return [(what, aim, text or "not measured") for what, aim, text in found]


def ratio(rows: Rows) -> str:
    """The geometric mean of the rows' ratios, and the least."""
    mean = geometric_mean(rows)
    return f"{mean:.2f}, least {min(r['ratio'] for r in rows if 'ratio' in r):.2f}" if mean else ""


def against_eager(graphed: Rows, eager: Rows) -> str:
    """Our graphs beside the peer's ordinary steps."""
    found = [
        {"ratio": a["ours_images_per_second"] / b["peer_images_per_second"]}
        for a in graphed
        for b in eager
        if a["batch_size"] == b["batch_size"] and "peer_images_per_second" in b
    ]
    return ratio(found)


def print_table(rows: Rows) -> None:
    """What was to be shown, and what was found."""
    table = Columns(**{"": 42}, aim=5, found=26)
    for line in lines(rows):
        table.print(*line)


def draw(rows: Rows, folder: Path) -> None:
    """Products, convolutions, shares of the bandwidth and the ladder, as ``gpu.png``; without matplotlib nothing.

    Raises:
        BenchmarkError: it cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("matplotlib is not installed: no pictures")
        return
    panels = [(title, bars) for title, bars in _panels(rows) if bars]
    if not panels:
        return
    heights = [1 + len(bars) for _, bars in panels]
    figure = Figure(figsize=(9, 0.6 * len(panels) + 0.2 * sum(heights)), dpi=120, layout="constrained")
    for axes, (title, bars) in zip(figure.subplots(len(panels), squeeze=False, height_ratios=heights)[:, 0], panels):
        names = list(bars)
        places = np.arange(len(names))
        axes.barh(places - 0.2, [bars[name][0] for name in names], 0.4, color="tab:green", label="tinyconv")
        if any(bars[name][1] is not None for name in names):
            axes.barh(places + 0.2, [bars[name][1] or 0 for name in names], 0.4, color="tab:orange", label="PyTorch")
        axes.set_yticks(places, names, fontsize=7)
        axes.invert_yaxis()
        axes.set_title(title, fontsize=9)
        axes.legend(fontsize=7)
    try:
        figure.savefig(folder / "gpu.png")
    except OSError as error:
        raise BenchmarkError(f"--out {folder}: {error.strerror}") from error


def _panels(rows: Rows) -> list[tuple[str, dict[str, tuple]]]:
    """Titles, and bars: a name to our number and the peer's."""

    def pair(row: dict[str, Any], unit: str) -> tuple:
        return row[f"ours_{unit}"], row.get(f"peer_{unit}")

    return [
        ("Matrix products, TFLOP/s", {r["name"]: pair(r, "tflops") for r in part(rows, "gemm")}),
        ("Convolutions, TFLOP/s", {f"{r['name']} {r['pass']}": pair(r, "tflops") for r in part(rows, "conv")}),
        (
            "Memory-bound kernels, GB/s",
            {
                f"{r['name']} {'x'.join(map(str, r['shape']))}": pair(r, "gbytes_per_second")
                for r in part(rows, "kernels")
            },
        ),
        (
            "Training steps, images/s",
            {
                f"{r['name']} {r['batch_size']}{', graphs' if r['graphs'] else ''}": pair(r, "images_per_second")
                for r in part(rows, "steps")
            },
        ),
        ("The ladder, TFLOP/s", {f"{r['name']} {r['n']}": (r["tflops"], None) for r in part(rows, "ladder")}),
    ]
