"""``tinyconv slide``: the 6x6 convolution that every lecture shows, one window at a time, then pooling.

On a terminal each step waits for Enter; ``--fast``, a pipe or a file gets them all at once.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import from_numpy
from ..nn import functional as F
from .arguments import add_compute_arguments, apply_compute_arguments

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["IMAGE", "KERNEL", "POOLED_IMAGE", "add_parser", "run"]

IMAGE = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.2, 0.8, 0.0, 0.3, 0.6, 0.0],
        [0.2, 0.9, 0.0, 0.3, 0.8, 0.0],
        [0.3, 0.8, 0.7, 0.8, 0.9, 0.0],
        [0.0, 0.0, 0.0, 0.2, 0.8, 0.0],
        [0.0, 0.0, 0.0, 0.2, 0.2, 0.0],
    ],
    np.float32,
)
KERNEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], np.float32)
POOLED_IMAGE = np.array(
    [[0.2, 0.8, 0.3, 0.6], [0.2, 0.9, 0.3, 0.8], [0.3, 0.8, 0.8, 0.9], [0, 0, 0.2, 0.8]], np.float32
)

# The one cell in which the published slide is wrong, and what it prints there.
_WRONG_CELL, _WRONG_VALUE = (1, 0), 1.9


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "slide",
        help="see a convolution and a pooling step by step",
        description="Compute the 6x6 example of the lecture slides step by step: a convolution, then pooling.",
    )
    parser.add_argument("--fast", action="store_true", help="do not wait for Enter")
    add_compute_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console

    apply_compute_arguments(args)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    waits = not args.fast and sys.stdin.isatty() and sys.stdout.isatty()
    _convolve(console, waits)
    _pool(console, waits)
    return 0


def _convolve(console: Console, waits: bool) -> None:
    result = F.conv2d(from_numpy(IMAGE)[None, None], from_numpy(KERNEL)[None, None])[0, 0].numpy()
    kh, kw = KERNEL.shape
    console.print("Convolution: lay the kernel on a window of the image, multiply what lies on each other, add up.")
    console.print("    y[i, j] = sum over m, n of  w[m, n] * x[i + m, j + n]\n")
    console.print("kernel w")
    for row in KERNEL:
        console.print("   " + " ".join(f"{value:2.0f}" for value in row))
    steps = list(np.ndindex(result.shape))
    for number, (i, j) in enumerate(steps):
        _wait(console, waits)
        window = IMAGE[i : i + kh, j : j + kw]
        console.print(f"\nstep {number + 1} of {len(steps)}: the window at row {i + 1}, column {j + 1}", style="bold")
        products = [
            [f"{x:.1f}*{w:.0f}" for x, w in zip(*rows, strict=True)] for rows in zip(window, KERNEL, strict=True)
        ]
        known = [[f"{y:.1f}" if (r, c) <= (i, j) else " . " for c, y in enumerate(ys)] for r, ys in enumerate(result)]
        columns = (
            _marked(IMAGE, slice(i, i + kh), slice(j, j + kw)),
            [" ".join(row) for row in products],
            [" ".join(row) for row in known],
        )
        _side_by_side(console, ("image, [window]", "products", "result"), columns)
        terms = [f"{x:.1f}" for x in window[KERNEL != 0]]
        console.print(f"sum where the kernel is 1: {' + '.join(terms)} = {result[i, j]:.1f}")
        if (i, j) == _WRONG_CELL:
            console.print(f"The published slide is wrong here: it has {_WRONG_VALUE}; the sum is {result[i, j]:.1f}.")
    console.print()


def _pool(console: Console, waits: bool) -> None:
    x = from_numpy(POOLED_IMAGE)[None, None]
    results = {
        "maximum": F.max_pool2d(x, 2),
        "sum": F.avg_pool2d(x, 2, divisor_override=1),
        "average": F.avg_pool2d(x, 2),
    }
    _wait(console, waits)
    console.print("Pooling: cut the image into windows of 2x2 (stride 2) and keep one number of each.", style="bold")
    shape = results["maximum"].shape[2:]
    for number, (i, j) in enumerate(np.ndindex(*shape)):
        _wait(console, waits)
        rows, columns = slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
        window = POOLED_IMAGE[rows, columns].ravel()
        console.print(f"\nwindow {number + 1} of {shape[0] * shape[1]}", style="bold")
        _side_by_side(console, ("image, [window]",), (_marked(POOLED_IMAGE, rows, columns),))
        numbers = ", ".join(f"{value:.1f}" for value in window)
        answers = ",  ".join(f"{name} {y[0, 0, i, j].item():.4g}" for name, y in results.items())
        console.print(f"{numbers}:  {answers}")
    console.print()
    _side_by_side(
        console,
        tuple(results),
        tuple([" ".join(f"{value:5.4g}" for value in row) for row in y[0, 0].tolist()] for y in results.values()),
    )


def _marked(image: np.ndarray, rows: slice, columns: slice) -> list[Text]:
    """The image's rows as text, the window's numbers in brackets."""
    from rich.text import Text

    lines = []
    for r, row in enumerate(image):
        line = Text()
        for c, value in enumerate(row):
            if rows.start <= r < rows.stop and columns.start <= c < columns.stop:
                line.append(f"[{value:.1f}]", style="reverse")
            else:
                line.append(f" {value:.1f} ")
        lines.append(line)
    return lines


def _side_by_side(console: Console, titles: tuple[str, ...], columns: tuple[list, ...]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 5, 0, 0))
    table.add_row(*titles, style="dim")
    for i in range(max(map(len, columns))):
        table.add_row(*(column[i] if i < len(column) else "" for column in columns))
    console.print(table)


def _wait(console: Console, waits: bool) -> None:
    if waits:
        try:
            console.input("(Enter) ")
        except EOFError:
            console.print()
