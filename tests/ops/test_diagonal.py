"""Diagonals and triangles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts

OFFSETS = st.integers(-5, 5)


@given(st.data(), OFFSETS)
def test_diagonal(data, offset):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=2)))
    a, b = data.draw(st.permutations(range(x.ndim)))[:2]
    np.testing.assert_array_equal(tinyconv.from_numpy(x).diagonal(offset, a, b).array, x.diagonal(offset, a, b))


@given(st.data(), OFFSETS)
def test_triangles(data, offset):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(min_dims=2)))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).tril(offset).array, np.tril(x, offset))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).triu(offset).array, np.triu(x, offset))
    rows, columns = x.shape[-2:]
    np.testing.assert_array_equal(
        tinyconv.tril_indices(rows, columns, offset).array, np.tril_indices(rows, offset, columns)
    )
    np.testing.assert_array_equal(
        tinyconv.triu_indices(rows, columns, offset).array, np.triu_indices(rows, offset, columns)
    )


@given(st.data(), OFFSETS)
def test_diag(data, offset):
    x = data.draw(sts.arrays(sts.dtypes, sts.shapes(1, 2)))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).diag(offset).array, np.diag(x, offset))
    np.testing.assert_array_equal(tinyconv.from_numpy(x).diagflat(offset).array, np.diagflat(x, offset))
    if x.ndim == 2:
        assert tinyconv.from_numpy(x).trace().item() == pytest.approx(np.trace(x))


def test_a_diagonal_is_a_view_and_gradients_know_it():
    x = tinyconv.ones(3, 3, requires_grad=True)
    y = x * 1
    y.diagonal().mul_(3)
    y.diagonal(1)[0] = 5
    assert y.tolist() == [[3, 5, 1], [1, 3, 1], [1, 1, 3]]
    (y * y).sum().backward()
    assert x.grad.tolist() == [[18, 0, 2], [2, 18, 2], [2, 2, 18]]


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 5), (7, 3), (3, 3, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_fill_diagonal(shape, wrap):
    x, expected = tinyconv.zeros(shape), np.zeros(shape, "float32")
    np.fill_diagonal(expected, 2, wrap)
    assert x.fill_diagonal_(2, wrap) is x
    np.testing.assert_array_equal(x.array, expected)


def test_errors():
    x = tinyconv.ones(2, 3)
    for error, match, call in (
        (RuntimeError, "dim1 and dim2 must be different, got 0 and -2", lambda: x.diagonal(0, 0, -2)),
        (RuntimeError, "diag: expected a vector or a matrix", lambda: x[None].diag()),
        (RuntimeError, r"trace: expected a matrix, got shape \(3,\)", lambda: x[0].trace()),
        (RuntimeError, r"tril: expected at least 2 dimensions, got shape \(3,\)", lambda: x[0].tril()),
        (RuntimeError, "fill_diagonal_: expected a matrix, or equal sizes", lambda: x[None].clone().fill_diagonal_(1)),
    ):
        with pytest.raises(error, match=match):
            call()
