"""Adding up where indexes say, in one order."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.simulated import seen_from_the_device
from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.runtime import simulated

PLACES = np.random.default_rng(0).integers(0, 5, (3, 7))
INDEXES = {
    "first axis": (PLACES,),
    "middle axis": (slice(None), PLACES[0]),
    "last axis, backwards": (slice(None), slice(None), PLACES[0]),
    "two neighbours": (slice(None), PLACES, PLACES[::-1]),
    "two apart": (PLACES, slice(1, 4), PLACES[0]),
    "everything": (PLACES, PLACES, PLACES.T[:7, :1].T[:, :1]),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES)
@pytest.mark.parametrize("values", ["all", "row", "transposed", "number"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_added_in_the_order_of_their_places(index, values, dtype):
    """NumPy's bits: numbers of very different sizes show every other order."""
    rng = np.random.default_rng(1)
    x = (rng.standard_normal((5, 5, 5)) * 10.0 ** rng.integers(-6, 6, (5, 5, 5))).astype(dtype)
    shape = x[index].shape
    y = (rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 6, shape)).astype(dtype)
    if values == "row":
        y = y[(0,) * (y.ndim - 1)]
    elif values == "transposed":
        y = np.ascontiguousarray(y.T).T
    elif values == "number":
        y = dtype(0.1)
    expected = x.copy()
    np.add.at(expected, index, y)
    with simulated() as device:
        on = [seen_from_the_device(device, part) if isinstance(part, np.ndarray) else part for part in index]
        backend.index_add(seen_from_the_device(device, x), tuple(on),
                          seen_from_the_device(device, y) if isinstance(y, np.ndarray) else float(y))  # fmt: skip
    np.testing.assert_array_equal(x, expected)
