"""``tinyconv train``: train a network, and leave a folder with the model, its history and pictures of it.

**Starting again.** A new run in a folder that holds an earlier one first moves that one's files into ``earlier-1`` (or
the next free number) inside the folder: nothing is lost, and files of two runs never mix.

**Going on.** ``--resume`` continues the run in the folder to the bit, with the options that it was started with;
giving one of them another value is an error, for the result would be neither run's. Where there is no run yet it starts
one, so a command with ``--resume`` can be repeated until it succeeds, whenever it was killed.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from .. import cuda, get_num_threads, manual_seed
from ..optim import SGD
from ..optim.lr_scheduler import CosineAnnealingLR
from ..training import (
    CheckpointEvery,
    ConsoleProgress,
    Interrupted,
    RunDirectory,
    StopSignals,
    TrainingState,
    evaluate,
    resume,
)
from ..utils.data import DataLoader
from ..vision.models import get_model
from . import data
from .arguments import (
    add_compute_arguments,
    add_data_arguments,
    add_device_argument,
    apply_compute_arguments,
    non_negative,
    positive,
    positive_int,
    seed,
)
from .errors import CommandError

__all__ = ["add_parser", "run"]

# What a run is: the same values give the same weights, to the bit. With these, LeNet-5 reads 99.2% of MNIST and more.
RECIPE: dict[str, Any] = {
    "epochs": 10,
    "batch_size": 64,
    "lr": 0.05,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "seed": 0,
    "limit": None,
    "kernels": "cpu",
    "device": "cpu",
}


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "train",
        help="train a network",
        description="Train a network by SGD with Nesterov momentum; the learning rate falls along half a cosine.",
    )
    parser.add_argument("model", choices=data.MODELS)
    add_data_arguments(parser, default="auto")
    for name, kind, letter, text in (
        ("epochs", positive_int, "N", "how often to see every image"),
        ("batch_size", positive_int, "N", "images a step"),
        ("lr", positive, "F", "learning rate of the first step"),
        ("momentum", non_negative, "F", "share of the velocity that stays from one step to the next"),
        ("weight_decay", non_negative, "F", "L2 penalty on the parameters"),
        ("seed", seed, "N", "of all random numbers"),
    ):
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=kind, metavar=letter, help=f"{text} (default: {RECIPE[name]})")
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.add_argument("--out", metavar="DIR", help="folder for the results (default: runs/MODEL-DATA)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run in the folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    directory, options, checkpoint = _choose_run(args)
    args.kernels, args.device = options["kernels"], options["device"]
    apply_compute_arguments(args)

    manual_seed(options["seed"])
    model = get_model(options["model"]).to(options["device"])
    train_set = data.load(options["data"], args.data_dir, True, data.train_transform(), options["limit"])
    test_set = data.load(options["data"], args.data_dir, False, data.test_transform(), options["limit"])
    loader = DataLoader(train_set, options["batch_size"], shuffle=True)
    test_loader = DataLoader(test_set, batch_size=500)
    optimizer = SGD(
        model.parameters(),
        options["lr"],
        momentum=options["momentum"],
        nesterov=options["momentum"] > 0,
        weight_decay=options["weight_decay"],
    )
    scheduler = CosineAnnealingLR(optimizer, T_max=options["epochs"] * len(loader))
    stop = StopSignals()
    callbacks = (ConsoleProgress(len(train_set)), CheckpointEvery(directory, options), stop)
    state = TrainingState(
        model, optimizer, scheduler, options["epochs"], schedule="step", callbacks=callbacks, val_name="test"
    )
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{options['model']} ({parameters:,} parameters) on {data.DATA[options['data']].title} "
        f"({len(train_set):,} training images, {len(test_set):,} test images), {_threads(options)}",
        flush=True,
    )

    with stop:
        if checkpoint is None:
            directory.create()
            if aside := directory.put_aside():
                print(f"{directory.path} held an earlier run; it is in {aside} now", flush=True)
            directory.save(state, options)  # a full disk is better found now than after an hour
        else:
            directory.restore(state, checkpoint)
            print(f"going on after {state.epoch} of {state.epochs} epochs and {state.step} steps", flush=True)

        try:
            resume(state, loader, test_loader)
        except Interrupted as interruption:
            print(
                f"{interruption}: stopped after {state.epoch} of {state.epochs} epochs and {state.step} steps; "
                f"saved in {directory.path}, --resume goes on from there",
                flush=True,
            )
            raise
        metrics = _finish(directory, state, options, test_loader)
    print(
        f"test accuracy {metrics['test_accuracy']:.2%} on {data.DATA[options['data']].title} after "
        f"{metrics['epochs']} epochs, {metrics['seconds']:.0f} seconds, {metrics['images_per_second']:,.0f} images/s\n"
        f"written to {directory.path}: {', '.join(sorted(file.name for file in directory.files))}"
    )
    return 0


def _choose_run(args: argparse.Namespace) -> tuple[RunDirectory, dict[str, Any], dict[str, Any] | None]:
    """The folder, the run's options, and what to resume from (None: a new run)."""
    given = {name: getattr(args, name) for name in RECIPE if getattr(args, name) is not None}
    if args.resume and (directory := _find_run(args)).checkpoint.exists():
        options, checkpoint = directory.load()
        options.setdefault("device", "cpu")  # runs from before there was a choice
        if args.data not in (None, "auto"):
            given["data"] = args.data
        for name, value in {"model": args.model, **given}.items():
            if options.get(name) != value:
                raise CommandError(
                    f"{directory.path}: this run was started with {name.replace('_', '-')} {options.get(name)}, "
                    f"and can't go on with {value}; leave the option out, or start a new run with another --out"
                )
        if options["data"] not in data.DATA:
            raise CommandError(
                f"{directory.checkpoint}: its data is {options['data']!r}; known are {sorted(data.DATA)}"
            )
        if missing := RECIPE.keys() - options.keys():
            raise CommandError(f"{directory.checkpoint}: does not say the run's {', '.join(sorted(missing))}")
        return directory, options, checkpoint
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
    return Path("runs") / f"{model}-{name}"


def _threads(options: dict[str, Any]) -> str:
    if options["device"] == "cuda":
        return f"on {cuda.get_device_name()}"
    threads = get_num_threads()
    return f"{options['kernels']} kernels, {threads} thread{'s' if threads > 1 else ''}"


def _finish(
    directory: RunDirectory, state: TrainingState, options: dict[str, Any], test_loader: DataLoader
) -> dict[str, Any]:
    """Test the finished model, write the results, and return the metrics."""
    evaluation = evaluate(state.model, test_loader)
    metrics = {
        "test_accuracy": evaluation.accuracy,
        "test_loss": evaluation.loss,
        "seconds": sum(row["train_seconds"] + row["test_seconds"] for row in state.history),
        # The median epoch's: the first one may have compiled kernels.
        "images_per_second": statistics.median(row["images_per_second"] for row in state.history),
        "threads": get_num_threads(),
        **options,
    }
    directory.finish(state, evaluation, metrics)
    return metrics
