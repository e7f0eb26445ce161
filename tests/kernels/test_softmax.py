"""Softmax and the negative log-likelihood: SciPy's values, gradients by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_close, assert_same
from tests.strategies import FLOATS, LAYOUTS, arrays, float_dtypes, laid_out, normal, seeds, shapes
from tinyconv.kernels import reference

ORACLES = {"log_softmax": scipy.special.log_softmax, "softmax": scipy.special.softmax}
some_shapes = shapes(min_dims=1)


@pytest.mark.parametrize("name", ORACLES)
@given(st.data(), some_shapes, float_dtypes)
def test_values(kernels, name, data, shape, dtype):
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = data.draw(arrays(dtype, shape))
    expected = ORACLES[name](x.astype(np.float64), axis) if x.size else x
    assert_close(getattr(kernels, name)(x, axis), expected, terms=2)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_no_overflow_for_any_finite_x(kernels, dtype):
    x = np.array([[1e4, 0, -1e4], [-1e30, -1e30, -1e30], [np.finfo(dtype).max, 0, 0]], dtype)
    expected = np.array([[1, 0, 0], [1 / 3] * 3, [1, 0, 0]])
    np.testing.assert_allclose(kernels.softmax(x, 1), expected, rtol=1e-6)
    y = kernels.log_softmax(x, 1)
    np.testing.assert_allclose(y[:2], [[0, -1e4, -2e4], [-np.log(3)] * 3], rtol=1e-6)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize(("shape", "axis"), [((3, 0), 1), ((0, 3), 1), ((0, 3), 0), ((2, 0, 3), 1)])
def test_of_nothing(kernels, name, shape, axis):
    x = np.ones(shape, np.float32)
    assert_same(getattr(kernels, name)(x, axis), x)
    assert_same(getattr(kernels, f"{name}_gx")(x, x, axis), x)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize(("shape", "axis"), [((3, 2000), 1), ((2000, 3), 0), ((2, 50, 67), 1), ((5, 33, 2), 1)])
def test_long_lines(kernels, name, shape, axis):
    """Lines shared by several workers, neighbouring lines, lines with gaps: values and gradients."""
    x, gy = (normal(np.random.default_rng(seed), shape, np.float32) for seed in (0, 1))
    y = ORACLES[name](x.astype(np.float64), axis)
    assert_close(getattr(kernels, name)(x, axis), y, terms=2)
    total = np.sum(gy.astype(np.float64) * (1 if name == "log_softmax" else y), axis, keepdims=True)
    gx = gy - np.exp(y) * total if name == "log_softmax" else y * (gy - total)
    assert_close(getattr(kernels, f"{name}_gx")(gy, y.astype(np.float32), axis), gx, terms=8)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_minus_infinity_has_probability_zero(kernels, dtype):
    x = np.array([0, -np.inf, 0], dtype)
    np.testing.assert_allclose(kernels.softmax(x, 0), [0.5, 0, 0.5])
    np.testing.assert_allclose(kernels.log_softmax(x, 0), [-np.log(2), -np.inf, -np.log(2)], rtol=1e-6)


@pytest.mark.parametrize("bad", [[np.nan, 1], [np.inf, 1], [np.inf, np.inf], [-np.inf, -np.inf]])
@pytest.mark.parametrize("name", ORACLES)
def test_rows_without_a_distribution_are_nan(kernels, name, bad):
    """NaN, or ``inf - inf`` in the formula. The other row is as usual."""
    y = getattr(kernels, name)(np.array([bad, [0, 0]], np.float32), 1)
    assert np.isnan(y[0, 0])
    np.testing.assert_allclose(y[1], ORACLES[name]([0.0, 0.0]), rtol=1e-6)


@pytest.mark.parametrize("name", ORACLES)
@given(st.data(), some_shapes, seeds)
def test_gradient_is_the_derivative(kernels, name, data, shape, seed):
    """In a random direction, by a central difference in float64."""
    axis = data.draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(seed)
    gy, x, dx = (normal(rng, shape, np.float64) for _ in range(3))
    h = 1e-6
    f = ORACLES[name]
    if x.size:
        slope = np.sum(gy * (f(x + h * dx, axis) - f(x - h * dx, axis))) / (2 * h)
        gx = getattr(kernels, f"{name}_gx")(gy, f(x, axis), axis)
        np.testing.assert_allclose(np.vdot(gx, dx), slope, rtol=1e-6, atol=1e-7 * max(x.size, 1))


@pytest.mark.parametrize("name", ORACLES)
@given(st.data(), some_shapes, float_dtypes)
def test_gradient_in_every_layout_and_dtype(kernels, name, data, shape, dtype):
    axis = data.draw(st.integers(0, len(shape) - 1))
    gy, x = (normal(np.random.default_rng(seed), shape, dtype) for seed in (0, 1))
    y = ORACLES[name](x, axis) if x.size else x
    layout = data.draw(st.sampled_from(LAYOUTS))  # one for both: where they differ, NumPy falls back to C order
    gy, y = layout(gy), layout(y)
    kernel = getattr(kernels, f"{name}_gx")
    exact = kernel(np.array(gy, np.float64), np.array(y, np.float64), axis)
    assert_close(kernel(gy, y, axis), exact, terms=max(shape))


# ------------------------------------------------------------------------------------------------------------- nll_loss

IGNORE = -100


@st.composite
def likelihoods(draw):
    """x (N, C, L), target (N, L) with some ignored, weight (C,) or None."""
    N, C, L = draw(st.integers(0, 4)), draw(st.integers(1, 5)), draw(st.integers(0, 4))
    dtype = draw(float_dtypes)
    rng = np.random.default_rng(draw(seeds))
    target = np.where(rng.random((N, L)) < 0.2, IGNORE, rng.integers(0, C, (N, L)))
    weight = draw(arrays(dtype, (C,))) if draw(st.booleans()) else None
    return draw(arrays(dtype, (N, C, L))), draw(laid_out(target)), weight


@given(likelihoods())
def test_nll_loss(kernels, case):
    x, target, weight = case
    loss, scale = kernels.nll_loss(x, target, weight, IGNORE)
    expected = np.zeros((2, *target.shape), x.dtype)
    for n, position in np.ndindex(target.shape):
        t = target[n, position]
        if t != IGNORE:
            factor = x.dtype.type(1) if weight is None else weight[t]
            expected[:, n, position] = -factor * x[n, t, position], factor
    assert_same(loss, expected[0])
    assert_same(scale, expected[1])


@given(likelihoods(), seeds)
def test_nll_loss_gx_is_the_adjoint_in_x(kernels, case, seed):
    x, target, weight = case
    gy = normal(np.random.default_rng(seed), target.shape, x.dtype)
    loss, scale = kernels.nll_loss(x, target, weight, IGNORE)
    gx = kernels.nll_loss_gx(gy, target, scale, x.shape[1])
    assert (gx.shape, gx.dtype) == (x.shape, x.dtype)
    np.testing.assert_allclose(np.vdot(loss, gy), np.vdot(x, gx), rtol=1e-4, atol=1e-4)
    for n, position in np.ndindex(target.shape):
        others = [c for c in range(x.shape[1]) if c != target[n, position]]
        assert not gx[n, others, position].any()


@pytest.mark.parametrize("ignore_index", [-100, 0, 1, 255])
def test_ignored_targets_cost_nothing(kernels, ignore_index):
    """Even where the ignored class has a log-probability of minus infinity."""
    x = np.array([[[-1.0], [-2.0]], [[-np.inf], [-np.inf]]], np.float32)
    target = np.array([[1 if ignore_index != 1 else 0], [ignore_index]])
    loss, scale = kernels.nll_loss(x, target, None, ignore_index)
    assert loss.ravel().tolist() == [2 if ignore_index != 1 else 1, 0]
    assert scale.ravel().tolist() == [1, 0]


@pytest.mark.parametrize("wrong", [3, -1, 10**12, -(10**12)])
def test_targets_out_of_range(kernels, wrong):
    target = np.array([[0, 1], [2, wrong], [wrong + 1, 0]])
    with pytest.raises(IndexError, match=rf"^Target {wrong} is out of bounds: .*\(at \(1, 1\)"):
        kernels.nll_loss(np.zeros((3, 3, 2), np.float32), target, None, IGNORE)


def test_what_is_ignored_has_gradient_zero_whatever_comes_back(kernels):
    target, gy = np.array([[0], [IGNORE], [1]]), np.array([[1], [np.nan], [np.inf]], np.float32)
    scale = np.array([[1], [0], [0]], np.float32)  # the last has weight 0
    gx = kernels.nll_loss_gx(gy, target, scale, 2)
    assert gx.ravel().tolist() == [-1, 0, 0, 0, 0, 0]


def test_nan_is_only_where_it_is_picked(kernels):
    x = np.array([[[np.nan], [-1]], [[np.nan], [-1]]], np.float32)
    loss, _ = kernels.nll_loss(x, np.array([[0], [1]]), None, IGNORE)
    np.testing.assert_array_equal(loss, [[np.nan], [1]])


@given(likelihoods(), seeds, st.booleans())
def test_cross_entropy_is_softmax_and_nll_loss_in_one(kernels, case, seed, mean):
    x, target, weight = case
    loss, logp, scale, total = kernels.cross_entropy(x, target, weight, IGNORE, mean)
    assert loss.shape == total.shape == () and loss.dtype == x.dtype
    expected = reference.log_softmax(x.astype(np.float64), 1)
    assert_close(logp, expected, terms=x.shape[1])
    losses, scales = reference.nll_loss(logp, target, weight, IGNORE)
    assert_same(scale, scales)
    assert_close(total, scales.sum(dtype=np.float64), terms=scales.size)
    with np.errstate(all="ignore"):
        sums = losses.sum(dtype=np.float64) / (np.float64(total) if mean else 1)
    assert_close(loss, sums, terms=scales.size)
    gloss = normal(np.random.default_rng(seed), (), x.dtype)
    for divisor in (None, np.asarray(3, x.dtype)):
        g = np.full(target.shape, gloss / (divisor or 1))
        gx = kernels.cross_entropy_gx(gloss, logp, target, scale, divisor)
        parts = reference.nll_loss_gx(g.astype(np.float64), target, scale.astype(np.float64), x.shape[1])
        assert_close(gx, reference.log_softmax_gx(parts, logp.astype(np.float64), 1), terms=x.shape[1])


def test_cross_entropy_says_which_target_is_wrong(kernels):
    with pytest.raises(IndexError, match=r"^Target 3 is out of bounds: .*\(at \(1, 0\)"):
        kernels.cross_entropy(np.zeros((2, 3, 1), np.float32), np.array([[0], [3]]), None, IGNORE, True)
