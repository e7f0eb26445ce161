"""Elementwise kernels against NumPy and SciPy in float64, on every layout and on NaN, infinities and zeros."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import DTYPES, FLOATS, arrays, broadcastable_shapes, dtypes, float_dtypes, shapes
from tinyconv.kernels.contract import BINARY, UNARY

ARITHMETIC = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
FUNCTIONS = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "sigmoid": scipy.special.expit,
}


def quiet():
    """For the oracles, which warn of NaN, overflow and division by zero. The kernels must not."""
    return np.errstate(all="ignore")


@st.composite
def operands(draw, dtype, **options):
    """Two arrays that broadcast together."""
    shape, other = draw(broadcastable_shapes())
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    return draw(arrays(dtype, shape, **options)), draw(arrays(dtype, other, **options))


def ulps(actual, expected) -> float:
    """The largest error in units in the last place of the correctly rounded result."""
    rounded = expected.astype(actual.dtype)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(actual[~finite], rounded[~finite])
    error = np.abs(actual[finite] - expected[finite]) / np.spacing(np.abs(rounded[finite]))
    return float(error.max(initial=0))


# ----------------------------------------------------------------------------------------------------------- arithmetic


@pytest.mark.parametrize("name", ARITHMETIC)
@given(st.data())
def test_arithmetic(kernels, name, data):
    """Addition, multiplication, division round correctly by IEEE 754: equal to the bit."""
    x, y = data.draw(operands(float_dtypes, special=True))
    with quiet():
        expected = ARITHMETIC[name](x, y)
    assert_same(getattr(kernels, name)(x, y), np.asarray(expected))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "maximum", "minimum"])
@given(st.data())
def test_arithmetic_of_integers(kernels, name, data):
    x, y = data.draw(operands(st.sampled_from(DTYPES[2:5])))
    assert_same(getattr(kernels, name)(x, y), np.asarray(ARITHMETIC[name](x, y)))


@pytest.mark.parametrize("name", ARITHMETIC)
@given(arrays(), st.sampled_from([2, -3, 0.1, 0, 1e-3]))
def test_a_number_takes_the_type_of_the_array(kernels, name, x, number):
    kernel, oracle = getattr(kernels, name), ARITHMETIC[name]
    with quiet():
        assert_same(kernel(x, number), np.asarray(oracle(x, x.dtype.type(number))))
        assert_same(kernel(number, x), np.asarray(oracle(x.dtype.type(number), x)))


@given(operands(float_dtypes))
def test_pow(kernels, operands):
    x, y = operands
    x = np.abs(x)
    expected = x.astype(np.float64) ** y
    np.testing.assert_allclose(kernels.pow(x, y), expected, rtol=64 * np.finfo(x.dtype).eps, atol=1e-30)


@pytest.mark.parametrize("exponent", [2, 3, 0, 1, 0.5, -1, -2])
@given(arrays())
def test_pow_with_a_number(kernels, exponent, x):
    with quiet():
        expected = x.astype(np.float64) ** exponent
    assert_close(kernels.pow(x, exponent), expected)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_pow_special_cases(kernels, dtype):
    x = np.array([-2, -2, 0, 0, np.nan, np.nan, np.inf, 2, 1], dtype)
    y = np.array([0.5, 3, 0, -1, 0, 2, -1, np.inf, np.nan], dtype)
    assert_same(kernels.pow(x, y), np.array([np.nan, -8, 1, np.inf, 1, np.nan, 0, np.inf, 1], dtype))
    assert_same(kernels.pow(2.0, x[:4]), np.array([0.25, 0.25, 1, 1], dtype))


@given(st.data(), float_dtypes, st.sampled_from([1, -1, 0.5, 0]))
def test_add_in_place(kernels, data, dtype, alpha):
    shape = data.draw(shapes())
    x = data.draw(arrays(dtype, shape, writable=True))
    y = data.draw(arrays(dtype, tuple(data.draw(st.sampled_from([1, n])) for n in shape)))
    expected = x.astype(np.float64) + alpha * y.astype(np.float64)
    kernels.add_(x, y, alpha)
    assert_close(x, expected)


def test_add_in_place_defaults_to_alpha_1(kernels):
    x = np.ones(3, np.float32)
    kernels.add_(x, np.arange(3, dtype=np.float32))
    assert x.tolist() == [1, 2, 3]


@given(st.data(), float_dtypes, st.booleans())
def test_mul_in_place(kernels, data, dtype, by_number):
    shape = data.draw(shapes())
    x = data.draw(arrays(dtype, shape, writable=True))
    y = 0.3 if by_number else data.draw(arrays(dtype, tuple(data.draw(st.sampled_from([1, n])) for n in shape)))
    expected = x.astype(np.float64) * y
    kernels.mul_(x, y)
    assert_close(x, expected)


# ------------------------------------------------------------------------------------------------------- choices, signs


@given(arrays(dtypes, special=True))
def test_logical_not(kernels, x):
    assert_same(kernels.logical_not(x), np.asarray(np.logical_not(x)))


SIGNS = [("neg", np.negative), ("abs", np.absolute), ("sign", lambda x: np.nan_to_num(np.sign(x)))]


@pytest.mark.parametrize(("name", "oracle"), SIGNS)
@given(arrays(st.sampled_from(DTYPES[:4]), special=True))
def test_signs(kernels, name, oracle, x):
    y = getattr(kernels, name)(x)
    assert_same(y, np.asarray(oracle(x)))
    if name != "sign":
        assert_same(np.signbit(y), np.asarray(np.signbit(oracle(x))))


# ------------------------------------------------------------------------------------------------------------ functions


@pytest.mark.parametrize("name", FUNCTIONS)
@given(arrays(special=True))
def test_function(kernels, name, x):
    with quiet():
        expected = FUNCTIONS[name](x.astype(np.float64))
        expected = np.where(np.isfinite(expected), expected, expected.astype(x.dtype))
    assert_close(getattr(kernels, name)(x), expected, units=4)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_exp_is_accurate_over_its_whole_range(kernels, dtype):
    low, high = (-87, 88.7) if dtype == np.float32 else (-708, 709.7)  # beyond: denormal numbers, infinity
    x = np.linspace(low, high, 200_003).astype(dtype)
    assert ulps(kernels.exp(x), np.exp(x.astype(np.longdouble))) <= 3


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_exp_at_the_ends(kernels, dtype):
    x = np.array([-np.inf, -1e4, -0.0, 0.0, 1e4, np.inf, np.nan], dtype)
    assert_same(kernels.exp(x), np.array([0, 0, 1, 1, np.inf, np.inf, np.nan], dtype))
    denormal = np.array([-100 if dtype == np.float32 else -740], dtype)
    assert 0 <= kernels.exp(denormal)[0] < np.finfo(dtype).tiny


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(("name", "low", "high"), [("tanh", -20, 20), ("sigmoid", -80, 80), ("log", 1e-6, 1e6)])
def test_function_over_a_range(kernels, name, low, high, dtype):
    x = np.linspace(low, high, 20_001).astype(dtype)
    expected = FUNCTIONS[name](x.astype(np.float64))
    np.testing.assert_allclose(getattr(kernels, name)(x), expected, rtol=8 * np.finfo(dtype).eps, atol=1e-38)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_sigmoid_does_not_overflow(kernels, dtype):
    huge = np.finfo(dtype).max
    assert_same(kernels.sigmoid(np.array([-np.inf, -huge, huge, np.inf], dtype)), np.array([0, 0, 1, 1], dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_tanh_is_accurate_near_zero(kernels, dtype):
    x = np.array([1e-3, -1e-5, 1e-20], dtype)
    np.testing.assert_allclose(kernels.tanh(x), np.tanh(x.astype(np.float64)), rtol=8 * np.finfo(dtype).eps)


@given(arrays(st.sampled_from(DTYPES[:4]), special=True))
def test_relu(kernels, x):
    assert_same(kernels.relu(x), np.asarray(np.where(np.isnan(x), x, np.where(x > 0, x, 0)), x.dtype))


DOMAIN = {"acosh": (1, 50), "acos": (-1, 1), "asin": (-1, 1), "atanh": (-1, 1), "log1p": (-1, 50), "log2": (0, 50),
          "log10": (0, 50), "erfc": (-6, 9)}  # fmt: skip
ORACLES = {
    **{name: getattr(np, name) for name in UNARY if hasattr(np, name) and name != "round"},
    "round": np.rint,
    "erf": scipy.special.erf,
    "erfc": scipy.special.erfc,
}


@pytest.mark.parametrize("name", UNARY)
@given(arrays(special=True))
def test_unary(kernels, name, x):
    with quiet():
        wide = x.astype(np.float64)
        expected = ORACLES[name](wide)
        expected = np.where(np.isfinite(expected), expected, expected.astype(x.dtype))
    assert_close(kernels.unary(x, name), expected, units=4)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_unary_over_a_range(kernels, name, dtype):
    """Within 4 units in the last place, however small the result."""
    x = np.linspace(*DOMAIN.get(name, (-5, 5)), 4001).astype(dtype)
    x = np.concatenate([x, x[np.abs(x) < 1] * dtype.type(1e-8)])
    wide = x.astype(np.float64 if name in ("erf", "erfc") else np.longdouble)
    with quiet():
        expected = ORACLES[name](wide)
    limit = 100 if name == "erfc" and dtype == np.float64 else 4  # SciPy's own erfc errs by up to 60
    assert ulps(kernels.unary(x, name), expected) <= limit


def test_round_takes_halves_to_the_even_neighbour(kernels):
    x = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32)
    assert kernels.unary(x, "round").tolist() == [-2, -2, 0, 0, 2, 2]


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
@given(st.data())
def test_division_with_a_rest(kernels, name, data):
    """By Python's own rules, which round down (``fmod``: towards zero)."""
    x, y = data.draw(operands(st.sampled_from(["float32", "float64", "int64", "int32"])))
    y = np.where(y == 0, y.dtype.type(3), y) * y.dtype.type(data.draw(st.sampled_from([1, -1])))
    expected = {"floor_divide": np.floor_divide, "remainder": np.mod, "fmod": np.fmod}[name](x, y)
    assert_same(kernels.binary(x, y, name), np.asarray(expected))
    if x.dtype.kind == "i":
        python = {"floor_divide": operator.floordiv, "remainder": operator.mod, "fmod": lambda a, b: a - b * int(a / b)}
        pairs = zip(*(a.ravel().tolist() for a in np.broadcast_arrays(x, y)), strict=True)
        assert kernels.binary(x, y, name).ravel().tolist() == [python[name](a, b) for a, b in pairs]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_division_with_a_rest_at_the_edges(kernels, dtype):
    nan, inf = np.nan, np.inf
    x, y = np.array([1, -1, 0, 5, -5, inf, nan], dtype), np.array([0, 0, 0, inf, inf, 2, 1], dtype)
    assert_same(kernels.binary(x, y, "floor_divide"), np.array([inf, -inf, nan, 0, -1, nan, nan], dtype))
    assert_same(kernels.binary(x, y, "remainder"), np.array([nan, nan, nan, 5, inf, nan, nan], dtype))
    assert_same(kernels.binary(x, y, "fmod"), np.array([nan, nan, nan, 5, -5, nan, nan], dtype))


@given(st.data())
def test_angle_and_length(kernels, data):
    x, y = data.draw(operands(float_dtypes, special=True))
    with quiet():
        a, b = x.astype(np.float64), y.astype(np.float64)
        length, angle = np.hypot(a, b), np.arctan2(a, b)
        length = np.where(np.isfinite(length), length, length.astype(x.dtype))
    assert_close(kernels.binary(x, y, "hypot"), length, units=4)
    assert_close(kernels.binary(x, y, "atan2"), angle, units=4)


@given(st.data())
def test_bits(kernels, data):
    x, y = data.draw(operands(st.sampled_from([*DTYPES[2:], np.dtype("int8")])))
    for name, bits in (("bitwise_and", operator.and_), ("bitwise_or", operator.or_), ("bitwise_xor", operator.xor)):
        assert_same(kernels.binary(x, y, name), np.asarray(bits(x, y)))


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8"])
def test_shifts(kernels, dtype):
    x = np.array([5, 1, 77, 3], dtype)
    assert_same(kernels.binary(x, np.array([1, 0, 2, 100], dtype), "left_shift"), (x * [2, 1, 4, 0]).astype(dtype))
    assert_same(kernels.binary(x, np.array([1, 0, 2, 100], dtype), "right_shift"), np.array([2, 1, 19, 0], dtype))
    if x.dtype.kind == "i":
        assert kernels.binary(-x, 1, "right_shift").tolist() == [-3, -1, -39, -2]
        assert kernels.binary(-x, np.array([-1, 100, 7, 0], dtype), "right_shift").tolist() == [-1, -1, -1, -3]
        assert kernels.binary(x, -1, "left_shift").tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("name", ["remainder", "fmod", "bitwise_and"])
def test_binary_with_a_number(kernels, name):
    x = np.array([5, 9, 2], np.int32)
    assert kernels.binary(x, 3, name).tolist() == {"bitwise_and": [1, 1, 2]}.get(name, [2, 0, 2])
    assert kernels.binary(7, x, name).tolist() == {"bitwise_and": [5, 1, 2]}.get(name, [2, 7, 1])
    assert kernels.binary(x, 3, name).dtype == x.dtype


# ------------------------------------------------------------------------------------------------------------ gradients


@given(st.data(), float_dtypes, shapes())
def test_relu_gx(kernels, data, dtype, shape):
    gy, y = (data.draw(arrays(dtype, shape, special=True)) for _ in range(2))
    expected = np.zeros(shape, dtype)
    for index in np.ndindex(shape):
        if not y[index] <= 0:
            expected[index] = gy[index]
    assert_same(kernels.relu_gx(gy, y), expected)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@given(st.data(), float_dtypes, shapes())
def test_gradient_by_the_output(kernels, name, data, dtype, shape):
    """dy/dx by a central difference in float64."""
    gy, x = data.draw(arrays(dtype, shape)), data.draw(arrays(dtype, shape))
    f, h = FUNCTIONS[name], 1e-6
    slope = (f(x.astype(np.float64) + h) - f(x.astype(np.float64) - h)) / (2 * h)
    gx = getattr(kernels, f"{name}_gx")(gy, f(x.astype(np.float64)).astype(dtype))
    np.testing.assert_allclose(gx, gy * slope, rtol=1e-8, atol=64 * np.finfo(dtype).eps + 1e-8)


@pytest.mark.parametrize("name", [*ARITHMETIC, *FUNCTIONS, "relu", "neg", "abs"])
def test_large_arrays(kernels, name):
    """More than one block of work, with an odd rest."""
    rng = np.random.default_rng(0)
    x, y = np.abs(rng.standard_normal((2, 100_003))).astype(np.float32)
    oracle = {**ARITHMETIC, **FUNCTIONS, "relu": np.abs, "neg": np.negative, "abs": np.abs}[name]
    arguments = (x, y) if name in ARITHMETIC else (x,)
    actual = getattr(kernels, name)(*arguments)
    np.testing.assert_allclose(actual, oracle(*(a.astype(np.float64) for a in arguments)), rtol=1e-6)


def test_large_selections(kernels):
    rng = np.random.default_rng(0)
    condition, x, y = rng.random(100_003) < 0.5, *rng.standard_normal((2, 100_003)).astype(np.float32)
    assert_same(kernels.where(condition, x, y), np.where(condition, x, y))
    assert_same(kernels.where(condition, x, 2), np.where(condition, x, np.float32(2)))
    assert_same(kernels.where(condition, 2, x), np.where(condition, np.float32(2), x))


def test_every_name_has_a_function(kernels):
    for name in UNARY:
        assert kernels.unary(np.array([0.5, 1.0]), name).shape == (2,)
    for name in BINARY:
        one = np.ones(2) if name in ("atan2", "hypot") else np.ones(2, np.int32)
        assert kernels.binary(one, one, name).shape == (2,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [1, 64, 65])
def test_ieee_754_without_warnings_or_traces(kernels, n):
    """Few elements take another way than many; neither touches NumPy's settings."""
    before, top = np.geterr(), np.full(n, np.finfo(np.float32).max)
    zero, target = np.zeros(n, np.float32), top.copy()
    for result, expected in (
        (kernels.add(top, top), np.inf),
        (kernels.sub(-top, top), -np.inf),
        (kernels.mul(top, 2), np.inf),
        (kernels.div(zero, zero), np.nan),
    ):
        np.testing.assert_array_equal(result, np.full(n, expected, np.float32), strict=True)
    kernels.add_(target, top)
    np.testing.assert_array_equal(target, np.full(n, np.inf, np.float32))
    assert np.geterr() == before
