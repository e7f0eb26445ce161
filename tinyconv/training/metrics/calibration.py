"""Does 70% sure mean 70% right?

Samples are put into bins by how sure the network is. A calibrated one is right in each bin as often as it says, on
average. The expected calibration error is the mean distance from that, each bin weighted by its samples (Guo et al.,
"On calibration of modern neural networks", ICML 2017, equation 3)::

    ECE = sum over bins of |bin| / N * |accuracy(bin) - confidence(bin)|
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .arrays import binary, host

__all__ = ["CalibrationCurve", "brier_score", "calibration_curve", "expected_calibration_error"]


class CalibrationCurve(NamedTuple):
    """Of each bin that has samples: the share that is positive (or right), the mean probability, how many they are."""

    fraction: np.ndarray
    probability: np.ndarray
    samples: np.ndarray


def calibration_curve(
    target: Any, probability: Any, *, bins: int = 10, strategy: str = "uniform", pos_label: int = 1
) -> CalibrationCurve:
    """What share of samples is positive (right), by the probability that the network gave.

    Args:
        target: int ``(N,)``.
        probability: ``(N,)``, of the class ``pos_label``, where there are two classes; or ``(N, C)``, of all classes,
            and then the largest one counts, and whether its class is the right one.
        bins: how many.
        strategy: "uniform": bins of one width; "quantile": with the same number of samples.
        pos_label: see above.

    Raises:
        ValueError: the shapes do not fit, a probability outside [0, 1], fewer than 1 bin, an unknown strategy.
    """
    positive, probability = _positive_and_probability("calibration_curve", target, probability, pos_label)
    if bins < 1:
        raise ValueError(f"calibration_curve: bins must be at least 1, got {bins}")
    if strategy == "uniform":
        edges = np.linspace(0, 1, bins + 1)
    elif strategy == "quantile":
        edges = np.percentile(probability, np.linspace(0, 1, bins + 1) * 100)
    else:
        raise ValueError(f"calibration_curve: strategy must be 'uniform' or 'quantile', got {strategy!r}")
    bin_of = np.searchsorted(edges[1:-1], probability)  # a probability on an edge belongs to the lower bin
    count = np.bincount(bin_of, minlength=bins)
    used = count > 0
    fraction, mean = (np.bincount(bin_of, v, bins)[used] / count[used] for v in (positive, probability))
    return CalibrationCurve(fraction, mean, count[used])


def expected_calibration_error(target: Any, probability: Any, *, bins: int = 15, pos_label: int = 1) -> float:
    """ECE, 0 for a calibrated network; the arguments are those of :func:`calibration_curve`."""
    fraction, mean, samples = calibration_curve(target, probability, bins=bins, pos_label=pos_label)
    return float(np.abs(fraction - mean) @ samples / samples.sum())


def brier_score(target: Any, probability: Any, *, pos_label: int = 1) -> float:
    """``mean((probability - [is positive])**2)``: 0 is best. Two classes, as for :func:`calibration_curve`."""
    positive, probability = _positive_and_probability("brier_score", target, host(probability).reshape(-1), pos_label)
    return float(((probability - positive) ** 2).mean())


def _positive_and_probability(
    function: str, target: Any, probability: Any, pos_label: int
) -> tuple[np.ndarray, np.ndarray]:
    target, probability = host(target), host(probability)
    if probability.ndim == 2 and target.shape == probability.shape[:1]:
        target, probability, pos_label = (probability.argmax(1) == target).astype(int), probability.max(1), 1
    positive, probability = binary(function, target, probability, pos_label)
    # A softmax in float32 may exceed 1 by its rounding.
    if probability.min() < -1e-6 or probability.max() > 1 + 1e-6:
        raise ValueError(
            f"{function}: probabilities must be in [0, 1], got {probability.min():g} to {probability.max():g}"
        )
    return positive, probability.clip(0, 1)
