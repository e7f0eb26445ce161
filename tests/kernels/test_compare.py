"""Comparison and selection, element by element."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_same
from tests.kernels.test_elementwise import operands
from tests.strategies import FLOATS, arrays, broadcastable_shapes, dtypes, float_dtypes, shapes

RELATIONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@pytest.mark.parametrize("relation", RELATIONS)
@given(st.data(), dtypes)
def test_compare(kernels, relation, data, dtype):
    x, y = data.draw(operands(dtype, special=True, ties=data.draw(st.booleans())))
    assert_same(kernels.compare(x, y, relation), np.asarray(RELATIONS[relation](x, y)))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_compare_tells_neighbours_apart(kernels, dtype):
    x = np.array([1, 1e-30], dtype)
    y = np.nextafter(x, dtype.type(2))
    assert kernels.compare(x, y, "==").tolist() == [False, False]
    assert kernels.compare(x, y, "<").tolist() == [True, True]


def test_compare_with_a_number(kernels):
    x = np.array([0.1, 0.2, np.nan], np.float32)
    assert kernels.compare(x, 0.1, "==").tolist() == [True, False, False]  # 0.1 is rounded to float32 first
    assert kernels.compare(0.15, x, "<").tolist() == [False, True, False]


@given(st.data(), dtypes, broadcastable_shapes())
def test_where(kernels, data, dtype, shapes):
    condition = data.draw(arrays(np.bool_, shapes[0]))
    x, y = data.draw(arrays(dtype, shapes[1], special=True)), data.draw(arrays(dtype, shapes[0], special=True))
    shape = np.broadcast_shapes(*shapes)
    expected = np.empty(shape, dtype)
    for index in np.ndindex(shape):
        source = x if np.broadcast_to(condition, shape)[index] else y
        expected[index] = np.broadcast_to(source, shape)[index]
    assert_same(kernels.where(condition, x, y), expected)


@pytest.mark.parametrize("number", [0, 2.5, np.inf])
@given(st.data(), shapes())
def test_where_with_a_number(kernels, number, data, shape):
    condition, x = data.draw(arrays(np.bool_, shape)), data.draw(arrays(float_dtypes, shape, special=True))
    assert_same(kernels.where(condition, x, number), np.where(condition, x, x.dtype.type(number)))
    assert_same(kernels.where(condition, number, x), np.where(condition, x.dtype.type(number), x))


# ------------------------------------------------------------------------------------------------------- many elements


def many(dtype) -> list[np.ndarray]:
    """Two arrays that a compiled loop takes in several chunks, the last one short: often equal, here and there NaN."""
    rng = np.random.default_rng(0)
    x, y = rng.integers(-3, 4, (2, 2, 101, 83)).astype(dtype)
    x.reshape(-1)[::7], y.reshape(-1)[::5] = np.nan, np.nan
    return [x, y]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("relation", RELATIONS)
def test_compare_of_many(kernels, relation, dtype):
    (x, y), holds = many(dtype), RELATIONS[relation]
    assert_same(kernels.compare(x, y, relation), holds(x, y))
    assert_same(kernels.compare(x, 1, relation), holds(x, 1))
    assert_same(kernels.compare(1.0, x, relation), holds(1.0, x))
    assert_same(kernels.compare(x, dtype.type(2), relation), holds(x, 2))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(("name", "wins"), [("maximum", operator.gt), ("minimum", operator.lt)])
def test_extremes_of_many(kernels, name, wins, dtype):
    function, (x, y) = getattr(kernels, name), many(dtype)
    for a, b in [(x, y), (x, 1), (0.5, x), (x, np.nan), (x, np.inf)]:
        expected = np.where(np.isnan(a) | np.isnan(b), np.nan, np.where(wins(a, b), a, b)).astype(dtype)
        assert_same(function(a, b), expected)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_where_of_many(kernels, dtype):
    (x, y), condition = many(dtype), many(dtype)[0] > 0
    for a, b in [(x, y), (x, 2), (0.1, y), (np.array(3, dtype), y)]:
        expected = np.where(condition, np.asarray(a, dtype), np.asarray(b, dtype))
        assert_same(kernels.where(condition, a, b), expected)


def test_a_number_too_large_for_its_type_is_infinity(kernels, recwarn):
    x = many(np.float32)[0]
    assert_same(kernels.where(x > 0, 1e300, x), np.where(x > 0, np.float32(np.inf), x))
    assert kernels.name == "cuda" or not recwarn
