"""Losses: formulas in NumPy, weights, ignored targets, smoothing, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

import tinyconv
import tinyconv.nn.functional as F

REDUCTIONS = ("none", "sum", "mean")


def reduced(losses, weights, reduction):
    return {"none": losses, "sum": losses.sum(), "mean": losses.sum() / weights.sum()}[reduction]


@given(
    st.sampled_from([(4,), (4, 2), (4, 2, 3)]),
    st.booleans(),
    st.sampled_from([-100, 1]),
    st.sampled_from(REDUCTIONS),
    st.sampled_from([0.0, 0.1, 1.0]),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
)
def test_cross_entropy_and_nll_loss(shape, weighted, ignore, reduction, smoothing, dtype, seed):
    rng, C = np.random.default_rng(seed), 5
    x = rng.standard_normal((shape[0], C, *shape[1:])).astype(dtype)
    t = rng.integers(0, C, shape)
    w = rng.random(C).astype(dtype) + 0.1 if weighted else np.ones(C, dtype)
    t.flat[0] = 2  # at least one counts
    logp = special.log_softmax(x.astype(np.float64), 1)
    used = t != ignore
    weights = w[t] * used
    right = -np.take_along_axis(logp, t[:, None], 1)[:, 0] * weights
    every = -(logp * w.reshape(1, -1, *[1] * (len(shape) - 1))).sum(1) * used
    X, T, W = tinyconv.from_numpy(x), tinyconv.from_numpy(t), tinyconv.from_numpy(w) if weighted else None
    tolerance = 1e-5 if dtype == "float32" else 1e-12

    expected = (1 - smoothing) * reduced(right, weights, reduction) + smoothing / C * reduced(every, weights, reduction)
    loss = F.cross_entropy(X, T, W, ignore_index=ignore, reduction=reduction, label_smoothing=smoothing)
    np.testing.assert_allclose(loss.array, expected, rtol=tolerance, atol=tolerance)
    assert str(loss.dtype) == f"tinyconv.{dtype}"

    loss = F.nll_loss(tinyconv.from_numpy(logp.astype(dtype)), T, W, ignore_index=ignore, reduction=reduction)
    np.testing.assert_allclose(loss.array, reduced(right, weights, reduction), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_probabilities_as_targets(reduction):
    rng = np.random.default_rng(0)
    x, p = rng.standard_normal((4, 3)), special.softmax(rng.standard_normal((4, 3)), 1)
    losses = -(special.log_softmax(x, 1) * p).sum(1)
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]
    np.testing.assert_allclose(
        F.cross_entropy(tinyconv.from_numpy(x), tinyconv.from_numpy(p), reduction=reduction).array, expected
    )


def test_one_sample():
    x = tinyconv.tensor([1.0, 2.0, 3.0])
    assert F.cross_entropy(x, tinyconv.tensor(2)).item() == pytest.approx(
        F.cross_entropy(x[None], tinyconv.tensor([2])).item()
    )
    assert F.cross_entropy(x, tinyconv.tensor(2), reduction="none").shape == ()


def test_the_gradient_of_cross_entropy():
    """softmax(x) - onehot(target), over N."""
    x = tinyconv.randn(4, 3, dtype=tinyconv.float64, requires_grad=True)
    t = tinyconv.tensor([0, 1, 2, 0])
    F.cross_entropy(x, t).backward()
    np.testing.assert_allclose(x.grad.array, (special.softmax(x.array, 1) - np.eye(3)[t.array]) / 4)


def test_targets_of_any_layout_as_longs_or_bytes():
    x = tinyconv.randn(4, 3)
    t = np.array([0, 9, 1, 9, 2, 9, 0, 9])[::2]
    expected = F.cross_entropy(x, tinyconv.from_numpy(t)).item()
    assert F.cross_entropy(x, tinyconv.from_numpy(t).to(tinyconv.uint8)).item() == expected
    for dtype in (tinyconv.int32, tinyconv.int8):
        with pytest.raises(RuntimeError, match=f"class indices .int64 or uint8., got {dtype}"):
            F.cross_entropy(x, tinyconv.from_numpy(t).to(dtype))


def test_nothing_left_to_average():
    """As in PyTorch: 0 / 0."""
    assert np.isnan(F.cross_entropy(tinyconv.zeros(0, 3), tinyconv.zeros(0, dtype=tinyconv.int64)).item())
    assert np.isnan(F.nll_loss(tinyconv.zeros(2, 3), tinyconv.full((2,), -100)).item())
    assert F.cross_entropy(tinyconv.zeros(0, 3), tinyconv.zeros(0, dtype=tinyconv.int64), reduction="sum").item() == 0
    assert np.isnan(F.mse_loss(tinyconv.zeros(0), tinyconv.zeros(0)).item())


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_of_ignored_targets_is_zero(shape, reduction):
    """Even where the mean over none of them is NaN; as in PyTorch."""
    x = tinyconv.ones(shape, requires_grad=True)
    target = tinyconv.full((shape[0], *shape[2:]), -100)
    F.cross_entropy(x, target, reduction=reduction).sum().backward()
    assert not x.grad.any()


def test_a_confident_mistake_is_finite():
    x = tinyconv.tensor([[1e4, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, tinyconv.tensor([1]))
    loss.backward()
    assert loss.item() == 1e4
    assert x.grad.tolist() == [[1.0, -1.0]]


def test_mse_loss_of_half_precision_is_summed_in_single():
    x = tinyconv.full((100_000,), 2, dtype=tinyconv.float16, requires_grad=True)
    loss = F.mse_loss(x, tinyconv.zeros_like(x))
    loss.backward()
    assert loss.dtype is tinyconv.float16 and loss.item() == 4
    np.testing.assert_allclose(x.grad.array, 4e-5, rtol=2e-3)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_mse_loss(reduction):
    rng = np.random.default_rng(0)
    x, t, w = (rng.standard_normal((3, 2)) for _ in range(3))
    w = np.abs(w)
    X, T, W = (tinyconv.from_numpy(a) for a in (x, t, w))
    squares = (x - t) ** 2
    expected = {"none": squares, "sum": squares.sum(), "mean": squares.mean()}[reduction]
    np.testing.assert_allclose(F.mse_loss(X, T, reduction=reduction).array, expected)
    weighted = {"none": squares * w, "sum": (squares * w).sum(), "mean": (squares * w).sum() / w.sum()}[reduction]
    np.testing.assert_allclose(F.mse_loss(X, T, reduction=reduction, weight=W).array, weighted)


def test_errors():
    x, t = tinyconv.zeros(4, 3), tinyconv.tensor([0, 1, 2, 0])
    for loss in (F.cross_entropy, F.nll_loss):
        name = loss.__name__
        for bad in (3, -1):
            with pytest.raises(IndexError, match=rf"^Target {bad} is out of bounds: classes must be in \[0, 3\)"):
                loss(x, tinyconv.tensor([0, 1, bad, 0]))
        with pytest.raises(ValueError, match=r"input \(4, 3\) has 4 samples, but target \(3,\) is for 3"):
            loss(x, t[:3])
        with pytest.raises(
            RuntimeError, match=r"for input of shape \(4, 3\) target must have shape \(4,\), got \(4, 1\)"
        ):
            loss(x, t[:, None])
        with pytest.raises(
            RuntimeError, match=rf"{name}: weight must have one value per class, shape \(3,\), got \(4,\)"
        ):
            loss(x, t, tinyconv.ones(4))
        with pytest.raises(ValueError, match=f"{name}: reduction must be 'none', 'mean' or 'sum', got 'average'"):
            loss(x, t, reduction="average")
        with pytest.raises(RuntimeError, match=f"{name}: input must be floating point, got tinyconv.int64"):
            loss(x.long(), t)
    with pytest.raises(RuntimeError, match=r"target must hold class indices \(int64 or uint8\), got tinyconv.float32"):
        F.nll_loss(x, t.float())
    with pytest.raises(RuntimeError, match=r"probabilities as target must have input's shape \(4, 3\), got \(4,\)"):
        F.cross_entropy(x, t.float())
    with pytest.raises(RuntimeError, match=r"label_smoothing must be in \[0, 1\], got 1.5"):
        F.cross_entropy(x, t, label_smoothing=1.5)
    with pytest.raises(RuntimeError, match="mse_loss: shapes"):
        F.mse_loss(x, tinyconv.zeros(2))
