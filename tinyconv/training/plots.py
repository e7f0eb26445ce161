"""Pictures of a training run, as PNG bytes. matplotlib is loaded when the first is drawn (it takes half a second)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["confusion_plot", "curves_plot"]


def curves_plot(history: Sequence[dict[str, Any]]) -> bytes:
    """Loss and error by epoch, in training and in the test.

    Args:
        history: the rows of :func:`tinyconv.training.fit`, at least one.

    Returns:
        A PNG.
    """
    figure = _figure(width=9, height=3.6)
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for label, key in (("training", "train"), ("test", "test")):
        if f"{key}_loss" in history[0]:
            left.plot(epochs, [row[f"{key}_loss"] for row in history], marker="o", markersize=3, label=label)
            errors = [100 * (1 - row[f"{key}_accuracy"]) for row in history]
            right.plot(epochs, errors, marker="o", markersize=3, label=label)
    left.set_ylabel("loss (cross entropy)")
    right.set_ylabel("wrong answers (%)")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    if "test_accuracy" in history[-1]:
        right.set_title(f"test accuracy {history[-1]['test_accuracy']:.2%}")
    return _png(figure)


def confusion_plot(confusion: np.ndarray, classes: Sequence[str] | None = None) -> bytes:
    """The confusion matrix as a table: shades show the mistakes alone, for right answers outnumber them by far.

    Args:
        confusion: int64 ``(C, C)``, a row for every true class.
        classes: their names, by default their numbers.

    Returns:
        A PNG.
    """
    n = len(confusion)
    figure = _figure(width=6, height=5.6)
    axes = figure.subplots()
    mistakes = confusion * (1 - np.eye(n, dtype=confusion.dtype))
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, 1.5 * mistakes.max()))
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            weight = "bold" if row == column else "normal"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8, fontweight=weight)
    names = [str(i) for i in range(n)] if classes is None else list(classes)
    axes.set_xticks(range(n), names)
    axes.set_yticks(range(n), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    wrong = int(mistakes.sum())
    axes.set_title(f"{wrong:,} wrong of {int(confusion.sum()):,}")
    return _png(figure)


def _figure(width: float, height: float) -> Figure:
    # Not by pyplot: its figures are global, and its backends may want a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=130, layout="constrained")


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()
