import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinyconv
from tinyconv import kernels, nn
from tinyconv.optim import SGD


def reference(p, grads, lr, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
    """The formula, on NumPy arrays."""
    v = None
    for g in grads:
        g = (-g if maximize else g) + weight_decay * p
        if momentum:
            v = g if v is None else momentum * v + (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        p = p - lr * g
    return p


options = st.fixed_dictionaries(
    {
        "lr": st.floats(0, 1),
        "momentum": st.sampled_from([0, 0.5, 0.9]),
        "dampening": st.sampled_from([0, 0.3]),
        "weight_decay": st.sampled_from([0, 0.1]),
        "nesterov": st.booleans(),
        "maximize": st.booleans(),
    }
)


def run(lib, optimizer, values, grads):
    parameters = [lib.nn.Parameter(lib.from_numpy(v.copy())) for v in values]
    optimizer = optimizer(parameters)
    for step in grads:
        for p, g in zip(parameters, step, strict=True):
            p.grad = lib.from_numpy(g.copy())
        optimizer.step()
    return [p.detach().numpy() for p in parameters]


@settings(max_examples=40, deadline=None)
@given(options=options, steps=st.integers(1, 4), dtype=st.sampled_from(["float32", "float64"]), seed=st.integers(0, 99))
def test_formula(options, steps, dtype, seed):
    assume(not options["nesterov"] or (options["momentum"] > 0 and options["dampening"] == 0))
    rng = np.random.default_rng(seed)
    shapes = [(3, 2), (4,), (0,), (1, 1, 2)]
    values = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    grads = [[rng.normal(size=shape).astype(dtype) for shape in shapes] for _ in range(steps)]
    got = run(tinyconv, lambda params: SGD(params, **options), values, grads)
    rtol = 1e-5 if dtype == "float32" else 1e-12
    for p, value, gs in zip(got, values, zip(*grads, strict=True), strict=True):
        np.testing.assert_allclose(p, reference(value, gs, **options), rtol=rtol, atol=rtol)


def test_as_pytorch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = [rng.normal(size=shape) for shape in ((3, 2), (4,))]
    grads = [[rng.normal(size=v.shape) for v in values] for _ in range(4)]
    settings = itertools.product((0, 0.9), (0, 0.2), (0, 0.1), (False, True), (False, True))
    for momentum, dampening, weight_decay, nesterov, maximize in settings:
        if nesterov and (momentum == 0 or dampening != 0):
            continue
        kwargs = {"lr": 0.1, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                  "nesterov": nesterov, "maximize": maximize}  # fmt: skip
        ours = run(tinyconv, lambda params: SGD(params, **kwargs), values, grads)  # noqa: B023
        theirs = run(torch, lambda params: torch.optim.SGD(params, **kwargs), values, grads)  # noqa: B023
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, err_msg=str(kwargs))


def parameter(*values, dtype=tinyconv.float32):
    return nn.Parameter(tinyconv.tensor(values, dtype=dtype))


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"lr": float("nan")}, "Invalid learning rate: nan"),
        ({"momentum": -0.1}, "Invalid momentum value: -0.1"),
        ({"weight_decay": -0.1}, "Invalid weight_decay value: -0.1"),
        ({"nesterov": True}, "Nesterov momentum requires a momentum and zero dampening"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "Nesterov momentum requires"),
        ({"lr": tinyconv.ones(2)}, "1-element"),
    ],
)
def test_options_are_checked(kwargs, message):
    with pytest.raises(ValueError, match=message):
        SGD([parameter(1.0)], **kwargs)


def test_pytorchs_switches():
    SGD([parameter(1.0)], foreach=True)
    SGD([parameter(1.0)], fused=True)
    with pytest.raises(NotImplementedError, match="differentiable"):
        SGD([parameter(1.0)], differentiable=True)
    assert SGD([parameter(1.0)]).param_groups[0]["lr"] == 1e-3


def test_a_tensor_as_learning_rate():
    p = parameter(1.0)
    p.grad = tinyconv.ones(1)
    SGD([p], lr=tinyconv.tensor(0.25)).step()
    assert p.item() == 0.75


def test_only_parameters_with_a_gradient_change():
    a, b = parameter(1.0), parameter(2.0)
    optimizer = SGD([a, b], lr=0.5, momentum=0.9, weight_decay=0.1)
    a.grad = tinyconv.zeros(1)
    optimizer.step()
    assert a.item() == pytest.approx(0.95) and b.item() == 2.0
    assert a in optimizer.state and b not in optimizer.state


def test_a_late_parameter_starts_its_own_momentum():
    """While ``a`` is in its second step, ``b`` is in its first: no dampening for ``b``."""
    a, b = parameter(0.0, dtype=tinyconv.float64), parameter(0.0, dtype=tinyconv.float64)
    optimizer = SGD([a, b], lr=1, momentum=0.5, dampening=0.5)
    one = tinyconv.ones(1, dtype=tinyconv.float64)
    a.grad = one
    optimizer.step()
    b.grad = one
    optimizer.step()
    assert (a.item(), b.item()) == (-2.0, -1.0)  # a: v = 1, then 0.5 * 1 + 0.5 * 1


def test_one_kernel_call_for_parameters_that_are_alike(monkeypatch):
    backend, calls = kernels.of(np.ones(1)), []
    sgd = backend.sgd
    monkeypatch.setattr(backend, "sgd", lambda *args: (calls.append(args), sgd(*args)))
    params = [parameter(1.0), parameter(2.0, 3.0), parameter(4.0, dtype=tinyconv.float64)]
    optimizer = SGD(params[:2], lr=0.5, momentum=0.5)
    optimizer.add_param_group({"params": params[2:]})
    for _ in range(2):
        calls.clear()
        for p in params:
            p.grad = tinyconv.ones_like(p)
        optimizer.step()
        assert [len(call[0]) for call in calls] == [2, 1]
    mixed = SGD(params, lr=0.5)
    calls.clear()
    mixed.step()
    assert [len(call[0]) for call in calls] == [2, 1] and all(call[2] is None for call in calls)


def test_a_step_counts_as_a_change_in_place_and_is_not_recorded():
    p = parameter(3.0)
    loss = (p * p).sum()
    p.grad = tinyconv.ones(1)
    version = p._version
    SGD([p], lr=0.1).step()
    assert p._version > version and p.is_leaf and p.grad_fn is None
    with pytest.raises(RuntimeError, match="in place"):
        loss.backward()


def test_closure_runs_with_recording_on():
    p = parameter(2.0)
    optimizer = SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with tinyconv.no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 4.0 and p.item() == pytest.approx(1.6)


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_a_gradient_that_does_not_fit(momentum):
    p = parameter(1.0, 2.0)
    optimizer = SGD([p], lr=0.1, momentum=momentum)
    for data in (tinyconv.ones(3), tinyconv.ones(2, dtype=tinyconv.float64)):
        p.data, p.grad = tinyconv.ones(2), tinyconv.ones(2)
        p.data = data
        with pytest.raises(RuntimeError, match=r"has a gradient of shape \(2,\) and dtype float32"):
            optimizer.step()
        assert p.tolist() == data.tolist()


def test_after_a_refused_step_momentum_starts_from_nothing(monkeypatch):
    """Memory that nobody has written yet is no momentum."""
    backend = kernels.of(np.empty(0))
    empty = backend.empty
    monkeypatch.setattr(backend, "empty", lambda shape, dtype: empty(shape, dtype) * 0 + 1e30)
    p, refused = parameter(1.0, 2.0), parameter(1.0)
    optimizer = SGD([p, refused], lr=0.5, momentum=0.9)
    p.grad, refused.grad = tinyconv.ones(2), tinyconv.ones(1)
    refused.data = tinyconv.ones(3)
    with pytest.raises(RuntimeError, match="has a gradient of shape"):
        optimizer.step()
    refused.grad = None
    optimizer.step()
    assert p.tolist() == [0.5, 1.5]


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_momentum_that_does_not_fit(shape):
    p = parameter(*[1.0] * 1000)
    optimizer = SGD([p], lr=0.1, momentum=0.9)
    optimizer.state[p]["momentum_buffer"] = tinyconv.ones(shape)
    p.grad = tinyconv.ones(1000)
    with pytest.raises(RuntimeError, match=r"shape \(1000,\) and dtype float32 has a momentum_buffer of shape"):
        optimizer.step()
    assert p.equal(tinyconv.ones(1000))


def test_a_momentum_of_another_shape_is_not_loaded():
    p = parameter(1.0, 2.0)
    optimizer = SGD([p], lr=0.1, momentum=0.9)
    groups = [{**optimizer.state_dict()["param_groups"][0], "lr": 7.0}]
    with pytest.raises(ValueError, match=r"momentum_buffer of shape \(3,\) for a parameter of shape \(2,\)"):
        optimizer.load_state_dict({"state": {0: {"momentum_buffer": tinyconv.ones(3)}}, "param_groups": groups})
    assert optimizer.param_groups[0]["lr"] == 0.1 and not optimizer.state


def test_a_momentum_of_another_dtype():
    layer = nn.Linear(2, 1)
    optimizer = SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(tinyconv.ones(1, 2)).sum().backward()
    optimizer.step()
    layer.double()
    with pytest.raises(RuntimeError, match="momentum_buffer of shape .* and dtype float32"):
        optimizer.step()


def test_strided_and_scalar_parameters():
    base = np.zeros((4, 4), np.float32)
    p, s = nn.Parameter(tinyconv.from_numpy(base[::2, ::-1])), nn.Parameter(tinyconv.tensor(1.0))
    p.grad, s.grad = tinyconv.ones(2, 4), tinyconv.tensor(1.0)
    SGD([p, s], lr=1.0, momentum=0.9).step()
    assert base[::2].tolist() == [[-1.0] * 4] * 2 and base[1::2].tolist() == [[0.0] * 4] * 2 and s.item() == 0.0


def test_it_descends():
    w = parameter(5.0, -3.0)
    optimizer = SGD([w], lr=0.05, momentum=0.9, nesterov=True)
    for _ in range(200):
        optimizer.zero_grad()
        ((w - tinyconv.tensor([1.0, 2.0])) ** 2).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(w.detach().numpy(), [1.0, 2.0], atol=1e-3)
