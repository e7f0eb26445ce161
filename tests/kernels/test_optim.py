"""SGD and Adam, number by number in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import arrays, float_dtypes, shapes


@given(
    st.data(),
    float_dtypes,
    st.lists(shapes(max_dims=3), max_size=3),
    st.sampled_from([0.0, 0.9]),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([0.0, 0.01]),
    st.booleans(),
    st.booleans(),
)
def test_three_steps(kernels, data, dtype, shapes, momentum, dampening, weight_decay, nesterov, maximize):
    params = [data.draw(arrays(dtype, shape, writable=True)) for shape in shapes]
    buffers = [data.draw(arrays(dtype, shape, writable=True)) for shape in shapes] if momentum else None
    expected = [p.astype(np.float64) for p in params]
    velocities = [np.full(p.shape, np.nan) for p in params]
    for step in range(3):
        grads = [data.draw(arrays(dtype, shape)) for shape in shapes]
        kernels.sgd(params, grads, buffers, 0.1, momentum, dampening, weight_decay, nesterov, maximize, step == 0)
        for i, (p, g) in enumerate(zip(expected, grads, strict=True)):
            g = (-1 if maximize else 1) * g.astype(np.float64) + weight_decay * p
            first = step == 0 or not momentum
            velocities[i] = g if first else momentum * velocities[i] + (1 - dampening) * g
            expected[i] = p - 0.1 * (g + momentum * velocities[i] if nesterov else velocities[i])
    for actual, p in zip(params, expected, strict=True):
        np.testing.assert_allclose(actual, p, rtol=0, atol=64 * np.finfo(dtype).eps)
    for actual, v in zip(buffers or [], velocities, strict=False):
        np.testing.assert_allclose(actual, v, rtol=0, atol=64 * np.finfo(dtype).eps)


def test_the_first_step_ignores_what_the_buffer_holds(kernels):
    p, g, v = np.zeros(3, np.float32), np.ones(3, np.float32), np.full(3, np.nan, np.float32)
    kernels.sgd([p], [g], [v], 0.5, 0.9, 0.5, 0.0, False, False, True)
    assert v.tolist() == [1, 1, 1]  # no dampening either, as in PyTorch
    assert p.tolist() == [-0.5] * 3


@pytest.mark.parametrize("shape", [(), (0,), (61_706,), (120, 400)])
def test_parameters_of_any_size(kernels, shape):
    rng = np.random.default_rng(0)
    p, g, v = (np.asarray(rng.standard_normal(shape), np.float32) for _ in range(3))
    velocity = 0.9 * v.astype(np.float64) + g
    expected = p - 0.1 * velocity
    kernels.sgd([p], [g], [v], 0.1, 0.9, 0.0, 0.0, False, False, False)
    np.testing.assert_allclose(v, velocity, atol=1e-6)
    np.testing.assert_allclose(p, expected, atol=1e-6)


def test_nan_and_infinity_stay_where_they_are(kernels):
    p, g = np.zeros(3, np.float32), np.array([1, np.nan, np.inf], np.float32)
    kernels.sgd([p], [g], None, 1.0, 0.0, 0.0, 0.0, False, False, True)
    np.testing.assert_array_equal(p, [-1, np.nan, -np.inf])


@given(
    st.data(),
    float_dtypes,
    st.lists(shapes(max_dims=3), max_size=3),
    st.booleans(),
    st.sampled_from([0.0, 0.01]),
    st.booleans(),
    st.booleans(),
)
def test_three_steps_of_adam(kernels, data, dtype, shapes, amsgrad, weight_decay, decoupled, maximize):
    params, m, v, top = ([data.draw(arrays(dtype, shape, writable=True)) for shape in shapes] for _ in range(4))
    for a in (*m, *v, *top):
        a[...] = 0
    expected = [[a.astype(np.float64) for a in part] for part in (params, m, v, top)]
    lr, beta1, beta2, eps = 0.1, 0.9, 0.75, 1e-3
    for t in (1, 2, 3):
        grads = [data.draw(arrays(dtype, shape)) for shape in shapes]
        tops = top if amsgrad else None
        kernels.adam(params, grads, m, v, tops, lr, beta1, beta2, eps, weight_decay, decoupled, maximize, t)
        for p, em, ev, etop, g in zip(*expected, grads, strict=True):
            g = (-1 if maximize else 1) * g.astype(np.float64) + (0 if decoupled else weight_decay) * p
            em[...] = beta1 * em + (1 - beta1) * g
            ev[...] = beta2 * ev + (1 - beta2) * g**2
            etop[...] = np.maximum(etop, ev) if amsgrad else 0
            root = np.sqrt((etop if amsgrad else ev) / (1 - beta2**t)) + eps
            p[...] = p * (1 - lr * weight_decay * decoupled) - lr * em / (1 - beta1**t) / root
    for actual, want in zip((params, m, v, top), expected, strict=True):
        for a, b in zip(actual, want, strict=True):
            np.testing.assert_allclose(a, b, rtol=512 * np.finfo(dtype).eps, atol=512 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(), (0,), (61_706,), (120, 400)])
def test_adam_on_parameters_of_any_size(kernels, shape):
    rng = np.random.default_rng(0)
    p, g = (np.asarray(rng.standard_normal(shape), np.float32) for _ in range(2))
    expected = p - 0.1 * np.sign(g)  # the first step of Adam is lr in the direction of the sign
    m, v = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    kernels.adam([p], [g], [m], [v], None, 0.1, 0.9, 0.999, 0.0, 0.0, False, False, 1)
    np.testing.assert_allclose(p, expected, atol=1e-5)


@pytest.mark.parametrize("amsgrad", [False, True])
def test_nan_and_infinity_in_adam_stay_where_they_are(kernels, amsgrad):
    p, m, v, top = (np.zeros(4, np.float32) for _ in range(4))
    g = np.array([1, np.nan, np.inf, 0], np.float32)
    tops = [top] if amsgrad else None
    kernels.adam([p], [g], [m], [v], tops, 1.0, 0.5, 0.5, 0.0, 0.0, False, False, 1)
    np.testing.assert_array_equal(p, [-1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(v, [0.5, np.nan, np.inf, 0])
    if amsgrad:
        np.testing.assert_array_equal(top, v)
