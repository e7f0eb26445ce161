"""Signs, neighbours, fractions and exponents against NumPy's, at the ends of each type; divisors against Python's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinyconv

FLOATS = ["float16", "float32", "float64"]


def ends(dtype: str) -> np.ndarray:
    """Zeros, the smallest and largest numbers, subnormal ones, infinities and NaN."""
    info = np.finfo(dtype)
    positive = [0, info.smallest_subnormal, info.smallest_normal, info.smallest_normal * 0.75, info.eps, 1, 3.5,
                info.max, np.inf]  # fmt: skip
    return np.array([*positive, *(-np.array(positive, dtype)), np.nan], dtype)


def numbers(dtype: str):
    return hnp.arrays(dtype, st.integers(0, 7), elements=st.floats(width=int(dtype[5:])))


@pytest.mark.parametrize("dtype", FLOATS)
def test_of_all_pairs_of_extreme_numbers(dtype):
    a, b = ends(dtype)[:, None], ends(dtype)
    x, y = tinyconv.from_numpy(a), tinyconv.from_numpy(b)
    with np.errstate(all="ignore"):
        for name in ("copysign", "nextafter"):
            found = getattr(tinyconv, name)(x, y).numpy()
            expected = getattr(np, name)(a, b)
            np.testing.assert_array_equal(found, expected)
            if dtype != "float16":  # where NumPy says that the number after 0 on the way to -0 is 0
                np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
    np.testing.assert_array_equal(tinyconv.signbit(y).numpy(), np.signbit(b))


@pytest.mark.parametrize("dtype", FLOATS)
@given(data=st.data())
def test_frexp(dtype, data):
    a = np.concatenate([data.draw(numbers(dtype)), ends(dtype)])
    mantissa, exponent = tinyconv.frexp(tinyconv.from_numpy(a))
    expected, powers = np.frexp(a)
    np.testing.assert_array_equal(mantissa.numpy(), expected)
    finite = np.isfinite(a)
    np.testing.assert_array_equal(exponent.numpy()[finite], powers[finite])
    assert exponent.dtype is tinyconv.int32


def test_frexps_gradient_and_way_back():
    x = tinyconv.tensor([3.0, -0.1, 1024.0], dtype=tinyconv.float64, requires_grad=True)
    y = tinyconv.frexp(x)
    y.mantissa.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2.0 ** -y.exponent.numpy())
    np.testing.assert_array_equal(tinyconv.ldexp(y.mantissa, y.exponent).detach().numpy(), x.detach().numpy())


@given(st.lists(st.tuples(st.integers(-60, 60), st.integers(-60, 60)), max_size=8))
def test_divisors(pairs):
    a, b = (np.array([p[k] for p in pairs], np.int64) for k in (0, 1))
    x, y = tinyconv.from_numpy(a), tinyconv.from_numpy(b)
    assert tinyconv.gcd(x, y).tolist() == [math.gcd(*p) for p in pairs]
    assert tinyconv.lcm(x, y).tolist() == [math.lcm(*p) for p in pairs]


def test_divisors_broadcast_and_want_integers():
    x = tinyconv.tensor([[12], [7]])
    assert x.gcd(tinyconv.tensor([8, 14])).tolist() == [[4, 2], [1, 7]]
    assert x.gcd_(tinyconv.tensor(4)).tolist() == [[4], [1]]
    with pytest.raises(RuntimeError, match="must be integer"):
        tinyconv.gcd(tinyconv.ones(2), tinyconv.ones(2))
