"""Adafactor by its formula; step for step beside PyTorch in the battery."""

import copy

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim

RNG = np.random.default_rng(0)


def rms(x):
    return np.sqrt(np.mean(x * x))


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), ()])
def test_steps_by_formula(shape):
    p, gradients = RNG.normal(size=shape), RNG.normal(size=(6, *shape))
    parameter = nn.Parameter(tinyconv.tensor(p))
    rule = optim.Adafactor([parameter], 0.3, d=1.2, weight_decay=0.1)
    r = c = v = 0.0
    for t, g in enumerate(gradients, 1):
        parameter.grad = tinyconv.tensor(g, dtype=tinyconv.float64)
        rule.step()
        share = t**-0.8
        if g.ndim > 1:
            r = (1 - share) * r + share * (g * g).mean(-1, keepdims=True)
            c = (1 - share) * c + share * (g * g).mean(-2, keepdims=True)
            v = r * c / r.mean(-2, keepdims=True)
        else:
            v = (1 - share) * v + share * g * g
        u = g / np.sqrt(v)
        p = p * (1 - 0.3 * 0.1) - max(1e-3, rms(p)) * min(0.3, t**-0.5) * u / max(1, rms(u) / 1.2)
        np.testing.assert_allclose(parameter.detach().numpy(), p, rtol=1e-10)


def test_loading_continues_exactly():
    params = [nn.Parameter(tinyconv.ones(*shape)) for shape in ((3, 4), (5,))]
    rule = optim.Adafactor(params, lr=0.1)
    for p in params:
        p.grad = tinyconv.tensor(RNG.normal(size=p.shape), dtype=p.dtype)
    rule.step()
    others = [nn.Parameter(p.detach().clone()) for p in params]
    resumed = optim.Adafactor(others)
    resumed.load_state_dict(copy.deepcopy(rule.state_dict()))
    for p, q in zip(params, others, strict=True):
        q.grad = p.grad
    rule.step()
    resumed.step()
    assert [p.tolist() for p in params] == [q.tolist() for q in others]
    with pytest.raises(ValueError, match=r"a row_var of shape \(3, 1\) for a parameter of shape \(2, 4\)"):
        optim.Adafactor([nn.Parameter(tinyconv.ones(2, 4)), params[1]]).load_state_dict(rule.state_dict())


def test_errors():
    p = [nn.Parameter(tinyconv.ones(2))]
    for options, message in (
        ({"lr": -1.0}, "Learning rate should be >= 0"),
        ({"lr": tinyconv.ones(2)}, "Tensor lr must be 1-element"),
        ({"beta2_decay": 0.5}, "beta2_decay should be <= 0"),
        ({"eps": (-1.0, 1e-3)}, "epsilon1 should be >= 0"),
        ({"eps": (None, -1.0)}, "epsilon2 should be >= 0"),
        ({"d": 0.5}, "Clipping threshold d should be >= 1"),
        ({"weight_decay": -1.0}, "weight_decay should be >= 0"),
    ):
        with pytest.raises(ValueError, match=message):
            optim.Adafactor(p, **options)
