"""Moments and counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyconv
from tests import strategies as sts


@given(st.data(), st.booleans(), st.sampled_from([0, 1, 0.5]))
def test_moments(data, keepdim, correction):
    x = data.draw(sts.arrays(shape=sts.shapes(min_dims=1, min_side=2)))
    axes = data.draw(sts.axes_of(x.ndim)) or None
    t, options = tinyconv.from_numpy(x), {"keepdim": keepdim, "correction": correction}
    exact = x.astype("float64")
    variance = exact.var(axes, ddof=correction, keepdims=keepdim)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(t.var(axes, **options).array, variance, **close)
    np.testing.assert_allclose(t.std(axes, **options).array, np.sqrt(variance), **close)
    for name, first in (("var_mean", variance), ("std_mean", np.sqrt(variance))):
        ours = getattr(tinyconv, name)(t, axes, **options)
        np.testing.assert_allclose(ours[0].array, first, **close)
        np.testing.assert_allclose(ours[1].array, exact.mean(axes, keepdims=keepdim), **close)


def test_ways_to_say_biased():
    x = tinyconv.tensor([1.0, 2.0, 4.0])
    assert x.var(False).item() == x.var(unbiased=False).item() == x.var(0, False).item() == x.var(correction=0).item()
    assert x.var().item() == pytest.approx(7 / 3)
    assert math.isnan(x[:1].var().item())
    assert x[:1].var(False).item() == 0
    with pytest.raises(TypeError, match="expected unbiased or correction, got both"):
        x.var(0, True, correction=1)
    with pytest.raises(RuntimeError, match=r"std: input must be floating point, got tinyconv.int64"):
        x.long().std()


def test_the_mean_of_one_number_is_no_view():
    x = tinyconv.tensor(2.0)
    tinyconv.var_mean(x, correction=0)[1].zero_()
    assert x.item() == 2


def test_large_means_do_not_cancel():
    x = tinyconv.tensor([1e4 + 1, 1e4 + 2, 1e4 + 3])
    assert x.var().item() == pytest.approx(1, rel=1e-3)


def test_squares_that_the_type_does_not_hold():
    x = tinyconv.tensor([1e30, 2e30, 4e30], requires_grad=True)
    x.std().backward()
    assert x.std().item() == pytest.approx(1.5275252e30) and x.var().item() == math.inf
    y = tinyconv.tensor([1.0, 2, 4], requires_grad=True)
    y.std().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-5)
    half = tinyconv.zeros(10000, dtype=tinyconv.float16)
    half[0] = 300
    assert half.var().item() == 9 and half.std().item() == 3 and half.norm().item() == 300
    assert half.std().dtype is half.var().dtype is half.norm().dtype is tinyconv.float16


def test_the_gradient_of_no_deviation_is_zero():
    x = tinyconv.ones(3, requires_grad=True)
    x.std().backward()
    assert x.grad.tolist() == [0, 0, 0]


@given(sts.arrays(shape=sts.shapes(1, 2), special=True), st.integers(1, 7))
def test_histc(x, bins):
    finite = x[np.isfinite(x)]
    theirs = np.histogram(finite[np.abs(finite) <= 1].astype("float64"), bins, (-1, 1))[0]
    ours = tinyconv.from_numpy(x).histc(bins, -1, 1)
    assert ours.dtype is tinyconv.from_numpy(x).dtype
    assert ours.sum().item() == theirs.sum()
    assert np.abs(ours.array - theirs).max() <= 1  # a number on an edge may round to either side


def test_histc_of_its_own_range():
    assert tinyconv.tensor([1.0, 2.0, 3.0, 5.0]).histc(4).tolist() == [1, 1, 1, 1]
    assert tinyconv.tensor([2.0, 2.0]).histc(2).tolist() == [0, 2]
    with pytest.raises(RuntimeError, match="histc: bins must be positive, got 0"):
        tinyconv.ones(2).histc(0)
    with pytest.raises(RuntimeError, match="must be finite and in order, got 2.0 and 1.0"):
        tinyconv.ones(2).histc(3, 2, 1)


@given(sts.arrays(shape=sts.shapes(0, 2)), st.integers(1, 7), st.booleans(), st.booleans())
def test_histogram(x, bins, weighted, density):
    edges = np.sort(np.random.default_rng(bins).normal(size=bins + 1)).astype(x.dtype)
    weight = np.asarray(np.abs(x)) if weighted else None
    total = np.histogram(x, edges.astype("float64"), weights=weight)[0].sum()
    theirs, _ = np.histogram(x, edges, weights=weight, density=density and total > 0)
    ours = tinyconv.from_numpy(x).histogram(
        tinyconv.from_numpy(edges), weight=None if weight is None else tinyconv.from_numpy(weight), density=density
    )
    assert ours.hist.dtype is ours.bin_edges.dtype is tinyconv.from_numpy(x).dtype
    assert tinyconv.histogram(tinyconv.ones(1)).hist.shape == (100,)
    if not density or total > 0:
        np.testing.assert_allclose(ours.hist.array, theirs, rtol=1e-3, atol=1e-6)


def test_histogram_of_equal_bins_as_pytorch():
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(0).normal(size=(5, 20)).astype("float32")
    for options in ({}, {"range": (-1.0, 2.0)}, {"density": True}, {"range": (0.0, 0.0)}):
        ours, theirs = (
            tinyconv.histogram(tinyconv.from_numpy(values), 8, **options),
            torch.histogram(torch.from_numpy(values), 8, **options),
        )
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.array, b.numpy(), rtol=1e-5)
    for same in ([], [2.0, 2.0]):
        ours, theirs = tinyconv.histogram(tinyconv.tensor(same), 2), torch.histogram(torch.tensor(same), 2)
        assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]


@pytest.mark.parametrize(
    "arguments, options, error, message",
    [
        ((0,), {}, RuntimeError, "bins must be positive, got 0"),
        ((2,), {"range": (1.0, 0.0)}, RuntimeError, "finite and in order, got 1.0 and 0.0"),
        (
            (2,),
            {"weight": tinyconv.ones(2)},
            RuntimeError,
            r"weight must be as input, .* got .* of shape \(2,\)",
        ),
        ((tinyconv.ones(2, 2),), {}, RuntimeError, r"the edges must be a vector.* of shape \(2, 2\)"),
        ((tinyconv.ones(2),), {"range": (0.0, 1.0)}, TypeError, "range is for a number of bins"),
    ],
)
def test_histogram_rejects(arguments, options, error, message):
    with pytest.raises(error, match=message):
        tinyconv.ones(3).histogram(*arguments, **options)


@given(st.lists(st.integers(0, 6)), st.integers(0, 9))
def test_bincount(numbers, minlength):
    x = np.array(numbers, "int64")
    weights = np.arange(len(x), dtype="float32")
    ours = tinyconv.from_numpy(x)
    np.testing.assert_array_equal(ours.bincount(minlength=minlength).array, np.bincount(x, minlength=minlength))
    weighted = ours.bincount(tinyconv.from_numpy(weights), minlength)
    np.testing.assert_array_equal(weighted.array, np.bincount(x, weights, minlength))
    assert weighted.dtype is (tinyconv.float32 if numbers else tinyconv.int64)


def test_bincount_errors():
    for match, x in (("must not be negative, it holds -1", [-1]), ("input must be 1-D integers", [0.5])):
        with pytest.raises(RuntimeError, match=match):
            tinyconv.tensor(x).bincount()
    with pytest.raises(RuntimeError, match="weights must have the shape of input"):
        tinyconv.tensor([1]).bincount(tinyconv.ones(2))


@pytest.mark.parametrize("weights", [{}, {"fweights": [1, 2, 3]}, {"aweights": [0.5, 1.0, 2.0]},
                                     {"fweights": [3, 1, 1], "aweights": [0.5, 1.0, 2.0]}])  # fmt: skip
@pytest.mark.parametrize("correction", [0, 1])
def test_covariances(weights, correction):
    x = np.array([[1.0, 2.0, 4.0], [3.0, 3.0, -1.0]])
    ours = {name: tinyconv.tensor(w) for name, w in weights.items()}
    expected = np.cov(x, ddof=correction, **{name: np.array(w) for name, w in weights.items()})
    np.testing.assert_allclose(tinyconv.from_numpy(x).cov(correction=correction, **ours).array, expected, rtol=1e-6)


def test_correlations():
    x = np.random.default_rng(0).standard_normal((3, 5))
    np.testing.assert_allclose(tinyconv.from_numpy(x).corrcoef().array, np.corrcoef(x))
    assert tinyconv.from_numpy(x[0]).cov().item() == pytest.approx(x[0].var(ddof=1))


def test_counts_of_nothing_are_integers():
    nothing = tinyconv.zeros(0, dtype=tinyconv.int64)
    counts = nothing.bincount(tinyconv.zeros(0), minlength=2)
    assert counts.dtype is tinyconv.int64 and counts.tolist() == [0, 0]


def test_the_gradient_of_a_variance_without_freedom_is_infinite():
    x = tinyconv.tensor([1.0, 4.0], requires_grad=True)
    x.var(correction=2).backward()
    assert x.grad.tolist() == [-math.inf, math.inf]
