"""Hooks on the backward pass and on the state, beside PyTorch."""

import pytest

import tinyconv
from tinyconv import nn


def as_lists(grads):
    return [None if g is None else g.tolist() for g in grads]


class Two:
    """Two inputs and two outputs, of which one is no tensor."""

    def __new__(cls, lib):
        class Module(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight = lib.nn.Parameter(lib.tensor([2.0, 3.0]))

            def forward(self, a, number, b):
                return a * self.weight * number, 7, b * b

        return Module()


def both(run):
    torch = pytest.importorskip("torch")
    ours = run(tinyconv)
    assert ours == run(torch)
    return ours


@pytest.mark.parametrize("use", [(1, 1), (1, 0), (0, 1)])
def test_full_backward_hooks_see_what_pytorchs_see(use):
    def run(lib):
        module, seen = Two(lib), []
        module.register_full_backward_pre_hook(lambda m, gys: seen.append(("pre", as_lists(gys))))
        module.register_full_backward_hook(lambda m, gxs, gys: seen.append((as_lists(gxs), as_lists(gys))))
        a = lib.tensor([1.0, 2.0], requires_grad=True)
        b = lib.tensor([3.0, 4.0], requires_grad=True)
        y, seven, z = module(a, 10, b)
        assert seven == 7
        sum(u * v.sum() for u, v in zip(use, (y, z), strict=True) if u).backward()
        grads = [None if t.grad is None else t.grad.tolist() for t in (a, b, module.weight)]
        return seen, grads

    both(run)


def test_an_input_that_needs_no_gradient():
    module, seen = Two(tinyconv), []
    module.register_full_backward_hook(lambda m, gxs, gys: seen.append(as_lists(gxs)))
    y, _, z = module(tinyconv.ones(2), 10, tinyconv.ones(2, requires_grad=True))
    (y + z).sum().backward()
    assert seen == [[None, None, [2.0, 2.0]]] and module.weight.grad.tolist() == [10.0, 10.0]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")  # PyTorch's
def test_without_a_gradient_for_any_input():
    def run(lib):
        module, seen = lib.nn.Linear(2, 1, bias=False), []
        module.weight.data.fill_(1.0)
        module.register_full_backward_hook(lambda m, gxs, gys: seen.append((as_lists(gxs), as_lists(gys))))
        module(lib.ones(1, 2)).sum().backward()
        with lib.no_grad():
            module(lib.ones(1, 2))
        return seen, module.weight.grad.tolist()

    assert both(run) == ([([None], [[[1.0]]])], [[1.0, 1.0]])


def test_backward_hooks_replace_gradients():
    def run(lib):
        module = lib.nn.Tanh()
        module.register_full_backward_hook(lambda m, gxs, gys: (gxs[0] * 3,))
        handle = module.register_full_backward_hook(lambda m, gxs, gys: (gxs[0] + 100,), prepend=True)
        module.register_full_backward_pre_hook(lambda m, gys: (gys[0] * 2,))
        out = []
        for _ in range(2):
            x = lib.zeros(2, requires_grad=True)
            module(x).sum().backward()
            out.append(x.grad.tolist())
            handle.remove()
        return out

    assert both(run) == [[306.0, 306.0], [6.0, 6.0]]


def test_a_hook_that_returns_too_few():
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, gxs, gys: (gxs[0], gxs[0]))
    with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, expected 1"):
        module(tinyconv.zeros(2, requires_grad=True)).sum().backward()
    module = nn.Linear(1, 1)
    module.register_full_backward_hook(lambda m, gxs, gys: (gys[0],))
    with pytest.raises(RuntimeError, match="no input requires gradient"):
        module(tinyconv.zeros(1, 1)).sum().backward()


def test_higher_derivatives_go_through_a_watched_module():
    module = nn.Tanh()
    module.register_full_backward_hook(lambda m, gxs, gys: None)
    x = tinyconv.tensor([0.3, 0.7], dtype=tinyconv.float64, requires_grad=True)
    assert tinyconv.autograd.gradgradcheck(module, (x,))


def test_a_hook_keeps_modules_from_running_as_one_kernel():
    for register in ("register_full_backward_hook", "register_full_backward_pre_hook"):
        model = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.MaxPool2d(2))
        seen = []
        getattr(model[1], register)(lambda *args, seen=seen: seen.append(1))
        model(tinyconv.randn(1, 1, 6, 6, requires_grad=True)).sum().backward()
        assert seen == [1]


def test_hooks_on_the_state():
    def run(lib):
        model = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.Linear(1, 1))
        seen = []
        model[0].register_state_dict_pre_hook(lambda m, prefix, keep_vars: seen.append((prefix, keep_vars)))

        def rename(module, state, prefix, metadata):
            state[prefix + "w"] = state.pop(prefix + "weight")

        def back(module, state, prefix, metadata, strict, missing, unexpected, errors):
            seen.append((prefix, strict))
            state[prefix + "weight"] = state.pop(prefix + "w")

        model[1].register_state_dict_post_hook(rename)
        state = model.state_dict()
        seen.append(sorted(state))
        model[1].register_load_state_dict_pre_hook(back)
        model.register_load_state_dict_post_hook(lambda m, keys: seen.append((keys.missing_keys, keys.unexpected_keys)))
        state["1.w"] = lib.tensor([[5.0]])
        model.load_state_dict(state)
        assert "1.w" in state
        return seen, model[1].weight.item()

    assert both(run)[1] == 5.0


def test_a_module_replaced_by_its_path():
    model = nn.Sequential(nn.Sequential(nn.Linear(1, 1)))
    model.set_submodule("0.0", nn.ReLU())
    model.set_submodule("0.more", nn.Tanh())
    assert isinstance(model[0][0], nn.ReLU) and isinstance(model[0].more, nn.Tanh)
    with pytest.raises(AttributeError, match="no attribute `other`"):
        model.set_submodule("0.other", nn.ReLU(), strict=True)
    for path, module, error in (
        ("", nn.ReLU(), ValueError),
        ("0.0", 3, ValueError),
        ("training", nn.ReLU(), AttributeError),
    ):
        with pytest.raises(error):
            model.set_submodule(path, module)


def test_types_of_a_whole_module():
    model = nn.BatchNorm2d(2)
    assert model.half().weight.dtype is tinyconv.float16 and model.num_batches_tracked.dtype is tinyconv.int64
    assert model.type(tinyconv.float64).num_batches_tracked.dtype is tinyconv.float64
    assert model.share_memory() is model and model.compile() is None
    assert model.to(tinyconv.float32, memory_format=None).weight.dtype is tinyconv.float32
