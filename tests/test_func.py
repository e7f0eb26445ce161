"""Functions of functions: modules as functions of their parameters, and gradients as functions."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import func, nn
from tinyconv.nn.utils import stateless


def test_a_module_with_other_parameters():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    x = tinyconv.randn(4, 2)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    parameters = {k: tinyconv.zeros_like(p) for k, p in model.named_parameters()}
    buffers = {k: b.clone() for k, b in model.named_buffers()}
    assert func.functional_call(model, (parameters, buffers), (x,)).abs().sum() == 0
    assert buffers["1.num_batches_tracked"] == 1
    for key, value in model.state_dict().items():
        assert tinyconv.equal(value, state[key]), key
    assert all(isinstance(p, nn.Parameter) for p in model.parameters())
    for call in (stateless.functional_call, func.functional_call):
        np.testing.assert_array_equal(call(model.eval(), {}, x).detach(), model.eval()(x).detach())


def test_gradients_go_to_the_given_tensors_through_steps():
    """An inner step of MAML: the loss after a step is differentiated by the parameters before it."""
    model = nn.Linear(2, 1)
    x, y = tinyconv.randn(5, 2), tinyconv.randn(5, 1)

    def loss(weights):
        return nn.functional.mse_loss(func.functional_call(model, weights, (x,)), y)

    weights = dict(model.named_parameters())
    slopes = tinyconv.autograd.grad(loss(weights), list(weights.values()), create_graph=True)
    stepped = {k: w - 0.1 * g for (k, w), g in zip(weights.items(), slopes, strict=True)}
    loss(stepped).backward()
    w, b = model.weight.detach().numpy().T, model.bias.detach().numpy()
    a = np.hstack([x.numpy(), np.ones((5, 1))])
    theta = np.vstack([w, b[None]])
    step = np.eye(3) - 0.1 * 2 / 5 * a.T @ a
    after = theta - 0.1 * 2 / 5 * a.T @ (a @ theta - y.numpy())
    expected = step @ (2 / 5 * a.T @ (a @ after - y.numpy()))
    found = np.vstack([model.weight.grad.numpy().T, model.bias.grad.numpy()[None]])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_tied_weights_and_what_does_not_fit():
    model = nn.ModuleDict({"a": nn.Linear(1, 1, bias=False), "b": nn.Linear(1, 1, bias=False)})
    model.b.weight = model.a.weight
    model.forward = lambda x: model.b(model.a(x))
    one, two = tinyconv.ones(1, 1), tinyconv.full((1, 1), 2.0)
    assert func.functional_call(model, {"a.weight": two}, one) == 4
    weight = model.a.weight.item()
    untied = func.functional_call(model, {"a.weight": two}, one, tie_weights=False)
    assert untied.item() == pytest.approx(2 * weight)
    with pytest.raises(ValueError, match="tied parameter"):
        func.functional_call(model, {"a.weight": two, "b.weight": one}, one)
    with pytest.raises(RuntimeError, match="unexpected c.weight"):
        func.functional_call(model, {"c.weight": two}, one)
    with pytest.raises(RuntimeError, match="missing 0.bias"):
        stateless.functional_call(nn.Sequential(nn.Linear(1, 1)), {"0.weight": one}, one, strict=True)
    with pytest.raises(ValueError, match="in two of the dicts"):
        func.functional_call(model, ({"a.weight": two}, {"a.weight": one}), one)
    with pytest.raises(ValueError, match="expected a dict"):
        func.functional_call(model, 3, one)


def test_a_module_that_fails_has_its_parameters_back():
    layer = nn.Linear(2, 2)
    own = layer.weight
    with pytest.raises(RuntimeError):
        func.functional_call(layer, {"weight": tinyconv.ones(2, 2)}, tinyconv.ones(1, 3))
    assert layer.weight is own


def test_gradients_as_functions():
    x = tinyconv.tensor([1.0, 2.0])
    assert func.grad(lambda x: (x**3).sum())(x).tolist() == [3, 12] and not x.requires_grad
    slope, value = func.grad_and_value(lambda x: (x**2).sum())(x)
    assert slope.tolist() == [2, 4] and value == 5 and not value.requires_grad
    both = func.grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, 2 * x)
    assert [g.tolist() for g in both] == [[2, 4], [1, 2]]
    slope, aux = func.grad(lambda x: (x.sum(), "more"), has_aux=True)(x)
    assert slope.tolist() == [1, 1] and aux == "more"
    second = func.grad(func.grad(lambda x: x**4))(tinyconv.tensor(2.0))
    assert second == 48 and not second.requires_grad
    tree = func.grad(lambda p, x: (p["w"] * x).sum() + 0 * p["b"].sum())({"w": x, "b": x}, x)
    assert tree["w"].tolist() == [1, 2] and tree["b"].tolist() == [0, 0]
    unused = func.grad(lambda p: p["w"].sum())({"w": x, "b": x})
    assert unused["b"].tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="0-d tensor"):
        func.grad(lambda x: x * 2)(x)


def test_gradients_of_a_model_as_a_function():
    model, x = nn.Linear(2, 1), tinyconv.ones(3, 2)
    weights = {k: p.detach() for k, p in model.named_parameters()}
    slopes = func.grad(lambda w: func.functional_call(model, w, (x,)).sum())(weights)
    assert slopes["weight"].tolist() == [[3, 3]] and slopes["bias"].tolist() == [3]
    assert model.weight.grad is None
