"""How near is near enough: comparisons scaled to the dtype and to how much was added up."""

from __future__ import annotations

import numpy as np


def assert_close(actual: np.ndarray, expected: np.ndarray, terms: float = 1, units: float = 16) -> None:
    """Equal up to rounding in ``actual``'s dtype; NaN and infinities in the same places.

    Args:
        actual: what the kernel said.
        expected: the truth, in float64.
        terms: how many products of ordinary size were added up; each may have contributed a rounding error.
        units: how many units in the last place an error may have, per term.
    """
    eps = np.finfo(actual.dtype).eps
    assert actual.shape == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=units * eps, atol=units * eps * max(terms, 1))


def assert_same(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal to the last bit (NaN equals NaN), in shape and in dtype."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual, expected)
