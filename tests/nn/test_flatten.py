import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def test_flatten_and_back():
    x = tinyconv.arange(24).reshape(2, 3, 4)
    assert nn.Flatten()(x).tolist() == x.reshape(2, 12).tolist()
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(1, (3, 4))(nn.Flatten()(x)).tolist() == x.tolist()
    assert nn.Unflatten(0, (2, -1))(tinyconv.ones(6, 4)).shape == (2, 3, 4)


def test_unflatten_takes_a_tuple_of_ints():
    with pytest.raises(TypeError, match="found type int"):
        nn.Unflatten(1, 3)
    with pytest.raises(TypeError, match="element of type float at pos 1"):
        nn.Unflatten(1, (2, 1.5))


@pytest.mark.parametrize("start, end", [(1, -1), (0, -1), (1, 2), (-2, -1)])
def test_flatten_as_pytorch(agrees_with_torch, start, end):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    agrees_with_torch(nn.Flatten(start, end), torch.nn.Flatten(start, end), x)


def test_unflatten_as_pytorch(agrees_with_torch):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 12))
    agrees_with_torch(nn.Unflatten(1, (3, 4)), torch.nn.Unflatten(1, (3, 4)), x)
