"""Batch normalization: the paper's formula, the running statistics, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts


def formula(x, mean, var, w, b, eps):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + eps) * w.reshape(shape) + b.reshape(shape)


@given(st.data(), st.sampled_from([1e-5, 0.1]))
def test_training(data, eps):
    shape = data.draw(sts.shapes(min_dims=2, min_side=2))
    dtype, C = data.draw(sts.float_dtypes), shape[1]
    x, w, b = (data.draw(sts.arrays(dtype, s)) for s in (shape, (C,), (C,)))
    axes = (0, *range(2, len(shape)))
    y = F.batch_norm(
        tinyconv.from_numpy(x), None, None, tinyconv.from_numpy(w), tinyconv.from_numpy(b), training=True, eps=eps
    )
    X = x.astype(np.float64)
    expected = formula(X, X.mean(axes), X.var(axes), w, b, eps)
    size = np.abs(expected).max()
    np.testing.assert_allclose(y.array, expected, rtol=1e-3, atol=size * (2e-4 if dtype == np.float32 else 1e-9))


@given(st.data())
def test_evaluation(data):
    shape = data.draw(sts.shapes(min_dims=2))
    C = shape[1]
    x, mean, w, b = (data.draw(sts.arrays("float64", s)) for s in (shape, (C,), (C,), (C,)))
    var = np.abs(data.draw(sts.arrays("float64", (C,)))) + 0.1
    y = F.batch_norm(*(tinyconv.from_numpy(a) for a in (x, mean, var, w, b)))
    np.testing.assert_allclose(y.array, formula(x, mean, var, w, b, 1e-5), rtol=1e-9, atol=1e-12)


def test_running_statistics():
    x = tinyconv.randn(4, 3, 2, dtype=tinyconv.float64)
    mean, var = tinyconv.zeros(3, dtype=tinyconv.float64), tinyconv.ones(3, dtype=tinyconv.float64)
    F.batch_norm(x, mean, var, training=True, momentum=0.3)
    np.testing.assert_allclose(mean.array, 0.3 * x.array.mean((0, 2)))
    np.testing.assert_allclose(var.array, 0.7 + 0.3 * x.array.var((0, 2), ddof=1))
    assert mean._version > 0
    before = mean.array.copy()
    F.batch_norm(x, mean, var)
    np.testing.assert_array_equal(mean.array, before)


def test_large_offsets_do_not_cancel():
    x = tinyconv.tensor(np.random.default_rng(0).standard_normal((64, 2)) + 1e4, dtype=tinyconv.float32)
    y = F.batch_norm(x, None, None, training=True)
    np.testing.assert_allclose(y.array.std(0), 1, rtol=1e-2)


def test_without_weight_and_bias():
    x = tinyconv.randn(5, 2)
    one, zero = tinyconv.ones(2), tinyconv.zeros(2)
    np.testing.assert_array_equal(
        F.batch_norm(x, None, None, training=True).array, F.batch_norm(x, None, None, one, zero, training=True).array
    )


def test_a_constant_channel_has_no_variance():
    y = F.batch_norm(tinyconv.full((4, 1), 3.0), None, None, training=True)
    assert y.tolist() == [[0.0]] * 4


def test_errors():
    x, stats = tinyconv.zeros(2, 3, 4), tinyconv.zeros(3)
    with pytest.raises(RuntimeError, match=r"expected input of shape \(N, C, ...\), got \(3,\)"):
        F.batch_norm(stats, stats, stats)
    for name in ("weight", "bias", "running_mean", "running_var"):
        arguments = {"running_mean": stats, "running_var": stats, name: tinyconv.zeros(4)}
        with pytest.raises(RuntimeError, match=rf"batch_norm: {name} must have shape \(3,\), got \(4,\)"):
            F.batch_norm(x, **arguments)
    with pytest.raises(ValueError, match=r"more than 1 value per channel when training, got input of shape \(1, 3\)"):
        F.batch_norm(tinyconv.zeros(1, 3), None, None, training=True)
    with pytest.raises(RuntimeError, match="running_mean and running_var must be given in evaluation mode"):
        F.batch_norm(x, None, None)
    with pytest.raises(RuntimeError, match="input is tinyconv.float32, weight is tinyconv.float64"):
        F.batch_norm(x, stats, stats, tinyconv.ones(3, dtype=tinyconv.float64))
