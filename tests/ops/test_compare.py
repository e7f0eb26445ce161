"""Comparison and selection: NumPy's values; NaN, infinities, ties and crossed bounds as in PyTorch."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(data=st.data())
def test_where(data):
    dtype = data.draw(sts.float_dtypes)
    shape_a, shape_b = data.draw(sts.broadcastable_shapes())
    a, b = data.draw(sts.arrays(dtype, shape_a, special=True)), data.draw(sts.arrays(dtype, shape_b, special=True))
    c = data.draw(sts.arrays("bool", shape_a))
    y = tinyconv.where(tinyconv.from_numpy(c), tinyconv.from_numpy(a), tinyconv.from_numpy(b))
    np.testing.assert_array_equal(y.array, np.where(c, a, b))
    assert y.dtype.numpy == dtype


def test_where_of_numbers():
    c = tinyconv.tensor([True, False])
    assert tinyconv.where(c, 1, 2).tolist() == [1, 2]
    assert tinyconv.where(c, 1, 2).dtype is tinyconv.int64
    assert tinyconv.where(c, 1.0, 2).dtype is tinyconv.float32
    with pytest.raises(RuntimeError, match="condition must be a bool tensor, got tinyconv.int64"):
        tinyconv.where(tinyconv.tensor([1, 0]), 1.0, 2.0)


def test_equality_with_what_is_no_tensor():
    x = tinyconv.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "a") is True
    assert x in [None, x]


NUMBERS = [0.0, 1.0, -2.5, np.nan, np.inf, -np.inf]


def test_what_a_number_is():
    x = tinyconv.tensor(NUMBERS)
    for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf"):
        assert getattr(x, name)().tolist() == getattr(np, name)(NUMBERS).tolist()
        assert not getattr(tinyconv, name)(tinyconv.tensor([1, 2])).any() or name == "isfinite"
    assert tinyconv.isfinite(tinyconv.tensor([1, 2])).all()


@given(sts.arrays(special=True), st.booleans())
def test_closeness(x, equal_nan):
    a, b = tinyconv.from_numpy(x), tinyconv.from_numpy(np.asarray(x * x.dtype.type(1 + 3e-6)))
    with np.errstate(all="ignore"):
        expected = np.isclose(x, b.array, 1e-6, 1e-7, equal_nan)
    close = tinyconv.isclose(a, b, rtol=1e-6, atol=1e-7, equal_nan=equal_nan)
    np.testing.assert_array_equal(close.array, expected)
    assert tinyconv.allclose(a, b, 1e-6, 1e-7, equal_nan) == expected.all()
    assert tinyconv.equal(a, a) == (not np.isnan(x).any())


def test_closeness_of_other_types():
    n = tinyconv.tensor([10, 20])
    assert tinyconv.isclose(n, n + 1, rtol=0.06).tolist() == [False, True]
    assert not tinyconv.equal(n, n[:1])
    with pytest.raises(RuntimeError, match="isclose: input is tinyconv.int64, other is tinyconv.float32"):
        tinyconv.isclose(n, n.float())
    with pytest.raises(RuntimeError, match="rtol and atol must not be negative, got -1 and 1e-08"):
        tinyconv.isclose(n, n, rtol=-1)


@given(sts.arrays(special=True), sts.arrays(shape=(), special=True))
def test_the_larger_where_numbers_are_missing(x, y):
    a, b = tinyconv.from_numpy(x), tinyconv.from_numpy(y.astype(x.dtype))
    np.testing.assert_array_equal(tinyconv.fmax(a, b).array, np.fmax(x, b.array))
    np.testing.assert_array_equal(tinyconv.fmin(a, b).array, np.fmin(x, b.array))


@given(sts.arrays(special=True), st.sampled_from([(None, 0.5), (-0.5, None), (-0.5, 0.5), (1, -1)]))
def test_clamp(x, bounds):
    low, high = bounds
    expected = np.minimum(np.maximum(x, -np.inf if low is None else low), np.inf if high is None else high)
    t = tinyconv.from_numpy(x)
    np.testing.assert_array_equal(tinyconv.clamp(t, low, high).array, expected)
    np.testing.assert_array_equal(t.clip(*(None if v is None else t.new_full((), v) for v in bounds)).array, expected)


def test_clamp_by_tensors_and_in_other_types():
    x = tinyconv.arange(6).reshape(2, 3)
    assert x.clamp(tinyconv.tensor([1, 2, 3]), tinyconv.tensor([[2], [4]])).tolist() == [[1, 2, 2], [3, 4, 4]]
    assert x.clamp(1, 2.5).tolist() == [[1.0, 1.0, 2.0], [2.5, 2.5, 2.5]]
    assert x.byte().clamp(-1, 1.5).tolist() == [[0, 1, 1.5], [1.5, 1.5, 1.5]]
    assert tinyconv.tensor([1], dtype=tinyconv.int8).clamp(300, 400.5).tolist() == [300]
    assert tinyconv.clamp_min(x, 4).tolist() == [[4, 4, 4], [4, 4, 5]]
    assert tinyconv.clamp_max(x, 1).tolist() == [[0, 1, 1], [1, 1, 1]]
    assert (
        np.isnan(x.float().clamp(max=float("nan")).array).all()
        and np.isnan(x.double().clamp(float("nan"), 1).array).all()
    )
    with pytest.raises(RuntimeError, match="clamp: at least one of min and max must be given"):
        x.clamp()


def test_nan_to_num():
    x = tinyconv.tensor([np.nan, np.inf, -np.inf, 1.0])
    limits = tinyconv.finfo(tinyconv.float32)
    assert tinyconv.nan_to_num(x).tolist() == [0, limits.max, limits.min, 1]
    assert x.nan_to_num(1, 2, 3).tolist() == [1, 2, 3, 1]
    assert tinyconv.nan_to_num(tinyconv.tensor([1, 2])).tolist() == [1, 2]


def test_where_a_condition_holds():
    c = tinyconv.tensor([[True, False], [True, True]])
    rows, columns = tinyconv.where(c)
    assert rows.tolist() == [0, 1, 1]
    assert columns.tolist() == [0, 0, 1]
    assert tinyconv.tensor([1, 2]).where(c, 0).tolist() == [[1, 0], [1, 2]]
    assert tinyconv.where(c, True, 2).dtype is tinyconv.int64
    with pytest.raises(RuntimeError, match="where: shapes .* cannot be broadcast"):
        tinyconv.where(c, tinyconv.ones(3), 0)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_who_gets_the_gradient_as_in_torch(name):
    """Equals, and NaN."""
    torch = pytest.importorskip("torch")
    found = []
    for m in (tinyconv, torch):
        a = m.tensor([1.0, np.nan, 2.0, np.inf, 1.0], requires_grad=True)
        b = m.tensor([1.0, 1.0, np.nan, np.inf, 3.0], requires_grad=True)
        getattr(m, name)(a, b).sum().backward()
        found.append([a.grad.tolist(), b.grad.tolist()])
    assert found[0] == found[1]


def test_who_gets_the_gradient_of_clamp_as_in_torch():
    torch = pytest.importorskip("torch")
    found = []
    for m in (tinyconv, torch):
        x, low, high = (
            m.tensor(v, requires_grad=True)
            for v in ([-1.0, 1.0, 0.0, 2.0, np.nan, -2.0, 0.0], [-1.0] * 5 + [1.0] * 2, [1.0] * 5 + [-1.0] * 2)
        )
        (x.clamp(low, high) + x.clamp(-1, 1) * 2 + x.clamp(min=low) * 3 + x.clamp(max=high) * 4).sum().backward()
        found.append([v.grad.tolist() for v in (x, low, high)])
    assert found[0] == found[1]


def test_heaviside():
    x = tinyconv.tensor([-1.0, 0.0, 2.0, math.nan])
    assert tinyconv.heaviside(x, tinyconv.tensor(0.5)).tolist() == [0, 0.5, 1, 0]
    with pytest.raises(RuntimeError, match="heaviside: input is tinyconv.float32, values are tinyconv.int64"):
        tinyconv.heaviside(x, tinyconv.tensor(1))


def test_old_masks():
    with pytest.warns(UserWarning, match="where takes a uint8 tensor for a mask"):
        assert tinyconv.where(tinyconv.tensor([0, 2], dtype=tinyconv.uint8), 1, 0).tolist() == [0, 1]


def test_bounds_of_one_kind():
    with pytest.raises(TypeError, match="both be numbers or both tensors, got int and Tensor"):
        tinyconv.ones(2).clamp(0, tinyconv.ones(2))
