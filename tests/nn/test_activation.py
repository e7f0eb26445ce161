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


@pytest.mark.parametrize(
    "name, kwargs",
    [
        ("ReLU", {}), ("ReLU", {"inplace": False}), ("Sigmoid", {}), ("Tanh", {}), ("Softmax", {"dim": 0}),
        ("Softmax", {"dim": -1}), ("LogSoftmax", {"dim": 1}),
    ],
)  # fmt: skip
def test_as_pytorch(agrees_with_torch, name, kwargs):
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(0, 3, (3, 4, 2))
    agrees_with_torch(getattr(nn, name)(**kwargs), getattr(torch.nn, name)(**kwargs), x)


def test_printing_as_pytorch():
    torch = pytest.importorskip("torch")

    def printed(n):
        return [repr(m) for m in (n.ReLU(True), n.ReLU(), n.Softmax(), n.LogSoftmax(2), n.Sigmoid(), n.Tanh())]

    assert printed(nn) == printed(torch.nn)
