import numpy as np
import pytest

import tinyconv
from tinyconv import nn

IMAGE = [[0.2, 0.8, 0.3, 0.6], [0.2, 0.9, 0.3, 0.8], [0.3, 0.8, 0.8, 0.9], [0.0, 0.0, 0.2, 0.8]]


def test_the_worked_example():
    x = tinyconv.tensor([[IMAGE]], dtype=tinyconv.float64)
    np.testing.assert_allclose(nn.MaxPool2d(2)(x).numpy()[0, 0], [[0.9, 0.8], [0.8, 0.9]])
    np.testing.assert_allclose(nn.AvgPool2d(2)(x).numpy()[0, 0], [[0.525, 0.5], [0.275, 0.675]])
    np.testing.assert_allclose(nn.AvgPool2d(2, divisor_override=1)(x).numpy()[0, 0], [[2.1, 2.0], [1.1, 2.7]])


def test_max_pool_tells_where():
    y, where = nn.MaxPool2d(2, return_indices=True)(tinyconv.tensor([[IMAGE]]))
    assert where.dtype is tinyconv.int64 and where.tolist() == [[[[5, 7], [9, 11]]]]
    assert y.shape == where.shape


def test_the_stride_is_the_window_unless_given():
    assert nn.MaxPool2d((2, 3)).stride == (2, 3) and nn.AvgPool2d(2).stride == 2
    assert nn.MaxPool2d(3, 1).stride == 1


@pytest.mark.parametrize("shape", [(2, 3, 7, 8), (3, 7, 8)])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"kernel_size": 2},
        {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0)},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    ],
)
@pytest.mark.parametrize(
    "name, more",
    [
        ("MaxPool2d", {}),
        ("MaxPool2d", {"dilation": 2}),
        ("AvgPool2d", {}),
        ("AvgPool2d", {"count_include_pad": False}),
        ("AvgPool2d", {"divisor_override": 3}),
    ],
)
def test_as_pytorch(agrees_with_torch, shape, kwargs, name, more):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    agrees_with_torch(getattr(nn, name)(**kwargs, **more), getattr(torch.nn, name)(**kwargs, **more), x)


@pytest.mark.parametrize("shape", [(2, 3, 7, 8), (3, 7, 8)])
@pytest.mark.parametrize("size", [1, 3, (None, 4), (7, 2), (9, 10)])
def test_adaptive_average_as_pytorch(agrees_with_torch, shape, size):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    agrees_with_torch(nn.AdaptiveAvgPool2d(size), torch.nn.AdaptiveAvgPool2d(size), x)
