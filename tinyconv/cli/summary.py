"""``tinyconv summary``: a network's layers: output shapes, parameters, multiply-adds."""

from __future__ import annotations

import argparse
from typing import Any

from ..training import summarize
from ..vision.models import get_model, list_models
from .arguments import add_compute_arguments, apply_compute_arguments, image_size, non_negative_int
from .data import default_size
from .errors import CommandError

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "summary",
        help="list a network's layers",
        description="List a network's layers: output shapes, parameters, and multiply-adds (MACs) for one image.",
    )
    parser.add_argument("model", choices=list_models(), metavar="MODEL", help=f"one of {', '.join(list_models())}")
    parser.add_argument(
        "--input-size", type=image_size, metavar="CxHxW", help="of the image (default: what the network is made for)"
    )
    parser.add_argument(
        "--depth", type=non_negative_int, metavar="N", help="show modules within at most N others, with what is in them"
    )
    add_compute_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    apply_compute_arguments(args)
    size = args.input_size or default_size(args.model)
    try:
        total, *rows = summarize(get_model(args.model), size)
    except (RuntimeError, ValueError) as error:
        raise CommandError(f"{args.model} can't read an image of {_times(size)}: {error}") from error
    table = Table("layer", "kind", "output", "parameters", "MACs", title=args.model, show_footer=True)
    for column in table.columns[2:]:
        column.justify = "right"
    table.add_row("input", "", _times(size), "", "")
    for row in rows:
        if args.depth is None or row.depth <= args.depth:
            name = "  " * (row.depth - 1) + row.name.rsplit(".", 1)[-1]
            table.add_row(name, row.kind, _times(row.output_shape), f"{row.parameters:,}", f"{row.macs:,}")
    table.columns[0].footer = "total"
    table.columns[3].footer = f"{total.parameters:,}"
    table.columns[4].footer = f"{total.macs:,}"
    Console().print(table)
    return 0


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
