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


@pytest.mark.parametrize("shape", [(2, 3, 9), (3, 9)])
@pytest.mark.parametrize(
    "kwargs", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}]
)
@pytest.mark.parametrize(
    "name, more", [("MaxPool1d", {}), ("MaxPool1d", {"dilation": 2}), ("AvgPool1d", {"count_include_pad": False})]
)
def test_sequences_as_pytorch(agrees_with_torch, shape, kwargs, name, more):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    agrees_with_torch(getattr(nn, name)(**kwargs, **more), getattr(torch.nn, name)(**kwargs, **more), x)


@pytest.mark.parametrize("shape", [(2, 3, 7, 8), (3, 7, 8)])
@pytest.mark.parametrize("size", [1, 3, (None, 4), (7, 2), (9, 10)])
def test_adaptive_maximum_as_pytorch(agrees_with_torch, shape, size):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).integers(0, 5, shape).astype(float)  # ties
    agrees_with_torch(nn.AdaptiveMaxPool2d(size), torch.nn.AdaptiveMaxPool2d(size), x)
    _, where = nn.AdaptiveMaxPool2d(size, return_indices=True)(tinyconv.from_numpy(x))
    _, expected = torch.nn.AdaptiveMaxPool2d(size, return_indices=True)(torch.from_numpy(x))
    assert where.dtype is tinyconv.int64 and where.tolist() == expected.tolist()


@pytest.mark.parametrize("shape", [(2, 3, 7), (3, 7)])
@pytest.mark.parametrize("size", [1, 3, (9,), None])
@pytest.mark.parametrize("name", ["AdaptiveAvgPool1d", "AdaptiveMaxPool1d"])
def test_adaptive_sequences_as_pytorch(agrees_with_torch, shape, size, name):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    theirs = getattr(torch.nn, name)(7 if size is None else size)
    theirs.output_size = size  # PyTorch's own 1d layers take None for granted and then refuse it
    if size is None:
        y = getattr(nn, name)(None)(tinyconv.from_numpy(x))
        assert y.tolist() == x.tolist()
    else:
        agrees_with_torch(getattr(nn, name)(size), theirs, x)


@pytest.mark.parametrize("name, kernel, shape", [("LPPool2d", (2, 3), (2, 3, 6, 7)), ("LPPool1d", 3, (3, 8)),
    ("LPPool3d", (1, 2, 3), (2, 3, 4, 4, 6))])  # fmt: skip
@pytest.mark.parametrize("stride, ceil", [(None, False), (2, True)])
def test_pooling_by_norm_as_pytorch(agrees_with_torch, name, kernel, shape, stride, ceil):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape)
    agrees_with_torch(getattr(nn, name)(2, kernel, stride, ceil), getattr(torch.nn, name)(2, kernel, stride, ceil), x)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("options", [(2,), (3, 2), (3, 2, 1)])
@pytest.mark.parametrize("batched", [True, False])
def test_unpooling_as_pytorch(axes, options, batched):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8, 6)[not batched : 2 + axes])
    grads, found = [], []
    for library, t in ((tinyconv, tinyconv.from_numpy(x)), (torch, torch.from_numpy(x))):
        pool = getattr(library.nn, f"MaxPool{axes}d")(*options, return_indices=True)
        unpool = getattr(library.nn, f"MaxUnpool{axes}d")(*options)
        y, where = pool(t)
        y.requires_grad_()
        z = unpool(y, where, output_size=list(t.shape[-axes:]))
        (z**3).sum().backward()
        grads.append(y.grad.tolist())
        found.append((repr(unpool), z.detach().tolist()))
    assert found[0] == found[1]
    np.testing.assert_allclose(*grads)


def test_unpooling_by_hand_and_its_errors():
    x = tinyconv.tensor([[[5.0, 7.0]]])
    assert nn.MaxUnpool1d(2)(x, tinyconv.tensor([[[1, 2]]])).tolist() == [[[0, 5, 7, 0]]]
    with pytest.raises(RuntimeError, match="found an invalid max index: 1 to 4 for an output of 4"):
        nn.MaxUnpool1d(2)(x, tinyconv.tensor([[[1, 4]]]))
    with pytest.raises(RuntimeError, match="max_unpool1d: indices must be int64, got tinyconv.float32"):
        nn.MaxUnpool1d(2)(x, x)
    with pytest.raises(RuntimeError, match=r"max_unpool1d: indices must have input's shape \(1, 1, 2\)"):
        nn.MaxUnpool1d(2)(x, tinyconv.tensor([[[1]]]))
    with pytest.raises(ValueError, match="max_unpool1d: invalid output_size .*: 6 must be between 2 and 6"):
        nn.MaxUnpool1d(2)(x, tinyconv.tensor([[[1, 2]]]), output_size=[6])
    with pytest.raises(ValueError, match=r"max_unpool1d: output_size must have 1 or 3 elements, got \(1, 4\)"):
        nn.MaxUnpool1d(2)(x, tinyconv.tensor([[[1, 2]]]), output_size=(1, 4))
    with pytest.raises(ValueError, match=r"max_unpool2d: output_size must have 2 or 4 elements, got \(1, 4, 4\)"):
        nn.MaxUnpool2d(2)(x, tinyconv.tensor([[[1, 2]]]), output_size=(1, 4, 4))
    with pytest.raises(
        RuntimeError, match=r"max_unpool3d: expected input of shape \(N, C, OD, OH, OW\) or .* got \(1, "
    ):
        nn.MaxUnpool3d(2)(x, tinyconv.tensor([[[1, 2]]]))
