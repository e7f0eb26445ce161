"""Sorting."""

from __future__ import annotations

import math

import numpy as np
import pytest
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


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((2, 2500), 1), ((1500, 3), 0), ((5, 300, 2), 1), ((4100,), 0)], ids=str)
def test_long_lines(kernels, shape, axis, descending):
    x = np.random.default_rng(0).integers(0, 700, shape).astype(np.float32)  # many tie
    x.reshape(-1)[::97] = np.nan
    values, indices = kernels.sort(x, axis, descending)
    # From the back, twice, where the largest comes first: equals keep their order.
    expected = np.argsort(np.flip(x, axis) if descending else x, axis, kind="stable")
    if descending:
        expected = shape[axis] - 1 - np.flip(expected, axis)
    assert_same(indices, np.ascontiguousarray(expected))
    assert_same(values, np.take_along_axis(x, expected, axis))
