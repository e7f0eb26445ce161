"""The same elements in another order, or several times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(st.data(), st.integers(-7, 7))
def test_roll_and_rot90(data, n):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=2)))
    t, axes = tinyconv.from_numpy(x), tuple(data.draw(st.permutations(range(x.ndim)))[:2])
    np.testing.assert_array_equal(t.roll(n).array, np.roll(x, n))
    np.testing.assert_array_equal(t.roll((n, -1), axes).array, np.roll(x, (n, -1), axes))
    np.testing.assert_array_equal(t.rot90(n, axes).array, np.rot90(x, n, axes))
    np.testing.assert_array_equal(t.fliplr().array, np.fliplr(x))
    np.testing.assert_array_equal(t.flipud().array, np.flipud(x))


@given(st.data())
def test_repetition(data):
    x = data.draw(sts.arrays(sts.dtypes))
    times = data.draw(st.lists(st.integers(0, 3), min_size=x.ndim, max_size=x.ndim + 2))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).repeat(times).array, np.tile(x, times))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).tile(times[:2]).array, np.tile(x, times[:2]))
    if x.ndim:
        axis = data.draw(st.integers(0, x.ndim - 1))
        each = np.array(data.draw(st.lists(st.integers(0, 3), min_size=x.shape[axis], max_size=x.shape[axis])), "int64")
        t = tinyconv.from_numpy(x)
        np.testing.assert_array_equal(t.repeat_interleave(2, axis).array, np.repeat(x, 2, axis))
        np.testing.assert_array_equal(
            t.repeat_interleave(tinyconv.from_numpy(each), axis).array, np.repeat(x, each, axis)
        )


def test_a_copy_even_where_nothing_moves():
    x = tinyconv.arange(6).reshape(2, 3)
    for y in (x.roll(0), x.roll(3, 1), x.repeat(1, 1), x.rot90(4), x.flip(()), x.repeat_interleave(1, 0)):
        assert y.tolist() == x.tolist()
        assert not np.shares_memory(x.array, y.array)


def test_errors():
    x = tinyconv.ones(2, 3)
    for error, match, call in (
        (RuntimeError, "shifts and dims must be equally many", lambda: x.roll((1, 2), 0)),
        (RuntimeError, "roll: without dims there is one shift", lambda: x.roll((1, 2))),
        (RuntimeError, "expected two different dims", lambda: x.rot90(1, (0, 0))),
        (RuntimeError, "repeat: expected a number for each of the 2 dims", lambda: x.repeat(2)),
        (RuntimeError, "must not be negative", lambda: x.repeat(2, -1)),
        (
            RuntimeError,
            "repeats must be integers, one for each of the 3",
            lambda: x.repeat_interleave(x[:, 0].long(), 1),
        ),
        (RuntimeError, "must not be negative, got -1", lambda: x.repeat_interleave(tinyconv.tensor([1, -1]), 0)),
        (RuntimeError, "a dim appears twice", lambda: x.flip(0, 0)),
    ):
        with pytest.raises(error, match=match):
            call()
