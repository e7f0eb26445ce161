"""Joining tensors and taking them apart: NumPy's values, and pieces that are views."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(st.data(), st.integers(1, 4))
def test_pieces(data, n):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=1, min_side=1)))
    axis, t = data.draw(st.integers(-x.ndim, x.ndim - 1)), tinyconv.from_numpy(x)
    size = x.shape[axis]
    for ours, theirs in (
        (t.tensor_split(n, axis), np.array_split(x, n, axis)),
        (t.tensor_split((1, 3), axis), np.array_split(x, (1, 3), axis)),
        (t.split(n, axis), np.split(x, range(n, size, n), axis)),
        (t.chunk(n, axis), np.split(x, range(-(-size // n), size, -(-size // n)), axis)),
        (t.split([1, size - 1], axis), np.split(x, [1], axis)),
        (t.unbind(axis), list(np.moveaxis(x, axis, 0))),
    ):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a.array, b)
            assert a._base is t
    np.testing.assert_array_equal(tinyconv.cat(t.split(n, axis), axis).array, x)


@given(st.data())
def test_stacks(data):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(max_dims=3)))
    y, t = np.asarray(np.flip(x)), tinyconv.from_numpy(x)
    for name in ("hstack", "vstack", "dstack", "column_stack"):
        ours = getattr(tinyconv, name)([t, tinyconv.from_numpy(y)])
        np.testing.assert_array_equal(ours.array, getattr(np, name)([x, y]))


@pytest.mark.parametrize("indexing", ["ij", "xy"])
def test_meshgrid(indexing):
    axes = [np.arange(3.0), np.arange(2.0), np.arange(4.0)]
    ours = tinyconv.meshgrid(*map(tinyconv.from_numpy, axes), indexing=indexing)
    for a, b in zip(ours, np.meshgrid(*axes, indexing=indexing), strict=True):
        np.testing.assert_array_equal(a.array, b)


def test_a_gradient_reaches_a_piece_changed_in_place():
    x = tinyconv.ones(4, requires_grad=True)
    y = x * 1
    y.split(2)[1].mul_(3)
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 2, 18, 18]


def test_errors():
    x = tinyconv.ones(2, 3)
    for error, match, call in (
        (RuntimeError, r"split: the lengths \[1, 2\] must add up to 2", lambda: x.split([1, 2])),
        (RuntimeError, "split_size must be positive, got 0", lambda: x.split(0)),
        (RuntimeError, "chunks must be positive, got 0", lambda: x.chunk(0)),
        (TypeError, "cat: expected a tuple or list of tensors, got one tensor", lambda: tinyconv.cat(x)),
        (TypeError, "stack: expected tensors, got int as number 1", lambda: tinyconv.stack([x, 1])),
        (RuntimeError, "without dimensions cannot be joined; use stack", lambda: tinyconv.cat([x.sum(), x.sum()])),
        (RuntimeError, r"meshgrid: expected 1-D tensors, got shapes \[\(2, 3\)\]", lambda: tinyconv.meshgrid(x)),
        (RuntimeError, "indexing must be", lambda: tinyconv.meshgrid(x[0], indexing="ji")),
    ):
        with pytest.raises(error, match=match):
            call()


@given(sts.arrays(sts.dtypes, sts.shapes(min_dims=3, min_side=2)))
def test_equal_sections(x):
    for name, axis in (("vsplit", 0), ("hsplit", 1), ("dsplit", 2)):
        for sections in (x.shape[axis], [1]):
            ours = getattr(tinyconv.from_numpy(x), name)(sections)
            for a, b in zip(ours, np.split(x, sections, axis), strict=True):
                np.testing.assert_array_equal(a.array, b)
        with pytest.raises(RuntimeError, match=f"{name}: 7 sections do not divide dim {axis}"):
            getattr(tinyconv.from_numpy(x), name)(7)


def test_block_diag():
    x = tinyconv.block_diag(tinyconv.ones(2, 2), tinyconv.tensor([2.0, 3.0]), tinyconv.tensor(4.0))
    np.testing.assert_array_equal(x.array, scipy.linalg.block_diag(np.ones((2, 2)), [2, 3], 4))


def test_choices():
    a, b = tinyconv.tensor([1, 2, 3]), tinyconv.tensor([4, 5])
    assert tinyconv.cartesian_prod(a, b).tolist() == [list(pair) for pair in itertools.product([1, 2, 3], [4, 5])]
    for r in (1, 2, 3, 4):
        assert tinyconv.combinations(a, r).tolist() == [list(c) for c in itertools.combinations([1, 2, 3], r)]
    assert tinyconv.combinations(b, 2, True).tolist() == [[4, 4], [4, 5], [5, 5]]
    assert tinyconv.combinations(a, 4).shape == (0, 4)
