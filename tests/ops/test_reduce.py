"""Sums, means and extremes along axes: NumPy's values, PyTorch's ties, types and errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(st.data(), st.booleans())
def test_sum_and_mean(data, keepdim):
    x = data.draw(sts.arrays())
    axes = data.draw(sts.axes_of(x.ndim))
    axes = axes or tuple(range(x.ndim))
    t, eps = tinyconv.from_numpy(x), 64 * np.finfo(x.dtype).eps
    with np.errstate(all="ignore"):
        expected = x.astype(np.float64).sum(axes, keepdims=keepdim)
        mean = expected / np.prod([x.shape[a] for a in axes])
    np.testing.assert_allclose(t.sum(axes, keepdim=keepdim).array, expected, rtol=eps, atol=eps * max(x.size, 1))
    np.testing.assert_allclose(t.mean(axes, keepdim).array, mean, rtol=eps, atol=eps)
    assert t.sum(axes).dtype is t.dtype


@given(sts.arrays(dtype=st.sampled_from(sts.DTYPES[2:])))
def test_integers_are_summed_as_int64(x):
    y = tinyconv.from_numpy(x).sum()
    assert y.dtype is tinyconv.int64
    assert y.item() == x.astype(np.int64).sum()


def test_uint8_does_not_overflow():
    assert tinyconv.full((1000,), 255, dtype=tinyconv.uint8).sum().item() == 255_000


@given(st.data(), st.booleans())
def test_extremes(data, keepdim):
    x = data.draw(sts.arrays(dtype=sts.dtypes, shape=sts.shapes(min_side=1), special=True))
    t = tinyconv.from_numpy(x)
    axes = data.draw(sts.axes_of(x.ndim))
    for ours, theirs in ((t.amax, np.max), (t.amin, np.min)):
        np.testing.assert_array_equal(ours(axes, keepdim).array, theirs(x, axes or None, keepdims=keepdim))
    np.testing.assert_array_equal(t.max().array, np.max(x))
    np.testing.assert_array_equal(t.min().array, np.min(x))


@given(st.data(), st.booleans())
def test_extremes_along_a_dim_and_where_they_are(data, keepdim):
    x = data.draw(sts.arrays(shape=sts.shapes(min_dims=1, min_side=1), special=True, ties=True))
    t, axis = tinyconv.from_numpy(x), data.draw(st.integers(-x.ndim, x.ndim - 1))
    for name in ("max", "min"):
        values, indices = getattr(t, name)(axis, keepdim)
        where = getattr(np, "arg" + name)(x, axis)
        expected = np.take_along_axis(x, np.expand_dims(where, axis), axis)
        if not keepdim:
            expected = expected.squeeze(axis)
        np.testing.assert_array_equal(indices.array.reshape(where.shape), where)
        np.testing.assert_array_equal(values.array, expected)
        assert indices.dtype is tinyconv.int64
        alone = getattr(t, "arg" + name)(axis, keepdim)
        np.testing.assert_array_equal(alone.array, indices.array)
        assert getattr(t, "arg" + name)().item() == getattr(np, "arg" + name)(x)


def test_max_along_a_dim_is_a_named_pair():
    result = tinyconv.tensor([[1.0, 3.0], [4.0, 2.0]]).max(dim=1)
    assert result.values.tolist() == [3.0, 4.0]
    assert result.indices.tolist() == [1, 0]
    assert tinyconv.max(tinyconv.tensor([1.0, 5.0]), tinyconv.tensor([4.0, 2.0])).tolist() == [4.0, 5.0]
    assert tinyconv.min(tinyconv.tensor([1.0, 5.0]), tinyconv.tensor([4.0, 2.0])).tolist() == [1.0, 2.0]


def test_ties_share_the_gradient_or_the_first_takes_it():
    """As in PyTorch: amax and max() share, max(dim) gives it to the index it reports."""
    for f, expected in (
        (lambda x: x.amax(0), [0.5, 0.5, 0.0]),
        (lambda x: x.max(), [0.5, 0.5, 0.0]),
        (lambda x: x.max(0).values, [1.0, 0.0, 0.0]),
    ):
        x = tinyconv.tensor([3.0, 3.0, 1.0], requires_grad=True)
        f(x).backward()
        assert x.grad.tolist() == expected


@given(sts.arrays(dtype=sts.dtypes, ties=True))
def test_all_and_any(x):
    t = tinyconv.from_numpy(x)
    assert t.all().item() == bool(x.all())
    assert t.any().item() == bool(x.any())
    if x.ndim:
        np.testing.assert_array_equal(t.all(0).array, x.all(0))
        np.testing.assert_array_equal(tinyconv.any(t, -1, keepdim=True).array, x.any(-1, keepdims=True))


def test_zero_dimensional():
    x = tinyconv.tensor(3.0)
    assert x.sum(0).item() == x.mean(-1).item() == x.amax(0).item() == x.max(0).values.item() == 3.0
    assert x.argmax().item() == x.argmax(0).item() == x.max(0).indices.item() == 0


def test_empty():
    x = tinyconv.zeros(0, 3)
    assert x.sum().item() == 0
    assert x.sum(0).tolist() == [0.0] * 3
    assert np.isnan(x.mean().item())
    assert x.amax(1).shape == (0,)
    assert x.all().item()
    assert not x.any().item()
    for error, reduce in ((RuntimeError, x.max), (RuntimeError, x.amin), (IndexError, lambda: x.amax(0)),
                          (IndexError, lambda: x.max(0)), (IndexError, x.argmax)):  # fmt: skip
        with pytest.raises(error, match=r"no extreme of nothing: input has shape \(0"):
            reduce()


def test_empty_batch_of_argmax():
    """What `logits.argmax(1)` says of an empty batch."""
    assert tinyconv.zeros(0, 10).argmax(1).shape == (0,)
    values, indices = tinyconv.zeros(0, 10).max(1)
    assert (values.shape, indices.shape) == ((0,), (0,))


def test_long_float32_sums_keep_their_digits():
    x = tinyconv.full((3_000_000,), 0.1)
    assert x.sum().item() == pytest.approx(300_000, rel=1e-5)


def test_dtype_argument():
    x = tinyconv.tensor([1, 2])
    assert x.sum(dtype=tinyconv.float32).dtype is tinyconv.float32
    assert x.mean(dtype=tinyconv.float64).item() == 1.5


def test_errors():
    x = tinyconv.ones(2, 3)
    with pytest.raises(IndexError, match=r"sum: dim 2 is out of range for a tensor of 2 dimensions \(shape \(2, 3\)\)"):
        x.sum(2)
    with pytest.raises(RuntimeError, match="mean: a dim appears twice"):
        x.mean((0, -2))
    with pytest.raises(RuntimeError, match="mean: input must be floating point, got tinyconv.int64"):
        tinyconv.tensor([1, 2]).mean()


def test_mean_of_half_precision_is_computed_in_single():
    x = tinyconv.full((2, 100_000), 2, dtype=tinyconv.float16, requires_grad=True)
    y = x.mean(1)
    y.backward(tinyconv.ones_like(y))
    assert y.dtype is x.grad.dtype is tinyconv.float16 and y.tolist() == [2, 2]
    np.testing.assert_array_equal(x.grad.array, np.float16(1e-5))
