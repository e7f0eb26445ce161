"""Arguments that several commands share, and the kinds of numbers they take."""

from __future__ import annotations

import argparse
import math

from .. import cuda, set_num_threads, use_kernels
from .data import data_name
from .errors import CommandError

__all__ = [
    "add_compute_arguments",
    "add_data_arguments",
    "add_device_argument",
    "apply_compute_arguments",
    "check_device",
    "image_size",
    "non_negative",
    "non_negative_int",
    "positive",
    "positive_int",
]


def positive_int(text: str) -> int:
    """A whole number from 1 to a billion."""
    value = int(text) if text.strip().lstrip("+").isdecimal() else 0
    if not 1 <= value <= 10**9:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to a billion, got {text!r}")
    return value


def threads(text: str) -> int:
    """A number of threads."""
    value = positive_int(text)
    if value > 1024:
        raise argparse.ArgumentTypeError(f"expected at most 1024 threads, got {text!r}")
    return value


def seed(text: str) -> int:
    """A seed: what fits in 64 bits, negative or not."""
    digits = text.strip().removeprefix("-").removeprefix("+")
    value = int(text) if digits.isdecimal() else 2**64
    if not -(2**63) <= value < 2**64:
        raise argparse.ArgumentTypeError(f"expected a whole number of up to 64 bits, got {text!r}")
    return value


def non_negative_int(text: str) -> int:
    """A whole number from 0 to a billion."""
    return 0 if text.strip() == "0" else positive_int(text)


def image_size(text: str) -> tuple[int, ...]:
    """Channels, height and width."""
    sizes = text.lower().split("x")
    if len(sizes) != 3:
        raise argparse.ArgumentTypeError(f"expected CxHxW, as 3x224x224, got {text!r}")
    return tuple([positive_int(size) for size in sizes])


def positive(text: str) -> float:
    """A finite number above 0."""
    value = _number(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def non_negative(text: str) -> float:
    """A finite number from 0 on."""
    value = _number(text)
    if not (value >= 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, got {text!r}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def add_data_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """``--data``, ``--data-dir`` and ``--limit``. ``default`` says in the help what goes without ``--data``."""
    parser.add_argument(
        "--data",
        type=data_name,
        metavar="NAME_OR_FOLDER",
        help="which images: mnist, fashion-mnist, cifar10, strokes, or a folder with the folders train and val in it, "
        "and in both one folder of images for each class; auto is MNIST if it is found or can be downloaded, else "
        f"strokes, digits drawn by the program itself (default: {default})",
    )
    parser.add_argument(
        "--data-dir",
        metavar="D",
        help="the folder that holds (or shall hold) MNIST/raw or FashionMNIST/raw "
        "(default: $TINYCONV_DATA, then the user's cache directory)",
    )
    parser.add_argument(
        "--limit", type=positive_int, metavar="N", help="use the first N training and the first N test images only"
    )


def add_compute_arguments(parser: argparse.ArgumentParser) -> None:
    """``--threads`` and ``--kernels``."""
    parser.add_argument("--threads", type=threads, metavar="N", help="threads to compute on (default: all cores)")
    parser.add_argument(
        "--kernels", choices=("cpu", "reference"), help="fast ones, or the obvious and slow ones (default: cpu)"
    )


def add_device_argument(parser: argparse.ArgumentParser) -> None:
    """``--device``."""
    parser.add_argument("--device", choices=("cpu", "cuda"), help="where to compute (default: cpu)")


def check_device(device: str | None) -> None:
    """Refuse a device that this machine does not have.

    Raises:
        CommandError: it says what is missing.
    """
    if device == "cuda" and (reason := cuda.why_unavailable()) is not None:
        raise CommandError(f"--device cuda: {reason}")


def apply_compute_arguments(args: argparse.Namespace) -> None:
    """Do what they say."""
    check_device(getattr(args, "device", None))
    if args.kernels is not None:
        use_kernels(args.kernels)
    if args.threads is not None:
        set_num_threads(args.threads)
