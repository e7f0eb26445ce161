"""``tinyconv predict``: read pictures of digits with a trained network."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import no_grad
from ..tensor import Tensor
from . import data
from .arguments import add_compute_arguments, add_device_argument, apply_compute_arguments
from .digit import mnist_like, read_grey
from .errors import CommandError
from .model import load_run

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="read pictures of digits",
        description="Read pictures of one digit each, dark on light or light on dark, of any size.",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the folder that `tinyconv train` wrote")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a PNG or JPEG file")
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    model, options = load_run(args.run_dir)
    apply_compute_arguments(args)
    pictures = []
    for path in args.images:
        try:
            pictures.append(mnist_like(read_grey(path)))
        except ValueError as error:
            raise CommandError(f"{path}: {error}") from error
    device = args.device or "cpu"
    images = data.test_transform().batch(Tensor(np.stack(pictures))).to(device)
    with no_grad():
        probabilities = model.to(device)(images).softmax(1).cpu().numpy()
    classes = data.DATA[options["data"]].classes
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for path, row in zip(args.images, probabilities, strict=True):
        console.print(f"{path}: {classes[int(row.argmax())]}", style="bold")
        table = Table("class", "probability", "")
        for name, p in zip(classes, row, strict=True):
            table.add_row(name, f"{p:7.2%}", "#" * round(40 * float(p)))
        console.print(table)
    return 0
