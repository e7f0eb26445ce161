import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def test_unfold_lists_windows_and_fold_adds_them_up():
    x = tinyconv.arange(9, dtype=tinyconv.float32).reshape(1, 1, 3, 3)
    columns = nn.Unfold(2)(x)
    assert columns.tolist() == [[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]]
    counts = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert nn.Fold(3, 2)(columns).tolist() == (x * tinyconv.tensor([[counts]])).tolist()


KWARGS = [
    {"kernel_size": 2},
    {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (1, 2)},
]


@pytest.mark.parametrize("kwargs", KWARGS)
def test_unfold_as_pytorch(agrees_with_torch, kwargs):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 7))
    agrees_with_torch(nn.Unfold(**kwargs), torch.nn.Unfold(**kwargs), x)


@pytest.mark.parametrize("kwargs", KWARGS)
def test_fold_as_pytorch(agrees_with_torch, kwargs):
    torch = pytest.importorskip("torch")
    columns = torch.nn.Unfold(**kwargs)(torch.randn(2, 3, 6, 7)).numpy()
    agrees_with_torch(nn.Fold((6, 7), **kwargs), torch.nn.Fold((6, 7), **kwargs), columns)
