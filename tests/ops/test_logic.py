"""Logic of truth values and of bits."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


def test_logic():
    a, b = tinyconv.tensor([0.0, 1.0, 2.0]), tinyconv.tensor([1, 0, 3])
    assert tinyconv.logical_and(a, b).tolist() == [False, False, True]
    assert a.logical_not().tolist() == [True, False, False]
    assert (~(a > 0)).tolist() == [True, False, False]


def test_not_and_or():
    x = tinyconv.arange(4)
    assert (~x).tolist() == [-1, -2, -3, -4]
    assert (~(x > 1)).tolist() == [True, True, False, False]
    assert ((x > 0) & (x < 3)).tolist() == [False, True, True, False]
    assert ((x < 1) | (x > 2)).tolist() == [True, False, False, True]
    assert ((x < 2) ^ (x > 0)).tolist() == [True, False, True, True]
    assert ((x > 0) & True).tolist() == (x > 0).tolist()


INTEGERS = st.sampled_from(["int64", "int32", "int16", "int8", "uint8", "bool"])


@given(st.data(), INTEGERS)
def test_bits(data, dtype):
    x, y = data.draw(sts.arrays(dtype, (2, 3))), data.draw(sts.arrays(dtype, (3,)))
    for name, function in (("and", operator.and_), ("or", operator.or_), ("xor", operator.xor)):
        a, b = tinyconv.from_numpy(x), tinyconv.from_numpy(y)
        np.testing.assert_array_equal(function(a, b).array, function(x, y))
        np.testing.assert_array_equal(getattr(tinyconv, f"bitwise_{name}")(a, b).array, function(x, y))
        assert function(a, b).array.dtype == dtype
        c = a.clone()
        getattr(operator, f"i{name}")(c, b)
        np.testing.assert_array_equal(c.array, function(x, y))
        np.testing.assert_array_equal(getattr(tinyconv, f"logical_{name}")(a, b).array, function(x != 0, y != 0))
    np.testing.assert_array_equal((~a).array, ~x)


def test_numbers_and_shifts():
    x = tinyconv.tensor([5, -6, 7])
    assert (x & 3).tolist() == (3 & x).tolist() == [1, 2, 3]
    assert (x << 2).tolist() == [20, -24, 28]
    assert (x >> 1).tolist() == [2, -3, 3]
    assert (1 << tinyconv.tensor([0, 3])).tolist() == [1, 8]
    assert (64 >> tinyconv.tensor([0, 3])).tolist() == [64, 8]
    assert (tinyconv.tensor([True, False]) & 1).dtype is tinyconv.int64
    x <<= 1
    x >>= 2
    assert x.tolist() == [2, -3, 3]


def test_what_has_no_bits():
    x = tinyconv.ones(2)
    for operation, symbol in ((operator.and_, "&"), (operator.or_, r"\\|"), (operator.lshift, "<<")):
        with pytest.raises(TypeError, match=symbol + " expects .*integer tensors, got tinyconv.float32 and 1"):
            operation(x, 1)
    with pytest.raises(TypeError, match="unsupported operand"):
        tinyconv.tensor([1]) & "a"
    with pytest.raises(TypeError, match="logical_and: other must be a tensor, got bool"):
        tinyconv.logical_and(x, True)
