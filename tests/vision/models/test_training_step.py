"""Every network of the zoo takes a step of training: loss, gradients and weights are finite, and the weights move."""

import pytest

import tinyconv
from tinyconv import nn, optim
from tinyconv.vision.models import get_model, list_models

LARGE = (
    "alexnet",
    "googlenet",
    "resnet101",
    "resnet152",
    "vgg",
    "wide_resnet50_2",
    "resnext50_32x4d",
    "inception_v3",
    "resnet110",
)
SIZES = {"lenet5": (1, 28, 28), "lenet5_tanh": (1, 28, 28), "alexnet": (3, 63, 63), "inception_v3": (3, 75, 75)}
OPTIONS = {"googlenet": {"init_weights": False}, "inception_v3": {"init_weights": False, "aux_logits": False}}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n.startswith(LARGE) else n for n in list_models()]
)
def test_one_step(name):
    tinyconv.manual_seed(0)
    model = get_model(name, **OPTIONS.get(name, {})).train()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    x, y = tinyconv.randn(4, *SIZES.get(name, (3, 32, 32))), tinyconv.tensor([0, 1, 2, 3])
    out = model(x)
    outs = out if isinstance(out, tuple) else (out,)  # GoogLeNet's other two classifiers are trained too
    loss = sum(nn.functional.cross_entropy(o, y) for o in outs)
    loss.backward()
    assert loss.isfinite()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    for parameter, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all(), parameter
    optimizer.step()
    for parameter, p in model.named_parameters():
        assert p.isfinite().all(), parameter
        assert (p != before[parameter]).any() or not p.grad.any(), parameter
    for buffer, x in model.named_buffers():
        assert x.isfinite().all(), buffer
