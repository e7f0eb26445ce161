"""Adam and its kin: by formula in float64, beside PyTorch for every option, and what every rule has in common."""

import copy
import itertools
import math

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim

RULES = [
    name for name in optim.__all__ if name not in ("Optimizer", "Adafactor", "LBFGS", "Muon", "SGD", "lr_scheduler")
]
STEPS = 50


def draw(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def trajectory(lib, rule, steps=STEPS, dtype="float64", **options):
    """Every value of two parameters, whose gradients depend on where they are; one misses every third step."""
    params = [lib.nn.Parameter(lib.tensor(x, dtype=getattr(lib, dtype))) for x in draw(0, (3, 2), ())]
    optimizer = getattr(lib.optim, rule)(params, **options)
    out = []
    for step, noise in enumerate(draw(1, *[(3, 2)] * steps)):
        w, b = params
        optimizer.zero_grad()
        (w.sum() * b if step % 3 == 1 else (w * w).sum()).backward()
        w.grad = w.grad + lib.tensor(noise, dtype=w.dtype)
        optimizer.step()
        out.append([p.detach().numpy().copy() for p in params])
    return out, optimizer


def agree(rule, rtol=1e-6, **options):
    torch = pytest.importorskip("torch")
    ours, mine = trajectory(tinyconv, rule, **options)
    theirs, other = trajectory(torch, rule, **options)
    for a, b in zip(itertools.chain(*ours), itertools.chain(*theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6)
    ours, theirs = mine.state_dict(), other.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    assert [list(memory) for memory in ours["state"].values()] == [list(memory) for memory in theirs["state"].values()]
    for i, memory in theirs["state"].items():
        for name, value in memory.items():
            np.testing.assert_allclose(ours["state"][i][name].numpy(), value.numpy(), rtol=1e-5, atol=1e-6)
            assert ours["state"][i][name].numpy().dtype == value.numpy().dtype


GRID = {
    "Adam": {"betas": [(0.9, 0.999), (0.5, 0.9)], "amsgrad": [False, True], "decoupled_weight_decay": [False, True]},
    "AdamW": {"amsgrad": [False, True], "lr": [0.1]},
    "RMSprop": {"centered": [False, True], "momentum": [0, 0.9], "alpha": [0.99, 0.5], "lr": [0.01]},
    "Adagrad": {"lr_decay": [0, 0.1], "initial_accumulator_value": [0, 0.5], "eps": [1e-10, 0.1]},
    "Adadelta": {"rho": [0.9, 0.5], "eps": [1e-6, 0.1], "lr": [1.0, 0.5]},
    "Adamax": {"betas": [(0.9, 0.999), (0.5, 0.9)], "eps": [1e-8, 0.1]},
    "NAdam": {"momentum_decay": [4e-3, 0.5], "decoupled_weight_decay": [False, True]},
    "RAdam": {"betas": [(0.9, 0.999), (0.5, 0.9)], "decoupled_weight_decay": [False, True]},
    "ASGD": {"t0": [1e6, 10], "lambd": [1e-4, 0.1], "alpha": [0.75, 0.5]},
    "Rprop": {"etas": [(0.5, 1.2), (0.2, 2.0)], "step_sizes": [(1e-6, 50), (0.005, 0.02)]},
}
CASES = [
    (rule, dict(zip(grid, values, strict=True)))
    for rule, grid in GRID.items()
    for values in itertools.product(*grid.values())
]


def test_the_grid_names_every_rule():
    assert sorted(GRID) == sorted(RULES)


@pytest.mark.parametrize("maximize, weight_decay", [(False, 0), (True, 0.1)])
@pytest.mark.parametrize("rule, options", CASES)
def test_fifty_steps_as_pytorch(rule, options, maximize, weight_decay):
    if rule != "Rprop":
        options = {**options, "weight_decay": weight_decay}
    agree(rule, maximize=maximize, **options)


@pytest.mark.parametrize("rule", RULES)
def test_float32_as_pytorch(rule):
    agree(rule, rtol=2e-4, dtype="float32")


@pytest.mark.parametrize("rule", RULES)
def test_a_tensor_as_learning_rate(rule):
    lr = tinyconv.tensor(0.05, dtype=tinyconv.float64)
    for a, b in zip(trajectory(tinyconv, rule, 5, lr=lr)[0], trajectory(tinyconv, rule, 5, lr=0.05)[0], strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    with pytest.raises(ValueError, match="1-element"):
        trajectory(tinyconv, rule, lr=tinyconv.ones(2))


def adam(p, grads, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    m = v = 0.0
    for t, g in enumerate(grads, 1):
        g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        p = p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


def adamw(p, grads, lr=1e-3, weight_decay=0.01):
    for t in range(1, len(grads) + 1):
        shrunk = p * (1 - lr * weight_decay)
        p = shrunk + adam(0.0, grads[:t], lr) - adam(0.0, grads[: t - 1], lr)
    return p


def rmsprop(p, grads, lr=0.01, alpha=0.99, eps=1e-8):
    v = 0.0
    for g in grads:
        v = alpha * v + (1 - alpha) * g**2
        p = p - lr * g / (np.sqrt(v) + eps)
    return p


def adagrad(p, grads, lr=0.01, eps=1e-10):
    for t in range(1, len(grads) + 1):
        p = p - lr * grads[t - 1] / (np.sqrt(sum(g**2 for g in grads[:t])) + eps)
    return p


def adadelta(p, grads, rho=0.9, eps=1e-6):
    u = v = 0.0
    for g in grads:
        v = rho * v + (1 - rho) * g**2
        step = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * step**2
        p = p - step
    return p


def adamax(p, grads, lr=2e-3, betas=(0.9, 0.999), eps=1e-8):
    m = u = 0.0
    for t, g in enumerate(grads, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.maximum(betas[1] * u, np.abs(g) + eps)
        p = p - lr / (1 - betas[0] ** t) * m / u
    return p


def nadam(p, grads, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, decay=4e-3):
    def mu(t):
        return betas[0] * (1 - 0.96 ** (t * decay) / 2)

    m = v = 0.0
    for t, g in enumerate(grads, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        product = math.prod(mu(i) for i in range(1, t + 1))
        step = (1 - mu(t)) / (1 - product) * g + mu(t + 1) / (1 - product * mu(t + 1)) * m
        p = p - lr * step / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


def radam(p, grads, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    m = v = 0.0
    limit = 2 / (1 - betas[1]) - 1
    for t, g in enumerate(grads, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        rho = limit - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        step = m / (1 - betas[0] ** t)
        if rho > 5:
            r = math.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
            step = step * r * math.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)
        p = p - lr * step
    return p


def asgd(p, grads, lr=0.01, lambd=1e-4, alpha=0.75):
    eta = lr
    for t, g in enumerate(grads, 1):
        p = p * (1 - lambd * eta) - eta * g
        eta = lr / (1 + lambd * lr * t) ** alpha
    return p


def rprop(p, grads, lr=0.01):
    size, before = np.full_like(p, lr), np.zeros_like(p)
    for g in grads:
        size = np.clip(size * np.where(g * before > 0, 1.2, np.where(g * before < 0, 0.5, 1)), 1e-6, 50)
        before = np.where(g * before < 0, 0, g)
        p = p - np.sign(before) * size
    return p


FORMULAS = {f.__name__: f for f in (adam, adamw, rmsprop, adagrad, adadelta, adamax, nadam, radam, asgd, rprop)}


@pytest.mark.parametrize("rule", RULES)
def test_twenty_steps_by_formula(rule):
    (start,), grads = draw(0, (4, 3)), draw(1, *[(4, 3)] * 20)
    p = nn.Parameter(tinyconv.tensor(start))
    optimizer = getattr(optim, rule)([p])
    for g in grads:
        p.grad = tinyconv.tensor(g)
        optimizer.step()
    np.testing.assert_allclose(p.detach().numpy(), FORMULAS[rule.lower()](start, grads), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("rule", RULES)
def test_loading_continues_exactly(rule):
    def train(params, optimizer, seed):
        for noise in draw(seed, *[(3, 2)] * 5):
            for p in params:
                p.grad = tinyconv.tensor(noise.astype(np.float32))
            optimizer.step()

    params = [nn.Parameter(tinyconv.ones(3, 2)) for _ in range(2)]
    optimizer = getattr(optim, rule)(params, lr=0.05)
    train(params, optimizer, 0)
    others = [nn.Parameter(p.detach().clone()) for p in params]
    resumed = getattr(optim, rule)(others)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for some, o in ((params, optimizer), (others, resumed)):
        train(some, o, 1)
    assert [p.tolist() for p in params] == [p.tolist() for p in others]


@pytest.mark.parametrize("rule", RULES)
def test_what_every_rule_does(rule):
    used, unused, frozen = (nn.Parameter(tinyconv.ones(2)) for _ in range(3))
    frozen.requires_grad_(False)
    optimizer = getattr(optim, rule)([{"params": [used]}, {"params": [unused, frozen], "lr": 0.5}])
    assert [group["lr"] for group in optimizer.param_groups][1] == 0.5

    def closure():
        optimizer.zero_grad()
        loss = (used * used).sum()
        loss.backward()
        return loss

    version = used._version
    with tinyconv.no_grad():
        assert optimizer.step(closure).item() == 2.0
    assert used._version > version and used.is_leaf and used.tolist() != [1.0, 1.0]
    assert unused.tolist() == frozen.tolist() == [1.0, 1.0] and unused not in optimizer.state
    late = nn.Parameter(tinyconv.ones(2))
    late.grad = tinyconv.ones(2)
    optimizer.add_param_group({"params": late})
    optimizer.step()
    assert optimizer.state[late]["step"].item() == 1 and optimizer.state[used]["step"].item() == 2


@pytest.mark.parametrize("rule", RULES)
def test_a_gradient_or_a_memory_that_does_not_fit(rule):
    p = nn.Parameter(tinyconv.ones(2))
    optimizer = getattr(optim, rule)([p])
    for data in (tinyconv.ones(3), tinyconv.ones(2, dtype=tinyconv.float64)):
        p.grad = tinyconv.ones(2)
        p.data = data
        with pytest.raises(RuntimeError, match=rf"{rule}: .* has a gradient of shape \(2,\) and dtype float32"):
            optimizer.step()
        p.data = tinyconv.ones(2)
    p.grad = tinyconv.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    other = getattr(optim, rule)([nn.Parameter(tinyconv.ones(3))])
    with pytest.raises(ValueError, match=r"of shape \(2,\) for a parameter of shape \(3,\)"):
        other.load_state_dict(saved)


def test_a_moment_of_another_dtype():
    layer = nn.Linear(2, 1)
    optimizer = optim.Adam(layer.parameters())
    layer(tinyconv.ones(1, 2)).sum().backward()
    optimizer.step()
    layer.double()
    with pytest.raises(RuntimeError, match="an exp_avg of shape .* and dtype float32"):
        optimizer.step()


def test_a_moment_of_another_shape():
    p = nn.Parameter(tinyconv.ones(2))
    optimizer = optim.Adam([p])
    p.grad = tinyconv.ones(2)
    optimizer.step()
    p.data, p.grad = tinyconv.ones(1000), tinyconv.ones(1000)
    with pytest.raises(RuntimeError, match=r"shape \(1000,\) and dtype float32 has an exp_avg of shape \(2,\)"):
        optimizer.step()
    assert p.equal(tinyconv.ones(1000))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name, value", [
    ("lr", -1.0), ("lr", math.nan), ("eps", -1.0), ("weight_decay", -1.0), ("betas", (1.0, 0.9)),
    ("betas", (0.9, -0.1)), ("momentum", -1.0), ("alpha", -1.0), ("rho", 1.5), ("lr_decay", -1.0),
    ("initial_accumulator_value", -1.0),
    ("momentum_decay", -1.0), ("etas", (1.5, 2.0)),
])  # fmt: skip
def test_bad_options(rule, name, value):
    torch = pytest.importorskip("torch")
    messages = []
    for lib in (torch, tinyconv):
        try:
            getattr(lib.optim, rule)([lib.nn.Parameter(lib.ones(1))], **{name: value})
        except (TypeError, ValueError) as error:
            messages.append((type(error), str(error).partition("got an unexpected")[2] or str(error)))
        else:
            messages.append(None)
    assert messages[0] == messages[1]


def test_adams_own_errors():
    p = [nn.Parameter(tinyconv.ones(1))]
    with pytest.raises(ValueError, match=r"both floats or both Tensors, got \(0, 0.9\)"):
        optim.Adam(p, betas=(0, 0.9))
    with pytest.raises(ValueError, match="foreach=True"):
        optim.Adam(p, lr=tinyconv.tensor(0.1), foreach=True)
    for rule in (optim.Adam, optim.Adagrad):
        with pytest.raises(RuntimeError, match="cannot be `True` together"):
            rule(p, fused=True, foreach=True)
    for rule in RULES:
        with pytest.raises(NotImplementedError, match=f"{rule}: differentiable"):
            getattr(optim, rule)(p, differentiable=True)


def test_one_kernel_call_for_all_parameters(monkeypatch):
    params = [nn.Parameter(tinyconv.ones(n)) for n in (2, 3, 4)]
    backend, calls = tinyconv.kernels.of(params[0].array), []
    kernel = backend.adam
    monkeypatch.setattr(backend, "adam", lambda *args: (calls.append(args), kernel(*args)))
    optimizer = optim.AdamW(params)
    for p in params:
        p.grad = tinyconv.ones_like(p)
    optimizer.step()
    assert len(calls) == 1 and [x.size for x in calls[0][0]] == [2, 3, 4]
    params[1].grad = None
    optimizer.step()
    params[1].grad = tinyconv.ones(3)
    optimizer.step()  # one of them is a step behind
    assert [[x.size for x in call[0]] for call in calls[1:]] == [[2, 4], [2, 4], [3]]


def test_hooks_of_a_step():
    p = nn.Parameter(tinyconv.ones(1))
    p.grad = tinyconv.ones(1)
    optimizer, seen = optim.AdamW([p], lr=0.5), []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append((p.item(), args, kwargs)))
    after = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(o.param_groups[0]["params"][0] is p))
    optimizer.step(closure=None)
    assert seen == [(1.0, (), {"closure": None}), True]
    before.remove()
    after.remove()
    optimizer.step()
    assert len(seen) == 2
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 7.0,), {}))
    assert optimizer.step() == 7.0
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match="new_args, new_kwargs"):
        optimizer.step()


def test_a_subclass_that_calls_its_parents_step_runs_the_hooks_once():
    class Mine(optim.SGD):
        def step(self, closure=None):
            return super().step(closure)

    p = nn.Parameter(tinyconv.ones(1))
    optimizer, seen = Mine([p], lr=0.1), []
    optimizer.register_step_post_hook(lambda *args: seen.append(1))
    optimizer.step()
    assert seen == [1]
