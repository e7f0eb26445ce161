"""Muon against its formula with the singular vectors, and beside PyTorch, which computes it in bfloat16."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim
from tinyconv.optim.muon import orthogonal

RNG = np.random.default_rng(0)
SCHULZ = (1.5, -0.5, 0.0)  # converges to 1 exactly


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6), (1, 5)])
def test_the_nearest_orthogonal_matrix(shape):
    x = RNG.normal(size=shape)
    U, _, Vh = np.linalg.svd(x, full_matrices=False)
    np.testing.assert_allclose(orthogonal(tinyconv.tensor(x), SCHULZ, 60, 1e-7).numpy(), U @ Vh, atol=1e-8)
    fast = np.linalg.svd(orthogonal(tinyconv.tensor(x), (3.4445, -4.775, 2.0315), 5, 1e-7).numpy())[1]
    assert (fast > 0.3).all() and (fast < 1.5).all()


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("adjust, ratio", [(None, 2**0.5), ("original", 2**0.5), ("match_rms_adamw", 0.2 * 6**0.5)])
def test_steps_by_formula(nesterov, adjust, ratio):
    start, gradients = RNG.normal(size=(6, 3)), RNG.normal(size=(5, 6, 3))
    p = nn.Parameter(tinyconv.tensor(start))
    rule = optim.Muon([p], 0.1, 0.2, 0.9, nesterov, SCHULZ, ns_steps=60, adjust_lr_fn=adjust)
    expected, m = start, 0.0
    for g in gradients:
        p.grad = tinyconv.tensor(g)
        rule.step()
        m = 0.9 * m + 0.1 * g
        U, _, Vh = np.linalg.svd(0.9 * m + 0.1 * g if nesterov else m, full_matrices=False)
        expected = (1 - 0.1 * 0.2) * expected - 0.1 * ratio * U @ Vh
        np.testing.assert_allclose(p.detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(4, 4), (6, 3), (3, 6)])
@pytest.mark.parametrize("options", [{}, {"nesterov": False, "momentum": 0.5}, {"adjust_lr_fn": "match_rms_adamw"}])
def test_beside_pytorch(shape, options):
    torch = pytest.importorskip("torch")
    start, gradients = RNG.normal(size=shape), RNG.normal(size=(10, *shape))
    found = []
    for library in (tinyconv, torch):
        p = library.nn.Parameter(library.tensor(start))
        rule = library.optim.Muon([p], lr=0.01, **options)
        for g in gradients:
            p.grad = library.tensor(g)
            rule.step()
        (state,) = rule.state_dict()["state"].values()
        found.append((p.detach().numpy(), state["momentum_buffer"].numpy(), rule.state_dict()["param_groups"]))
    ours, theirs = found
    np.testing.assert_allclose(ours[0], theirs[0], atol=0.01)  # ten steps of 0.01, with an error of up to a tenth each
    np.testing.assert_allclose(ours[1], theirs[1], atol=1e-12)
    assert ours[2] == theirs[2]


def test_loading_continues_exactly():
    start, gradients = tinyconv.tensor(RNG.normal(size=(3, 4))), RNG.normal(size=(4, 3, 4))
    p, q = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    rule, other = optim.Muon([p]), optim.Muon([q], lr=0.5)
    for i, g in enumerate(gradients):
        p.grad = tinyconv.tensor(g)
        rule.step()
        if i == 1:
            q.data = p.detach().clone()
            other.load_state_dict(rule.state_dict())
        elif i > 1:
            q.grad = tinyconv.tensor(g)
            other.step()
    assert p.equal(q)


def test_errors():
    p = nn.Parameter(tinyconv.ones(2, 2))
    for options, message in (
        ({"lr": -1.0}, "Learning rate should be >= 0 but is: -1.0"),
        ({"momentum": -1.0}, "momentum should be >= 0 but is: -1.0"),
        ({"weight_decay": -1.0}, "weight decay should be >= 0 but is: -1.0"),
        ({"adjust_lr_fn": "none"}, "Adjust learning rate function none is not supported"),
        ({"lr": tinyconv.ones(2)}, "Tensor lr must be 1-element"),
    ):
        with pytest.raises(ValueError, match=message):
            optim.Muon([p], **options)
    with pytest.raises(ValueError, match="Muon only supports 2D parameters"):
        optim.Muon([nn.Parameter(tinyconv.ones(2))])
    p.grad = tinyconv.ones(2, 2)
    for options, message in (({"ns_steps": 100}, "must be less than 100"), ({"ns_coefficients": (1.0,)}, "exactly 3")):
        with pytest.raises(ValueError, match=message):
            optim.Muon([p], **options).step()
