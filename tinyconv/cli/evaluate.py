"""``tinyconv eval``: test a trained network: which classes it takes for which, and how sure it is of itself."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from ..nn import functional as F
from ..serialization import atomic_write
from ..tensor import wrap
from ..training import metrics, pictures, predict
from ..utils.data import DataLoader
from . import data
from .arguments import add_compute_arguments, add_data_arguments, add_device_argument, apply_compute_arguments
from .errors import CommandError
from .model import load_run

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "eval", help="test a trained network", description="Test a trained network on the test images."
    )
    parser.add_argument("run_dir", metavar="RUN_DIR", help="the folder that `tinyconv train` or `finetune` wrote")
    add_data_arguments(parser, default="what the network was trained on")
    add_compute_arguments(parser)
    add_device_argument(parser)
    parser.add_argument(
        "--report",
        metavar="DIR",
        help="also write report.txt, report.json and pictures (ROC curves, confusion, calibration, worst mistakes)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from rich.console import Console
    from rich.table import Table

    model, options, trained_classes = load_run(args.run_dir)
    apply_compute_arguments(args)
    name = data.choose(args.data or options["data"], args.data_dir)
    images = data.source(name)
    if len(images.classes) != len(trained_classes):
        raise CommandError(
            f"{args.run_dir}: the network knows {len(trained_classes)} classes, and {images.title} has "
            f"{len(images.classes)}"
        )
    test_set = data.load(images, args.data_dir, False, data.transform(images, options["model"]), args.limit)
    scores, target = predict(
        model.to(args.device or "cpu"), DataLoader(test_set, batch_size=500 if images.side else 32)
    )
    confusion = metrics.confusion_matrix(target, scores, len(images.classes))
    loss = F.cross_entropy(wrap(scores), wrap(target)).item()

    table = Table("class", "images", "right", "most often taken for")
    for column in table.columns[1:3]:
        column.justify = "right"
    for label, row in enumerate(confusion):
        if row.sum():
            mistakes = np.where(np.arange(len(row)) == label, 0, row)
            worst = int(mistakes.argmax())
            taken_for = f"{images.classes[worst]} ({mistakes[worst]} times)" if mistakes[worst] else ""
            table.add_row(images.classes[label], f"{row.sum():,}", f"{row[label] / row.sum():.2%}", taken_for)
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    text, numbers = _report(target, scores, images.classes)
    console.print(text, markup=False)
    right, count = int(np.trace(confusion)), len(test_set)
    trained_on = data.DATA[options["data"]].title if options["data"] in data.DATA else Path(options["data"]).name
    console.print(
        f"{options['model']} trained on {trained_on}, tested on {images.title}: "
        f"test accuracy {right / count:.2%} ({right:,} of {count:,}), loss {loss:.4f}"
    )
    if args.report:
        _write(Path(args.report), text, {**numbers, "loss": loss}, test_set, target, scores, images.classes)
        console.print(f"written to {args.report}: {', '.join(sorted(p.name for p in Path(args.report).iterdir()))}")
    return 0


def _probabilities(scores: np.ndarray) -> np.ndarray:
    return wrap(scores).softmax(1).numpy()


def _report(target: np.ndarray, scores: np.ndarray, classes: list[str]) -> tuple[str, dict[str, Any]]:
    """The report as text and as numbers."""
    labels = range(len(classes))
    probability = _probabilities(scores)
    text = metrics.classification_report(target, scores, labels=labels, names=classes, digits=4)
    numbers = metrics.classification_report(target, scores, labels=labels, names=classes, output_dict=True)
    specificity = metrics.specificity(target, scores, labels=labels, average=None)
    for name, value in zip(classes, specificity, strict=True):
        numbers[name] |= {"sensitivity": numbers[name]["recall"], "specificity": float(value)}
    areas = metrics.roc_auc(target, probability, average=None)
    for name, area in zip(classes, areas, strict=True):
        numbers[name]["roc_auc"] = None if np.isnan(area) else float(area)
    numbers["expected_calibration_error"] = metrics.expected_calibration_error(target, probability)
    if len(classes) == 2:
        text += f"\nsensitivity for {classes[1]} {numbers[classes[1]]['sensitivity']:.4f}"
        text += f", specificity {numbers[classes[1]]['specificity']:.4f}"
    if len(classes) > 5:
        numbers["top_5_accuracy"] = metrics.top_k_accuracy(target, scores, 5)
        text += f"\ntop-5 accuracy {numbers['top_5_accuracy']:.4f}"
    area = float(np.nanmean(areas)) if not np.isnan(areas).all() else float("nan")
    text += f"\narea below the ROC curve {area:.4f} (mean of the classes)"
    text += f"\nexpected calibration error {numbers['expected_calibration_error']:.4f}\n"
    return text, numbers


def _write(
    folder: Path,
    text: str,
    numbers: dict[str, Any],
    test_set: Any,
    target: np.ndarray,
    scores: np.ndarray,
    classes: list[str],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write(folder / "report.txt", text)
    atomic_write(folder / "report.json", json.dumps(numbers, indent=2) + "\n")
    probability = _probabilities(scores)
    matrix = metrics.confusion_matrix(target, scores, len(classes))
    pictures.confusion(matrix, classes).save(folder / "confusion.png")
    pictures.roc(target, probability, classes).save(folder / "roc.png")
    pictures.calibration(target, probability).save(folder / "calibration.png")
    if (scores.argmax(1) != target).any():
        pictures.wrongest(test_set, target, scores, classes).save(folder / "wrongest.png")
