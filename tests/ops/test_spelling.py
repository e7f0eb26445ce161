"""NumPy's names of arguments."""

from __future__ import annotations

import inspect

import pytest

import tinyconv
from tinyconv import nn

X = tinyconv.arange(6.0).reshape(2, 3)


def test_numpys_names_are_pytorchs():
    assert X.sum(axis=1, keepdims=True).tolist() == [[3.0], [12.0]]
    assert tinyconv.sum(X, axis=0).tolist() == [3.0, 5.0, 7.0]
    assert X.max(axis=1).indices.tolist() == [2, 2]
    assert X.argmax(axis=1).tolist() == [2, 2]
    assert X.mean(axis=(0, 1), keepdims=True).shape == (1, 1)
    assert tinyconv.cat([X, X], axis=1).shape == (2, 6)
    assert X.unsqueeze(axis=0).shape == (1, 2, 3)
    assert X.softmax(axis=1).sum(axis=1).tolist() == pytest.approx([1, 1])
    assert X.clone().cumsum_(axis=0).tolist() == X.cumsum(0).tolist()
    assert X.any(axis=1, keepdims=True).tolist() == [[True], [True]]


def test_one_name_at_a_time():
    with pytest.raises(TypeError, match="sum: got both dim and axis"):
        X.sum(dim=0, axis=0)
    with pytest.raises(TypeError, match="unexpected keyword argument 'axes'"):
        X.sum(axes=0)


@pytest.mark.parametrize("call", [lambda: X.split(1, axis=0), lambda: X.norm(axis=0), lambda: X.cos(axis=0)])
def test_where_pytorch_does_not_take_them(call):
    with pytest.raises(TypeError):
        call()
    with pytest.raises(TypeError):
        nn.functional.normalize(X, axis=0)


def test_the_signature_stays():
    assert list(inspect.signature(tinyconv.sum).parameters) == ["input", "dim", "keepdim", "dtype", "out"]
