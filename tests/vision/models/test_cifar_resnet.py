"""ResNet: its sizes, its shortcuts, and the same numbers as PyTorch for the same weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import tinyconv
from tinyconv.nn import functional as F
from tinyconv.vision.models import CifarResNet, get_model, list_models, resnet20
from tinyconv.vision.models.cifar_resnet import BasicBlock

# As the authors count them in table 6 of the paper, in millions: 0.27, 0.46, 0.66, 0.85, 1.7.
PARAMETERS = {20: 269_722, 32: 464_154, 44: 658_586, 56: 853_018, 110: 1_727_962}


@pytest.mark.parametrize("depth", PARAMETERS)
def test_parameters_by_name(depth):
    assert f"resnet{depth}" in list_models()
    model = get_model(f"resnet{depth}")
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[depth]
    weighted = [p for p in model.parameters() if p.ndim > 1]
    assert len(weighted) == depth


def test_parameters_of_each_layer():
    sizes = {name: sum(p.numel() for p in child.parameters()) for name, child in resnet20().named_children()}
    assert sizes == {"conv1": 432, "bn1": 32, "layer1": 14016, "layer2": 51072, "layer3": 203520, "linear": 650}


@pytest.mark.parametrize("depth", [2, 18, 21])
def test_depths_that_no_n_gives(depth):
    with pytest.raises(ValueError, match=rf"depth must be 6n \+ 2 \(20, 32, 44, ...\), got {depth}"):
        CifarResNet(depth)


def test_scores_for_each_class():
    assert resnet20(num_classes=3)(tinyconv.randn(2, 3, 32, 32)).shape == (2, 3)


def test_an_image_halves_twice():
    model, x = resnet20(), tinyconv.randn(2, 3, 32, 32)
    x = model.layer1(model.bn1(model.conv1(x)))
    assert x.shape == (2, 16, 32, 32)
    x = model.layer2(x)
    assert x.shape == (2, 32, 16, 16)
    assert model.layer3(x).shape == (2, 64, 8, 8)


def test_without_weights_a_block_is_its_shortcut():
    x = tinyconv.rand(2, 3, 5, 4)
    block = BasicBlock(3, 6, stride=2)
    for parameter in block.parameters():
        parameter.data.zero_()
    y = block(x).detach().numpy()
    assert y.shape == (2, 6, 3, 2)
    np.testing.assert_array_equal(y[:, 1:4], x.numpy()[:, :, ::2, ::2])
    assert not y[:, :1].any() and not y[:, 4:].any()
    same = BasicBlock(3, 3)
    for parameter in same.parameters():
        parameter.data.zero_()
    np.testing.assert_array_equal(same(x).detach().numpy(), x.numpy())


def test_every_parameter_gets_a_gradient():
    model = resnet20()
    F.cross_entropy(model(tinyconv.randn(4, 3, 32, 32)), tinyconv.randint(0, 10, (4,))).backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad != 0).sum().item() > 0, name


def functional_resnet(torch, weights: dict, x, training: bool):
    """Written down from the paper, without modules: ``weights`` by name, n from their names."""
    f = torch.nn.functional

    def convolve_and_normalize(name: str, bn: str, x, stride: int = 1):
        x = f.conv2d(x, weights[f"{name}.weight"], stride=stride, padding=1)
        moments = weights[f"{bn}.running_mean"].clone(), weights[f"{bn}.running_var"].clone()
        return f.batch_norm(x, *moments, weights[f"{bn}.weight"], weights[f"{bn}.bias"], training)

    x = convolve_and_normalize("conv1", "bn1", x).relu()
    for layer, channels in ((1, 16), (2, 32), (3, 64)):
        for block in range(len({name.split(".")[1] for name in weights if name.startswith(f"layer{layer}.")})):
            name = f"layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = convolve_and_normalize(f"{name}.conv1", f"{name}.bn1", x, stride).relu()
            y = convolve_and_normalize(f"{name}.conv2", f"{name}.bn2", y)
            if stride == 2:
                zeros = torch.zeros(len(x), channels // 4, *y.shape[2:], dtype=x.dtype)
                x = torch.cat([zeros, x[:, :, ::2, ::2], zeros], 1)
            x = (y + x).relu()
    return x.mean((2, 3)) @ weights["linear.weight"].T + weights["linear.bias"]


@pytest.mark.parametrize("depth", [20, 32])
@pytest.mark.parametrize("training", [True, False])
def test_scores_and_gradients_as_pytorch(depth, training):
    torch = pytest.importorskip("torch")
    model = CifarResNet(depth).double().train(training)
    weights = {name: torch.tensor(value.numpy()) for name, value in model.state_dict().items()}
    for name, _ in model.named_parameters():
        weights[name].requires_grad_()
    x = np.random.default_rng(0).standard_normal((3, 3, 16, 16))
    target = np.array([1, 5, 9])

    y = model(tinyconv.from_numpy(x))
    F.cross_entropy(y, tinyconv.from_numpy(target)).backward()
    z = functional_resnet(torch, weights, torch.from_numpy(x), training)
    torch.nn.functional.cross_entropy(z, torch.from_numpy(target)).backward()

    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-9, atol=1e-9)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(
            parameter.grad.numpy(), weights[name].grad.numpy(), rtol=1e-7, atol=1e-9, err_msg=name
        )


def test_public_weights_fit_and_score_as_in_pytorch():
    torch = pytest.importorskip("torch")
    path = Path(os.environ.get("TINYCONV_DATA", "/nowhere"), "weights", "resnet20-12fca82f.th")
    if not path.exists():
        pytest.skip("TINYCONV_DATA has no weights/resnet20-12fca82f.th")
    saved = torch.load(path, map_location="cpu")["state_dict"]
    weights = {name.removeprefix("module."): value for name, value in saved.items()}
    model = resnet20().eval()
    missing, unexpected = model.load_state_dict(
        {name: tinyconv.from_numpy(value.numpy()) for name, value in weights.items()}, strict=False
    )
    assert not unexpected
    assert {name.rpartition(".")[2] for name in missing} <= {"num_batches_tracked"}  # older than these counters
    x = np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype(np.float32)
    with tinyconv.no_grad():
        scores = model(tinyconv.from_numpy(x)).numpy()
    np.testing.assert_allclose(
        scores, functional_resnet(torch, weights, torch.from_numpy(x), training=False).detach().numpy(), atol=1e-4
    )
