"""Training steps of LeNet-5: forward pass, loss, backward pass, SGD with momentum."""

from __future__ import annotations

import argparse
from typing import Any

from . import training
from .harness import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--batch-size", type=positive, nargs="+", default=[64], metavar="N", help="(default: 64)")
    parser.add_argument(
        "--layer-by-layer", action="store_true", help="let convolution, ReLU and pooling not run as one kernel"
    )


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every combination of batch size and threads; one row each."""
    return training.run("lenet5", "LeNet-5", options)
