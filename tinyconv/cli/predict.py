"""``tinyconv predict``: what a trained network says of pictures."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import no_grad, stack
from ..tensor import Tensor, wrap
from ..vision.datasets.image import pil_loader
from . import data
from .arguments import add_compute_arguments, add_device_argument, apply_compute_arguments
from .digit import mnist_like, read_grey
from .errors import CommandError
from .model import load_run

__all__ = ["add_parser", "run"]

_MOST_CLASSES = 10


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "predict",
        help="read pictures",
        description="Say what is in pictures. A network trained on digits reads one digit each, dark on light or light "
        "on dark, of any size.",
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the folder that `tinyconv train` or `finetune` wrote")
    parser.add_argument("images", metavar="IMAGE", nargs="+", help="a PNG or JPEG file")
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    model, options, classes = load_run(args.run_dir)
    apply_compute_arguments(args)
    device = args.device or "cpu"
    images = _inputs(args.images, options).to(device)
    with no_grad():
        probabilities = model.to(device)(images).softmax(1).cpu().numpy()
    console = Console(markup=False, highlight=False, soft_wrap=True)
    for path, row in zip(args.images, probabilities, strict=True):
        console.print(f"{path}: {classes[int(row.argmax())]}", style="bold")
        table = Table("class", "probability", "")
        # A few classes in their own order; of many those that are most likely.
        shown = range(len(row)) if len(row) <= _MOST_CLASSES else row.argsort()[::-1][:_MOST_CLASSES]
        for label in shown:
            table.add_row(classes[label], f"{row[label]:7.2%}", "#" * round(40 * float(row[label])))
        console.print(table)
    return 0


def _inputs(paths: list[str], options: dict[str, Any]) -> Tensor:
    """The pictures as the network's input."""
    if options["data"] not in data.DATA or not data.DATA[options["data"]].grey:
        # Sizes and colours are the network's own; what the source adds to that is that its images have any size.
        any_size = data.DATA["cifar10"]._replace(side=None)
        transform = data.transform(any_size, options["model"])
        try:
            return stack([transform(pil_loader(path)) for path in paths])
        except ValueError as error:
            raise CommandError(str(error)) from error
    pictures = []
    for path in paths:
        try:
            pictures.append(mnist_like(read_grey(path)))
        except ValueError as error:
            raise CommandError(f"{path}: {error}") from error
    transform = data.transform(data.DATA[options["data"]], options["model"])
    if getattr(transform, "batched", False):
        return transform.batch(wrap(np.stack(pictures)))
    from PIL import Image

    return stack([transform(Image.fromarray(picture)) for picture in pictures])
