"""``tinyconv export``: a trained network as a file for other programs."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from .. import onnx, save, zeros
from ..nn import Module
from ..vision.models import WeightsNotFound, get_model, list_models
from .arguments import image_size
from .data import default_size
from .errors import CommandError
from .model import load_run

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write a network for other programs",
        description="Write a trained network as .onnx, which ONNX Runtime and others compute, or its weights alone as "
        ".safetensors.",
    )
    parser.add_argument(
        "source", metavar="RUN_DIR_OR_MODEL", help="the folder that `tinyconv train` wrote, or a network's name"
    )
    parser.add_argument("out", metavar="FILE", help="what to write; its ending says which format")
    parser.add_argument(
        "--weights",
        metavar="NAME_OR_FILE",
        help="for a network's name: a file of weights (.pth, .safetensors, ...), or published ones by name (DEFAULT)",
    )
    parser.add_argument(
        "--input-size", type=image_size, metavar="CxHxW", help="of the image (default: what the network is made for)"
    )
    parser.add_argument("--opset", type=int, default=17, metavar="N", help="version of ONNX's operators (default: 17)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    ending = Path(args.out).suffix.lower()
    if ending not in (".onnx", ".safetensors"):
        raise CommandError(f"{args.out}: FILE must end in .onnx or .safetensors")
    model, name = _model(args.source, args.weights)
    if ending == ".safetensors":
        save(model.state_dict(), args.out)
    else:
        size = args.input_size or default_size(name)
        names: dict[str, Any] = {"input_names": ["image"], "output_names": ["scores"]}
        batch: dict[str, Any] = {"dynamic_axes": {"image": {0: "batch"}, "scores": {0: "batch"}}}
        try:
            onnx.export(model, zeros(1, *size), args.out, opset_version=args.opset, **names, **batch)
        except (ImportError, RuntimeError, ValueError) as error:
            raise CommandError(str(error)) from error
    print(f"{args.out}: {name}, {os.path.getsize(args.out):,} bytes")
    return 0


def _model(source: str, weights: str | None) -> tuple[Module, str]:
    """The network in evaluation mode, and its name."""
    if source not in list_models():
        if weights is not None:
            raise CommandError(f"--weights goes with a network's name, and {source!r} is none: {list_models()}")
        model, options, _ = load_run(source)
        return model, options["model"]
    if weights is None:
        raise CommandError(
            f"{source}: say which weights by --weights (a file, or DEFAULT for the published ones), or name the folder "
            "of a training run instead"
        )
    try:
        return get_model(source, weights=weights).eval(), source
    except (RuntimeError, TypeError, ValueError, WeightsNotFound) as error:
        raise CommandError(f"{source}, --weights {weights}: {error}") from error
