"""The gradient of a function on a grid against NumPy's."""

import numpy as np
import pytest

import tinyconv

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3))
PLACES = [np.cumsum(RNG.uniform(0.1, 1, n)) for n in X.shape]


@pytest.mark.parametrize("edge_order", [1, 2])
def test_as_in_numpy(edge_order):
    x = tinyconv.tensor(X)
    for ours, theirs in (
        (tinyconv.gradient(x, edge_order=edge_order), np.gradient(X, edge_order=edge_order)),
        (
            tinyconv.gradient(x, spacing=[2.0, 0.5, 3.0], edge_order=edge_order),
            np.gradient(X, 2.0, 0.5, 3.0, edge_order=edge_order),
        ),
        (
            tinyconv.gradient(x, spacing=[tinyconv.tensor(p) for p in PLACES], edge_order=edge_order),
            np.gradient(X, *PLACES, edge_order=edge_order),
        ),
        (
            tinyconv.gradient(x, spacing=tinyconv.tensor(2.0), dim=(2, -3), edge_order=edge_order),
            np.gradient(X, 2.0, axis=(2, 0), edge_order=edge_order),
        ),
    ):
        assert isinstance(ours, tuple) and len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b)


def test_errors():
    x = tinyconv.tensor(X)
    for options, message in (
        ({"edge_order": 3}, "edge_order must be 1 or 2, got 3"),
        ({"spacing": [1.0]}, "spacing must have an element for each of 3 axes, got 1"),
        ({"spacing": [tinyconv.ones(2)], "dim": 0}, "axis 0 has 4 places, but 2 coordinates"),
        ({"spacing": [tinyconv.ones(2, 2)], "dim": 0}, "coordinates must be vectors"),
    ):
        with pytest.raises(RuntimeError, match=message):
            tinyconv.gradient(x, **options)
    with pytest.raises(RuntimeError, match="at least edge_order"):
        tinyconv.gradient(x[:, :, :2], edge_order=2)
    with pytest.raises(RuntimeError, match="uint8 may be negative"):
        tinyconv.gradient(x.byte())
