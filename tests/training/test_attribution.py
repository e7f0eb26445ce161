"""Where a network looks: a network that looks at one place only is caught looking there."""

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.training import attribution


class LooksAtACorner(nn.Module):
    """Class 1's score is what is in the upper left 4x4 pixels, class 0's is 0."""

    def __init__(self):
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        self.dropout = nn.Dropout(0.9)
        with tinyconv.no_grad():
            self.maps.weight[:, 0, 0, 0] = tinyconv.tensor([1.0, -1.0])

    def forward(self, x):
        maps = self.dropout(self.maps(x)).relu_()
        score = maps[:, 0, :4, :4].mean((1, 2)) * 4
        return tinyconv.stack([score * 0, score], dim=1)


@pytest.fixture
def x():
    return tinyconv.rand(2, 1, 8, 8) + 0.5


@pytest.mark.parametrize("frozen", [True, False])
def test_saliency(x, frozen):
    model = LooksAtACorner().requires_grad_(not frozen)
    found = attribution.saliency(model, x)
    expected = np.zeros((2, 8, 8))
    expected[:, :4, :4] = 4 / 16
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(attribution.saliency(model, x, target=0), 0)
    np.testing.assert_array_equal(attribution.saliency(model, x, target=[0, 1])[1], found[1])
    assert model.training and model.dropout.training
    assert x.grad is None and model.maps.weight.grad is None


def test_occlusion(x):
    found = attribution.occlusion(LooksAtACorner(), x, size=4, stride=4, batch_size=3)
    before = 1 / (1 + np.exp(-4 * x.numpy()[:, 0, :4, :4].mean((1, 2))))
    np.testing.assert_allclose(found[:, 0, 0], before - 0.5, rtol=1e-5)
    found[:, 0, 0] = 0
    np.testing.assert_array_equal(found, 0)
    with pytest.raises(ValueError, match="a square of 9, moved by 1, does not fit into 8x8"):
        attribution.occlusion(LooksAtACorner(), x, size=9, stride=1)


@pytest.mark.parametrize("layer", [None, "maps", "module"])
def test_grad_cam(x, layer):
    model = LooksAtACorner().requires_grad_(False)
    if layer is None:
        model.dropout = nn.Identity()
    found = attribution.grad_cam(model, x, layer=model.maps if layer == "module" else layer)
    # The gradient of map 0 is 4 / 16 in the corner, so its weight is 1/16; map 1 has none: the map is map 0 itself.
    expected = x.numpy()[:, 0] / x.numpy()[:, 0].max((1, 2), keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(attribution.grad_cam(model, x, 0, layer="maps"), 0)
    assert not model.maps._forward_hooks


def test_grad_cam_without_maps(x):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with pytest.raises(ValueError, match="no layer of the model makes feature maps"):
        attribution.grad_cam(model, x)
    with pytest.raises(ValueError, match="layer '1' makes no feature maps"):
        attribution.grad_cam(model, x, layer="1")


def test_no_classifier(x):
    for function in (attribution.saliency, attribution.grad_cam):
        with pytest.raises(ValueError, match=r"the model must give scores \(N, C\), got \(2, 3, 8, 8\)"):
            function(nn.Conv2d(1, 3, 1), x)
