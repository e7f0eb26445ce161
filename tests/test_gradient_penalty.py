"""A gradient penalty (Gulrajani et al., "Improved training of Wasserstein GANs", 2017) trains through the layers.

The penalty is a function of the gradient with respect to the input, so that its own gradient is a second derivative
of every layer: convolution, batch normalization, max and average pooling, and the fused ones that training uses.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

LAYERS = {
    "convolution": lambda nn: [nn.Conv2d(2, 4, 3, padding=1), nn.Tanh()],
    "strided convolution": lambda nn: [nn.Conv2d(2, 4, 3, 2, 1), nn.Sigmoid(), nn.Upsample(scale_factor=2)],
    "transposed convolution": lambda nn: [nn.ConvTranspose2d(2, 4, 2, stride=2), nn.Tanh(), nn.AvgPool2d(2)],
    "max-pooling": lambda nn: [nn.Conv2d(2, 4, 3, padding=1), nn.MaxPool2d(2), nn.Tanh(), nn.Upsample(scale_factor=2)],
    "average pooling": lambda nn: [nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.AvgPool2d(3, 1, 1)],
    "batch normalization": lambda nn: [nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Tanh()],
    "convolution, ReLU and pooling": lambda nn: [
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.Tanh()
    ],
}  # fmt: skip


def critic(m, name: str):
    """The layers, and one number an image; in float64."""
    model = m.nn.Sequential(*LAYERS[name](m.nn), m.nn.Flatten(), m.nn.Linear(4 * 36, 1)).double()
    rng = np.random.default_rng(1)
    model.load_state_dict(
        {
            key: m.from_numpy(np.asarray(rng.normal(1 if key.endswith("var") else 0, 0.2, tuple(value.shape))))
            if value.is_floating_point()
            else value
            for key, value in model.state_dict().items()
        }
    )
    return model


def penalty(m, model, x):
    """How far from 1 the norm of each image's gradient is, squared."""
    (gx,) = m.autograd.grad(model(x).sum(), x, create_graph=True)
    return ((((gx * gx).sum((1, 2, 3)) + 1e-12).sqrt() - 1) ** 2).mean()


def images(m):
    return m.from_numpy(np.random.default_rng(0).normal(size=(5, 2, 6, 6))).requires_grad_()


@pytest.mark.parametrize("name", LAYERS)
def test_same_second_derivatives_as_pytorch(name):
    torch = pytest.importorskip("torch")
    found = []
    for m in (tinyconv, torch):
        model = critic(m, name)
        value = penalty(m, model, images(m))
        value.backward()
        gradients = [np.zeros(tuple(p.shape)) if p.grad is None else p.grad.numpy() for p in model.parameters()]
        found.append([value.item(), *gradients])
    assert any(np.abs(g).max() > 1e-6 for g in found[1][1:])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_trains(name):
    model = critic(tinyconv, name)
    optimizer = tinyconv.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    x, losses = images(tinyconv), []
    for _ in range(60):
        optimizer.zero_grad()
        loss = penalty(tinyconv, model, x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-5:]) < 0.2 * losses[0]
