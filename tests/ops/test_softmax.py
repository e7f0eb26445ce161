"""Softmax and its logarithm: SciPy's values, no overflow, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import tinyconv
import tinyconv.nn.functional as F
from tests import strategies as sts


@given(st.data())
def test_values(data):
    x = data.draw(sts.arrays(shape=sts.shapes(min_dims=1)))
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    if not x.shape[axis]:
        return
    tolerance = 16 * np.finfo(x.dtype).eps
    t = tinyconv.from_numpy(x)
    np.testing.assert_allclose(F.softmax(t, axis).array, special.softmax(x, axis), rtol=4 * tolerance)
    np.testing.assert_allclose(
        F.log_softmax(t, dim=axis).array, special.log_softmax(x, axis), rtol=tolerance, atol=tolerance
    )


def test_no_overflow():
    x = tinyconv.tensor([[1e4, 0.0, -1e4]])
    assert F.softmax(x, 1).tolist() == [[1.0, 0.0, 0.0]]
    assert F.log_softmax(x, 1).tolist() == [[0.0, -1e4, -2e4]]
    small = F.log_softmax(tinyconv.tensor([0.0, -50.0]), 0)
    assert small[1].item() == pytest.approx(-50.0)


def test_empty_and_zero_dimensional():
    assert F.softmax(tinyconv.zeros(0, 3), 1).shape == (0, 3)
    assert F.log_softmax(tinyconv.zeros(3, 0), 1).shape == (3, 0)
    assert F.softmax(tinyconv.tensor(3.0), 0).item() == 1.0
    assert F.log_softmax(tinyconv.tensor(3.0), -1).item() == 0.0


def test_nan_and_minus_infinity():
    y = F.softmax(tinyconv.tensor([[float("nan"), 1.0], [float("-inf"), 1.0]]), 1)
    assert np.isnan(y.array[0]).all()
    assert y[1].tolist() == [0.0, 1.0]


def test_types():
    assert F.softmax(tinyconv.tensor([1, 2]), 0, dtype=tinyconv.float32).dtype is tinyconv.float32
    assert F.log_softmax(tinyconv.zeros(2), 0, dtype=tinyconv.float64).dtype is tinyconv.float64


def test_errors():
    with pytest.raises(RuntimeError, match="softmax: input must be floating point, got tinyconv.int64"):
        F.softmax(tinyconv.tensor([1, 2]), 0)
    with pytest.raises(IndexError, match=r"log_softmax: dim must be in \[-1, 0\], got 1"):
        F.log_softmax(tinyconv.zeros(2), 1)


@pytest.mark.parametrize("shape, dim", [((), 0), ((3,), 0), ((2, 3), 1), ((2, 3, 4), 0), ((2, 3, 4, 5), 1)])
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax, F.softmin])
def test_without_dim_it_warns_and_takes_what_pytorch_takes(function, shape, dim):
    x = tinyconv.randn(shape)
    with pytest.warns(UserWarning, match=f"implicit choice of dim is deprecated; say dim={dim}"):
        y = function(x)
    assert y.tolist() == function(x, dim).tolist()


def test_one_class_without_an_axis_is_drawn():
    x = tinyconv.tensor(0.3, requires_grad=True)
    y = F.gumbel_softmax(x, hard=True)
    y.backward()
    assert (y.item(), x.grad.item()) == (1, 0)
