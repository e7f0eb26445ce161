"""What counting right and wrong answers tells.

For one class, with tp, fp, fn, tn the numbers of samples that are in it and were said to be, that were wrongly said to
be, that were missed, and that are outside and were said to be::

    precision = tp / (tp + fp)              of those said to be in the class, how many are
    recall = sensitivity = tp / (tp + fn)   of those in the class, how many were found
    specificity = tn / (tn + fp)            of those outside, how many were left in peace
    f1 = 2 tp / (2 tp + fp + fn)            the harmonic mean of precision and recall

With several classes each is taken against the rest, and ``average`` says how the classes' numbers become one:

============== =======================================================================
``"binary"``   no average: the number of the class ``pos_label``, where there are two
``"macro"``    the mean of the classes' numbers
``"weighted"`` the mean, each class weighted by how many samples it has
``"micro"``    the formula, on tp, fp, fn, tn summed over the classes
``None``       no average: an array, a number for each class
============== =======================================================================

The classes are ``labels``, by default those that occur in target or prediction, sorted. Where a formula divides by 0
(nothing was said to be in the class, say) its value is ``zero_division``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .arrays import classes, divide, host

__all__ = [
    "Counts",
    "accuracy",
    "averaged",
    "confusion_matrix",
    "count",
    "f1",
    "precision",
    "recall",
    "sensitivity",
    "specificity",
    "top_k_accuracy",
]


def accuracy(target: Any, prediction: Any) -> float:
    """The share of right answers.

    Args:
        target: int ``(N,)``, the right classes.
        prediction: int ``(N,)``, or scores ``(N, C)``.

    Raises:
        ValueError: the shapes do not fit, or N is 0.
    """
    target, prediction = classes("accuracy", target, prediction)
    if not len(target):
        raise ValueError("accuracy: there are no samples")
    return float((target == prediction).mean())


def top_k_accuracy(target: Any, scores: Any, k: int = 5) -> float:
    """The share of samples whose right class is among the k largest scores. Of equal scores the later class is larger,
    as scikit-learn has it.

    Args:
        target: int ``(N,)``, classes in [0, C).
        scores: ``(N, C)``.
        k: from 1 on.

    Raises:
        ValueError: the shapes do not fit, N is 0, a class is out of range, or k is below 1.
    """
    target, scores = host(target), host(scores)
    if scores.ndim != 2 or target.shape != scores.shape[:1] or not len(target):
        raise ValueError(
            f"top_k_accuracy: expected target (N,) and scores (N, C) with N > 0, got {target.shape} and {scores.shape}"
        )
    if k < 1:
        raise ValueError(f"top_k_accuracy: k must be at least 1, got {k}")
    _check_range("top_k_accuracy", "target", target, scores.shape[1])
    best = scores.argsort(axis=1, kind="stable")[:, ::-1][:, :k]
    return float((best == target[:, None]).any(1).mean())


def confusion_matrix(target: Any, prediction: Any, num_classes: int | None = None) -> np.ndarray:
    """How often each class was taken for each: int64 ``(num_classes, num_classes)``, a row for every true class.

    The diagonal counts right answers; accuracy is ``trace / sum``.

    Args:
        target, prediction: int ``(N,)``, classes in [0, num_classes); or for ``prediction`` scores.
        num_classes: by default one more than the largest class.

    Raises:
        ValueError: lengths that differ, or a class out of range.
    """
    target, prediction = classes("confusion_matrix", target, prediction)
    if num_classes is None:
        num_classes = int(max(target.max(initial=-1), prediction.max(initial=-1))) + 1
    _check_range("confusion_matrix", "target", target, num_classes)
    _check_range("confusion_matrix", "prediction", prediction, num_classes)
    cells = np.bincount(target * num_classes + prediction, minlength=num_classes**2)
    return cells.reshape(num_classes, num_classes)


def _check_range(function: str, name: str, array: np.ndarray, num_classes: int) -> None:
    if array.size and not 0 <= array.min() <= array.max() < num_classes:
        raise ValueError(f"{function}: {name} must be in [0, {num_classes}), got {array.min()} to {array.max()}")


class Counts(NamedTuple):
    """tp, fp, fn and tn of each class in ``labels``: int64 arrays of one length."""

    labels: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray

    @property
    def support(self) -> np.ndarray:
        """How many samples each class has."""
        return self.tp + self.fn


def count(function: str, target: Any, prediction: Any, labels: Sequence[int] | np.ndarray | None = None) -> Counts:
    """Count, for each class against the rest.

    Raises:
        ValueError: the shapes do not fit.
    """
    target, prediction = classes(function, target, prediction)
    known = np.unique(np.concatenate([target, prediction])) if labels is None else np.asarray(labels, np.int64)
    is_it, said = target[:, None] == known, prediction[:, None] == known
    tp, fp, fn = ((a & b).sum(0) for a, b in ((is_it, said), (~is_it, said), (is_it, ~said)))
    return Counts(known, tp, fp, fn, len(target) - tp - fp - fn)


def precision(
    target: Any,
    prediction: Any,
    *,
    average: str | None = "binary",
    labels: Sequence[int] | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """``tp / (tp + fp)``: of those said to be in the class, how many are. See the module for the arguments.

    Returns:
        A float; with ``average=None`` a float64 array, a number for each class.

    Raises:
        ValueError: the shapes do not fit, or an average that is unknown or needs two classes.
    """
    return _score("precision", _precision, target, prediction, average, labels, pos_label, zero_division)


def recall(
    target: Any,
    prediction: Any,
    *,
    average: str | None = "binary",
    labels: Sequence[int] | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """``tp / (tp + fn)``: of those in the class, how many were found. As :func:`precision` otherwise."""
    return _score("recall", _recall, target, prediction, average, labels, pos_label, zero_division)


def sensitivity(
    target: Any,
    prediction: Any,
    *,
    average: str | None = "binary",
    labels: Sequence[int] | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """Medicine's name for :func:`recall`: of the ill, how many the test finds."""
    return _score("sensitivity", _recall, target, prediction, average, labels, pos_label, zero_division)


def specificity(
    target: Any,
    prediction: Any,
    *,
    average: str | None = "binary",
    labels: Sequence[int] | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """``tn / (tn + fp)``: of the healthy, how many the test leaves in peace. As :func:`precision` otherwise."""
    return _score("specificity", _specificity, target, prediction, average, labels, pos_label, zero_division)


def f1(
    target: Any,
    prediction: Any,
    *,
    average: str | None = "binary",
    labels: Sequence[int] | None = None,
    pos_label: int = 1,
    zero_division: float = 0.0,
) -> Any:
    """``2 tp / (2 tp + fp + fn)``, the harmonic mean of precision and recall. As :func:`precision` otherwise."""
    return _score("f1", _f1, target, prediction, average, labels, pos_label, zero_division)


Formula = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]


def _precision(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray, zero: float) -> np.ndarray:
    return divide(tp, tp + fp, zero)


def _recall(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray, zero: float) -> np.ndarray:
    return divide(tp, tp + fn, zero)


def _specificity(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray, zero: float) -> np.ndarray:
    return divide(tn, tn + fp, zero)


def _f1(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray, tn: np.ndarray, zero: float) -> np.ndarray:
    return divide(2 * tp, 2 * tp + fp + fn, zero)


FORMULAS: dict[str, Formula] = {"precision": _precision, "recall": _recall, "f1-score": _f1}


def _score(
    function: str,
    formula: Formula,
    target: Any,
    prediction: Any,
    average: str | None,
    labels: Sequence[int] | None,
    pos_label: int,
    zero_division: float,
) -> Any:
    if average == "binary":
        known = count(function, target, prediction).labels
        if len(known) > 2:
            raise ValueError(
                f"{function}: there are {len(known)} classes; average must be 'macro', 'weighted', 'micro' or None"
            )
        if len(known) == 2 and pos_label not in known:
            raise ValueError(f"{function}: pos_label {pos_label} is none of the classes {known.tolist()}")
        labels = [pos_label]
    elif average not in ("macro", "weighted", "micro", None):
        raise ValueError(f"{function}: average must be 'binary', 'macro', 'weighted', 'micro' or None, got {average!r}")
    return averaged(count(function, target, prediction, labels), formula, average, zero_division)


def averaged(counts: Counts, formula: Formula, average: str | None, zero_division: float) -> Any:
    """One number from the classes' counts, or with ``average=None`` an array of them."""
    _, tp, fp, fn, tn = counts
    if average == "micro":
        return float(formula(tp.sum(), fp.sum(), fn.sum(), tn.sum(), zero_division))
    scores = formula(tp, fp, fn, tn, zero_division)
    if average is None:
        return scores
    if average == "weighted":
        return float(np.average(scores, weights=counts.support)) if counts.support.any() else float(zero_division)
    return float(scores.mean()) if len(scores) else float(zero_division)
