"""The scalar formulas give the same numbers as plain Python and compiled, and stay in the type of their argument."""

from __future__ import annotations

import math
import warnings

import numba
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.test_random import KNOWN_ANSWERS, integers
from tinyconv.kernels import formulas

compiled = {}


def both(name: str, *args):
    """The result of a formula in plain Python, after checking that the compiled one gives the same."""
    function = getattr(formulas, name)
    if name not in compiled:
        compiled[name] = numba.njit(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an integer overflow in NumPy would be a warning
        plain = function(*args)
    np.testing.assert_allclose(np.float64(compiled[name](*args)), np.float64(plain), rtol=1e-6)
    return plain


numbers = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, -2.5, 1e4, -1e4])
types = st.sampled_from([np.float32, np.float64])


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_philox_known_answers(counter, key, expected):
    arguments = [np.uint64(word) for word in integers(counter) + integers(key)]
    assert [int(word) for word in both("philox4x32_10", *arguments)] == integers(expected)


@given(types, numbers)
def test_relu(t, x):
    y = both("relu", t(x))
    assert type(y) is t
    np.testing.assert_equal(y, np.maximum(t(x), t(0)))


@given(types, numbers)
def test_erf(t, x):
    y = both("erf", t(x))
    assert type(y) is t
    np.testing.assert_allclose(y, math.erf(x), rtol=4 * np.finfo(t).eps)


@given(types, st.floats(-12, 12))
def test_ndtr(t, x):
    y = both("ndtr", t(x))
    assert type(y) is t
    np.testing.assert_allclose(
        y, scipy.special.ndtr(np.float64(t(x))), rtol=2 * np.finfo(t).eps, atol=np.finfo(t).eps / 2
    )


@pytest.mark.parametrize("t", [np.float32, np.float64])
def test_ndtr_far_out(t):
    function = numba.njit(formulas.ndtr)
    assert [function(t(x)) for x in (-np.inf, -1e30, -40, 40, 1e30, np.inf)] == [0, 0, 0, 1, 1, 1]
    assert math.isnan(function(t(np.nan)))


@given(types, numbers)
def test_tanh(t, x):
    y = both("tanh", t(x))
    assert type(y) is t
    np.testing.assert_allclose(y, math.tanh(t(x)), rtol=4 * np.finfo(t).eps)


@given(types, numbers, numbers)
def test_gradients(t, gy, y):
    gy, y = t(gy), t(y)
    with np.errstate(all="ignore"):
        expected = {
            "relu_gx": t(0) if y <= 0 else gy,
            "tanh_gx": gy * (1 - y * y),
            "sigmoid_gx": gy * y * (1 - y),
        }
        for name, gx in expected.items():
            result = getattr(formulas, name)(gy, y)
            assert type(result) is t
            np.testing.assert_equal(result, gx)


@pytest.mark.parametrize(
    ("candidate", "best", "expected"),
    [(2, 1, True), (1, 1, False), (1, 2, False), (np.nan, 1, True), (1, np.nan, False), (np.nan, np.nan, False)],
)
def test_wins(candidate, best, expected):
    assert both("wins", np.float32(candidate), np.float32(best)) == expected


@pytest.mark.parametrize("t", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("relu", 1),
        ("erf", 1),
        ("ndtr", 1),
        ("tanh", 1),
        ("relu_gx", 2),
        ("tanh_gx", 2),
        ("sigmoid_gx", 2),
        ("stretch", 3),
        ("box_muller", 2),
    ],
)
def test_compiled_formulas_stay_in_their_type(name, count, t):
    """Numba makes ``0.5 * x`` a float64, where NumPy would not."""
    function = numba.njit(getattr(formulas, name))
    function(*[t(0.5)] * count)
    (result,) = (overload.signature.return_type for overload in function.overloads.values())
    assert set(getattr(result, "types", [result])) == {numba.from_dtype(np.dtype(t))}


def test_uniforms_are_exact_and_below_one():
    top = np.uint64(2**32 - 1)
    assert both("uniform_float32", top) == 1 - 2.0**-24
    assert both("uniform_float64", both("random_bits", top, top)) == 1 - 2.0**-53
    assert both("uniform_float32", np.uint64(255)) == 0
    assert both("random_bits", np.uint64(1), np.uint64(2)) == (1 << 32) + 2


def test_stretch_never_reaches_high():
    u = np.float32(1 - 2.0**-24)
    assert np.float32(1) + u == 2  # rounded
    assert both("stretch", u, np.float32(1), np.float32(2)) == 1


@given(types, st.floats(0, 1, exclude_max=True, width=16), st.floats(0, 1, exclude_max=True, width=16))
def test_box_muller(t, u, v):
    x, y = both("box_muller", t(u), t(v))
    assert type(x) is type(y) is t
    np.testing.assert_allclose(np.float64(x) ** 2 + np.float64(y) ** 2, -2 * np.log(1 - u), rtol=1e-5)


@pytest.mark.parametrize(("nesterov", "first"), [(False, False), (True, False), (True, True)])
def test_sgd(nesterov, first):
    t = np.float32
    p, v = both("sgd", t(1), t(2), t(3), t(0.1), t(0.9), t(0.5), t(0.25), nesterov, first)
    g = 2 + 0.25 * 1
    velocity = g if first else 0.9 * 3 + 0.5 * g
    np.testing.assert_allclose([v, p], [velocity, 1 - 0.1 * (g + 0.9 * velocity if nesterov else velocity)], rtol=1e-6)
    assert type(p) is type(v) is t


def test_adam():
    t = np.float32
    m, v = both("adam_moments", t(2), t(3), t(5), t(0.1), t(0.75), t(0.25))
    np.testing.assert_allclose([m, v], [0.9 * 3 + 0.1 * 2, 0.75 * 5 + 0.25 * 4], rtol=1e-6)
    assert type(m) is type(v) is t
    p = both("adam_step", t(1), t(3), t(4), t(0.1), t(0.5), t(2))
    np.testing.assert_allclose(p, 1 - 0.1 * 3 / (2 / 0.5 + 2), rtol=1e-6)
    assert type(p) is t
