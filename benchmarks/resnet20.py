"""Training steps of ResNet-20 for CIFAR's images: forward pass, loss, backward pass, SGD with momentum."""

from __future__ import annotations

import argparse
from typing import Any

from . import training
from .harness import positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark alone."""
    parser.add_argument("--batch-size", type=positive, nargs="+", default=[128], metavar="N", help="(default: 128)")


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure every combination of batch size and threads; one row each."""
    return training.run("resnet20", "ResNet-20", options)
