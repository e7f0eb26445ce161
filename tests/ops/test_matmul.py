"""Matrix products: NumPy's values over ranks, broadcasting and layouts; errors that show the shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts


def close(ours, expected, terms):
    eps = 16 * np.finfo(ours.dtype.numpy).eps * max(terms, 1)
    assert tuple(ours.shape) == np.shape(expected)
    np.testing.assert_allclose(ours.array, expected, rtol=eps, atol=eps)


@given(st.data())
def test_matmul(data):
    batch_a, batch_b = data.draw(sts.broadcastable_shapes(max_dims=2))
    M, K, N = (data.draw(st.integers(0, 5)) for _ in range(3))
    a_shape, b_shape = data.draw(
        st.sampled_from(
            [((*batch_a, M, K), (*batch_b, K, N)), ((K,), (*batch_b, K, N)), ((*batch_a, M, K), (K,)), ((K,), (K,))]
        )
    )
    dtype = data.draw(sts.float_dtypes)
    a, b = data.draw(sts.arrays(dtype, a_shape)), data.draw(sts.arrays(dtype, b_shape))
    expected = np.matmul(a.astype(np.float64), b.astype(np.float64))
    close(tinyconv.from_numpy(a) @ tinyconv.from_numpy(b), expected, K)
    close(tinyconv.matmul(tinyconv.from_numpy(a), tinyconv.from_numpy(b)), expected, K)


@given(st.data())
def test_linear(data):
    leading, K, N = data.draw(sts.shapes(max_dims=3)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    dtype = data.draw(sts.float_dtypes)
    x, w, b = (data.draw(sts.arrays(dtype, shape)) for shape in ((*leading, K), (N, K), (N,)))
    X, W, B = (tinyconv.from_numpy(a) for a in (x, w, b))
    close(F.linear(X, W, B), x @ w.T + b, K)
    close(F.linear(X, W), x @ w.T, K)


def test_nan_and_infinity_propagate():
    x = tinyconv.tensor([[float("nan"), 1.0], [float("inf"), 1.0]])
    y = x @ tinyconv.ones(2, 2)
    assert np.isnan(y.array[0]).all()
    assert np.isinf(y.array[1]).all()


def test_errors():
    a = tinyconv.ones(2, 3)
    with pytest.raises(
        RuntimeError,
        match=r"inner sizes differ: input has 3 columns, other 2 rows \(input: \(2, 3\), other: \(2, 2\)\)",
    ):
        a @ tinyconv.ones(2, 2)
    with pytest.raises(RuntimeError, match=r"both operands need at least 1 dimension, got shapes \(2, 3\), \(\)"):
        a @ tinyconv.tensor(1.0)
    with pytest.raises(RuntimeError, match="same dtype, got tinyconv.float32 and tinyconv.float64"):
        a @ tinyconv.ones(3, 2, dtype=tinyconv.float64)
    with pytest.raises(RuntimeError, match=r"mm: expected two matrices, got shapes \(2, 3\), \(3,\)"):
        tinyconv.mm(a, tinyconv.ones(3))
    with pytest.raises(RuntimeError, match=r"matmul: shapes \(2,\) and \(3,\) cannot be broadcast"):
        tinyconv.ones(2, 2, 2) @ tinyconv.ones(3, 2, 2)
    with pytest.raises(TypeError, match="expected tensors, got Tensor and int"):
        tinyconv.matmul(a, 2)


@pytest.mark.parametrize("shape", [(), (1,), (1, 4), (2, 1), (2, 4), (3, 2, 4)])
def test_a_bias_that_broadcasts(shape):
    x, w = tinyconv.randn(*([3] if len(shape) > 2 else []), 2, 5), tinyconv.randn(4, 5)
    b = tinyconv.randn(*shape, requires_grad=True)
    y = F.linear(x, w, b)
    np.testing.assert_allclose(y.detach().array, x.array @ w.array.T + b.detach().array, atol=1e-5)
    y.sum().backward()
    assert b.grad.shape == shape and b.grad.sum().item() == y.numel()


def test_linear_errors():
    x, w = tinyconv.ones(2, 3), tinyconv.ones(4, 5)
    with pytest.raises(
        RuntimeError, match=r"linear: weight \(4, 5\) expects 5 input features, x has 3 \(x: \(2, 3\)\)"
    ):
        F.linear(x, w)
    with pytest.raises(
        RuntimeError, match=r"bias must have shape \(4,\), or one that broadcasts to \(2, 4\), got \(2,\)"
    ):
        F.linear(x, tinyconv.ones(4, 3), tinyconv.ones(2))
    with pytest.raises(RuntimeError, match="input is tinyconv.float32, weight is tinyconv.float64"):
        F.linear(x, tinyconv.ones(4, 3, dtype=tinyconv.float64))
    with pytest.raises(RuntimeError, match="expected both of the same dtype, got tinyconv.int64 and tinyconv.float32"):
        F.linear(x.long(), tinyconv.ones(4, 3))
    with pytest.raises(RuntimeError, match="linear: input is tinyconv.float32, bias is tinyconv.float64"):
        F.linear(x, tinyconv.ones(4, 3), tinyconv.ones((), dtype=tinyconv.float64))
    with pytest.raises(RuntimeError, match=r"for a weight \(3,\) bias must be 0-d, got \(4,\)"):
        F.linear(x, tinyconv.ones(3), tinyconv.ones(4))


def test_integers_go_through_a_layer():
    x, w, b = tinyconv.tensor([[1, 2]]), tinyconv.tensor([[3, 4], [5, 6], [7, 8]]), tinyconv.tensor([1, 0, 2])
    assert F.linear(x, w).tolist() == [[11, 17, 23]]
    assert F.linear(x, w, b).tolist() == [[12, 17, 25]]


def test_integers():
    a = tinyconv.tensor([[1, 2], [3, 4]])
    assert (a @ a).tolist() == [[7, 10], [15, 22]]
    assert (a @ a).dtype is tinyconv.int64
