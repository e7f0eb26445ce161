import math

import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def test_formula():
    layer = nn.Linear(3, 2)
    x = tinyconv.randn(4, 5, 3)
    want = x.numpy() @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), want, rtol=1e-5, atol=1e-6)


def test_default_initialization_is_uniform_within_one_over_sqrt_fan_in():
    layer = nn.Linear(400, 300)
    bound = 1 / math.sqrt(400)
    for p in layer.parameters():
        values = p.detach().numpy()
        assert abs(values).max() <= bound and abs(values).max() > 0.98 * bound
        assert abs(values.mean()) < 0.1 * bound
    np.testing.assert_allclose(layer.weight.detach().numpy().std(), bound / math.sqrt(3), rtol=0.02)


def test_initialization_follows_the_seed():
    tinyconv.manual_seed(3)
    a = nn.Linear(4, 4)
    tinyconv.manual_seed(3)
    b = nn.Linear(4, 4)
    assert a.weight.tolist() == b.weight.tolist() and a.bias.tolist() == b.bias.tolist()
    b.reset_parameters()
    assert a.weight.tolist() != b.weight.tolist()


def test_options():
    layer = nn.Linear(2, 3, bias=False, dtype=tinyconv.float64)
    assert layer.bias is None and layer.weight.dtype is tinyconv.float64 and layer.weight.shape == (3, 2)
    assert repr(layer) == "Linear(in_features=2, out_features=3, bias=False)"
    assert list(layer.state_dict()) == ["weight"]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5), (0, 5)])
def test_as_pytorch(agrees_with_torch, bias, shape):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    agrees_with_torch(nn.Linear(5, 4, bias), torch.nn.Linear(5, 4, bias), x)


def test_identity_returns_its_input():
    x = tinyconv.ones(2)
    assert nn.Identity(54, unused=True)(x) is x
    assert repr(nn.Identity(3)) == "Identity()"


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(5,), (2, 3), ()])
def test_bilinear_as_pytorch(agrees_with_torch, bias, lead):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x1, x2 = rng.normal(size=(*lead, 3)).astype(np.float32), rng.normal(size=(*lead, 2)).astype(np.float32)
    agrees_with_torch(nn.Bilinear(3, 2, 4, bias=bias), torch.nn.Bilinear(3, 2, 4, bias=bias), x1, x2)


def test_bilinear_errors():
    with pytest.raises(RuntimeError, match=r"bilinear: weight \(4, 3, 2\) expects .* got \(5, 2\) and \(5, 2\)"):
        nn.Bilinear(3, 2, 4)(tinyconv.zeros(5, 2), tinyconv.zeros(5, 2))
    with pytest.raises(ValueError, match="in1_features must be > 0, but got 0"):
        nn.Bilinear(0, 2, 4)
