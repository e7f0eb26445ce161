"""Padding of every mode, against NumPy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts


def shares(x, y):
    return np.shares_memory(x.array, y.array)


@given(st.data())
def test_pad(data):
    x = data.draw(sts.arrays(dtype=sts.dtypes, shape=sts.shapes(min_dims=1)))
    axes = data.draw(st.integers(0, x.ndim))
    pairs = [(0, 0)] * (x.ndim - axes) + [
        (data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))) for _ in range(axes)
    ]
    amounts = [n for pair in pairs[::-1][:axes] for n in pair]
    t = tinyconv.from_numpy(x)
    y = F.pad(t, amounts, value=1)
    np.testing.assert_array_equal(y.array, np.pad(x, pairs, constant_values=1))
    assert y.dtype is t.dtype and not shares(y, t)
    np.testing.assert_array_equal(F.pad(y, [-n for n in amounts]).array, x)


def test_pad_of_some_sides_and_crop_of_others():
    x = tinyconv.arange(6).reshape(2, 3)
    assert F.pad(x, (1, -1)).tolist() == [[0, 0, 1], [0, 3, 4]]
    assert F.pad(x, (-2, 0, -1, 1), value=9).tolist() == [[5], [9]]
    assert F.pad(x, (-3, 0)).shape == (2, 0)


def test_pad_errors():
    x = tinyconv.zeros(2, 3)
    for amounts in ((1,), (0, 0, 0, 0, 1, 1)):
        with pytest.raises(RuntimeError, match="pad: pad must hold a pair of numbers for each of at most 2 axes"):
            F.pad(x, amounts)
    for amounts in ((-4, 2), (2, -4), (-2, -2)):
        with pytest.raises(RuntimeError, match=r"pad: \(.*\) takes more from input of shape \(2, 3\) than it has"):
            F.pad(x, amounts)
    with pytest.raises(NotImplementedError, match="pad: mode must be .*, got 'mirror'"):
        F.pad(x, (1, 1), "mirror")
    with pytest.raises(NotImplementedError, match=r"pad: mode 'reflect' pads the last 1, 2 or 3 axes.*shape \(2, 3\)"):
        F.pad(x, (1, 1, 1, 1), "reflect")
    with pytest.raises(RuntimeError, match="pad: mode 'reflect' takes no value, got 5"):
        F.pad(x, (1, 1), "reflect", 5)
    with pytest.raises(RuntimeError, match="mode 'reflect' can add at most 2 elements on a side of dimension 1"):
        F.pad(x, (3, 0), "reflect")
    with pytest.raises(RuntimeError, match="mode 'circular' can add at most 3 elements"):
        F.pad(x, (0, 4), "circular")
    with pytest.raises(RuntimeError, match="mode 'replicate' can add at most 0 elements"):
        F.pad(x[:, :0], (1, 0), "replicate")


NUMPY = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@given(st.data(), st.sampled_from(sorted(NUMPY)), st.integers(1, 2))
def test_continued_padding_as_numpy(data, mode, axes):
    x = data.draw(sts.arrays(dtype=sts.dtypes, shape=sts.shapes(min_dims=axes + 1, max_dims=axes + 2, min_side=2)))
    pairs = [(0, 0)] * (x.ndim - axes)
    for n in x.shape[x.ndim - axes :]:
        most = {"reflect": n - 1, "circular": n, "replicate": n + 2}[mode]
        pairs.append((data.draw(st.integers(0, most)), data.draw(st.integers(0, most))))
    amounts = [n for pair in pairs[::-1][:axes] for n in pair]
    y = F.pad(tinyconv.from_numpy(x), amounts, mode)
    np.testing.assert_array_equal(y.array, np.pad(x, pairs, NUMPY[mode]))


@pytest.mark.parametrize("mode", sorted(NUMPY))
def test_a_negative_number_cuts_off(mode):
    x = tinyconv.arange(8.0).reshape(1, 2, 4)
    assert F.pad(x, (-1, -2), mode).tolist() == [[[1.0], [5.0]]]
    assert F.pad(x, (-4, 0), mode).shape == (1, 2, 0)
