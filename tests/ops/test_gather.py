"""Indexing by name: NumPy's values, PyTorch's checks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@st.composite
def lines(draw):
    """An array, an axis, and places along it for some of the array's lines."""
    x = draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1, min_side=1)))
    axis = draw(st.integers(0, x.ndim - 1))
    shape = [draw(st.integers(1, n)) for n in x.shape]
    rng = np.random.default_rng(draw(sts.seeds))
    return x, axis, rng.integers(0, x.shape[axis], shape), rng


@given(lines())
def test_gather(case):
    x, axis, index, _ = case
    y = tinyconv.from_numpy(x).gather(axis, tinyconv.from_numpy(index))
    expected = [x[(*at[:axis], index[at], *at[axis + 1 :])] for at in np.ndindex(index.shape)]
    np.testing.assert_array_equal(y.array, np.reshape(expected, index.shape))


@given(lines())
def test_scatter(case):
    x, axis, index, rng = case
    index = np.argsort(rng.random(x.shape), axis)[tuple(slice(n) for n in index.shape)]  # no place twice
    src = rng.integers(0, 2, x.shape).astype(x.dtype)
    written, added = x.copy(), x.copy()
    for at in np.ndindex(index.shape):
        there = (*at[:axis], index[at], *at[axis + 1 :])
        written[there] = src[at]
        added[there] += src[at]
    t, places, values = tinyconv.from_numpy(x), tinyconv.from_numpy(index), tinyconv.from_numpy(src)
    before = x.copy()
    np.testing.assert_array_equal(t.scatter(axis, places, values).array, written)
    np.testing.assert_allclose(t.scatter_add(axis, places, values).array, added, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(x, before)


def test_scatter_add_adds_up_what_meets():
    y = tinyconv.zeros(2, 3).scatter_add(1, tinyconv.tensor([[0, 0, 0], [2, 1, 2]]), tinyconv.ones(2, 3))
    assert y.tolist() == [[3, 0, 0], [0, 1, 2]]


@given(st.data())
def test_slices(data):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1, min_side=1)))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    n = x.shape[axis]
    index = np.array(data.draw(st.permutations(range(n)))[: data.draw(st.integers(1, n))])
    t, places = tinyconv.from_numpy(x), tinyconv.from_numpy(index)
    before = (slice(None),) * (axis % x.ndim)
    source = np.asarray(np.take(x, index[::-1], axis), order="C")
    copied, added, filled = x.copy(), x.copy(), x.copy()
    copied[(*before, index)], filled[(*before, index)] = source, 1
    added[(*before, index)] += source
    np.testing.assert_array_equal(t.index_select(axis, places).array, np.take(x, index, axis))
    np.testing.assert_array_equal(t.index_copy(axis, places, tinyconv.from_numpy(source)).array, copied)
    np.testing.assert_array_equal(t.index_fill(axis, places, 1).array, filled)
    np.testing.assert_allclose(t.index_add(axis, places, tinyconv.from_numpy(source)).array, added, rtol=1e-6)
    np.testing.assert_array_equal(t.select(axis, n - 1).array, np.take(x, n - 1, axis))
    np.testing.assert_array_equal(t.narrow(axis, 0, n - 1).array, np.take(x, range(n - 1), axis))
    np.testing.assert_array_equal(t.take(places).array, x.reshape(-1)[index])


@given(sts.arrays(sts.dtypes, special=True))
def test_masks(x):
    t, mask = tinyconv.from_numpy(x), x > 0
    m = tinyconv.from_numpy(np.asarray(mask))
    np.testing.assert_array_equal(t.masked_select(m).array, x[mask])
    np.testing.assert_array_equal(t.masked_fill(m, 1).array, np.where(mask, 1, x).astype(x.dtype))
    expected = x.copy()
    expected[mask] = np.arange(x.size)[: mask.sum()].astype(x.dtype)
    source = tinyconv.from_numpy(np.arange(x.size).astype(x.dtype))
    np.testing.assert_array_equal(t.masked_scatter(m, source).array, expected)
    np.testing.assert_array_equal(t.nonzero().array, np.argwhere(x))
    for ours, theirs in zip(t.nonzero(as_tuple=True), np.nonzero(np.atleast_1d(x)), strict=True):
        np.testing.assert_array_equal(ours.array, theirs)


def test_in_place_forms_write_and_remember():
    x = tinyconv.zeros(3, requires_grad=True)
    y = x * 1
    y.masked_fill_(tinyconv.tensor([True, False, False]), 4.0).index_add_(0, tinyconv.tensor([1]), tinyconv.ones(1))
    (y * y + y).sum().backward()
    assert y.tolist() == [4, 1, 0]
    assert x.grad.tolist() == [0, 3, 1]


def test_errors():
    x, i = tinyconv.ones(2, 3), tinyconv.tensor([[0, 1]])
    for error, match, call in (
        (RuntimeError, "gather: index must be int64 or int32, got tinyconv.float32", lambda: x.gather(0, i.float())),
        (RuntimeError, r"gather: index 2 is out of bounds for dim 0 of size 2", lambda: x.gather(0, i * 2)),
        (RuntimeError, "gather: index -1 is out of bounds", lambda: x.gather(0, i - 1)),
        (RuntimeError, r"as many dimensions as input, got shapes \(2,\) and \(2, 3\)", lambda: x.gather(0, i[0])),
        (RuntimeError, r"index of shape \(1, 4\) does not fit", lambda: x.gather(0, i.repeat(1, 2))),
        (RuntimeError, "scatter: src must be tinyconv.float32 as self", lambda: x.scatter(0, i, i)),
        (RuntimeError, r"does not fit into src of shape \(1, 1\)", lambda: x.scatter(0, i, x[:1, :1])),
        (NotImplementedError, 'reduce must be None or "add"', lambda: x.scatter(0, i, 1.0, reduce="multiply")),
        (IndexError, "index_select: index must be a vector", lambda: x.index_select(0, i)),
        (IndexError, "index_select: index 2 is out of bounds for dim 0", lambda: x.index_select(0, i[0] * 2)),
        (RuntimeError, r"index_add: source must have shape \(2, 3\)", lambda: x.index_add(0, i[0], x[:1])),
        (IndexError, "select: index 3 is out of bounds for dim 1 of size 3", lambda: x.select(1, 3)),
        (RuntimeError, "narrow: 3 places from 1 on exceed dim 0 of size 2", lambda: x.narrow(0, 1, 3)),
        (RuntimeError, "mask must be a bool tensor, got tinyconv.float32", lambda: x.masked_fill(x, 1)),
        (RuntimeError, "masked_scatter: mask holds 6 times, source has 2", lambda: x.masked_scatter(x > 0, x[0, :2])),
        (IndexError, "an index must be int64, int32 or bool, got tinyconv.float32", lambda: x[x]),
        (TypeError, "index must be a tensor, got list", lambda: x.index_select(0, [0])),
    ):
        with pytest.raises(error, match=match):
            call()


def test_a_number_is_a_vector_of_one():
    x, at, one = tinyconv.arange(3.0), tinyconv.tensor(1), tinyconv.tensor([1])
    assert x.gather(0, at).shape == () and x.gather(0, at).item() == 1
    assert tinyconv.tensor(4.0).gather(0, tinyconv.tensor([0, 0])).tolist() == [4, 4]
    for index, src in ((at, tinyconv.tensor(5.0)), (one, tinyconv.tensor(5.0)), (at, tinyconv.tensor([5.0]))):
        assert x.scatter(0, index, src).tolist() == [0, 5, 2]
        assert x.scatter_add(0, index, src).tolist() == [0, 6, 2]


def test_bools_are_filled_with_what_is_true():
    mask = tinyconv.tensor([True, False])
    assert tinyconv.tensor([False, False]).masked_fill(mask, float("-inf")).tolist() == [True, False]
    with pytest.raises(RuntimeError, match="masked_fill: -inf does not fit into tinyconv.int64"):
        tinyconv.tensor([1, 2]).masked_fill(mask, float("-inf"))


def test_put():
    x = tinyconv.arange(6).reshape(2, 3)
    assert tinyconv.put(x, tinyconv.tensor([1, -1]), tinyconv.tensor([9, 8])).tolist() == [[0, 9, 2], [3, 4, 8]]
    added = x.put(tinyconv.tensor([[1], [1]]), tinyconv.tensor([9, 8]), accumulate=True)
    assert added.tolist() == [[0, 18, 2], [3, 4, 5]] and x[0, 1].item() == 1
    assert x.put_(tinyconv.tensor([0]), tinyconv.tensor([7])) is x and x[0, 0].item() == 7
    with pytest.raises(IndexError, match="index has 1 elements, source has 2"):
        x.put(tinyconv.tensor([0]), tinyconv.tensor([7, 8]))
    with pytest.raises(RuntimeError, match="source must be tinyconv.int64"):
        x.put(tinyconv.tensor([0]), tinyconv.tensor([7.0]))
    with pytest.raises(IndexError):
        x.put(tinyconv.tensor([6]), tinyconv.tensor([7]))


def test_nonzero_static():
    x = tinyconv.tensor([[1, 0], [3, 2]])
    assert x.nonzero_static(size=4).tolist() == [[0, 0], [1, 0], [1, 1], [-1, -1]]
    assert x.nonzero_static(size=2).tolist() == [[0, 0], [1, 0]]
    assert tinyconv.nonzero_static(x, size=4, fill_value=5).tolist()[-1] == [5, 5]
    with pytest.raises(RuntimeError, match="size must not be negative"):
        x.nonzero_static(size=-1)
