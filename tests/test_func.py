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


def test_what_a_call_assigns_to_a_buffer_stays():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(tinyconv.ones(2))
            self.register_buffer("calls", tinyconv.zeros(()))

        def forward(self, x):
            self.calls = self.calls + 1
            return self.weight * x

    model = Counting()
    func.functional_call(model, {"weight": tinyconv.zeros(2)}, tinyconv.ones(2))
    assert model.calls == 1 and model.weight.tolist() == [1, 1]
    func.functional_call(model, {"calls": tinyconv.tensor(7.0)}, tinyconv.ones(2))
    assert model.calls == 1  # it was not its own that was counted up


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


# ------------------------------------------------------------------------------------- Jacobians, and one by one


def both(compute, **inputs):
    """Our result and PyTorch's, as nested lists."""
    torch = pytest.importorskip("torch")
    found = []
    for library in (tinyconv, torch):
        xs = {name: library.tensor(values.tolist(), dtype=library.float64) for name, values in inputs.items()}
        found.append(listed(compute(library, library.func, **xs)))
    return found


def listed(tree):
    if hasattr(tree, "tolist"):
        return tree.detach().tolist()
    return {k: listed(v) for k, v in tree.items()} if isinstance(tree, dict) else [listed(item) for item in tree]


rng = np.random.default_rng(0)
A, X, V = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=4)

DERIVATIVES = {
    "vjp": lambda m, f, a, x, v: (lambda y, back: (y, back(y * 2)))(*f.vjp(lambda a, x: m.tanh(a @ x), a, x)),
    "vjp of a dict": lambda m, f, a, x, v: f.vjp(lambda p: (p["a"] @ p["x"]).sin(), {"a": a, "x": x})[1](x[:3]),
    "vjp with more": lambda m, f, a, x, v: f.vjp(lambda x: (x.exp(), x * 2), x, has_aux=True)[::2],
    "jvp": lambda m, f, a, x, v: f.jvp(lambda x: m.tanh(a @ x), (x,), (v,)),
    "jvp of two": lambda m, f, a, x, v: f.jvp(lambda x, y: (x * y, y.exp()), (x, v), (v, x)),
    "jacrev": lambda m, f, a, x, v: f.jacrev(lambda x: m.tanh(a @ x))(x),
    "jacrev by both": lambda m, f, a, x, v: f.jacrev(lambda a, x: m.tanh(a @ x), argnums=(0, 1))(a, x),
    "jacrev of two, by a dict": lambda m, f, a, x, v: f.jacrev(lambda p: (p["x"].sin(), p["x"].sum()))({"x": x}),
    "jacfwd": lambda m, f, a, x, v: f.jacfwd(lambda a, x: m.tanh(a @ x), argnums=1)(a, x),
    "jacobian that uses none": lambda m, f, a, x, v: f.jacrev(lambda x: m.ones(2, dtype=m.float64))(x),
    "hessian": lambda m, f, a, x, v: f.hessian(lambda x: ((a @ x) ** 3).sum())(x),
    "vector times hessian": lambda m, f, a, x, v: f.jvp(f.grad(lambda x: ((a @ x) ** 3).sum()), (x,), (v,)),
    "third derivative": lambda m, f, a, x, v: f.grad(f.grad(f.grad(m.sin)))(x[0]),
    "vmap": lambda m, f, a, x, v: f.vmap(lambda row: row @ x)(a),
    "vmap of two": lambda m, f, a, x, v: f.vmap(lambda row, y: row * y, in_dims=(1, 0), out_dims=1)(a, x),
    "vmap, one the same": lambda m, f, a, x, v: f.vmap(m.dot, in_dims=(0, None))(a, x),
    "vmap, nested": lambda m, f, a, x, v: f.vmap(f.vmap(lambda y: y.exp()))(a),
    "vmap, several results": lambda m, f, a, x, v: f.vmap(lambda y: (y, {"s": y.sum()}))(a),
    "vmap of parts": lambda m, f, a, x, v: f.vmap(
        lambda p, y: p["a"] + p["x"][0] * y, in_dims=({"a": 0, "x": None}, 0)
    )({"a": a, "x": x}, a),
    "gradients of each": lambda m, f, a, x, v: f.vmap(f.grad(lambda x, row: (row @ x).tanh()), in_dims=(None, 0))(x, a),
    "jacobians of each": lambda m, f, a, x, v: f.vmap(f.jacrev(lambda y: y**2))(a),
    "jacobian by vmap": lambda m, f, a, x, v: f.vmap(f.vjp(lambda x: a @ x, x)[1])(m.eye(3, dtype=m.float64))[0],
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_as_pytorchs(name):
    ours, theirs = both(DERIVATIVES[name], a=A, x=X, v=V)
    np.testing.assert_allclose(_numbers(ours), _numbers(theirs), rtol=1e-10)
    assert _shape(ours) == _shape(theirs)


def _numbers(tree):
    parts = list(tree.values()) if isinstance(tree, dict) else tree
    return [n for part in parts for n in _numbers(part)] if isinstance(parts, list) else [parts]


def _shape(tree):
    parts = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree)) if isinstance(tree, list) else []
    return [(key, _shape(part)) for key, part in parts]


def test_the_outer_graph_goes_through():
    x = tinyconv.tensor([1.0, 2.0], requires_grad=True)
    func.jacrev(lambda x: x**3)(x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    x.grad = None
    func.vmap(func.grad(lambda x: x**3))(x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    y, push = func.jvp(lambda x: x**2, (x.detach(),), (tinyconv.ones(2),))
    assert not y.requires_grad and not push.requires_grad


def test_what_else_a_function_returns_has_no_history():
    x = tinyconv.ones(2)
    _, (value, aux) = func.grad_and_value(lambda x: (x.sum(), {"mean": x.mean()}), has_aux=True)(x)
    assert not value.requires_grad and not aux["mean"].requires_grad
    assert not func.vjp(lambda x: (x * 2, x * 3), x, has_aux=True)[2].requires_grad
    assert not func.jvp(lambda x: (x * 2, x * 3), (x,), (x,), has_aux=True)[2].requires_grad
    x.requires_grad_()
    assert func.vjp(lambda x: (x * 2, x * 3), x, has_aux=True)[2].requires_grad  # someone outside differentiates, too


def test_named_tuples_stay_what_they_are():
    x = tinyconv.tensor([[1.0, 5.0], [4.0, 2.0]])
    found = func.vmap(lambda row: row.max(0))(x)
    assert found.values.tolist() == [5, 4] and found.indices.tolist() == [1, 0]
    value, pulled = func.vjp(lambda row: row.aminmax(), x[0])
    (gx,) = pulled(tinyconv.tensor(2.0), tinyconv.tensor(3.0))
    assert value.max.item() == 5 and gx.tolist() == [2, 3]


def test_an_ensemble():
    models = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval() for _ in range(4)]
    parameters, buffers = func.stack_module_state(models)
    x = tinyconv.randn(5, 3)
    call = func.vmap(lambda p, b, x: func.functional_call(models[0], (p, b), (x,)), in_dims=(0, 0, None))
    y = call(parameters, buffers, x)
    np.testing.assert_allclose(y.detach(), np.stack([model(x).detach() for model in models]), rtol=1e-6)
    y.sum().backward()
    assert parameters["0.weight"].grad.shape == (4, 2, 3)
    assert all(p.grad is None for p in models[0].parameters())


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda x: func.vmap(lambda a, b: a)(x, tinyconv.ones(3)), ValueError, r"one axis size .* sizes \[2, 3\]"),
        (lambda x: func.vmap(lambda a: a, in_dims=None)(x), ValueError, "in_dims must be an int or a tuple for 1"),
        (lambda x: func.vmap(lambda a: a, in_dims=(None,))(x), ValueError, "got none"),
        (lambda x: func.vmap(lambda a: a, in_dims=1)(x), ValueError, r"in_dims has 1 for a tensor of shape \(2,\)"),
        (lambda x: func.vmap(lambda a: a, in_dims=({"b": 0},))({"a": x}), ValueError, r"with the parts \['a'\]"),
        (lambda x: func.vmap(lambda a: a.item())(x), ValueError, "func must return tensors, got float"),
        (lambda x: func.vmap(lambda a: a)(x[:0]), RuntimeError, "an axis of size 0"),
        (lambda x: func.vjp(lambda a: a, x)[1](x, x), RuntimeError, "each of the 1 outputs, got 2"),
        (lambda x: func.jvp(lambda a: a, (x,), (x[0],)), RuntimeError, r"shapes of primals, \[\(2,\)\], got \[\(\)\]"),
        (lambda x: func.stack_module_state([]), RuntimeError, "at least one"),
        (lambda x: func.stack_module_state([nn.ReLU(), nn.Tanh()]), RuntimeError, "of one class"),
    ],
)
def test_misuse(call, error, message):
    with pytest.raises(error, match=message):
        call(tinyconv.ones(2))


def test_functional_has_the_operations_that_pytorch_keeps_there():
    torch = pytest.importorskip("torch")
    lacking = set(torch.functional.__all__) - set(tinyconv.functional.__all__)
    assert lacking <= {"align_tensors", "chain_matmul", "istft", "lu", "pca_lowrank", "stft", "svd_lowrank",
                       "unravel_index"}  # fmt: skip
    for name in tinyconv.functional.__all__:
        assert getattr(tinyconv.functional, name) is not None
    x = tinyconv.tensor([[3.0, 4.0]])
    assert tinyconv.functional.norm(x).item() == 5
    assert tinyconv.functional.einsum("ij->ji", x).shape == (2, 1)
