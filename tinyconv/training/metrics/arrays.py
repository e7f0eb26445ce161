"""Arguments of the metrics as NumPy arrays on the host, checked once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...tensor import Tensor


def host(values: Any) -> np.ndarray:
    """A Tensor, an array or a list as an array."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def classes(function: str, target: Any, prediction: Any) -> tuple[np.ndarray, np.ndarray]:
    """Right and given answers as int64 ``(N,)``; scores ``(N, C)`` become the class of the largest.

    Raises:
        ValueError: the shapes do not fit, or the classes are no integers.
    """
    target, prediction = host(target), host(prediction)
    if prediction.ndim == 2 and prediction.shape[1] > 0:
        prediction = prediction.argmax(1)
    if target.ndim != 1 or target.shape != prediction.shape:
        raise ValueError(
            f"{function}: expected target (N,) and prediction (N,), or scores (N, C), got {target.shape} and "
            f"{prediction.shape}"
        )
    for name, array in (("target", target), ("prediction", prediction)):
        if array.size and array.dtype.kind not in "iub":
            raise ValueError(f"{function}: {name} must be classes, integers, got {array.dtype}")
    return target.astype(np.int64), prediction.astype(np.int64)


def binary(function: str, target: Any, score: Any, pos_label: int) -> tuple[np.ndarray, np.ndarray]:
    """Which samples are positive, bool ``(N,)``, and their scores, float64 ``(N,)``.

    Raises:
        ValueError: the shapes do not fit, N is 0, there are more than two classes, or a score is no number.
    """
    target, score = host(target), host(score)
    if target.ndim != 1 or target.shape != score.shape or not len(target):
        raise ValueError(
            f"{function}: expected target and score to be (N,) with N > 0, got {target.shape} and {score.shape}"
        )
    if len(found := np.unique(target)) > 2:
        raise ValueError(f"{function}: expected two classes, target has {len(found)}: {found[:10].tolist()}")
    score = score.astype(np.float64)
    if np.isnan(score).any():
        raise ValueError(f"{function}: score has NaN")
    return target == pos_label, score


def divide(numerator: np.ndarray, denominator: np.ndarray, zero_division: float) -> np.ndarray:
    """The quotient, ``zero_division`` where the denominator is 0."""
    quotient = np.full(np.shape(denominator), float(zero_division))
    np.divide(numerator, denominator, out=quotient, where=np.asarray(denominator) != 0)
    return quotient
