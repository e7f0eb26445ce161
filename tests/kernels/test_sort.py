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

    count = data.draw(st.integers(0, x.shape[axis]))
    values, indices = kernels.sort(x, axis, descending, count)
    expected = along(order, x, axis).astype(np.int64)[(slice(None),) * axis + (slice(count),)]
    assert_same(indices, expected)
    assert_same(values, np.take_along_axis(x, expected, axis))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(("shape", "axis"), [((2, 2500), 1), ((1500, 3), 0), ((5, 300, 2), 1), ((4100,), 0)], ids=str)
def test_long_lines(kernels, shape, axis, descending):
    x = np.random.default_rng(0).integers(0, 700, shape).astype(np.float32)  # many tie
    x.reshape(-1)[::97] = np.nan
    values, indices = kernels.sort(x, axis, descending, shape[axis])
    # From the back, twice, where the largest comes first: equals keep their order.
    expected = np.argsort(np.flip(x, axis) if descending else x, axis, kind="stable")
    if descending:
        expected = shape[axis] - 1 - np.flip(expected, axis)
    assert_same(indices, np.ascontiguousarray(expected))
    assert_same(values, np.take_along_axis(x, expected, axis))


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "wide int64", "bool"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("ties", [False, True])
def test_sorting_long_lines(kernels, kind, descending, ties):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, (5, 700)) if ties else rng.permuted(np.tile(np.arange(-350, 350), (5, 1)), axis=1)
    if kind == "wide int64":
        x = x * 2**52
    x = (x / 7 if kind.startswith("float") else x).astype(kind.split()[-1])
    expected = np.argsort(-x.astype(np.float64) if descending else x, 1, kind="stable")
    for count in (1, 30, 700):
        values, indices = kernels.sort(x, 1, descending, count)
        assert_same(indices, expected[:, :count].copy())
        assert_same(values, np.take_along_axis(x, indices, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_few_of_long_lines(kernels, axis, descending, dtype):
    """Lines in order and in reverse, equals, infinities, NaN here and there, almost only, only, and beside the first;
    first ones that are far from each other."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 90, (13, 301)).astype(dtype)
    x[9, 100:103], x[10, 200:203] = [np.nan, -1, -2], [99, np.nan, 98]
    x[11, 9::19], x[12, 9::19] = 200 + np.arange(16), -np.arange(16) - 1
    x[1], x[2], x[3] = np.arange(301), np.arange(301)[::-1], 7
    x[4, rng.integers(0, 301, 40)], x[5, rng.integers(0, 301, 2000)], x[6] = np.nan, np.nan, np.nan
    x[7, ::20], x[7, 1::30], x[8, 5:290] = np.inf, -np.inf, np.inf
    key = np.where(np.isnan(x), 1e9, np.clip(x, -1e8, 1e8))
    expected = np.argsort(-key if descending else key, 1, kind="stable")
    if axis == 0:
        x, expected = np.ascontiguousarray(x.T), expected.T
    for count in (1, 5, 8, 9):
        values, indices = kernels.sort(x, axis, descending, count)
        first = np.ascontiguousarray(expected[:count] if axis == 0 else expected[:, :count])
        assert_same(indices, first)
        assert_same(values, np.take_along_axis(x, first, axis))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_order_of_what_is_special(kernels, dtype):
    x = np.array([np.nan, 0.0, -np.inf, -0.0, -np.nan, 1e-45, np.inf, -1e-45], dtype)
    x[5:8:2] = np.nextafter(np.zeros(2, dtype), np.array([1, -1], dtype))
    assert kernels.sort(x, 0, False, 8)[1].tolist() == [2, 7, 1, 3, 5, 6, 0, 4]
    assert kernels.sort(x, 0, True, 8)[1].tolist() == [0, 4, 6, 5, 1, 3, 7, 2]
