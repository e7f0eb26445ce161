"""Nonlinearities: the formulas, and what they and their gradients are at the bends and far out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import tinyconv
import tinyconv.nn.functional as F

FORMULAS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "rrelu": lambda x: np.where(x > 0, x, (1 / 8 + 1 / 3) / 2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "celu": lambda x: np.maximum(x, 0) + np.minimum(0, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x * special.ndtr(x),
    "silu": lambda x: x * special.expit(x),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hardsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "softplus": lambda x: np.where(x > 20, x, np.logaddexp(0, x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "tanhshrink": lambda x: x - np.tanh(x),
    "hardshrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "softshrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "sigmoid": special.expit,
    "logsigmoid": special.log_expit,
    "tanh": np.tanh,
}
IN_PLACE = ["relu", "relu6", "leaky_relu", "rrelu", "elu", "celu", "selu", "silu", "mish", "hardswish", "hardsigmoid",
            "hardtanh"]  # fmt: skip
BENDS = [0.0, -1.0, 1.0, 6.0, 3.0, -3.0, 0.5, -0.5, 20.0, 25.0, -1000.0, 1000.0]


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name):
    x = np.concatenate([np.linspace(-8, 8, 101), [-800, -100, -30, 30, 100, 800]])
    for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-6)):
        y = getattr(F, name)(tinyconv.tensor(x.astype(dtype)))
        assert y.array.dtype == dtype
        assert np.isnan(getattr(F, name)(tinyconv.tensor([np.nan])).item())
        np.testing.assert_allclose(y.array, FORMULAS[name](x.astype(dtype).astype(float)), tolerance, tolerance * 0.1)


@pytest.mark.parametrize("name", FORMULAS)
def test_bends_as_in_torch(name):
    """Slopes where the curve is not smooth, or so far out that a formula could overflow."""
    torch = pytest.importorskip("torch")
    found = []
    for library, functional in ((tinyconv, F), (torch, torch.nn.functional)):
        x = library.tensor(BENDS, dtype=library.float64, requires_grad=True)
        y = getattr(functional, name)(x)
        y.sum().backward()
        found.append([y.detach().numpy(), x.grad.numpy()])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-7, atol=1e-300)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name):
    x = tinyconv.tensor([-2.0, -0.1, 0.0, 0.3, 2.0])
    expected = getattr(F, name)(x)
    y = getattr(F, name)(x, inplace=True)
    assert y is x
    assert x.tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match=f"{name}_|hardtanh_: a leaf tensor that requires grad cannot be changed"):
        getattr(F, name)(tinyconv.ones(2, requires_grad=True), inplace=True)


def test_random_slopes():
    tinyconv.manual_seed(0)
    x = tinyconv.full((1000,), -1.0)
    slopes = -F.rrelu(x, 0.1, 0.3, training=True).array
    assert slopes.min() >= 0.1
    assert slopes.max() < 0.3
    assert abs(slopes.mean() - 0.2) < 0.01
    assert F.rrelu(tinyconv.ones(3), training=True).tolist() == [1.0] * 3


def test_glu_and_prelu():
    x = tinyconv.tensor([[1.0, 2.0, 3.0, 4.0]])
    np.testing.assert_allclose(F.glu(x).array, np.array([[1, 2]]) * special.expit([[3, 4]]), rtol=1e-6)
    with pytest.raises(RuntimeError, match=r"glu: the size along dim 0 must be even, input has shape \(1, 4\)"):
        F.glu(x, 0)
    w = tinyconv.tensor([0.1, 0.2, 0.3, 0.4])
    assert F.prelu(-x, w).tolist() == (-x * w).tolist()
    assert F.prelu(-tinyconv.ones(2, 4, 3), w)[1, :, 2].tolist() == (-w).tolist()
    with pytest.raises(RuntimeError, match=r"prelu: weight must have 1 element or one for each of 4 channels, got .*3"):
        F.prelu(x, w[:3])


def test_straightened_softplus():
    x = tinyconv.tensor([1.0, 3.0], requires_grad=True)
    y = F.softplus(x, beta=2, threshold=4)
    np.testing.assert_allclose(y.detach().array, [np.log1p(np.exp(2)) / 2, 3], rtol=1e-6)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.array, [special.expit(2), 1], rtol=1e-6)


def test_a_sample_that_has_a_gradient():
    tinyconv.manual_seed(0)
    scores = tinyconv.tensor([[0.0, 1.0, 2.0]] * 4000, requires_grad=True)
    y = F.gumbel_softmax(scores, hard=True)
    assert sorted(set(y.detach().array.ravel().tolist())) == [0.0, 1.0]
    np.testing.assert_allclose(y.detach().array.mean(0), special.softmax([0, 1, 2]), atol=0.03)
    y[:, 0].sum().backward()
    assert (scores.grad[:, 0] > 0).all()
    soft = F.gumbel_softmax(scores.detach(), tau=0.5, dim=0)
    np.testing.assert_allclose(soft.array.sum(0), 1, rtol=1e-4)


def test_errors():
    x = tinyconv.ones(2)
    for name in ("elu", "gelu", "silu", "leaky_relu", "softplus", "hardswish"):
        with pytest.raises(RuntimeError, match=f"{name}: input must be floating point, got tinyconv.int64"):
            getattr(F, name)(tinyconv.tensor([1, 2]))
    with pytest.raises(RuntimeError, match="gelu: approximate must be 'none' or 'tanh', got 'erf'"):
        F.gelu(x, approximate="erf")
    with pytest.raises(ValueError, match=r"hardtanh: min_val must not be above max_val, got 1.0 and 0.0"):
        F.hardtanh(x, 1.0, 0.0)
    with pytest.raises(RuntimeError, match="softshrink: lambd must not be negative, got -1"):
        F.softshrink(x, -1)
    with pytest.raises(RuntimeError, match="celu: alpha must not be 0"):
        F.celu(x, 0.0)
    with pytest.raises(RuntimeError, match="rrelu: lower must not be above upper, got 0.5 and 0.1"):
        F.rrelu(x, 0.5, 0.1)
