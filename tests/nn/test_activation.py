import numpy as np
import pytest
import scipy.special

import tinyconv
from tinyconv import nn

FORMULAS = [
    (nn.ReLU(), lambda x: np.maximum(x, 0)),
    (nn.Sigmoid(), scipy.special.expit),
    (nn.Tanh(), np.tanh),
    (nn.Softmax(dim=1), lambda x: scipy.special.softmax(x, 1)),
    (nn.LogSoftmax(dim=-1), lambda x: scipy.special.log_softmax(x, -1)),
]


@pytest.mark.parametrize("layer, formula", FORMULAS, ids=lambda v: repr(v) if isinstance(v, nn.Module) else "")
def test_formulas(layer, formula):
    x = np.random.default_rng(0).normal(0, 10, (3, 4))
    np.testing.assert_allclose(layer(tinyconv.from_numpy(x)).numpy(), formula(x), rtol=1e-12, atol=1e-300)


def test_relu_in_place():
    x = tinyconv.tensor([-1.0, 2.0])
    y = nn.ReLU(inplace=True)(x)
    assert y.array is x.array and x.tolist() == [0.0, 2.0]
    x = tinyconv.tensor([-1.0, 2.0])
    assert nn.ReLU()(x).tolist() == [0.0, 2.0] and x.tolist() == [-1.0, 2.0]


LAYERS = [
    ("CELU", {"alpha": 1.5}), ("ELU", {}), ("ELU", {"alpha": 0.5}), ("GELU", {}), ("GELU", {"approximate": "tanh"}),
    ("GLU", {"dim": 1}), ("Hardshrink", {}), ("Hardshrink", {"lambd": 1.0}), ("Hardsigmoid", {}), ("Hardswish", {}),
    ("Hardtanh", {}), ("Hardtanh", {"min_val": -2.0, "max_val": 0.5}), ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}), ("LogSigmoid", {}), ("LogSoftmax", {"dim": 1}), ("Mish", {}), ("PReLU", {}),
    ("PReLU", {"num_parameters": 4, "init": 0.1}), ("ReLU", {}), ("ReLU6", {}), ("SELU", {}), ("SiLU", {}),
    ("Sigmoid", {}), ("Softmax", {"dim": 0}), ("Softmax", {"dim": -1}), ("Softmax2d", {}), ("Softmin", {"dim": 1}),
    ("Softplus", {}), ("Softplus", {"beta": 2.0, "threshold": 3.0}), ("Softshrink", {}), ("Softsign", {}), ("Tanh", {}),
    ("Tanhshrink", {}), ("Threshold", {"threshold": 0.1, "value": 20.0}),
]  # fmt: skip


@pytest.mark.parametrize("name, kwargs", LAYERS)
def test_as_pytorch(agrees_with_torch, name, kwargs):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(0, 3, (3, 4, 2))
    dtype = {"dtype": tinyconv.float64} if name == "PReLU" else {}
    theirs = getattr(torch.nn, name)(**kwargs)
    agrees_with_torch(getattr(nn, name)(**kwargs, **dtype), theirs.double(), x)


def test_printing_as_pytorch():
    torch = pytest.importorskip("torch")

    def printed(n):
        inplace = ("ReLU", "ReLU6", "LeakyReLU", "RReLU", "ELU", "CELU", "SELU", "SiLU", "Mish", "Hardswish",
                   "Hardsigmoid", "Hardtanh")  # fmt: skip
        layers = [getattr(n, name)(**kwargs) for name, kwargs in LAYERS]
        layers += [getattr(n, name)(inplace=True) for name in inplace] + [
            n.RReLU(),
            n.Softmax(),
            n.Threshold(1, 2, True),
        ]
        return [repr(m) for m in layers]

    assert printed(nn) == printed(torch.nn)


def test_in_place():
    for layer in (nn.SiLU, nn.LeakyReLU, nn.Hardtanh, nn.ReLU6, nn.ELU, nn.SELU, nn.Mish):
        x = tinyconv.tensor([-1.0, 2.0])
        expected = layer()(x)
        assert layer(inplace=True)(x) is x
        assert x.tolist() == expected.tolist()
    x = tinyconv.tensor([-1.0, 2.0])
    assert nn.Threshold(0.5, 7.0, inplace=True)(x) is x
    assert x.tolist() == [7, 2]


def test_prelu_learns_its_slopes():
    layer = nn.PReLU(2, init=0.5)
    assert list(layer.state_dict()) == ["weight"]
    y = layer(tinyconv.tensor([[-1.0, -2.0], [3.0, -4.0]]))
    assert y.tolist() == [[-0.5, -1.0], [3.0, -2.0]]
    y.sum().backward()
    assert layer.weight.grad.tolist() == [-1.0, -6.0]


def test_rrelu_is_random_in_training():
    layer, x = nn.RReLU(), -tinyconv.ones(100)
    assert len(set(layer(x).tolist())) > 90
    layer.eval()
    assert len(set(layer(x).tolist())) == 1


def test_errors():
    with pytest.raises(ValueError, match="Hardtanh: min_val must be below max_val, got 1.0 and 1.0"):
        nn.Hardtanh(1.0, 1.0)
    with pytest.raises(ValueError, match=r"Softmax2d: expected .* got shape \(2, 3\)"):
        nn.Softmax2d()(tinyconv.ones(2, 3))
