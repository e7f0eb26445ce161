"""What the order of the scores tells, whatever their values.

A threshold turns scores into answers: all samples from it on are said to be positive. As it falls, more positive
samples are found (the true positive rate rises) and more negative ones are hit (the false positive rate rises); the ROC
curve draws the one against the other. The area below it is the probability that a positive sample scores higher than a
negative one, ties counting half (Hanley and McNeil, "The meaning and use of the area under a receiver operating
characteristic curve", Radiology 1982).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import binary, divide, host

__all__ = [
    "PrecisionRecallCurve",
    "RocCurve",
    "auc",
    "average_precision",
    "precision_recall_curve",
    "roc_auc",
    "roc_curve",
]


class RocCurve(NamedTuple):
    """Points of the curve, from (0, 0) to (1, 1); the first threshold is infinite: nothing is positive."""

    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray


class PrecisionRecallCurve(NamedTuple):
    """Points of the curve by rising threshold, and a last one, (1, 0), that has none."""

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


def _cumulative(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(fp, tp, threshold) at each different score, from the largest to the smallest."""
    order = np.argsort(score, kind="stable")[::-1]
    score, positive = score[order], positive[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)  # of each run of equal scores
    tp = positive.cumsum()[last]
    return 1 + last - tp, tp, score[last]


def roc_curve(target: Any, score: Any, *, pos_label: int = 1, drop_intermediate: bool = True) -> RocCurve:
    """True against false positive rate, for all thresholds.

    Args:
        target: int ``(N,)``, at most two classes.
        score: float ``(N,)``, larger for samples that are rather positive.
        pos_label: the positive class.
        drop_intermediate: leave out points on straight lines between their neighbours.

    Returns:
        (fpr, tpr, thresholds). Without negative (positive) samples fpr (tpr) is NaN.

    Raises:
        ValueError: the shapes do not fit, N is 0, more than two classes, NaN among the scores.
    """
    fp, tp, thresholds = _cumulative(*binary("roc_curve", target, score, pos_label))
    if drop_intermediate and len(fp) > 2:
        bend = (np.diff(fp, 2) != 0) | (np.diff(tp, 2) != 0)
        keep = np.concatenate([[True], bend, [True]])
        fp, tp, thresholds = fp[keep], tp[keep], thresholds[keep]
    fp, tp = np.append(0, fp), np.append(0, tp)
    return RocCurve(_rate(fp), _rate(tp), np.append(np.inf, thresholds))


def _rate(counts: np.ndarray) -> np.ndarray:
    return counts / counts[-1] if counts[-1] else np.full(len(counts), np.nan)


def auc(x: Any, y: Any) -> float:
    """The area below the points (x, y), joined by straight lines; x rises or falls.

    Raises:
        ValueError: fewer than two points, lengths that differ, or x turns.
    """
    x, y = host(x), host(y)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(f"auc: expected x and y to be (N,) with N > 1, got {x.shape} and {y.shape}")
    steps = np.diff(x)
    if (steps < 0).any() and (steps > 0).any():
        raise ValueError("auc: x neither rises nor falls throughout")
    area = float(np.trapezoid(y, x))
    return -area if (steps < 0).any() else area


def roc_auc(target: Any, score: Any, *, average: str | None = "macro", pos_label: int = 1) -> Any:
    """The area below the ROC curve: 1 for a perfect order, 0.5 for chance.

    Args:
        target: int ``(N,)``.
        score: ``(N,)``, larger for samples that are rather positive; or ``(N, C)``, a column for each class, each of
            which is then taken against the rest.
        average: of the C areas: "macro" (their mean), "weighted" (by how many samples a class has) or None (all).
        pos_label: the positive class, for one score a sample.

    Returns:
        A float, or with ``average=None`` and C columns an array. NaN for a class without samples, or with all.

    Raises:
        ValueError: the shapes do not fit, or an unknown average.
    """
    target, score = host(target), host(score)
    if average not in ("macro", "weighted", None):
        raise ValueError(f"roc_auc: average must be 'macro', 'weighted' or None, got {average!r}")
    if score.ndim != 2:
        curve = roc_curve(target, score, pos_label=pos_label, drop_intermediate=False)
        return auc(curve.fpr, curve.tpr)
    is_it = _one_hot("roc_auc", target, score)
    areas = np.array([roc_auc(is_it[:, c], score[:, c]) for c in range(score.shape[1])])
    return _averaged(areas, is_it.sum(0), average)


def _one_hot(function: str, target: np.ndarray, score: np.ndarray) -> np.ndarray:
    if target.shape != score.shape[:1] or not len(target):
        raise ValueError(
            f"{function}: expected target (N,) and score (N,) or (N, C) with N > 0, got {target.shape} and "
            f"{score.shape}"
        )
    if not 0 <= target.min() <= target.max() < score.shape[1]:
        raise ValueError(f"{function}: target must be in [0, {score.shape[1]}), got {target.min()} to {target.max()}")
    return (target[:, None] == np.arange(score.shape[1])).astype(np.int64)


def _averaged(values: np.ndarray, support: np.ndarray, average: str | None) -> Any:
    if average is None:
        return values
    return float(values.mean() if average == "macro" else np.average(values, weights=support))


def precision_recall_curve(target: Any, score: Any, *, pos_label: int = 1) -> PrecisionRecallCurve:
    """Precision and recall, for all thresholds; the arguments are those of :func:`roc_curve`.

    Without positive samples the recall is 1 throughout, as nothing was missed.
    """
    fp, tp, thresholds = _cumulative(*binary("precision_recall_curve", target, score, pos_label))
    precision = divide(tp, tp + fp, 0.0)
    recall = tp / tp[-1] if tp[-1] else np.ones(len(tp))
    return PrecisionRecallCurve(np.append(precision[::-1], 1), np.append(recall[::-1], 0), thresholds[::-1])


def average_precision(target: Any, score: Any, *, average: str | None = "macro", pos_label: int = 1) -> Any:
    """``sum over thresholds of (recall_n - recall_{n-1}) precision_n``: the area below the precision-recall curve, by
    steps and not by straight lines, which would be too optimistic. The arguments are those of :func:`roc_auc`; 0
    without positive samples.
    """
    target, score = host(target), host(score)
    if average not in ("macro", "weighted", None):
        raise ValueError(f"average_precision: average must be 'macro', 'weighted' or None, got {average!r}")
    if score.ndim != 2:
        precision, recall, _ = precision_recall_curve(target, score, pos_label=pos_label)
        if not (target == pos_label).any():
            return 0.0
        return max(0.0, -float((np.diff(recall) * precision[:-1]).sum()))
    is_it = _one_hot("average_precision", target, score)
    values = np.array([average_precision(is_it[:, c], score[:, c]) for c in range(score.shape[1])])
    return _averaged(values, is_it.sum(0), average)
