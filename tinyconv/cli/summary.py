"""``tinyconv summary``: a network's layers as LeCun's paper lists them: output shapes, parameters, connections."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from .. import no_grad, zeros
from ..nn import Module
from ..tensor import Tensor
from ..vision.models import get_model, list_models
from .arguments import add_compute_arguments, apply_compute_arguments

__all__ = ["LayerSummary", "add_parser", "run", "summarize"]

_INPUT = {name: (1, 28, 28) if name == "lenet5" else (3, 32, 32) for name in list_models()}


class LayerSummary(NamedTuple):
    """One row: the layer's path in the model, its class, its output without the batch axis, and its sizes.

    ``connections`` counts each weight and bias once for every output it helps to make: a convolution uses its few
    parameters at every place of the image.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    connections: int


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "summary", help="list a network's layers", description="List a network's layers, output shapes and parameters."
    )
    parser.add_argument("model", choices=list_models())
    add_compute_arguments(parser)
    parser.set_defaults(run=run)


def summarize(model: Module, input_shape: tuple[int, ...]) -> list[LayerSummary]:
    """Run an image through ``model`` and note what each layer (a module without children) makes of it.

    Args:
        model: any module of one input.
        input_shape: without the batch axis.
    """
    rows: list[LayerSummary] = []

    def note(name: str, layer: Module, output: Tensor) -> None:
        parameters = sum(p.numel() for p in layer.parameters())
        shape = tuple(output.shape[1:])
        places = 1
        for size in shape[1:]:
            places *= size
        rows.append(LayerSummary(name, type(layer).__name__, shape, parameters, parameters * places))

    handles = [
        layer.register_forward_hook(lambda layer, args, output, name=name: note(name, layer, output))
        for name, layer in model.named_modules()
        if not list(layer.children())
    ]
    try:
        with no_grad():
            model(zeros(1, *input_shape))
    finally:
        for handle in handles:
            handle.remove()
    return rows


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    apply_compute_arguments(args)
    shape = _INPUT[args.model]
    rows = summarize(get_model(args.model), shape)
    table = Table("layer", "kind", "output", "parameters", "connections", title=args.model, show_footer=True)
    for column in table.columns[2:]:
        column.justify = "right"
    table.add_row("input", "", _times(shape), "", "")
    for row in rows:
        table.add_row(row.name, row.kind, _times(row.output_shape), f"{row.parameters:,}", f"{row.connections:,}")
    table.columns[0].footer = "total"
    table.columns[3].footer = f"{sum(row.parameters for row in rows):,}"
    table.columns[4].footer = f"{sum(row.connections for row in rows):,}"
    Console().print(table)
    return 0


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
