import copy

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.optim import LBFGS


def rosenbrock(p, q):
    return (1 - p) ** 2 + 100 * (q[0] - p**2) ** 2 + (q[1] - 3 * p) ** 4


def trajectory(lib, steps, start=-1.2, **options):
    p = lib.nn.Parameter(lib.tensor(start, dtype=lib.float64))
    q = lib.nn.Parameter(lib.tensor([1.0, 0.5], dtype=lib.float64))
    unused = lib.nn.Parameter(lib.zeros(2, dtype=lib.float64))
    optimizer = lib.optim.LBFGS([p, unused, q], **options)
    calls, out = [], []

    def closure():
        optimizer.zero_grad()
        loss = rosenbrock(p, q)
        loss.backward()
        calls.append(loss.item())
        return loss

    for _ in range(steps):
        loss = optimizer.step(closure)
        out.append((loss.item(), p.item(), *q.tolist()))
    state = optimizer.state[p]
    return out, calls, (state["func_evals"], state["n_iter"]), optimizer


@pytest.mark.parametrize("options", [
    {"lr": 0.01, "max_iter": 4},
    {"lr": 0.5, "max_iter": 5, "history_size": 2, "line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 7, "max_eval": 5},
    {"lr": 0.02, "tolerance_change": 1e-2},
    {"lr": 0.02, "tolerance_grad": 50.0},
])  # fmt: skip
def test_as_pytorch(options):
    torch = pytest.importorskip("torch")
    ours, theirs = trajectory(tinyconv, 8, **options), trajectory(torch, 8, **options)
    assert ours[2] == theirs[2]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("start", [-3.0, 0.0, 0.9, 2.0, 10.0])
@pytest.mark.parametrize("lr", [1e-3, 1.0, 30.0])
def test_line_searches_as_pytorch(start, lr):
    torch = pytest.importorskip("torch")
    options = {"start": start, "lr": lr, "line_search_fn": "strong_wolfe", "max_iter": 6}
    ours, theirs = trajectory(tinyconv, 5, **options), trajectory(torch, 5, **options)
    assert ours[2] == theirs[2]
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-9)


def test_a_quadratic_is_solved():
    a = np.random.default_rng(0).standard_normal((6, 6))
    a = a @ a.T + np.eye(6)
    matrix, b = tinyconv.tensor(a), tinyconv.tensor(np.arange(6.0))
    x = nn.Parameter(tinyconv.zeros(6, dtype=tinyconv.float64))
    optimizer = LBFGS([x], line_search_fn="strong_wolfe", max_iter=100)

    def closure():
        optimizer.zero_grad()
        loss = (x * (matrix @ x)).sum() / 2 - (b * x).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(x.detach().numpy(), np.linalg.solve(a, np.arange(6.0)), atol=1e-5)


def test_loading_continues_exactly():
    *_, first = trajectory(tinyconv, 3, lr=0.01)
    again = copy.deepcopy(first)
    resumed = LBFGS(again.param_groups[0]["params"])
    resumed.load_state_dict(first.state_dict())
    for optimizer in (first, resumed):
        p, _, q = optimizer.param_groups[0]["params"]

        def closure(optimizer=optimizer, p=p, q=q):
            optimizer.zero_grad()
            loss = rosenbrock(p, q)
            loss.backward()
            return loss

        optimizer.step(closure)
    for a, b in zip(first.param_groups[0]["params"], resumed.param_groups[0]["params"], strict=True):
        assert a is not b and a.tolist() == b.tolist()


def test_what_is_refused():
    p, q = (nn.Parameter(tinyconv.ones(1)) for _ in range(2))
    with pytest.raises(ValueError, match="parameter groups"):
        LBFGS([{"params": [p]}, {"params": [q]}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        LBFGS([p], lr=-1)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported, got line_search_fn='armijo'"):
        LBFGS([p], line_search_fn="armijo").step(lambda: (p * p).sum())
