"""Reductions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import DTYPES, FLOATS, arrays, axes_of, normal, shapes


def reduced(function, x, axes, keepdims) -> np.ndarray:
    """``function(list of numbers)`` over ``axes``, element by element."""
    kept = [i for i in range(x.ndim) if i not in axes]
    shape = [x.shape[i] for i in kept]
    y = np.array([function(x[at(index, kept, x.ndim)].ravel().tolist()) for index in np.ndindex(*shape)])
    y = y.reshape(shape)
    return np.expand_dims(y, axes) if keepdims else y


def at(index, kept, ndim) -> tuple:
    full = [slice(None)] * ndim
    for i, n in zip(kept, index, strict=True):
        full[i] = n
    return (*full, ...)


@given(st.data(), arrays(), st.booleans())
def test_sum(kernels, data, x, keepdims):
    axes = data.draw(axes_of(x.ndim))
    y = kernels.sum(x, axes, keepdims)
    expected = reduced(math.fsum, x, axes, keepdims)
    assert y.dtype == x.dtype
    assert_close(y, expected.astype(np.float64), terms=x.size / max(y.size, 1), units=4)


@given(st.data(), arrays(st.sampled_from(DTYPES[2:])), st.booleans())
def test_integers_sum_to_int64(kernels, data, x, keepdims):
    axes = data.draw(axes_of(x.ndim))
    assert_same(kernels.sum(x, axes, keepdims), reduced(sum, x, axes, keepdims).astype(np.int64))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_sum_over_nothing_is_zero(kernels, shape):
    for axes in [(i,) for i in range(len(shape))] + [tuple(range(len(shape)))]:
        y = kernels.sum(np.ones(shape, np.float32), axes, False)
        assert_same(y, np.zeros([n for i, n in enumerate(shape) if i not in axes], np.float32))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((1_000_003,), (0,)),
        ((1_000_003, 1), (0,)),
        ((3, 400_001), (1,)),
        ((400_001, 3), (0,)),
        ((64, 6, 28, 28), (0, 2, 3)),
        ((3, 20_000), (1,)),
    ],
    ids=str,
)
@pytest.mark.parametrize("value", [1.0, 0.1])
def test_long_float32_sums_stay_accurate(kernels, shape, axes, value):
    """Added one after the other in float32, 10**6 times 0.1 would miss by about one percent."""
    x = np.full(shape, value, np.float32)
    n = math.prod(shape[i] for i in axes)
    y = kernels.sum(x, axes, False)
    np.testing.assert_allclose(y, n * float(np.float32(value)), rtol=32 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("shape", [(1000, 1001), (1001, 1000)])
def test_long_sums_of_transposed_arrays(kernels, shape):
    x = np.random.default_rng(0).random(shape, np.float32).T
    for axes in [(0,), (1,), (0, 1)]:
        np.testing.assert_allclose(kernels.sum(x, axes, False), x.sum(axes, np.float64), rtol=4e-6)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_sum_of_nan_and_infinity(kernels, dtype):
    x = np.array([[1, np.nan], [np.inf, 1], [np.inf, -np.inf]], dtype)
    assert_same(kernels.sum(x, (1,), False), np.array([np.nan, np.inf, np.nan], dtype))


@given(st.data(), arrays(st.sampled_from(DTYPES[:5])), st.booleans())
def test_prod(kernels, data, x, keepdims):
    axes = data.draw(axes_of(x.ndim))
    y, expected = kernels.prod(x, axes, keepdims), reduced(math.prod, x, axes, keepdims)
    if x.dtype.kind == "f":
        assert y.dtype == x.dtype and y.flags.c_contiguous
        np.testing.assert_allclose(y, expected.astype(x.dtype), rtol=x.size * 2.0**-50 + 2 * np.finfo(x.dtype).eps)
    else:
        modulo = np.vectorize(lambda n: (int(n) + 2**63) % 2**64 - 2**63, otypes=[np.int64])
        assert_same(y, modulo(reduced(math.prod, x.astype(object), axes, keepdims)).reshape(expected.shape))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_a_product_of_nothing_is_one(kernels, shape):
    for axes in [(i,) for i in range(len(shape))] + [tuple(range(len(shape)))]:
        y = kernels.prod(np.ones(shape, np.float32), axes, False)
        assert_same(y, np.ones([n for i, n in enumerate(shape) if i not in axes], np.float32))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((2, 5001), (1,)), ((300, 40), (0,)), ((3, 70, 5, 9), (1, 2)), ((3, 70, 5, 9), (0, 2)), ((70_001,), (0,)),
     ((5, 6, 300), (1,))],
    ids=str,
)  # fmt: skip
def test_products_of_long_lines(kernels, shape, axes, dtype):
    x = 1 + normal(np.random.default_rng(0), shape, dtype) / 100
    expected = np.prod(x, axes, np.float64)
    limit = 8 * np.finfo(dtype).eps if dtype == np.float32 else math.prod(shape) * np.finfo(dtype).eps
    np.testing.assert_allclose(kernels.prod(x, axes, False), expected, rtol=limit)
    assert kernels.prod(x, axes, True).shape == x.max(axes, keepdims=True).shape


@pytest.mark.parametrize("axis", [0, 1])
def test_products_may_leave_float32_on_the_way(kernels, axis):
    x = np.array([1e30, 1e30, 1e-30, 1e-30] * 2 + [1] * 72, np.float32).repeat(5).reshape(-1, 5)
    x[-1, 1:] = 0, np.inf, np.nan, -1
    x[0, 2] = 0
    y = kernels.prod(np.ascontiguousarray(x if axis == 0 else x.T), (axis,), False)
    np.testing.assert_allclose(y, [1, 0, np.nan, np.nan, -1], rtol=1e-6)


@pytest.mark.parametrize(("name", "oracle"), [("amax", max), ("amin", min)])
@given(st.data(), st.booleans(), st.booleans())
def test_extremes(kernels, name, oracle, data, keepdims, ties):
    x = data.draw(arrays(st.sampled_from(DTYPES[:5]), shapes(min_side=1), special=True, ties=ties))
    axes = data.draw(axes_of(x.ndim))

    def or_nan(numbers):
        return math.nan if any(map(math.isnan, numbers)) else oracle(numbers)

    assert_same(getattr(kernels, name)(x, axes, keepdims), reduced(or_nan, x, axes, keepdims).astype(x.dtype))


def test_extremes_of_an_empty_result(kernels):
    x = np.ones((0, 3), np.float32)
    assert_same(kernels.amax(x, (1,), False), np.ones(0, np.float32))
    assert_same(kernels.amin(x, (1,), True), np.ones((0, 1), np.float32))


@pytest.mark.parametrize(("name", "oracle"), [("argmax", max), ("argmin", min)])
@given(st.data(), st.booleans())
def test_places_of_extremes(kernels, name, oracle, data, ties):
    x = data.draw(arrays(st.sampled_from(DTYPES[:5]), shapes(min_dims=1, min_side=1), special=True, ties=ties))
    axis = data.draw(st.integers(0, x.ndim - 1))

    def place(numbers):
        nan = [i for i, v in enumerate(numbers) if math.isnan(v)]
        return nan[0] if nan else numbers.index(oracle(numbers))

    assert_same(getattr(kernels, name)(x, axis), reduced(place, x, (axis,), False).astype(np.int64))


@pytest.mark.parametrize(("shape", "axis"), [((2, 1500), 1), ((1500, 2), 0), ((3, 70, 40), 1)])
def test_places_in_long_lines(kernels, shape, axis):
    x = np.random.default_rng(0).integers(0, 60, shape).astype(np.float32)  # so that the extremes tie
    assert_same(kernels.argmax(x, axis), x.argmax(axis))
    assert_same(kernels.argmin(x, axis), x.argmin(axis))
    x[(1,) * x.ndim] = x[(2, 1, 1)[: x.ndim] if axis == 0 else (1, 2, 1)[: x.ndim]] = np.nan
    assert_same(kernels.argmax(x, axis), x.argmax(axis))


@pytest.mark.parametrize(("shape", "axes"), [((2, 5001), (1,)), ((300, 40), (0,)), ((3, 70, 5, 9), (1, 3))], ids=str)
def test_extremes_of_long_lines(kernels, shape, axes):
    x = normal(np.random.default_rng(0), shape, np.float32)
    assert_same(kernels.amax(x, axes, True), x.max(axes, keepdims=True))
    x.reshape(-1)[-1] = np.nan
    assert_same(kernels.amin(x, axes, False), x.min(axes))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("n", [64, 67, 130])
def test_a_nan_anywhere_in_a_line_is_its_extreme(kernels, n, dtype):
    """Whichever vector and lane it is in, and whatever follows it."""
    x = np.tile(normal(np.random.default_rng(0), (n,), dtype), (n + 1, 1))
    x[np.arange(n), np.arange(n)] = np.nan
    for extreme, best in ((kernels.amax, x[-1].max()), (kernels.amin, x[-1].min())):
        assert_same(extreme(x, (1,), False), np.array([np.nan] * n + [best], dtype))


def test_argmax_of_an_empty_batch(kernels):
    assert_same(kernels.argmax(np.ones((0, 4), np.float32), 1), np.ones(0, np.int64))
