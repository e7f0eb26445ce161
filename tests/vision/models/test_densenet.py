"""DenseNet: names of layers in published files, and dropout."""

from __future__ import annotations

import tinyconv
from tinyconv.vision import models


def small(**config):
    return models.DenseNet(growth_rate=4, block_config=(2, 1), num_init_features=8, num_classes=3, **config)


def test_published_files_have_older_names():
    model, other = small(), small()
    state = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): v for name, v in model.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in state
    other.load_state_dict(state)
    x = tinyconv.randn(2, 3, 32, 32)
    assert tinyconv.equal(model.eval()(x), other.eval()(x))


def test_dropout_in_training_only():
    model = small(drop_rate=0.5)
    x = tinyconv.randn(2, 3, 32, 32)
    assert not tinyconv.equal(model(x), model(x))
    model.eval()
    assert tinyconv.equal(model(x), model(x))
