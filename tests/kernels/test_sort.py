"""Sorting."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_same
from tests.kernels.test_cumulative import along
from tests.strategies import DTYPES, arrays, shapes


@given(st.data(), st.booleans(), st.booleans())
def test_sort(kernels, data, descending, ties):
    x = data.draw(arrays(st.sampled_from(DTYPES), shapes(min_dims=1), special=True, ties=ties))
    axis = data.draw(st.integers(0, x.ndim - 1))

    def order(line):  # Python's sort keeps the order of equals, also with reverse=True
        return sorted(
            range(len(line)),
            key=lambda i: (math.isnan(line[i]), 0 if math.isnan(line[i]) else line[i]),
            reverse=descending,
        )

    values, indices = kernels.sort(x, axis, descending)
    expected = along(order, x, axis).astype(np.int64)
    assert_same(indices, expected)
    assert_same(values, np.take_along_axis(x, expected, axis))
