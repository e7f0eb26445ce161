"""``tinyconv finetune``: a published network learns to tell one's own images apart.

``--mode frozen`` (the default) computes each image's features once, keeps them in the user's cache directory, and
trains a new head on them. ``all`` goes on training all layers, ``scratch`` starts them from random weights: that number
shows what the published weights are worth.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from pathlib import Path
from typing import Any

from .. import manual_seed
from ..nn import Module, Sequential
from ..serialization import CheckpointError, load, save
from ..training import RunDirectory
from ..training.transfer import Transfer, compute_features
from ..utils.data import DataLoader, TensorDataset
from ..vision.datasets import download
from ..vision.models import WeightsNotFound, get_model, list_models
from . import data
from .arguments import add_compute_arguments, add_device_argument, apply_compute_arguments, positive_int
from .config import add_config_argument, apply_config
from .errors import CommandError
from .recipe import add_recipe_arguments
from .session import Session, threads_used

__all__ = ["add_parser", "run"]

MODES = ("frozen", "all", "scratch")

RECIPE: dict[str, Any] = {
    "mode": "frozen",
    "epochs": 20,
    "batch_size": 32,
    "lr": 0.003,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "seed": 0,
    "limit": None,
    "kernels": "cpu",
    "device": "cpu",
    "optimizer": "adamw",
    "schedule": "cosine",
    "accumulate": 1,
    "clip_norm": None,
    "early_stopping": None,
    "augment": None,
}
# Where all layers learn: smaller steps, not to forget what they know, and fewer epochs, as each takes far longer.
LAYERS = {"epochs": 5, "lr": 2e-4}


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "finetune",
        help="teach a published network one's own classes",
        description="Train a published network's new head, or all its layers, on a folder of images. Settings are for "
        "the head alone, by AdamW; with --mode all or scratch, lr is 0.0002 and epochs 5.",
    )
    parser.add_argument("model", nargs="?", choices=list_models(), metavar="MODEL", help=", ".join(list_models()))
    parser.add_argument(
        "--data", metavar="DIR", help="has the folders train and val, and in both one folder of images for each class"
    )
    parser.add_argument("--limit", type=positive_int, metavar="N", help="use N training and N validation images only")
    parser.add_argument(
        "--mode", choices=MODES, help="what learns: the head, all layers, or all from scratch (default: frozen)"
    )
    parser.add_argument(
        "--weights", metavar="PATH", help="the published weights: a file, or a folder to look for them in"
    )
    add_recipe_arguments(parser, RECIPE)
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.add_argument("--out", metavar="DIR", help="folder for the results (default: runs/MODEL-DATA-MODE)")
    parser.add_argument("--resume", action="store_true", help="go on with the interrupted run in the folder")
    add_config_argument(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    apply_config(args)
    for name, value in (("MODEL", args.model), ("--data", args.data)):
        if value is None:
            raise CommandError(f"{name} is missing: give it, or a --config file that says it")
    given = {name: getattr(args, name) for name in RECIPE if getattr(args, name) is not None}
    options = {"model": args.model, "data": args.data, **RECIPE}
    if given.get("mode", "frozen") != "frozen":
        options |= LAYERS
    options |= given
    images = data.source(args.data)
    options["augment"] = options["augment"] or ("none" if options["mode"] == "frozen" else images.augment)
    options["classes"] = images.classes
    if options["mode"] == "frozen" and options["augment"] != "none":
        raise CommandError("--augment: frozen features are computed once; --mode all can use new images every epoch")
    directory = RunDirectory(
        args.out or Path("runs") / f"{args.model}-{Path(args.data).resolve().name}-{options['mode']}"
    )
    checkpoint = _checkpoint(directory, options) if args.resume else None
    args.kernels, args.device = options["kernels"], options["device"]
    apply_compute_arguments(args)

    manual_seed(options["seed"])
    model = Transfer(_network(args, options), len(images.classes), frozen=options["mode"] == "frozen")
    model = model.to(options["device"])
    sets = [
        data.load(
            images, None, train, data.transform(images, args.model, options["augment"] if train else "none"),
            options["limit"],
        )
        for train in (True, False)
    ]  # fmt: skip
    print(
        f"{args.model} ({options['mode']}) on {images.title} ({len(sets[0]):,} training images, {len(sets[1]):,} "
        f"validation images, {len(images.classes)} classes), {threads_used(options)}",
        flush=True,
    )
    learner: Module = model
    if options["mode"] == "frozen":
        sets = [_features(model, part, args.model, options) for part in sets]
        model.standardize.measure(sets[0].tensors[0].to(options["device"]))
        learner = Sequential(model.standardize, model.head)
    workers = args.workers or 0
    loader = DataLoader(sets[0], options["batch_size"], shuffle=True, num_workers=workers)
    test_loader = DataLoader(sets[1], options["batch_size"], num_workers=workers)
    Session(directory, "finetune", options, val_name="val").train(
        learner, loader, test_loader, images.title, checkpoint, whole=lambda: model
    )
    return 0


def _checkpoint(directory: RunDirectory, options: dict[str, Any]) -> dict[str, Any] | None:
    """What to resume from, if there is a run in the folder and it is the same run."""
    if not directory.checkpoint.exists():
        print(f"{directory.path} holds no run to resume: starting from the beginning", flush=True)
        return None
    found, checkpoint = directory.load()
    for name, value in options.items():
        if found.get(name) != value:
            raise CommandError(
                f"{directory.path}: this run was started with {name.replace('_', '-')} {found.get(name)}, and can't go "
                f"on with {value}"
            )
    return checkpoint


def _network(args: argparse.Namespace, options: dict[str, Any]) -> Module:
    """The network, with its published weights unless all is learnt from scratch."""
    if options["mode"] == "scratch":
        return get_model(args.model)
    path = args.weights
    weights: dict[str, Any] = {"weights": "DEFAULT"}
    if path is not None:
        weights = {"weights": Path(path)} if Path(path).is_file() else {**weights, "weights_dir": path}
    try:
        return get_model(args.model, **weights)
    except (WeightsNotFound, ValueError, RuntimeError) as error:
        raise CommandError(f"{args.model}: {error}") from error


def _features(model: Transfer, images: Any, name: str, options: dict[str, Any]) -> TensorDataset:
    """Each image's features, from the cache if they have been computed before: for the same weights, transform and
    files (names, sizes, times)."""
    key = hashlib.sha256(repr((name, images.transform)).encode())
    for tensor in model.features.state_dict().values():
        key.update(tensor.cpu().numpy().tobytes())
    for path, target in images.samples:
        status = os.stat(path)
        key.update(repr((path, target, status.st_size, status.st_mtime_ns)).encode())
    cache = Path(download.cache_folder()) / "features" / f"{name}-{key.hexdigest()[:20]}.safetensors"
    try:
        stored = load(cache)
        return TensorDataset(stored["features"], stored["classes"])
    except (OSError, CheckpointError, KeyError, TypeError):
        pass  # not there, or not whole: compute them
    started = time.perf_counter()
    dataset = compute_features(model.features, DataLoader(images, options["batch_size"]))
    features, classes = dataset.tensors
    print(
        f"features of {len(dataset):,} images: {time.perf_counter() - started:.1f} seconds, kept in {cache}", flush=True
    )
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        save({"features": features, "classes": classes}, cache)
    except OSError as error:
        print(f"they cannot be kept: {error}", flush=True)
    return dataset
