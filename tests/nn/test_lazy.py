"""Lazy layers: what they are before their first input, and that they are the ordinary ones after it."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim
from tinyconv.nn.lazy import LazyModuleMixin
from tinyconv.nn.parameter import is_lazy

# lazy layer, the ordinary one, the shape of an input
PAIRS = [
    (lambda: nn.LazyLinear(4), lambda: nn.Linear(3, 4), (2, 3)),
    (lambda: nn.LazyLinear(4, bias=False), lambda: nn.Linear(3, 4, bias=False), (2, 5, 3)),
    (lambda: nn.LazyConv1d(4, 3, padding=1), lambda: nn.Conv1d(2, 4, 3, padding=1), (2, 2, 6)),
    (lambda: nn.LazyConv2d(6, 3, groups=2), lambda: nn.Conv2d(4, 6, 3, groups=2), (2, 4, 5, 5)),
    (lambda: nn.LazyConv2d(6, 3, bias=False), lambda: nn.Conv2d(4, 6, 3, bias=False), (4, 5, 5)),
    (lambda: nn.LazyConvTranspose1d(4, 3, 2), lambda: nn.ConvTranspose1d(2, 4, 3, 2), (2, 2, 6)),
    (lambda: nn.LazyConvTranspose2d(6, 3, groups=2), lambda: nn.ConvTranspose2d(4, 6, 3, groups=2), (2, 4, 5, 5)),
    (lambda: nn.LazyConv3d(6, 2, groups=2), lambda: nn.Conv3d(4, 6, 2, groups=2), (2, 4, 3, 3, 3)),
    (lambda: nn.LazyConvTranspose3d(6, 2), lambda: nn.ConvTranspose3d(4, 6, 2), (2, 4, 2, 3, 2)),
    (lambda: nn.LazyBatchNorm3d(), lambda: nn.BatchNorm3d(3), (4, 3, 2, 2, 2)),
    (
        lambda: nn.LazyInstanceNorm3d(affine=False, track_running_stats=False),
        lambda: nn.InstanceNorm3d(3),
        (3, 2, 3, 2),
    ),
    (lambda: nn.LazyBatchNorm1d(), lambda: nn.BatchNorm1d(3), (4, 3)),
    (lambda: nn.LazyBatchNorm2d(affine=False), lambda: nn.BatchNorm2d(3, affine=False), (4, 3, 2, 2)),
    (lambda: nn.LazyBatchNorm2d(bias=False), lambda: nn.BatchNorm2d(3, bias=False), (4, 3, 2, 2)),
    (lambda: nn.LazyInstanceNorm1d(), lambda: nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (4, 3, 5)),
    (lambda: nn.LazyInstanceNorm2d(), lambda: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (3, 5, 4)),
    (lambda: nn.LazyInstanceNorm2d(affine=False, track_running_stats=False), lambda: nn.InstanceNorm2d(3), (3, 5, 4)),
]
every_pair = pytest.mark.parametrize("lazy, plain, shape", PAIRS, ids=[repr(plain()) for _, plain, _ in PAIRS])


@every_pair
def test_the_first_call_makes_it_the_ordinary_layer_with_the_same_numbers(lazy, plain, shape):
    x = tinyconv.randn(shape)
    tinyconv.manual_seed(5)
    made = lazy()
    y = made(x)
    tinyconv.manual_seed(5)
    expected = plain()
    z = expected(x)
    assert type(made) is type(expected) and repr(made) == repr(expected)
    assert list(made.state_dict()) == list(expected.state_dict())
    np.testing.assert_array_equal(y.detach().numpy(), z.detach().numpy())
    for a, b in zip(made.state_dict().values(), expected.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert [p.requires_grad for p in made.parameters()] == [True] * len(list(expected.parameters()))
    assert not any(isinstance(b, nn.Parameter) for b in made.buffers())


@every_pair
def test_the_state_of_an_ordinary_layer_gives_it_its_shape(lazy, plain, shape):
    x, made, other = tinyconv.randn(shape), lazy(), plain()
    with tinyconv.no_grad():
        for p in other.parameters():
            p.add_(1)
    assert repr(made.load_state_dict(other.state_dict())) == "<All keys matched successfully>"
    np.testing.assert_array_equal(made.eval()(x).detach().numpy(), other.eval()(x).detach().numpy())
    assert type(made) is type(other) and repr(made) == repr(other)


def net() -> nn.Sequential:
    return nn.Sequential(
        nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(8), nn.LazyLinear(2)
    )


def test_an_optimizer_made_before_the_dry_run_trains_the_parameters():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = list(model.parameters())
    assert all(map(is_lazy, before))
    model(tinyconv.randn(3, 2, 6, 6)).sum().backward()
    assert all(a is b for a, b in zip(before, model.parameters(), strict=True))
    old = [p.detach().clone() for p in before]
    optimizer.step()
    assert not any(tinyconv.equal(a, b) for a, b in zip(old, before, strict=True) if a.numel() and a.ndim > 1)


def test_initializing_by_apply_works_after_the_dry_run_and_says_so_before():
    def init(module):
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.ones_(module.weight)

    model = net()
    with pytest.raises(ValueError, match="UninitializedParameter was used.*Call the module .* once with a batch"):
        model.apply(init)
    model(tinyconv.randn(3, 2, 6, 6))
    model.apply(init)
    assert model[0].weight.min() == model[5].weight.max() == 1


def test_before_the_first_input_it_moves_converts_copies_and_prints():
    model = net().double()
    assert model[0].weight.dtype is tinyconv.float64 and model[1].running_mean.dtype is tinyconv.float64
    assert repr(model[0]) == "LazyConv2d(0, 4, kernel_size=(3, 3), stride=(1, 1))"
    assert repr(model[4].weight) == "<UninitializedParameter>"
    assert repr(model[1].running_var) == "<UninitializedBuffer>"
    model.requires_grad_(False).to("cpu")
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        copied(tinyconv.randn(3, 2, 6, 6, dtype=tinyconv.float64))
        assert copied[0].weight.dtype is tinyconv.float64 and not copied[0].weight.requires_grad
    assert is_lazy(model[0].weight) and model[0].weight.is_leaf and model[0].weight.grad is None


def test_its_uninitialized_state_can_be_loaded_into_lazy_layers_alone():
    state = net().state_dict()
    assert isinstance(state, OrderedDict) and is_lazy(state["0.weight"])
    net().load_state_dict(state)
    model = net()
    model(tinyconv.randn(3, 2, 6, 6))
    with pytest.raises(RuntimeError, match="shape of an uninitialized parameter"):
        model.load_state_dict(state)


def test_a_load_that_fails_leaves_it_lazy():
    model, full = net(), net()
    full(tinyconv.randn(3, 2, 6, 6))
    state = full.state_dict()
    del state["5.bias"]
    with pytest.raises(RuntimeError, match="Missing"):
        model.load_state_dict(state)
    assert is_lazy(model[0].weight)


@pytest.mark.parametrize(
    "layer, shape, error, message",
    [
        (nn.LazyConv2d(4, 3), (2, 2), RuntimeError, "Expected 3D .* or 4D"),
        (nn.LazyConv2d(4, 3, groups=2), (2, 3, 5, 5), ValueError, "divisible by groups"),
        (nn.LazyBatchNorm2d(), (2, 3), ValueError, "expected 4D"),
        (LazyModuleMixin(), (2, 3), NotImplementedError, "forward"),
    ],
)
def test_misuse(layer, shape, error, message):
    with pytest.raises(error, match=message):
        layer(tinyconv.randn(shape))


def test_a_lazy_module_of_ones_own():
    class Scale(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.scale = nn.Parameter(tinyconv.ones(n))

        def forward(self, input):
            return input * self.scale

    class LazyScale(LazyModuleMixin, Scale):
        cls_to_become = Scale

        def __init__(self):
            super().__init__(0)
            self.scale = nn.UninitializedParameter()

        def initialize_parameters(self, input):
            self.scale.materialize(input.shape[-1:])
            self.scale.fill_(3)

    made, seen = LazyScale(), []
    made.register_forward_hook(lambda module, args, out: seen.append(type(module)))
    assert made(tinyconv.ones(2)).tolist() == [3, 3] and type(made) is Scale and seen == [Scale]


def test_what_is_forgotten_is_an_error():
    class Forgetful(LazyModuleMixin):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()

        def initialize_parameters(self, input):
            pass

    with pytest.raises(RuntimeError, match="Forgetful has not been fully initialized"):
        Forgetful()(tinyconv.ones(2))


def test_an_uninitialized_parameter_by_itself():
    p = nn.UninitializedParameter(dtype=tinyconv.float64)
    assert p.requires_grad and isinstance(p, nn.Parameter) and p.data.shape == (0,)
    for use in (lambda: p + 1, lambda: p.sum(), lambda: nn.init.zeros_(p), lambda: p.tolist()):
        with pytest.raises(ValueError, match="UninitializedParameter was used"):
            use()
    p.materialize((2, 3))
    assert type(p) is nn.Parameter and p.shape == (2, 3) and p.dtype is tinyconv.float64 and p.requires_grad
    (p * 2).sum().backward()
    assert p.grad.tolist() == [[2] * 3] * 2
