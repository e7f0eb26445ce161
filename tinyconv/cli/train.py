"""``tinyconv train``: train a network, and leave a folder with the model, its history and pictures of it.

**Starting again.** A new run in a folder that holds an earlier one first moves that one's files into ``earlier-1`` (or
the next free number) inside the folder: nothing is lost, and files of two runs never mix. While a process trains into a
folder, another one that wants to is refused.

**Going on.** ``--resume`` continues the run in the folder to the bit, with the options that it was started with;
giving one of them another value is an error, for the result would be neither run's, and ``--resume --out DIR`` alone is
enough. Where there is no run yet it starts one, so a command with ``--resume`` can be repeated until it succeeds,
whenever it was killed.

**Doing it again.** ``run.toml`` in the folder has all options, and the versions that made it:
``tinyconv train --config run.toml``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import manual_seed
from ..training import RunDirectory
from ..utils.data import DataLoader
from ..vision.models import get_model, list_models
from . import data
from .arguments import (
    add_compute_arguments,
    add_data_arguments,
    add_device_argument,
    apply_compute_arguments,
    check_device,
)
from .config import add_config_argument, apply_config
from .errors import CommandError
from .recipe import add_recipe_arguments
from .session import Session, threads_used

__all__ = ["add_parser", "run"]

# What a run is: the same values give the same weights, to the bit. With these, LeNet-5 reads 99.2% of MNIST and more.
RECIPE: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 64,
    "lr": 0.05,
    "momentum": 0.9,
    "weight_decay": 1e-3,
    "seed": 0,
    "limit": None,
    "kernels": "cpu",
    "device": "cpu",
    "optimizer": "sgd",
    "schedule": "cosine",
    "accumulate": 1,
    "clip_norm": None,
    "early_stopping": None,
    "augment": None,
}
# Options that runs of earlier versions did not have, and what they then were.
LATER = {
    name: RECIPE[name]
    for name in ("device", "optimizer", "schedule", "accumulate", "clip_norm", "early_stopping", "augment")
}


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a network",
        description="Train a network, by default by SGD with Nesterov momentum; the learning rate falls along half a "
        "cosine.",
    )
    parser.add_argument("model", nargs="?", choices=list_models(), metavar="MODEL", help=", ".join(list_models()))
    add_data_arguments(parser, default="auto")
    add_recipe_arguments(parser, RECIPE)
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.add_argument("--out", metavar="DIR", help="folder for the results (default: runs/MODEL-DATA)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run in the folder")
    add_config_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    apply_config(args)
    if args.model is None and not (args.resume and args.out):
        raise CommandError(
            "which network? give MODEL, a --config file that says it, or --resume and the run's folder by --out"
        )
    directory, options, checkpoint = _choose_run(args)
    args.kernels, args.device = options["kernels"], options["device"]
    apply_compute_arguments(args)

    manual_seed(options["seed"])
    images = data.source(options["data"])
    options["augment"] = options["augment"] or images.augment
    options["classes"] = images.classes
    model = get_model(options["model"], num_classes=len(images.classes)).to(options["device"])
    sets = {
        train: data.load(
            images,
            args.data_dir,
            train,
            data.transform(images, options["model"], options["augment"] if train else "none"),
            options["limit"],
        )
        for train in (True, False)
    }
    workers = args.workers or 0
    loader = DataLoader(sets[True], options["batch_size"], shuffle=True, num_workers=workers)
    test_loader = DataLoader(sets[False], batch_size=500 if images.side else options["batch_size"], num_workers=workers)
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{options['model']} ({parameters:,} parameters) on {images.title} "
        f"({len(sets[True]):,} training images, {len(sets[False]):,} test images), {threads_used(options)}",
        flush=True,
    )
    Session(directory, "train", options).train(model, loader, test_loader, images.title, checkpoint)
    return 0


def _choose_run(args: argparse.Namespace) -> tuple[RunDirectory, dict[str, Any], dict[str, Any] | None]:
    """The folder, the run's options, and what to resume from (None: a new run)."""
    given = {name: getattr(args, name) for name in RECIPE if getattr(args, name) is not None}
    if args.resume and (directory := _find_run(args)).checkpoint.exists():
        options, checkpoint = directory.load()
        options |= {name: value for name, value in LATER.items() if name not in options}
        if args.data not in (None, "auto"):
            given["data"] = args.data
        if args.model is not None:
            given["model"] = args.model
        for name, value in given.items():
            if options.get(name) != value:
                raise CommandError(
                    f"{directory.path}: this run was started with {name.replace('_', '-')} {options.get(name)}, "
                    f"and can't go on with {value}; leave the option out, or start a new run with another --out"
                )
        if missing := {"model", "data", *RECIPE} - options.keys():
            raise CommandError(f"{directory.checkpoint}: does not say the run's {', '.join(sorted(missing))}")
        return directory, options, checkpoint
    if args.model is None:
        raise CommandError(f"{args.out}: holds no run to resume; to start one there, give MODEL")
    check_device(args.device)  # before MNIST is downloaded for it
    name = data.choose(args.data or "auto", args.data_dir)
    directory = RunDirectory(args.out or _default_out(args.model, name))
    if args.resume:
        print(f"{directory.path} holds no run to resume: starting from the beginning", flush=True)
    return directory, {"model": args.model, "data": name, **RECIPE, **given}, None


def _find_run(args: argparse.Namespace) -> RunDirectory:
    """The run to resume. Without ``--out`` and ``--data`` it is whichever run ``auto`` has started."""
    if args.out:
        return RunDirectory(args.out)
    names = ("mnist", "strokes") if args.data in (None, "auto") else (args.data,)
    runs = [RunDirectory(_default_out(args.model, name)) for name in names]
    return next((run for run in runs if run.checkpoint.exists()), runs[0])


def _default_out(model: str, name: str) -> Path:
    return Path("runs") / f"{model}-{name if name in data.DATA else Path(name).resolve().name}"
