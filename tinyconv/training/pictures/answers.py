"""What a classifier answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import metrics
from ..metrics.arrays import host
from .picture import Picture, grid, images_of, new_figure

__all__ = ["calibration", "confusion", "roc", "wrongest"]


def confusion(matrix: Any, classes: Sequence[str] | None = None) -> Picture:
    """The confusion matrix as a table: shades show the mistakes alone, for right answers outnumber them by far.

    Args:
        matrix: int ``(C, C)``, a row for every true class: :func:`tinyconv.training.metrics.confusion_matrix`.
        classes: their names, by default their numbers.

    Returns:
        The picture; ``data`` has ``matrix``.
    """
    matrix = host(matrix)
    n = len(matrix)
    names = [str(i) for i in range(n)] if classes is None else list(classes)
    size = max(3.0, min(20.0, 1.5 + 0.42 * n + 0.06 * max(map(len, names))))
    figure = new_figure(width=size * 1.06, height=size)
    axes = figure.subplots()
    mistakes = matrix * (1 - np.eye(n, dtype=matrix.dtype))
    axes.imshow(mistakes, cmap="Reds", vmin=0, vmax=max(1, 1.5 * mistakes.max()))
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            weight = "bold" if row == column else "normal"
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8, fontweight=weight)
    long = max(map(len, names)) > 2
    axes.set_xticks(range(n), names, rotation=90 if long and n > 3 else 0)
    axes.set_yticks(range(n), names)
    axes.set_xlabel("taken for")
    axes.set_ylabel("is")
    axes.set_title(f"{int(mistakes.sum()):,} wrong of {int(matrix.sum()):,}")
    return Picture(figure, {"matrix": matrix})


def roc(target: Any, scores: Any, classes: Sequence[str] | None = None) -> Picture:
    """ROC curves: one of two classes, or each of several against the rest.

    Args:
        target: int ``(N,)``.
        scores: ``(N,)`` for class 1 against class 0; or ``(N, C)``. Of two columns the second is drawn.
        classes: names, by default numbers.

    Returns:
        The picture; ``data`` has a class's name to ``{"fpr", "tpr", "thresholds", "auc"}``.
    """
    target, scores = host(target), host(scores)
    if scores.ndim == 1 or scores.shape[1] == 2:
        wanted = {1: scores if scores.ndim == 1 else scores[:, 1] - scores[:, 0]}
    else:
        wanted = {c: scores[:, c] for c in range(scores.shape[1])}
    figure = new_figure(4.6, 4.4)
    axes = figure.subplots()
    data = {}
    for c, score in wanted.items():
        name = str(c) if classes is None else classes[c]
        curve = metrics.roc_curve((target == c).astype(int), score)
        area = metrics.auc(curve.fpr, curve.tpr)
        data[name] = {**curve._asdict(), "auc": area}
        axes.plot(curve.fpr, curve.tpr, label=f"{name}: area {area:.3f}")
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":", label="chance")
    axes.set_xlabel("false positive rate (1 - specificity)")
    axes.set_ylabel("true positive rate (sensitivity)")
    axes.set_aspect("equal")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return Picture(figure, data)


def calibration(target: Any, probability: Any, *, bins: int = 10) -> Picture:
    """How often answers are right, by how sure the network is; the diagonal is perfect.

    Args:
        target, probability, bins: see :func:`tinyconv.training.metrics.calibration_curve`.

    Returns:
        The picture; ``data`` has ``fraction``, ``probability``, ``samples`` and ``ece``.
    """
    curve = metrics.calibration_curve(target, probability, bins=bins)
    error = metrics.expected_calibration_error(target, probability, bins=bins)
    figure = new_figure(4.4, 5.0)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
    axes.plot(curve.probability, curve.fraction, marker="o")
    axes.set_ylabel("share that is right")
    axes.set_title(f"expected calibration error {error:.3f}")
    below.bar(curve.probability, curve.samples, width=0.6 / bins)
    below.set_ylabel("samples")
    below.set_xlabel("probability")
    return Picture(figure, {**curve._asdict(), "ece": error})


def wrongest(
    images: Any,
    target: Any,
    scores: Any,
    classes: Sequence[str] | None = None,
    *,
    count: int = 16,
    mean: Any = None,
    std: Any = None,
) -> Picture:
    """The images that the network is most wrong about: those wrong answers whose right class got the least probability.

    Args:
        images: ``(N, C, H, W)``, or a data set whose samples are (image, class): only those drawn are read.
        target: int ``(N,)``.
        scores: ``(N, C)``, before softmax.
        classes: names, by default numbers.
        count: how many at most.
        mean, std: which the images were normalized with.

    Returns:
        The picture; ``data`` has, the worst first, ``index`` (in ``images``), ``target``, ``prediction`` and
        ``probability`` (of the right class).
    """
    target, scores = host(target), host(scores).astype(np.float64)
    shifted = scores - scores.max(1, keepdims=True)
    probability = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    of_target, prediction = probability[np.arange(len(target)), target], scores.argmax(1)
    wrong = np.flatnonzero(prediction != target)
    index = wrong[np.argsort(of_target[wrong], kind="stable")][:count]
    chosen = host(images)[index] if hasattr(images, "shape") else [host(images[int(i)][0]) for i in index]
    names = [str(c) for c in range(scores.shape[1])] if classes is None else list(classes)
    figure, axes = grid(len(index), columns=8, extra=0.35)
    for each, i, image in zip(axes, index, chosen):
        each.imshow(images_of(image[None], mean, std)[0], cmap="gray")
        each.set_title(f"{names[target[i]]}, not {names[prediction[i]]}", fontsize=7)
    return Picture(
        figure,
        {
            "index": index,
            "target": target[index],
            "prediction": prediction[index],
            "probability": of_target[index],
        },
    )
