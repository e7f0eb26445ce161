"""Indexing with lists long enough for compiled loops. (Every form of index, on small arrays: ``test_arrays.py``.)"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.compare import assert_same
from tests.strategies import DTYPES, laid_out, seeds

AXES = pytest.mark.parametrize("axis", [0, 1, 2])
OWN = pytest.mark.parametrize("own", [False, True], ids=["a list", "gather"])


def index_of(rng, shape, axis, own, n):
    """An index of places along an axis, and those places for every element of what it selects.

    The places are one list for whole slices, or ``own``: each element's own, as ``gather`` has them.
    """
    size = tuple(n if d == axis else m for d, m in enumerate(shape))
    places = rng.integers(-shape[axis], shape[axis], size if own else n)
    if not own:
        wide = places.reshape([-1 if d == axis else 1 for d in range(len(shape))])
        return (slice(None),) * axis + (places,), np.broadcast_to(wide, size)
    lines = [np.arange(m).reshape([-1 if d == i else 1 for d in range(len(shape))]) for i, m in enumerate(size)]
    lines[axis] = places
    return tuple(lines), places


@OWN
@given(st.data(), st.integers(0, 2), st.sampled_from(DTYPES), seeds)
@settings(max_examples=40)
def test_taking(kernels, own, data, axis, dtype, seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.permutation([2, 11, 17]))
    index, places = index_of(rng, shape, axis, own, 90)
    x = data.draw(laid_out(rng.integers(0, 100, shape).astype(dtype)))
    assert_same(kernels.getitem(x, index), np.take_along_axis(x, places, axis))


@AXES
@OWN
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32"])
def test_adding_in_order(kernels, axis, own, dtype):
    """What goes to one place is added one after another, so that rounding is always the same."""
    rng = np.random.default_rng(axis)
    x = (100 * rng.standard_normal((9, 13, 8))).astype(dtype)
    index, places = index_of(rng, x.shape, axis, own, 60)
    y = (100 * rng.standard_normal(places.shape)).astype(dtype)
    expected = x.copy()
    for at in np.ndindex(*y.shape):
        to = (*at[:axis], places[at], *at[axis + 1 :])
        expected[to] += y[at]
    kernels.index_add(x, index, y)
    if kernels.name == "cuda" and x.dtype.kind == "f":  # atomics come in any order
        np.testing.assert_allclose(x, expected, rtol=1e-4, atol=1e-2)
    else:
        assert_same(x, expected)


@AXES
@OWN
def test_writing(kernels, axis, own):
    rng = np.random.default_rng(axis)
    x = rng.standard_normal((12, 13, 14))
    n = x.shape[axis]
    order = rng.permutation(n) - n  # each place once
    index, places = index_of(rng, x.shape, axis, own, n)
    places = np.broadcast_to(order.reshape([-1 if d == axis else 1 for d in range(3)]), x.shape)
    index = tuple((places if own else order) if d == axis else part for d, part in enumerate(index))
    y, expected = rng.standard_normal(x.shape), x.copy()
    np.put_along_axis(expected, places % n, y, axis)
    kernels.setitem(x, index, y)
    assert_same(x, expected)
    kernels.setitem(x, index, 0.5)
    assert_same(x, np.full(x.shape, 0.5))
    row = rng.standard_normal(x.shape[-1])
    kernels.setitem(x, index, row)
    expected[index] = row
    assert_same(x, expected)


@OWN
@pytest.mark.parametrize("wrong", [-14, 13])
def test_out_of_bounds(kernels, own, wrong):
    if kernels.name == "cuda":
        pytest.skip("there the error comes later")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 13))
    index, places = index_of(rng, x.shape, 1, own, 50)
    index[1].flat[-3] = wrong
    before, y = x.copy(), np.ones(places.shape)
    with pytest.raises(IndexError):
        kernels.getitem(x, index)
    with pytest.raises(IndexError):
        kernels.index_add(x.copy(), index, y)
    assert_same(x, before)


@OWN
def test_long_lists(kernels, own):
    """More than a work item looks through: only one of its places is counted from the end, or none of the axis."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 150))
    index, places = index_of(rng, x.shape, 1, own, 150)
    index[1][...] = rng.integers(0, 150, index[1].shape)
    index[1].flat[-2] = -150
    assert_same(kernels.getitem(x, index), np.take_along_axis(x, places, 1))
    added, expected = x.copy(), x.copy()
    kernels.index_add(added, index, x)
    np.add.at(expected, (np.arange(300)[:, None], places), x)
    np.testing.assert_allclose(added, expected, rtol=1e-12, atol=1e-12)
    if kernels.name != "cuda":
        index[1].flat[-2] = -151
        with pytest.raises(IndexError):
            kernels.getitem(x, index)
        with pytest.raises(IndexError):
            kernels.index_add(added, index, x)
        np.testing.assert_allclose(added, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["int32", "uint8"])
def test_lists_of_other_integers(kernels, kind):
    x = np.arange(3000.0).reshape(30, 100)
    places = (np.arange(60) * 7 % 30).astype(kind)
    assert_same(kernels.getitem(x, (places,)), x[places.astype(int)])


def test_a_mask_takes_each_place_once(kernels):
    x, mask = np.zeros((50, 40)), np.arange(2000).reshape(50, 40) % 3 == 0
    y = np.arange(1.0, mask.sum() + 1)
    kernels.index_add(x, (mask,), y)
    expected = np.zeros(x.shape)
    expected[mask] = y
    assert_same(x, expected)


def test_values_that_are_part_of_what_is_written(kernels):
    if kernels.name == "cuda":
        pytest.skip("there, overlap is the caller's business")
    x = np.arange(4000.0).reshape(40, 100)
    expected = x[::-1].copy()
    places = np.arange(40)[::-1].copy()
    kernels.module.setitem(x, (places,), x)
    assert_same(x, expected)
