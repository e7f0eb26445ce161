"""Matrix multiplication against ``einsum`` in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS, arrays, broadcastable_shapes, float_dtypes

sides = st.one_of(st.integers(0, 5), st.sampled_from([17, 33]))


@given(st.data(), float_dtypes, broadcastable_shapes(max_dims=2), sides, sides, sides)
def test_matmul(kernels, data, dtype, leading, m, k, n):
    x = data.draw(arrays(dtype, (*leading[0], m, k)))
    y = data.draw(arrays(dtype, (*leading[1], k, n)))
    expected = np.einsum("...mk,...kn->...mn", x.astype(np.float64), y.astype(np.float64))
    assert_close(kernels.matmul(x, y), expected, terms=k)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_matmul_over_nothing_is_zero(kernels, dtype):
    x, y = np.ones((2, 3, 0), dtype), np.ones((0, 4), dtype)
    assert kernels.matmul(x, y).tolist() == np.zeros((2, 3, 4)).tolist()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_matmul_propagates_nan_and_infinity(kernels, dtype):
    x = np.array([[1, 2], [np.nan, 0], [np.inf, 1]], dtype)
    y = np.array([[1, 0], [3, 4]], dtype)
    expected = [[7, 8], [np.nan, np.nan], [np.inf, np.nan]]  # inf * 0 is NaN
    np.testing.assert_array_equal(kernels.matmul(x, y), expected)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(("m", "k", "n"), [(64, 400, 120), (120, 64, 400), (257, 129, 65), (1, 5000, 1)])
def test_large_matmul(kernels, dtype, m, k, n):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    expected = x.astype(np.float64) @ y.astype(np.float64)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(kernels.matmul(x, y), expected, rtol=0, atol=4 * eps * k)
    np.testing.assert_allclose(kernels.matmul(y.T, x.T), expected.T, rtol=0, atol=4 * eps * k)


@pytest.mark.parametrize("shape", [(3, 100, 40, 30), (5, 40, 200, 31), (1, 33, 300, 70), (7, 31, 100, 49)], ids=str)
def test_batches_of_every_cut(kernels, shape):
    """Three, five or seven panels or matrices; few rows, with which the right-hand matrix is not copied, and bands of
    them; each with either matrix stored by columns."""
    rng, (batch, m, k, n) = np.random.default_rng(0), shape
    for dtype in FLOATS:
        matrices = [rng.standard_normal(s).astype(dtype) for s in ((batch, m, k), (batch, k, n))]
        for x, y in itertools.product(*[(a, a.swapaxes(1, 2).copy().swapaxes(1, 2)) for a in matrices]):
            assert_close(kernels.matmul(x, y), x.astype(np.float64) @ y.astype(np.float64), terms=k)
            assert_close(kernels.matmul(x, y[0]), x.astype(np.float64) @ y[0].astype(np.float64), terms=k)


@given(st.data(), float_dtypes, sides, sides, sides, st.booleans())
def test_linear(kernels, data, dtype, m, k, n, bias):
    x, w = data.draw(arrays(dtype, (m, k))), data.draw(arrays(dtype, (n, k)))
    b = data.draw(arrays(dtype, (n,))) if bias else None
    expected = np.einsum("mk,nk->mn", x.astype(np.float64), w.astype(np.float64))
    expected = expected + b if bias else expected
    assert_close(kernels.linear(x, w, b), expected, terms=k + 1)
    assert_close(kernels.linear_relu(x, w, b), np.maximum(expected, 0), terms=k + 1)


@given(st.data(), float_dtypes, sides, sides, sides, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_linear_gradients(kernels, data, dtype, m, k, n, relu, of_input, of_weight, of_bias):
    x, w = data.draw(arrays(dtype, (m, k))), data.draw(arrays(dtype, (n, k)))
    gy, y = data.draw(arrays(dtype, (m, n))), data.draw(arrays(dtype, (m, n))) if relu else None
    gz = gy.astype(np.float64) * (1 if y is None else ~(y <= 0))
    gradients = kernels.linear_gradients(gy, y, x if of_weight else None, w if of_input else None, of_bias)
    assert [g is not None for g in gradients] == [of_input, of_weight, of_bias]
    for actual, expected, terms in zip(gradients, (gz @ w, gz.T @ x, gz.sum(0)), (n, m, m), strict=True):
        if actual is not None:
            assert_close(actual, expected, terms=terms)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("m", [64, 300])
def test_gradients_of_large_layers(kernels, dtype, m):
    """Of few numbers in one call, of more in several."""
    rng = np.random.default_rng(0)
    x, w, gy, y = (rng.standard_normal(s).astype(dtype) for s in ((m, 400), (120, 400), (m, 120), (m, 120)))
    gz = np.where(y <= 0, 0, gy.astype(np.float64))
    for actual, expected, terms in zip(
        kernels.linear_gradients(gy, y, x, w, True), (gz @ w, gz.T @ x, gz.sum(0)), (120, m, m), strict=True
    ):
        assert_close(actual, expected, terms=terms)
