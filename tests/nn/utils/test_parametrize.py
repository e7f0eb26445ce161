"""Parameters computed from others: properties, originals and inverses, and those that are ready to use."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim
from tinyconv.nn.utils import parametrizations, parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT


class Exponential(nn.Module):
    def forward(self, x):
        return x.exp()

    def right_inverse(self, y):
        return y.log()


class Product(nn.Module):
    def forward(self, a, b):
        return a * b

    def right_inverse(self, y):
        return y, tinyconv.ones_like(y)


def test_the_tensor_is_computed_and_the_original_trained():
    layer = nn.Linear(3, 3)
    original = layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    assert tinyconv.equal(layer.weight, layer.weight.mT)
    assert layer.parametrizations.weight.original is original
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert isinstance(layer, nn.Linear) and type(layer).__name__ == "ParametrizedLinear"
    assert repr(layer) == (
        "ParametrizedLinear(\n  in_features=3, out_features=3, bias=True\n  (parametrizations): ModuleDict(\n"
        "    (weight): ParametrizationList(\n      (0): Symmetric()\n    )\n  )\n)"
    )
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(tinyconv.ones(2, 3)).pow(2).sum().backward()
    before = original.detach().clone()
    optimizer.step()
    assert not tinyconv.equal(before, original) and tinyconv.equal(layer.weight, layer.weight.mT)
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias") and not parametrize.is_parametrized(nn.Linear(1, 1))
    assert parametrize.type_before_parametrizations(layer) is nn.Linear


def test_with_an_inverse_it_keeps_its_value_and_can_be_assigned_to():
    layer = nn.Linear(2, 2)
    with tinyconv.no_grad():
        layer.weight.copy_(tinyconv.tensor([[1.0, 2], [3, 4]]))
    parametrize.register_parametrization(layer, "weight", Exponential())
    np.testing.assert_allclose(layer.weight.detach(), [[1, 2], [3, 4]], rtol=1e-6)
    layer.weight = tinyconv.full((2, 2), 5.0)
    np.testing.assert_allclose(layer.parametrizations.weight.original.detach(), np.full((2, 2), np.log(5)), rtol=1e-6)
    with pytest.raises(RuntimeError, match="does not implement right_inverse"):
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric()).weight = tinyconv.ones(2, 2)


def test_several_originals_and_chains():
    layer = nn.Linear(2, 2)
    value = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Product())
    parametrize.register_parametrization(layer, "weight", Exponential())
    assert [n for n, _ in layer.named_parameters()] == [
        "bias", "parametrizations.weight.original0", "parametrizations.weight.original1",
    ]  # fmt: skip
    np.testing.assert_allclose(layer.weight.detach(), np.exp(value), rtol=1e-6)
    with pytest.raises(ValueError, match="sequence of tensors"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and isinstance(layer.weight, nn.Parameter) and layer.weight.requires_grad
    np.testing.assert_allclose(layer.weight.detach(), np.exp(value), rtol=1e-6)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize("leave", [True, False])
def test_removing(leave):
    layer = nn.Linear(3, 3)
    original, value = layer.weight, layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "bias", Exponential())
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave)
    assert layer.weight is original and parametrize.is_parametrized(layer, "bias")
    expected = value.triu() + value.triu(1).mT if leave else value
    assert tinyconv.equal(layer.weight, expected)
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")


def test_cached_computes_once():
    calls = []

    class Counting(nn.Module):
        def forward(self, x):
            calls.append(1)
            return x * 2

    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Counting())
    calls.clear()
    with parametrize.cached():
        assert layer.weight is layer.weight
        layer(tinyconv.ones(1, 2))
        thread = threading.Thread(target=lambda: layer.weight)
        thread.start()
        thread.join()
        assert len(calls) == 2  # not for other threads
    calls.pop()
    assert layer.weight is not layer.weight and len(calls) == 3


def test_a_buffer_stays_one_and_the_others_class_is_their_own():
    norm, other = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    parametrize.register_parametrization(norm, "running_var", Exponential())
    assert [n for n, _ in norm.named_buffers()] == [
        "running_mean", "num_batches_tracked", "parametrizations.running_var.original",
    ]  # fmt: skip
    assert type(other) is nn.BatchNorm1d and other.running_var.tolist() == [1, 1] == norm.running_var.tolist()


def test_copies_are_parametrized_on_their_own_and_pickles_say_how():
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    made = copy.deepcopy(layer)
    with tinyconv.no_grad():
        made.parametrizations.weight.original.zero_()
    assert made.weight.abs().sum() == 0 and layer.weight.abs().sum() > 0
    parametrize.remove_parametrizations(made, "weight")
    assert parametrize.is_parametrized(layer, "weight") and layer.weight.shape == (2, 2)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(layer)


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: x[:1], "may not change the shape"),
        (lambda x: x.double(), "may not change the dtype"),
        (lambda x: 3, "must return a tensor"),
    ],
)
def test_what_changes_too_much_is_refused(function, message):
    class Wrong(nn.Module):
        def forward(self, x):
            return function(x)

    layer = nn.Linear(2, 2)
    parametrize.register_parametrization(layer, "bias", Exponential())
    for name in "weight", "bias":
        with pytest.raises(ValueError, match=message):
            parametrize.register_parametrization(layer, name, Wrong())
    with pytest.raises(ValueError, match="does not have a parameter, a buffer, or a parametrized"):
        parametrize.register_parametrization(layer, "bais", Exponential())


# --------------------------------------------------------------------------------------------------------- ready to use


def layers(library):
    return {
        "Linear": lambda: library.nn.Linear(4, 3),
        "Conv2d": lambda: library.nn.Conv2d(2, 3, 3),
        "ConvTranspose2d": lambda: library.nn.ConvTranspose2d(2, 3, 3),
    }


NORMS = {
    "weight_norm": {"dim": [0, 1, None]},
    "spectral_norm": {"n_power_iterations": [1, 3], "dim": [None, 1]},
}
CASES = [(norm, key, value) for norm, options in NORMS.items() for key, values in options.items() for value in values]


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("layer", ["Linear", "Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("norm, option, value", CASES)
def test_normalized_as_in_pytorch(norm, option, value, layer, old):
    """Same weights from the same state: three training steps, evaluation, and without the normalization again."""
    torch = pytest.importorskip("torch")
    ours_of = nn.utils if old else parametrizations
    theirs_of = torch.nn.utils if old else pytest.importorskip("torch.nn.utils.parametrizations")
    theirs = getattr(theirs_of, norm)(layers(torch)[layer](), **{option: value})
    ours = getattr(ours_of, norm)(layers(tinyconv)[layer](), **{option: value})
    assert repr(ours) == repr(theirs)
    state = {k: tinyconv.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(state)
    shape = (2, 4) if layer == "Linear" else (2, 2, 5, 4)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")

    def run(library, module):
        optimizer = library.optim.SGD(module.parameters(), lr=0.1)
        seen = []
        for training in (True, True, True, False):
            module.train(training)
            optimizer.zero_grad()
            y = module(library.from_numpy(x.copy()))
            (y * y).mean().backward()
            optimizer.step()
            seen += [y.detach().numpy(), *[v.numpy().copy() for v in module.state_dict().values()]]
        if old:
            getattr(library.nn.utils, f"remove_{norm}")(module)
        else:
            library.nn.utils.parametrize.remove_parametrizations(module, "weight")
        seen.append(module(library.from_numpy(x.copy())).detach().numpy())
        assert sorted(module.state_dict()) == ["bias", "weight"]
        return seen

    for a, b in zip(run(tinyconv, ours), run(torch, theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_spectral_norm_makes_the_largest_singular_value_one():
    layer = parametrizations.spectral_norm(nn.Linear(5, 4), n_power_iterations=20)
    assert abs(np.linalg.svd(layer.weight.detach().numpy())[1][0] - 1) < 1e-4
    old = nn.utils.spectral_norm(nn.Linear(5, 4), n_power_iterations=50)
    old(tinyconv.ones(1, 5))
    assert abs(np.linalg.svd(old.weight.detach().numpy())[1][0] - 1) < 1e-4
    assert parametrizations.spectral_norm(nn.Linear(5, 4), "bias").bias.norm().item() == pytest.approx(1)


@pytest.mark.parametrize("layer, rows", [(nn.Conv3d, 3), (nn.ConvTranspose3d, 2), (nn.ConvTranspose2d, 2)])
def test_the_output_channels_make_the_rows(layer, rows):
    made = nn.utils.spectral_norm(layer(3 if rows == 2 else 2, rows, 1))
    assert made.weight_u.shape == (rows,)


@pytest.mark.parametrize("normalize", [nn.utils.spectral_norm, parametrizations.spectral_norm])
def test_a_discriminator_is_called_twice_before_its_step(normalize):
    layer = normalize(nn.Linear(5, 4))
    (layer(tinyconv.randn(2, 5)).sum() - layer(tinyconv.randn(2, 5)).sum()).backward()
    assert sum(p.grad.abs().sum() for p in layer.parameters()) > 0


def test_weight_norm_keeps_the_weight():
    layer = nn.Linear(3, 2)
    value = layer.weight.detach().clone()
    for normalize in (nn.utils.weight_norm, parametrizations.weight_norm):
        np.testing.assert_allclose(normalize(copy.deepcopy(layer)).weight.detach(), value, rtol=1e-6)


@pytest.mark.parametrize("trivialized", [True, False])
@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder", None])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (2, 5), (2, 4, 3)])
def test_orthogonal_as_in_pytorch(shape, name, trivialized):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    weight, moved, turn, gw = (rng.normal(size=s) for s in (shape, shape, (max(shape[-2:]),) * 2, shape))
    turn = np.linalg.qr(turn)[0]
    found = []
    for library in (tinyconv, torch):
        layer = library.nn.Module()
        layer.weight = library.nn.Parameter(library.tensor(weight))
        options = {"orthogonal_map": name, "use_trivialization": trivialized}
        assert library.nn.utils.parametrizations.orthogonal(layer, **options) is layer
        parts = layer.parametrizations.weight
        kept = [parts.original.detach().numpy().copy()]
        if trivialized:  # what completes the basis is random
            parts[0].base = library.tensor(np.broadcast_to(turn, (*shape[:-2], *turn.shape)))
        with library.no_grad():
            parts.original += library.tensor(moved * (np.eye(*shape[-2:]) == 0))
        (layer.weight * library.tensor(gw)).sum().backward()
        found.append([*kept, layer.weight.detach().numpy(), parts.original.grad.numpy()])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("features", [(3, 3), (5, 3), (3, 5)])
def test_orthogonal_keeps_what_is_orthogonal_and_trains(features, name):
    def apart(w):
        w = w if w.shape[0] <= w.shape[1] else w.mT
        return (w @ w.mT - tinyconv.eye(w.shape[0])).abs().max().item()

    layer = nn.Linear(*features)
    nn.init.orthogonal_(layer.weight)
    before = layer.weight.detach().clone()
    parametrizations.orthogonal(layer, orthogonal_map=name)
    np.testing.assert_allclose(layer.weight.detach().numpy(), before.numpy(), atol=1e-5)
    optimizer = optim.SGD(layer.parameters(), lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        layer(tinyconv.ones(2, features[0])).pow(2).sum().backward()
        optimizer.step()
    assert apart(layer.weight) < 1e-5 < (layer.weight - before).abs().max().item()
    again = parametrizations.orthogonal(nn.Linear(*features), orthogonal_map=name)
    again.load_state_dict(layer.state_dict())
    assert again.weight.equal(layer.weight)
    layer.weight = 2 * before  # its columns, or rows, are no longer normal
    np.testing.assert_allclose(layer.weight.detach().numpy(), before.numpy(), atol=1e-5)


def test_orthogonal_by_reflections_alone_can_be_assigned_to():
    for shape in ((3, 3), (5, 3), (3, 5)):
        layer = parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map="householder", use_trivialization=False)
        w = nn.init.orthogonal_(tinyconv.empty(shape[::-1]))
        layer.weight = w
        np.testing.assert_allclose(layer.weight.detach().numpy(), w.numpy(), atol=1e-5)
    layer.weight = tinyconv.eye(5)[:, :3]  # no mirror is needed
    np.testing.assert_allclose(layer.weight.detach().numpy(), np.eye(5)[:, :3])


def test_misuse_of_orthogonal():
    for options, message in (
        ({"name": "other"}, "has no parameter or buffer with name 'other'"),
        ({"name": "bias"}, "Expected a matrix or batch of matrices. Got a tensor of 1 dimensions"),
        ({"orthogonal_map": "qr"}, 'has to be one of "matrix_exp", "cayley", "householder". Got: qr'),
    ):
        with pytest.raises(ValueError, match=message):
            parametrizations.orthogonal(nn.Linear(3, 3), **options)
    layer = parametrizations.orthogonal(nn.Linear(3, 3), use_trivialization=False)
    with pytest.raises(NotImplementedError, match="not possible to assign to the matrix exponential"):
        layer.weight = tinyconv.eye(3)
    with pytest.raises(ValueError, match=r"of shape tinyconv.Size\(\[3, 3\]\). Got"):
        parametrizations.orthogonal(nn.Linear(3, 3)).weight = tinyconv.eye(2)


def test_misuse_of_the_older_ones():
    for name in "weight_norm", "spectral_norm":
        normalize, remove = getattr(nn.utils, name), getattr(nn.utils, f"remove_{name}")
        layer = normalize(nn.Linear(2, 2))
        with pytest.raises(RuntimeError, match=f"two {name} hooks on the same parameter weight"):
            normalize(layer)
        with pytest.raises(ValueError, match=f"{name} of 'bias' not found"):
            remove(layer, "bias")
        with pytest.raises(ValueError, match="can't have uninitialized parameters"):
            normalize(nn.LazyLinear(2))
    with pytest.raises(ValueError, match="n_power_iterations"):
        nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
