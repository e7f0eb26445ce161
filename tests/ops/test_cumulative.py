"""Running totals and products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(st.data())
def test_totals(data):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1)))
    t, axis = tinyconv.from_numpy(x), data.draw(st.integers(-x.ndim, x.ndim - 1))
    for ours, theirs in (("cumsum", np.cumsum), ("cumprod", np.cumprod), ("prod", np.prod)):
        y, expected = getattr(t, ours)(axis), theirs(x.astype("float64"), axis)
        assert y.dtype is (t.dtype if x.dtype.kind == "f" else tinyconv.int64)
        np.testing.assert_allclose(y.array, expected, rtol=1e-5, atol=1e-6)
    for ours, theirs in (("cummax", np.maximum), ("cummin", np.minimum)):
        values, indices = getattr(t, ours)(axis)
        np.testing.assert_array_equal(values.array, theirs.accumulate(x, axis))
        np.testing.assert_array_equal(np.take_along_axis(x, indices.array, axis), values.array)


def test_prod():
    x = tinyconv.tensor([[1, 2, 3], [4, 5, 6]])
    assert x.prod().item() == 720
    assert x.prod(1, keepdim=True).tolist() == [[6], [120]]
    assert x.prod(0, dtype=tinyconv.float32).dtype is tinyconv.float32
    assert tinyconv.zeros(0).prod().item() == 1
    assert tinyconv.zeros(2, 0).prod(1).tolist() == [1, 1]
    assert tinyconv.tensor(3.0).prod().item() == 3


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (3,)])
def test_gradients_of_products_with_zeros(zeros):
    """The product of the others, multiplied out."""
    x = np.array([2.0, -1.0, 3.0, 0.5])
    x[list(zeros)] = 0
    for name, ends in (("prod", [3]), ("cumprod", range(4))):
        t = tinyconv.tensor(x, requires_grad=True)
        getattr(t, name)(0).sum().backward()
        expected = [sum(np.prod(np.delete(x[: end + 1], k)) for end in ends if end >= k) for k in range(4)]
        np.testing.assert_allclose(t.grad.array, expected)


def test_names():
    found = tinyconv.tensor([1.0, 3.0, 2.0]).cummax(0)
    assert found.values.tolist() == [1, 3, 3]
    assert found.indices.tolist() == [0, 1, 1]
    assert repr(found).startswith("tinyconv.return_types.cummax(\nvalues=tensor([1., 3., 3.]),\nindices=")
    with pytest.raises(IndexError, match="cumsum: dim 1 is out of range"):
        tinyconv.ones(3).cumsum(1)


@given(st.data(), st.integers(0, 3))
def test_diff(data, n):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1, min_side=1)))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t = tinyconv.from_numpy(x)
    np.testing.assert_array_equal(t.diff(n, axis).array, np.diff(x, n, axis))
    np.testing.assert_array_equal(t.diff(1, axis, t, t).array, np.diff(x, 1, axis, x, x))


def test_trapezoid():
    y = np.random.default_rng(0).standard_normal((3, 4))
    t, x = tinyconv.from_numpy(y), np.array([0.0, 1.0, 1.5, 4.0])
    np.testing.assert_allclose(tinyconv.trapezoid(t).array, np.trapezoid(y))
    np.testing.assert_allclose(tinyconv.trapezoid(t, tinyconv.from_numpy(x)).array, np.trapezoid(y, x))
    np.testing.assert_allclose(tinyconv.trapezoid(t, dx=0.5, dim=0).array, np.trapezoid(y, dx=0.5, axis=0))
    with pytest.raises(RuntimeError, match="x must have 4 elements, as y along dim -1, got 3"):
        tinyconv.trapezoid(t, tinyconv.ones(3))


def test_vander():
    x = tinyconv.tensor([1.0, 2.0, 3.0])
    for n in (None, 0, 1, 2, 5):
        np.testing.assert_array_equal(tinyconv.vander(x, n).array, np.vander(x.array, n))
    np.testing.assert_array_equal(tinyconv.vander(x, increasing=True).array, np.vander(x.array, increasing=True))


def test_running_totals_in_place_keep_their_type():
    x = tinyconv.tensor([100, 100, 100], dtype=tinyconv.uint8)
    assert x.cumsum_(0).tolist() == [100, 200, 44]
    assert tinyconv.tensor([False, True, False]).cumsum_(0).tolist() == [False, True, True]
    with pytest.raises(RuntimeError, match="must be that of the tensor, tinyconv.uint8, got tinyconv.int64"):
        x.cumsum_(0, dtype=tinyconv.int64)


def test_no_products_of_the_others_are_nan():
    x = tinyconv.tensor([[float("nan"), 0.0, 2.0]], requires_grad=True)
    x.prod(1).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [[0, np.nan, np.nan]])
