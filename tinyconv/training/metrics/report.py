"""A classifier's numbers in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .counts import FORMULAS, Counts, averaged, count

__all__ = ["classification_report"]


def classification_report(
    target: Any,
    prediction: Any,
    *,
    labels: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    digits: int = 2,
    zero_division: float = 0.0,
    output_dict: bool = False,
) -> Any:
    """Precision, recall, F1 and number of samples of each class, and their averages: scikit-learn's table.

    Args:
        target: int ``(N,)``, the right classes.
        prediction: int ``(N,)``, or scores ``(N, C)``.
        labels: which classes, by default those that occur.
        names: theirs, in the order of ``labels``.
        digits: decimals.
        zero_division: what a formula gives that divides by 0.
        output_dict: return a dict of dicts instead of the text.

    Raises:
        ValueError: the shapes do not fit, or there are not as many names as classes.
    """
    counts = count("classification_report", target, prediction, labels)
    if names is None:
        names = [str(label) for label in counts.labels]
    elif len(names) != len(counts.labels):
        raise ValueError(
            f"classification_report: there are {len(counts.labels)} classes and {len(names)} names; "
            "labels says which classes are meant"
        )
    total = int(counts.support.sum())
    columns = {name: averaged(counts, formula, None, zero_division) for name, formula in FORMULAS.items()}
    rows: dict[str, dict[str, Any]] = {
        name: {**{key: float(column[i]) for key, column in columns.items()}, "support": int(counts.support[i])}
        for i, name in enumerate(names)
    }
    everyone = labels is None or _all_occur(counts, target, prediction)
    # With all classes present, micro-averaged precision, recall and F1 are one number: the accuracy.
    for title, average in (("micro avg", "micro"), ("macro avg", "macro"), ("weighted avg", "weighted")):
        rows[title] = {key: averaged(counts, f, average, zero_division) for key, f in FORMULAS.items()}
        rows[title]["support"] = total
    if everyone:
        rows = {("accuracy" if key == "micro avg" else key): row for key, row in rows.items()}
    if output_dict:
        if everyone:
            return {key: (row["f1-score"] if key == "accuracy" else row) for key, row in rows.items()}
        return rows

    width = max(*(len(name) for name in names), len("weighted avg"), digits)
    head = "{:>{width}s} " + " {:>9}" * 4
    text = head.format("", "precision", "recall", "f1-score", "support", width=width) + "\n\n"
    row_format = "{:>{width}s} " + " {:>9.{digits}f}" * 3 + " {:>9}\n"
    for i, (name, row) in enumerate(rows.items()):
        if i == len(names):
            text += "\n"
        if name == "accuracy":
            text += "{:>{width}s} ".format(name, width=width) + " {:>9}".format("") * 2
            text += f" {row['f1-score']:>9.{digits}f} {row['support']:>9}\n"
        else:
            numbers = (row["precision"], row["recall"], row["f1-score"], row["support"])
            text += row_format.format(name, *numbers, width=width, digits=digits)
    return text


def _all_occur(counts: Counts, target: Any, prediction: Any) -> bool:
    return bool(np.isin(count("classification_report", target, prediction).labels, counts.labels).all())
