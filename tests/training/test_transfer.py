"""Transfer learning: what is frozen does not move by a bit; features computed once are those computed every time."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.optim import SGD
from tinyconv.training import fit
from tinyconv.training.transfer import Standardize, Transfer, compute_features, feature_extractor
from tinyconv.utils.data import DataLoader, TensorDataset
from tinyconv.vision.models import get_model


@pytest.fixture
def images():
    tinyconv.manual_seed(0)
    return TensorDataset(tinyconv.randn(6, 3, 32, 32), tinyconv.arange(6) % 3)


def state(model):
    return {name: x.numpy().copy() for name, x in model.state_dict().items()}


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_layers_and_their_statistics_do_not_move_and_new_ones_do(images, frozen):
    model = Transfer(get_model("resnet20"), 3, frozen=frozen)
    before = state(model)
    optimizer = SGD([p for p in model.parameters() if p.requires_grad], 0.1, weight_decay=0.1)
    fit(model, DataLoader(images, 3), DataLoader(images, 3), optimizer=optimizer, epochs=1)
    for name, value in state(model).items():
        if name.startswith("standardize") or (frozen and name.startswith("features")):
            assert value.tobytes() == before[name].tobytes(), name
        else:
            assert (value != before[name]).any(), name


@pytest.mark.parametrize("name, count", [("resnet20", 64), ("squeezenet1_1", 512), ("mobilenet_v2", 1280)])
def test_features(images, name, count):
    features, found = feature_extractor(get_model(name))
    assert found == count
    computed = compute_features(features, DataLoader(images, 4))
    assert computed.tensors[0].shape == (6, count)
    assert computed.tensors[1].tolist() == [0, 1, 2, 0, 1, 2]
    assert features.training
    at_once = features.eval()(images.tensors[0]).detach().numpy()
    np.testing.assert_allclose(computed.tensors[0].numpy(), at_once, atol=1e-5)


def test_no_head():
    with pytest.raises(ValueError, match="Sequential has no Linear layer that makes its scores"):
        feature_extractor(nn.Sequential(nn.Conv2d(1, 1, 1)))


def test_standardize():
    x = tinyconv.randn(50, 3) * 4 + 2
    x[:, 2] = 7.0
    layer = Standardize(3)
    layer.measure(x)
    y = layer(x).numpy()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(0), [1, 1, 0], atol=1e-5)
    assert set(layer.state_dict()) == {"mean", "std"}
