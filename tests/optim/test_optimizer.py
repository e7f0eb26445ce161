import copy

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.optim import SGD, Optimizer


def parameters(*values):
    return [nn.Parameter(tinyconv.tensor(v)) for v in values]


def stepped(params, **options):
    """An optimizer that has taken a step, so that it remembers something."""
    optimizer = SGD(params, lr=0.1, momentum=0.9, **options)
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.grad = tinyconv.ones_like(p)
    optimizer.step()
    return optimizer


def test_parameters_and_groups():
    a, b, c = parameters([1.0], [2.0], [3.0])
    optimizer = SGD([{"params": a}, {"params": iter([b, c]), "lr": 5.0}], lr=0.5, momentum=0.1)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 2]
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 5.0]
    assert all(group["momentum"] == 0.1 for group in optimizer.param_groups)
    optimizer.add_param_group({"params": parameters([4.0]), "nesterov": True})
    assert optimizer.param_groups[2]["nesterov"] and optimizer.param_groups[2]["lr"] == 0.5


def read_only():
    fixed = np.ones(3, np.float32)
    fixed.flags.writeable = False
    return [*parameters([1.0]), tinyconv.from_numpy(fixed).requires_grad_()]


@pytest.mark.parametrize(
    "params, error, message",
    [
        (list, ValueError, "empty parameter list"),
        (lambda: iter(()), ValueError, "empty parameter list"),
        (lambda: parameters([1.0])[0], TypeError, "iterable of Tensors or dicts, but got Parameter"),
        (lambda: [1.0], TypeError, "one of the params is float"),
        (lambda: [parameters([1.0])[0] * 2], ValueError, "can't optimize a non-leaf Tensor"),
        (read_only, ValueError, r"read-only memory: parameter 1 of the group, of shape \(3,\)"),
        (lambda: [{"params": set(parameters([1.0]))}], TypeError, "list instead"),
        (lambda: [("a", parameters([1.0])[0]), parameters([1.0])[0]], ValueError, "Some param names are missing"),
    ],
)
def test_what_cannot_be_optimized(params, error, message):
    with pytest.raises(error, match=message):
        SGD(params(), lr=0.1)


def test_duplicates():
    (p,) = parameters([1.0])
    with pytest.warns(UserWarning, match="duplicate parameters"):
        SGD([p, p], lr=0.1)
    with pytest.raises(ValueError, match="more than one parameter group"):
        SGD([{"params": [p]}, {"params": [p]}], lr=0.1)
    with pytest.raises(TypeError, match="must be a dict"):
        SGD([p], lr=0.1).add_param_group([p])


def test_a_refused_group_leaves_no_trace():
    (p, q) = parameters([1.0], [2.0])
    optimizer = SGD([p], lr=0.1)
    for bad, message in (([q, p], "more than one"), ([q * 2], "non-leaf"), ([("q", q)], "with/without names")):
        with pytest.raises(ValueError, match=message):
            optimizer.add_param_group({"params": bad})
    assert len(optimizer.param_groups) == 1


def test_named_parameters():
    model = nn.Linear(2, 1)
    optimizer = SGD(model.named_parameters(), lr=0.1)
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["params"][1] is model.bias
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    optimizer.load_state_dict(SGD(model.parameters(), lr=0.5).state_dict())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.param_groups[0]["lr"] == 0.5
    with pytest.raises(ValueError, match="with/without names"):
        optimizer.add_param_group({"params": parameters([1.0])})


def test_zero_grad():
    a, b = parameters([1.0], [2.0])
    optimizer = SGD([a, b], lr=0.1)
    a.grad = g = tinyconv.ones(1)
    optimizer.zero_grad(set_to_none=False)
    assert a.grad is g and g.tolist() == [0.0] and b.grad is None
    (a * a).sum().backward(create_graph=True)
    optimizer.zero_grad(set_to_none=False)
    assert not a.grad.requires_grad and a.grad.tolist() == [0.0]
    optimizer.zero_grad()
    assert a.grad is None


def test_the_base_class_has_no_step():
    with pytest.raises(NotImplementedError):
        Optimizer(parameters([1.0]), {}).step()


def test_state_dict_numbers_parameters():
    a, b, c = parameters([1.0], [2.0], [3.0])
    optimizer = stepped([{"params": [b]}, {"params": [a, c]}])
    state = optimizer.state_dict()
    assert [group["params"] for group in state["param_groups"]] == [[0], [1, 2]]
    assert state["param_groups"][1]["lr"] == 0.1 and list(state["param_groups"][0])[-1] == "params"
    assert sorted(state["state"]) == [0, 1, 2]
    assert state["state"][1]["momentum_buffer"] is optimizer.state[a]["momentum_buffer"]


def test_loading_continues_exactly():
    def train(optimizer, p, steps):
        for step in range(steps):
            p.grad = tinyconv.full((2,), float(step + 1))
            optimizer.step()

    (p,) = parameters([1.0, 2.0])
    optimizer = SGD([p], lr=0.1, momentum=0.9, weight_decay=0.01)
    train(optimizer, p, 3)
    saved, values = copy.deepcopy(optimizer.state_dict()), p.tolist()
    train(optimizer, p, 2)

    (q,) = parameters(values)
    resumed = SGD([q], lr=123.0)
    resumed.load_state_dict(saved)
    assert resumed.param_groups[0]["lr"] == 0.1 and resumed.param_groups[0]["params"][0] is q
    train(resumed, q, 2)
    assert q.tolist() == p.tolist()


def test_loading_copies_and_casts():
    a, b = parameters([1.0], [2.0])
    first = stepped([a])
    second = SGD([nn.Parameter(b.detach().to(tinyconv.float64))], lr=1)
    second.load_state_dict(first.state_dict())
    (memory,) = second.state.values()
    assert memory["momentum_buffer"].dtype is tinyconv.float64
    memory["momentum_buffer"].fill_(9)
    assert first.state[a]["momentum_buffer"].tolist() == [1.0]
    second.param_groups[0]["lr"] = 7
    assert first.param_groups[0]["lr"] == 0.1


def test_loading_what_does_not_fit_changes_nothing():
    a, b = parameters([1.0], [2.0])
    optimizer = stepped([a])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        optimizer.load_state_dict(stepped([{"params": [a]}, {"params": [b]}]).state_dict())
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(stepped([a, b]).state_dict())
    assert optimizer.param_groups[0]["params"] == [a] and a in optimizer.state


def test_optimizers_are_copied_with_their_parameters():
    model = nn.Linear(2, 1)
    pair = copy.deepcopy((model, stepped(model.parameters())))
    assert pair[1].param_groups[0]["params"][0] is pair[0].weight
    assert pair[0].weight in pair[1].state


def test_repr_as_pytorch():
    torch = pytest.importorskip("torch")
    theirs = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.5)
    assert repr(SGD(parameters([1.0]), lr=0.1, momentum=0.5)) == repr(theirs)
    groups = [{"params": parameters([1.0])}, {"params": parameters([2.0]), "lr": 0.2}]
    assert repr(SGD(groups, lr=0.1)).count("\n\nParameter Group 1\n") == 1  # an empty line between, as there


def test_state_dict_as_pytorch():
    torch = pytest.importorskip("torch")
    p = torch.nn.Parameter(torch.ones(2))
    theirs = torch.optim.SGD([("p", p)], lr=0.1, momentum=0.5)
    p.grad = torch.ones(2)
    theirs.step()
    theirs, ours = theirs.state_dict(), None
    (q,) = parameters([1.0, 1.0])
    optimizer = SGD([("p", q)], lr=0.1, momentum=0.5)
    q.grad = tinyconv.ones(2)
    optimizer.step()
    ours = optimizer.state_dict()
    assert ours["param_groups"] == theirs["param_groups"] and list(ours) == list(theirs)
    np.testing.assert_array_equal(
        ours["state"][0]["momentum_buffer"].numpy(), theirs["state"][0]["momentum_buffer"].numpy()
    )


def test_a_wrapper_that_keeps_another_optimizer_needs_no_init_of_ours():
    """Lookahead and its kin derive from Optimizer, for schedulers to take them, and call no __init__ but their own."""

    class Wrapper(Optimizer):
        def __init__(self, optimizer):
            self.optimizer, self.param_groups, self.steps = optimizer, optimizer.param_groups, 0

        def step(self, closure=None):
            self.steps += 1
            return self.optimizer.step(closure)

    (p,) = parameters([1.0, 2.0])
    p.grad = tinyconv.ones_like(p)
    wrapper = Wrapper(SGD([p], lr=0.5))
    wrapper.step()
    assert wrapper.steps == 1
    assert p.tolist() == [0.5, 1.5]


def test_setstate_completes_what_an_older_version_saved():
    class Newer(SGD):
        def __setstate__(self, state):
            super().__setstate__(state)
            for group in self.param_groups:
                group.setdefault("clip", 1.0)

    old, new = stepped(parameters([1.0])), Newer(parameters([2.0]), lr=0.1)
    new.load_state_dict(old.state_dict())
    assert new.param_groups[0]["clip"] == 1.0
    assert new.state[new.param_groups[0]["params"][0]]["momentum_buffer"].tolist() == [1.0]
    del new.param_groups[0]["clip"]
    assert copy.deepcopy(new).param_groups[0]["clip"] == 1.0
