"""How good the answers are: means over an epoch, accuracy, the confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import no_grad
from ..tensor import Tensor

__all__ = ["Mean", "accuracy", "confusion_matrix"]


class Mean:
    """The mean over an epoch of what each batch has a mean or a sum of.

    The sum stays a tensor until :meth:`value` is asked for: a device is not made to wait for every step's number.
    """

    def __init__(self) -> None:
        self.total: Any = 0.0
        self.count = 0

    def add(self, total: Tensor, count: int) -> None:
        """Count a batch.

        Args:
            total: a 0-d tensor, the sum over the batch.
            count: of how many.
        """
        with no_grad():
            self.total = total + self.total
        self.count += count

    def value(self) -> float:
        """The mean so far (NaN before the first batch)."""
        return float(self.total) / self.count if self.count else float("nan")

    def state_dict(self) -> dict[str, Any]:
        """The sum, to the bit, and the count."""
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
        self.total, self.count = state_dict["total"], state_dict["count"]


def accuracy(scores: Tensor, target: Tensor) -> float:
    """The share of samples whose largest score is at the right class.

    Args:
        scores: ``(N, C)``.
        target: int64 ``(N,)``, the right classes.

    Raises:
        ValueError: the shapes do not fit, or N is 0.
    """
    if scores.ndim != 2 or target.shape != scores.shape[:1] or not len(target):
        raise ValueError(
            f"accuracy: expected scores (N, C) and target (N,) with N > 0, got {tuple(scores.shape)} and "
            f"{tuple(target.shape)}"
        )
    with no_grad():
        return float((scores.argmax(1) == target).sum()) / len(target)


def confusion_matrix(target: np.ndarray, prediction: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each class was taken for each: int64 ``(num_classes, num_classes)``, a row for every true class.

    The diagonal counts right answers; accuracy is ``trace / sum``.

    Args:
        target, prediction: int64 ``(N,)``, classes in [0, num_classes).
        num_classes: the number of classes.

    Raises:
        ValueError: lengths that differ, or a class out of range.
    """
    if target.shape != prediction.shape or target.ndim != 1:
        raise ValueError(f"confusion_matrix: target {target.shape} and prediction {prediction.shape} must both be (N,)")
    for name, classes in (("target", target), ("prediction", prediction)):
        if classes.size and not 0 <= classes.min() <= classes.max() < num_classes:
            raise ValueError(
                f"confusion_matrix: {name} must be in [0, {num_classes}), got {classes.min()} to {classes.max()}"
            )
    cells = np.bincount(target * num_classes + prediction, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)
