"""``out=``: where a result goes. (Which functions take it, and what for, the battery compares with PyTorch.)"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F

X = tinyconv.arange(6.0).reshape(2, 3)


def test_it_is_written_into_and_returned():
    out = tinyconv.empty(2, 3)
    array = out.array
    assert tinyconv.add(X, 1, out=out) is out
    assert out.tolist() == [[1, 2, 3], [4, 5, 6]] and out.array is array
    assert tinyconv.mul(out, out, out=out).tolist() == [[1, 4, 9], [16, 25, 36]]
    assert F.normalize(X, p=1, out=out) is out and out[1].sum().item() == pytest.approx(1)
    assert list(inspect.signature(tinyconv.add).parameters) == ["input", "other", "alpha", "out"]


def test_a_view_is_written_through():
    whole = tinyconv.zeros(2, 3)
    version = whole._version
    tinyconv.sum(X, axis=1, out=whole[:, 1])
    assert whole.tolist() == [[0, 3, 0], [0, 12, 0]] and whole._version > version


def test_nothing_is_resized():
    out = tinyconv.empty(0)
    assert tinyconv.matmul(X, X.T, out=out) is out and out.tolist() == [[5, 14], [14, 50]]
    with pytest.raises(RuntimeError, match=r"exp: out must have shape \(2, 3\) or be empty, got shape \(3,\)"):
        tinyconv.exp(X, out=tinyconv.empty(3))


def test_several_results():
    out = values, indices = tinyconv.empty(0), tinyconv.empty(0, dtype=tinyconv.int64)
    largest = tinyconv.max(X, 1, out=out)
    assert largest.values is values and largest.indices is indices
    assert (values.tolist(), indices.tolist()) == ([2, 5], [2, 2])
    with pytest.raises(RuntimeError, match=r"max: out must be tinyconv.float32, got tinyconv.float64"):
        tinyconv.max(X, 1, out=(values.double(), indices))
    with pytest.raises(TypeError, match="sort: out must be 2 tensors"):
        tinyconv.sort(X, out=values)
    with pytest.raises(RuntimeError, match=r"topk: out must be tinyconv.int64, got tinyconv.float32"):
        tinyconv.topk(X, 2, largest=False, out=(tinyconv.empty(0), values))
    with pytest.raises(RuntimeError, match=r"topk: out must have shape \(2, 1\)"):
        tinyconv.topk(X, 1, largest=False, out=out)
    assert (values.tolist(), indices.tolist()) == ([2, 5], [2, 2])  # neither was written


def test_types():
    wide = tinyconv.empty(2, 3, dtype=tinyconv.float64)
    assert tinyconv.sqrt(X, out=wide).dtype is tinyconv.float64
    np.testing.assert_allclose(wide.array, np.sqrt(X.array))
    big = tinyconv.full((3,), 2.0**60, dtype=tinyconv.float64)
    assert tinyconv.sum(big, 0, out=tinyconv.empty((), dtype=tinyconv.int64)).item() == 3 * 2**60
    assert tinyconv.zeros(2, out=tinyconv.ones(2, dtype=tinyconv.int64)).tolist() == [0, 0]
    assert tinyconv.rand(2, out=wide[0, :2]).dtype is tinyconv.float64
    for call, match in (
        (lambda: tinyconv.sqrt(X, out=tinyconv.empty(2, 3, dtype=tinyconv.int64)), "can't be cast"),
        (lambda: tinyconv.mm(X, X.T, out=tinyconv.empty(2, 2, dtype=tinyconv.float64)), "mm: out must be"),
        (lambda: tinyconv.ones(3, dtype=tinyconv.int32, out=tinyconv.empty(3)), "dtype is tinyconv.int32, but out is"),
    ):
        with pytest.raises(RuntimeError, match=match):
            call()
    with pytest.raises(TypeError, match="add: out must be a tensor, got int"):
        tinyconv.add(X, X, out=3)


def test_no_gradient_gets_lost():
    w = tinyconv.ones(3, requires_grad=True)
    for call in (lambda: tinyconv.mul(X, w, out=tinyconv.empty(2, 3)), lambda: tinyconv.zeros(3, out=w)):
        with pytest.raises(RuntimeError, match="do not support automatic differentiation"):
            call()
    assert tinyconv.gt(X, w, out=tinyconv.empty(2, 3)).sum().item() == 4  # there is none
    with tinyconv.no_grad():
        assert tinyconv.mul(X, w, out=tinyconv.empty(2, 3)).tolist() == X.tolist()
        assert tinyconv.zeros(3, out=w) is w and w.requires_grad and w.tolist() == [0, 0, 0]
    assert tinyconv.ones(2, out=tinyconv.empty(2), requires_grad=True).requires_grad
