"""A hundred training steps from the same weights and data follow PyTorch's losses, within float32 rounding.

Training amplifies rounding, so that "within" needs a measure: in float64 the two trajectories are one, to seven digits
and more; in float32 ours may stray from that one no farther than PyTorch's own does, give or take.
"""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv

torch = pytest.importorskip("torch")

STEPS = 100


def lenet5(m):
    """LeNet-5 (LeCun et al., 1998) with ReLU and max-pooling, by SGD with momentum and weight decay."""
    nn = m.nn
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return model, m.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4), nn.CrossEntropyLoss()


def batch_norm_cnn(m):
    """Batch normalization, a stride, an average pooling over each plane, SGD with Nesterov momentum."""
    nn = m.nn
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = m.optim.SGD(model.parameters(), lr=0.02, momentum=0.9, nesterov=True)
    return model, optimizer, nn.CrossEntropyLoss(label_smoothing=0.1)


def autoencoder(m):
    """A convolutional autoencoder, by Adam."""
    nn = m.nn
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, stride=2, padding=1), nn.ReLU(),
        nn.ConvTranspose2d(4, 8, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(8, 1, 2, stride=2), nn.Sigmoid(),
    )  # fmt: skip
    return model, m.optim.Adam(model.parameters(), lr=3e-3), nn.MSELoss()


def trajectory(m, make, batches, weights: dict, dtype: str) -> tuple[np.ndarray, dict]:
    """The losses on the way, and the state at the end."""
    model, optimizer, criterion = make(m)
    model.load_state_dict({name: m.from_numpy(value.copy()) for name, value in weights.items()})
    model.to(getattr(m, dtype))
    losses = []
    for step in range(STEPS):
        x, y = batches[step % len(batches)]
        inputs = m.from_numpy(x.astype(dtype))
        loss = criterion(model(inputs), inputs if make is autoencoder else m.from_numpy(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), {name: value.detach().numpy() for name, value in model.state_dict().items()}


@pytest.fixture(scope="module")
def batches():
    from tinyconv.vision.datasets.strokes import draw_digits

    images, labels = draw_digits(320)
    pixels = (images[:, None] / np.float32(255)).astype("float32")
    return [(pixels[i : i + 32], labels[i : i + 32].astype("int64")) for i in range(0, 320, 32)]


@pytest.mark.parametrize("make", [lenet5, batch_norm_cnn, autoencoder])
def test_follows_pytorch(make, batches):
    torch.manual_seed(3)
    weights = {name: value.numpy().copy() for name, value in make(torch)[0].state_dict().items()}
    truth, their_state = trajectory(torch, make, batches, weights, "float64")
    assert truth[-1] < 0.8 * truth[0]  # it learns, so that there is something to follow
    precise, our_state = trajectory(tinyconv, make, batches, weights, "float64")
    np.testing.assert_allclose(precise, truth, rtol=1e-7)
    for name, value in their_state.items():
        np.testing.assert_allclose(our_state[name], value, rtol=1e-5, atol=1e-6, err_msg=name)

    theirs, _ = trajectory(torch, make, batches, weights, "float32")
    ours, _ = trajectory(tinyconv, make, batches, weights, "float32")
    np.testing.assert_allclose(ours[:5], truth[:5], rtol=2e-6)
    strays = [np.maximum.accumulate(np.abs(found - truth) / truth) for found in (ours, theirs)]
    # Half of the way: later one moved maximum has grown, in either library. PyTorch's bits change with its number of
    # threads (LeNet-5 ends 1e-5 from the truth with one, 0.6 with two), so its stray alone would be no measure of ours.
    half = slice(STEPS // 2)
    assert (strays[0][half] <= 10 * strays[1][half] + 1e-5).all(), strays
    assert strays[0][half].max() <= 1e-5, strays[0]
