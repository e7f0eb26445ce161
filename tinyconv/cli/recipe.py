"""What a training run is: optimizer, schedule, and the rest of the options that decide its result."""

from __future__ import annotations

import argparse
from typing import Any

from ..nn import Parameter
from ..optim import SGD, Adam, AdamW, Optimizer, RMSprop
from ..optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, ReduceLROnPlateau, StepLR
from ..training import Callback, ClipGradients, EarlyStopping
from .arguments import non_negative, positive, positive_int, seed
from .data import AUGMENTATIONS

__all__ = ["OPTIMIZERS", "SCHEDULES", "add_recipe_arguments", "make_callbacks", "make_optimizer", "make_schedule"]

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")
SCHEDULES = ("cosine", "constant", "step", "plateau", "onecycle")


def augmentations(text: str) -> str:
    """Names of augmentations with commas between them, or "none"."""
    if text != "none" and (unknown := [name for name in text.split(",") if name not in AUGMENTATIONS]):
        raise argparse.ArgumentTypeError(
            f"unknown augmentation {unknown[0]!r} (choose none, or from {', '.join(AUGMENTATIONS)}, with commas)"
        )
    return text


def add_recipe_arguments(parser: argparse.ArgumentParser, recipe: dict[str, Any]) -> None:
    """The options that decide a run's result; ``recipe`` has what they are when they are left out."""
    for name, kind, letter, text in (
        ("epochs", positive_int, "N", "how often to see every image"),
        ("batch_size", positive_int, "N", "images per step"),
        ("accumulate", positive_int, "N", "so many batches make one step, as if they were one"),
        ("lr", positive, "F", "learning rate of the first step (onecycle: the largest)"),
        ("momentum", non_negative, "F", "share of the velocity that stays from one step to the next (sgd, rmsprop)"),
        ("weight_decay", non_negative, "F", "L2 penalty on the parameters (adamw: decay)"),
        ("clip_norm", positive, "F", "shorten longer gradients to this"),
        ("early_stopping", positive_int, "N", "end after so many epochs in which the test loss has not improved"),
        ("seed", seed, "N", "of all random numbers"),
    ):
        flag = "--" + name.replace("_", "-")
        default = "off" if recipe[name] is None else recipe[name]
        parser.add_argument(flag, type=kind, metavar=letter, help=f"{text} (default: {default})")
    parser.add_argument("--optimizer", choices=OPTIMIZERS, help=f"(default: {recipe['optimizer']})")
    parser.add_argument("--schedule", choices=SCHEDULES, help=f"of the learning rate (default: {recipe['schedule']})")
    parser.add_argument(
        "--augment",
        type=augmentations,
        metavar="NAMES",
        help=f"how training images are changed at random: none, or some of {','.join(AUGMENTATIONS)} "
        "(default: shift for digits, shift,flip for CIFAR-10, crop,flip for a folder)",
    )
    parser.add_argument("--workers", type=positive_int, metavar="N", help="threads that read images (default: none)")


def make_optimizer(options: dict[str, Any], parameters: list[Parameter]) -> Optimizer:
    """The optimizer that the options ask for."""
    lr, momentum, weight_decay = options["lr"], options["momentum"], options["weight_decay"]
    match options["optimizer"]:
        case "sgd":
            return SGD(parameters, lr, momentum=momentum, nesterov=momentum > 0, weight_decay=weight_decay)
        case "rmsprop":
            return RMSprop(parameters, lr, momentum=momentum, weight_decay=weight_decay)
        case "adam":
            return Adam(parameters, lr, weight_decay=weight_decay)
    return AdamW(parameters, lr, weight_decay=weight_decay)


def make_schedule(options: dict[str, Any], optimizer: Optimizer, steps: int) -> tuple[LRScheduler | None, str]:
    """The learning rate's schedule, and whether it goes on after each "step" or "epoch".

    Args:
        options: of the run.
        optimizer: whose rate.
        steps: how many the optimizer takes in an epoch.
    """
    epochs = options["epochs"]
    match options["schedule"]:
        case "cosine":
            return CosineAnnealingLR(optimizer, T_max=epochs * steps), "step"
        case "onecycle":
            return OneCycleLR(optimizer, options["lr"], total_steps=epochs * steps), "step"
        case "step":
            return StepLR(optimizer, max(1, epochs // 3)), "epoch"
        case "plateau":
            return ReduceLROnPlateau(optimizer, patience=2), "epoch"
    return None, "epoch"


def make_callbacks(options: dict[str, Any], val_name: str) -> list[Callback]:
    """Those callbacks that the options ask for."""
    callbacks: list[Callback] = []
    if options["clip_norm"] is not None:
        callbacks.append(ClipGradients(options["clip_norm"]))
    if options["early_stopping"] is not None:
        callbacks.append(EarlyStopping(f"{val_name}_loss", options["early_stopping"]))
    return callbacks
