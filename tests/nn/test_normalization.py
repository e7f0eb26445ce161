import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn

RNG = np.random.default_rng(0)


def standardized(x, axes, eps):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def test_the_formulas():
    x = RNG.normal(2.0, 3.0, size=(2, 6, 4, 5))
    t, w, b = tinyconv.from_numpy(x), RNG.normal(size=6), RNG.normal(size=6)
    wt, bt = tinyconv.from_numpy(w), tinyconv.from_numpy(b)
    w, b = w[:, None, None], b[:, None, None]
    np.testing.assert_allclose(F.layer_norm(t, (4, 5)).numpy(), standardized(x, (2, 3), 1e-5))
    np.testing.assert_allclose(F.instance_norm(t, weight=wt, bias=bt).numpy(), standardized(x, (2, 3), 1e-5) * w + b)
    groups = standardized(x.reshape(2, 3, 2, 4, 5), (2, 3, 4), 0.1).reshape(x.shape)
    np.testing.assert_allclose(F.group_norm(t, 3, wt, bt, 0.1).numpy(), groups * w + b)
    np.testing.assert_allclose(F.rms_norm(t, (5,), eps=0.1).numpy(), x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.1))
    padded = np.pad(x**2, ((0, 0), (2, 1), (0, 0), (0, 0)))
    mean = sum(padded[:, i : i + 6] for i in range(4)) / 4
    np.testing.assert_allclose(F.local_response_norm(t, 4, 0.5, 0.6, 2.0).numpy(), x / (2 + 0.5 * mean) ** 0.6)


@pytest.mark.parametrize(
    "name, args, kwargs, shape",
    [
        ("LayerNorm", (5,), {}, (2, 3, 5)),
        ("LayerNorm", ((3, 5),), {"eps": 0.1, "bias": False}, (2, 3, 5)),
        ("LayerNorm", ((3, 5),), {"elementwise_affine": False}, (3, 5)),
        ("LayerNorm", (5,), {}, (0, 5)),
        ("RMSNorm", (5,), {}, (2, 3, 5)),
        ("RMSNorm", ((3, 5),), {"eps": 0.1, "elementwise_affine": False}, (2, 3, 5)),
        ("GroupNorm", (2, 6), {}, (3, 6, 4, 2)),
        ("GroupNorm", (6, 6), {"affine": False, "eps": 0.1}, (3, 6, 4)),
        ("GroupNorm", (1, 6), {"bias": False}, (3, 6)),
        ("LocalResponseNorm", (3,), {}, (2, 6, 4)),
        ("LocalResponseNorm", (2, 0.5, 0.6, 2.0), {}, (2, 6, 4, 3)),
        ("InstanceNorm1d", (3,), {}, (2, 3, 5)),
        ("InstanceNorm1d", (3,), {"affine": True, "eps": 0.1}, (3, 5)),
        ("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, (2, 3, 5, 4)),
        ("InstanceNorm2d", (3,), {"track_running_stats": True, "momentum": 0.5}, (2, 3, 5, 4)),
        ("InstanceNorm2d", (3,), {"affine": True, "bias": False}, (3, 5, 4)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_as_pytorch(agrees_with_torch, name, args, kwargs, shape, training):
    torch = pytest.importorskip("torch")
    x = RNG.normal(1.0, 2.0, size=shape).astype(np.float32)
    ours, theirs = (getattr(library, name)(*args, **kwargs).train(training) for library in (nn, torch.nn))
    agrees_with_torch(ours, theirs, x)


def test_weights_of_an_empty_batch_get_no_gradient():
    layer = nn.BatchNorm1d(3)
    layer(tinyconv.zeros(0, 3, requires_grad=True)).sum().backward()
    assert layer.weight.grad.tolist() == layer.bias.grad.tolist() == [0, 0, 0]


def test_batch_norm_wants_statistics_of_the_same_type():
    with pytest.raises(RuntimeError, match="input is tinyconv.float64, running_mean is tinyconv.float32"):
        nn.BatchNorm1d(3, affine=False)(tinyconv.zeros(4, 3).double())


def test_errors():
    x = tinyconv.zeros(2, 6, 4)
    with pytest.raises(RuntimeError, match=r"layer_norm: normalized_shape is \(6,\), so input must end with it"):
        nn.LayerNorm(6)(x)
    with pytest.raises(RuntimeError, match=r"layer_norm: weight must have shape \(4,\), got \(6,\)"):
        F.layer_norm(x, (4,), tinyconv.ones(6))
    with pytest.raises(ValueError, match=r"num_channels \(6\) must be divisible by num_groups \(4\)"):
        nn.GroupNorm(4, 6)
    with pytest.raises(RuntimeError, match="group_norm: num_groups must divide the 6 channels of input"):
        F.group_norm(x, 4)
    with pytest.raises(ValueError, match="group_norm: expected more than 1 value per group"):
        F.group_norm(x[:1, :, 0], 6)
    with pytest.raises(ValueError, match="instance_norm: expected more than 1 spatial element"):
        F.instance_norm(x[:, :, :1])
    with pytest.raises(RuntimeError, match=r"instance_norm: weight must have shape \(6,\)"):
        F.instance_norm(x, weight=tinyconv.ones(4))
    with pytest.raises(ValueError, match="local_response_norm: expected input of shape"):
        nn.LocalResponseNorm(2)(x[0])
    with pytest.raises(ValueError, match=r"expected 3D or 4D input \(got 2D input\)"):
        nn.InstanceNorm2d(6)(x[0])
    with pytest.raises(ValueError, match=r"expected input's size at dim=1 to match num_features \(5\), but got: 6"):
        nn.InstanceNorm1d(5, affine=True)(x)
    with pytest.warns(UserWarning, match="input's size at dim=1 does not match num_features"):
        nn.InstanceNorm1d(5)(x)
