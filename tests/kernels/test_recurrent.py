"""The gates of an LSTM: the formula in float64, and the gradient by finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS, arrays, float_dtypes, normal, seeds

sizes = st.tuples(st.integers(0, 6), st.integers(1, 40))


def cell(sums, c):
    i, f, g, o = np.split(sums, 4, axis=1)
    new_c = expit(f) * c + expit(i) * np.tanh(g)
    return expit(o) * np.tanh(new_c), new_c


@given(st.data(), sizes, float_dtypes)
def test_lstm(kernels, data, size, dtype):
    N, H = size
    gx, gh = (data.draw(arrays(dtype, (N, 4 * H))) for _ in range(2))
    c = data.draw(arrays(dtype, (N, H)))
    sums = gx.astype(np.float64) + gh
    h, new_c, gates = kernels.lstm(gx, gh, c)
    for actual, expected in zip((h, new_c), cell(sums, c), strict=True):
        assert_close(actual, expected, terms=4)
    i, f, g, o = np.split(sums, 4, axis=1)
    assert_close(gates, np.concatenate([expit(i), expit(f), np.tanh(g), expit(o)], axis=1), terms=4)


@given(sizes, seeds)
def test_lstm_gx_is_the_derivative(kernels, size, seed):
    rng, (N, H) = np.random.default_rng(seed), size
    gh, gc, c, dc = (normal(rng, (N, H), np.float64) for _ in range(4))
    sums, dsums = (normal(rng, (N, 4 * H), np.float64) for _ in range(2))
    _, new_c, gates = kernels.lstm(sums, np.zeros_like(sums), c)
    gsums, gold = kernels.lstm_gx(gh, gc, gates, c, new_c)

    def loss(t):
        h, new = cell(sums + t * dsums, c + t * dc)
        return np.sum(gh * h) + np.sum(gc * new)

    h = 1e-6
    slope = np.sum(gsums * dsums) + np.sum(gold * dc)
    np.testing.assert_allclose(slope, (loss(h) - loss(-h)) / (2 * h), rtol=1e-6, atol=1e-6)


def test_float32_says_what_float64_says(kernels):
    rng = np.random.default_rng(0)
    gh, gc, c, new_c = (normal(rng, (70, 33), np.float64) for _ in range(4))
    gates = expit(normal(rng, (70, 132), np.float64))
    arguments = gh, gc, gates, c, new_c
    exact = kernels.lstm_gx(*arguments)
    for actual, expected in zip(kernels.lstm_gx(*[a.astype(np.float32) for a in arguments]), exact, strict=True):
        assert_close(actual, expected, terms=4)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_gates_without_end_are_open_or_shut(kernels, dtype):
    sums = np.array([[np.inf, -np.inf, -np.inf, np.inf], [np.nan, 0, 0, 0]], dtype)
    h, c, gates = kernels.lstm(sums, np.zeros_like(sums), np.array([[5], [1]], dtype))
    assert gates[0].tolist() == [1, 0, -1, 1] and np.isnan(gates[1, 0])
    assert c[0] == -1 and np.isnan([c[1], h[1]]).all()
