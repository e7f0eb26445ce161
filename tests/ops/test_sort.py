"""Order: sorted, largest, middle, different, searched."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts

ORDERED = st.sampled_from(sts.DTYPES[:5])


@given(st.data(), st.booleans())
def test_sort_and_topk(data, largest):
    x = data.draw(sts.arrays(ORDERED, sts.shapes(min_dims=1, min_side=1), special=True, ties=True))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(0, x.shape[axis]))
    expected = np.sort(x, axis)
    expected = np.flip(expected, axis) if largest else expected
    t = tinyconv.from_numpy(x)
    values, indices = t.sort(axis, descending=largest)
    np.testing.assert_array_equal(values.array, expected)
    np.testing.assert_array_equal(np.take_along_axis(x, indices.array, axis), expected)
    np.testing.assert_array_equal(t.argsort(axis, largest).array, indices.array)
    top = t.topk(k, axis, largest)
    np.testing.assert_array_equal(top.values.array, np.take(expected, range(k), axis))
    np.testing.assert_array_equal(np.take_along_axis(x, top.indices.array, axis), top.values.array)
    if k and not largest:
        np.testing.assert_array_equal(t.kthvalue(k, axis).values.array, np.take(expected, k - 1, axis))


@given(st.data())
def test_middle(data):
    x = data.draw(sts.arrays(shape=sts.shapes(min_dims=1, min_side=1), ties=data.draw(st.booleans())))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t, n = tinyconv.from_numpy(x), x.shape[axis]
    values, indices = t.median(axis, keepdim=True)
    np.testing.assert_array_equal(values.array, np.take(np.sort(x, axis), [(n - 1) // 2], axis))
    np.testing.assert_array_equal(np.take_along_axis(x, indices.array, axis), values.array)
    assert t.median().item() == np.sort(x.ravel())[(x.size - 1) // 2]
    q = np.array([0, 0.25, 0.5, 0.7, 1], x.dtype)
    for method in ("linear", "lower", "higher", "nearest", "midpoint"):
        ours = t.quantile(tinyconv.from_numpy(q), axis, interpolation=method)
        np.testing.assert_allclose(ours.array, np.quantile(x, q, axis, method=method), rtol=1e-5, atol=1e-6)


def test_the_nearest_of_two_equally_near_is_the_even_one():
    for n in range(2, 7):
        x = np.arange(n, dtype="float64")
        ours = tinyconv.from_numpy(x).quantile(0.5, interpolation="nearest")
        assert ours.item() == np.quantile(x, 0.5, method="nearest")


def test_nan_in_the_middle():
    x = tinyconv.tensor([[3.0, float("nan"), 1.0, 2.0], [4.0, 1.0, 3.0, 2.0]])
    assert str(x.median(1).values.tolist()) == "[nan, 2.0]"
    assert x.median(1).indices.tolist() == [1, 3]
    assert x.nanmedian(1).values.tolist() == [2, 2]
    assert str(x.quantile(0.5, 1).tolist()) == "[nan, 2.5]"


@given(st.data())
def test_mode(data):
    x = data.draw(sts.arrays(ORDERED, sts.shapes(min_dims=1, min_side=1), ties=True))
    axis = data.draw(st.integers(0, x.ndim - 1))
    values, indices = tinyconv.from_numpy(x).mode(axis)

    def commonest(line):
        found, counts = np.unique(line, return_counts=True)
        return found[counts.argmax()]

    np.testing.assert_array_equal(values.array, np.apply_along_axis(commonest, axis, x))
    at = np.expand_dims(indices.array, axis)
    np.testing.assert_array_equal(np.take_along_axis(x, at, axis).squeeze(axis), values.array)


@given(st.data())
def test_unique(data):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1), ties=True))
    axis = data.draw(st.sampled_from([None, *(i for i in range(x.ndim) if x.size)]))
    ours = tinyconv.from_numpy(x).unique(return_inverse=True, return_counts=True, dim=axis)
    theirs = np.unique(x, return_inverse=True, return_counts=True, axis=axis)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a.array.reshape(b.shape), b)
    np.testing.assert_array_equal(tinyconv.from_numpy(x).unique(dim=axis).array, theirs[0])


@given(sts.arrays(sts.dtypes, sts.shapes(1, 1), ties=True))
def test_unique_consecutive(x):
    values, inverse, counts = tinyconv.from_numpy(x).unique_consecutive(True, True)
    starts = [i for i in range(len(x)) if not i or x[i] != x[i - 1]]
    np.testing.assert_array_equal(values.array, x[starts])
    np.testing.assert_array_equal(np.repeat(values.array, counts.array), x)
    np.testing.assert_array_equal(values.array[inverse.array], x)


@given(st.data(), st.sampled_from(["left", "right"]))
def test_searchsorted(data, side):
    edges = np.sort(data.draw(sts.arrays(shape=sts.shapes(1, 1), ties=True)))
    x = data.draw(sts.arrays(edges.dtype, ties=True))
    ours = tinyconv.searchsorted(tinyconv.from_numpy(edges), tinyconv.from_numpy(x), side=side)
    np.testing.assert_array_equal(ours.array, np.searchsorted(edges, x, side))


def test_searchsorted_by_rows():
    edges, x = tinyconv.tensor([[1, 3, 5], [2, 4, 6]]), tinyconv.tensor([[3, 6], [3, 6]])
    assert tinyconv.searchsorted(edges, x).tolist() == [[1, 3], [1, 2]]
    mixed = tinyconv.tensor([[5, 1, 3], [4, 6, 2]])
    assert tinyconv.searchsorted(mixed, x, sorter=mixed.argsort(1)).tolist() == [[1, 3], [1, 2]]
    assert tinyconv.searchsorted(edges[0], 3, right=True, out_int32=True).dtype is tinyconv.int32
    assert tinyconv.bucketize(tinyconv.tensor([0.5, 1.0]), tinyconv.tensor([0.0, 1.0])).tolist() == [1, 1]


def test_errors():
    x = tinyconv.ones(2, 3)
    for error, match, call in (
        (RuntimeError, r"topk: k must be in \[0, 3\] for dim -1 of shape \(2, 3\), got 4", lambda: x.topk(4)),
        (RuntimeError, r"kthvalue: k must be in \[1, 3\], got 0", lambda: x.kthvalue(0)),
        (IndexError, r"median: dim 0 of shape \(0, 3\) has no elements", lambda: x[:0].median(0)),
        (RuntimeError, r"quantile: q must be in \[0, 1\]", lambda: x.quantile(1.5)),
        (RuntimeError, "interpolation 'cubic' is not known", lambda: x.quantile(0.5, interpolation="cubic")),
        (RuntimeError, "quantile: input must be float32 or float64", lambda: x.int().quantile(0.5)),
        (RuntimeError, "median: bool has no order", lambda: x.bool().median(0)),
        (RuntimeError, "searchsorted: the shapes", lambda: tinyconv.searchsorted(x, tinyconv.ones(3, 1))),
        (ValueError, 'side must be "left" or "right"', lambda: tinyconv.searchsorted(x[0], x, side="up")),
    ):
        with pytest.raises(error, match=match):
            call()


def test_isin():
    x = tinyconv.tensor([[1, 5], [3, -2]])
    assert tinyconv.isin(x, tinyconv.tensor([3, 9, 1])).tolist() == [[True, False], [True, False]]
    assert tinyconv.isin(x, tinyconv.tensor([3, 9, 1]), invert=True).tolist() == [[False, True], [False, True]]
    assert tinyconv.isin(x, 5).tolist() == [[False, True], [False, False]]
    assert not tinyconv.isin(x, tinyconv.tensor([])).any()
    assert not tinyconv.isin(tinyconv.tensor([math.nan]), tinyconv.tensor([math.nan])).any()


def test_equal_medians_share_the_gradient():
    x = tinyconv.tensor([[1.0, 2.0, 2.0], [2.0, 3.0, 4.0]], requires_grad=True)
    x.median().backward()
    np.testing.assert_allclose(x.grad.array, [[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]], rtol=1e-6)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "nearest", "midpoint"])
def test_nanquantile_as_in_numpy(interpolation):
    x = np.random.default_rng(0).normal(size=(6, 5))
    x[[0, 1, 1, 5], [0, 1, 2, 2]] = np.nan
    for q in (0.0, 0.3, np.array([0.25, 1.0])):
        for axis in (None, 0, 1):
            ours = tinyconv.tensor(x).nanquantile(
                tinyconv.tensor(q, dtype=tinyconv.float64), axis, interpolation=interpolation
            )
            np.testing.assert_allclose(ours.numpy(), np.nanquantile(x, q, axis, method=interpolation))
    x[:, 3] = np.nan
    assert tinyconv.tensor(x).nanquantile(0.5, dim=0).isnan().tolist() == [False, False, False, True, False]
