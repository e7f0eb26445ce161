"""``tinyconv eval``: test a trained network, and show which classes it takes for which."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from ..training import evaluate
from ..utils.data import DataLoader
from . import data
from .arguments import add_compute_arguments, add_data_arguments, add_device_argument, apply_compute_arguments
from .model import load_run

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "eval", help="test a trained network", description="Test a trained network on the test images."
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the folder that `tinyconv train` wrote")
    add_data_arguments(parser, default="what the network was trained on")
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    model, options = load_run(args.run_dir)
    apply_compute_arguments(args)
    name = data.choose(args.data or options["data"], args.data_dir)
    test_set = data.load(name, args.data_dir, False, data.test_transform(), args.limit)
    result = evaluate(model.to(args.device or "cpu"), DataLoader(test_set, batch_size=500))

    classes = data.DATA[name].classes
    table = Table("class", "images", "right", "most often taken for")
    for column in table.columns[1:3]:
        column.justify = "right"
    confusion = np.zeros((0, 0), int) if result.confusion is None else result.confusion
    for label, row in enumerate(confusion):
        if row.sum():
            mistakes = np.where(np.arange(len(row)) == label, 0, row)
            worst = int(mistakes.argmax())
            taken_for = f"{classes[worst]} ({mistakes[worst]} times)" if mistakes[worst] else ""
            table.add_row(classes[label], f"{row.sum():,}", f"{row[label] / row.sum():.2%}", taken_for)
    console = Console()
    console.print(table)
    right, images = int(np.trace(confusion)), len(test_set)
    console.print(
        f"{options['model']} trained on {data.DATA[options['data']].title}, tested on {data.DATA[name].title}: "
        f"test accuracy {result.accuracy:.2%} ({right:,} of {images:,}), loss {result.loss:.4f}",
        highlight=False,
        soft_wrap=True,
    )
    return 0
