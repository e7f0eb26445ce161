"""The focal loss, dropout of blocks and of squares, and what networks share."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.vision import ops


@pytest.mark.parametrize("alpha, gamma", [(0.25, 2), (-1, 2), (0.6, 0.5)])
def test_focal_loss(alpha, gamma):
    x, target = np.array([[-3.0, 0.1], [2.0, 30.0]], np.float32), np.array([[0, 1], [0, 1]], np.float32)
    p = 1 / (1 + np.exp(-x.astype(float)))
    right = np.where(target == 1, p, 1 - p)
    weight = 1 if alpha < 0 else np.where(target == 1, alpha, 1 - alpha)
    expected = -weight * (1 - right) ** gamma * np.log(right)
    scores = tinyconv.from_numpy(x).requires_grad_()
    loss = ops.sigmoid_focal_loss(scores, tinyconv.from_numpy(target), alpha, gamma)
    np.testing.assert_allclose(loss.detach().numpy(), expected, rtol=1e-4, atol=1e-7)
    for reduction, number in (("mean", expected.mean()), ("sum", expected.sum())):
        found = ops.sigmoid_focal_loss(scores, tinyconv.from_numpy(target), alpha, gamma, reduction)
        assert found.item() == pytest.approx(number, rel=1e-4)
    with pytest.raises(ValueError, match="got 'most'"):
        ops.sigmoid_focal_loss(scores, tinyconv.from_numpy(target), reduction="most")
    with pytest.raises(ValueError, match="alpha must be in"):
        ops.sigmoid_focal_loss(scores, tinyconv.from_numpy(target), alpha=2)


def test_stochastic_depth():
    tinyconv.manual_seed(0)
    x = tinyconv.ones(1000, 2, 3)
    rows = ops.StochasticDepth(0.3, "row")(x)
    assert sorted(set(rows.flatten().tolist())) == pytest.approx([0, 1 / 0.7])
    assert (rows == rows[:, :1, :1]).all()
    assert rows.mean().item() == pytest.approx(1, abs=0.1)
    assert len(set(ops.stochastic_depth(x, 0.3, "batch").flatten().tolist())) == 1
    assert ops.stochastic_depth(x, 1.0, "row").sum().item() == 0
    assert ops.StochasticDepth(0.3, "row").eval()(x) is x
    assert repr(ops.StochasticDepth(0.3, "row")) == "StochasticDepth(p=0.3, mode=row)"
    with pytest.raises(ValueError, match="got 'column'"):
        ops.stochastic_depth(x, 0.3, "column")
    with pytest.raises(ValueError, match="got 2"):
        ops.stochastic_depth(x, 2, "row")


def test_drop_block():
    tinyconv.manual_seed(0)
    x = tinyconv.ones(8, 4, 16, 16)
    y = ops.DropBlock2d(0.2, block_size=3)(x)
    gone = (y == 0).float()
    assert 0.1 < gone.mean().item() < 0.3
    assert y.sum().item() == pytest.approx(x.sum().item(), rel=1e-4)
    # Whatever is gone belongs to a square of 3 that is.
    squares = -nn.functional.max_pool2d(-gone, 3, 1)
    assert tinyconv.equal(nn.functional.max_pool2d(nn.functional.pad(squares, [2] * 4), 3, 1), gone)
    assert ops.DropBlock2d(0.2, 3).eval()(x) is x
    z = x.clone()
    assert ops.drop_block2d(z, 0.2, 3, inplace=True) is z
    assert (z == 0).any()
    with pytest.raises(ValueError, match="got -1"):
        ops.drop_block2d(x, -1, 3)


def test_convolution_normalization_activation():
    block = ops.Conv2dNormActivation(3, 8, kernel_size=5, stride=2, dilation=2, activation_layer=nn.ReLU6)
    assert [type(layer) for layer in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU6]
    assert block[0].bias is None
    assert block[2].inplace
    assert block.out_channels == 8
    assert block(tinyconv.randn(2, 3, 16, 16)).shape == (2, 8, 8, 8)
    plain = ops.Conv2dNormActivation(3, 8, (3, 5), norm_layer=None, activation_layer=nn.Sigmoid, inplace=None)
    assert [type(layer) for layer in plain] == [nn.Conv2d, nn.Sigmoid]
    assert plain[0].bias is not None
    assert plain(tinyconv.randn(2, 3, 16, 16)).shape == (2, 8, 16, 16)


def test_squeeze_and_excitation():
    block = ops.SqueezeExcitation(4, 2)
    x = tinyconv.randn(3, 4, 5, 5)
    w1, w2 = block.fc1.weight.squeeze(), block.fc2.weight.squeeze()
    mean = x.mean((2, 3))
    factors = (((mean @ w1.T + block.fc1.bias).relu()) @ w2.T + block.fc2.bias).sigmoid()
    assert tinyconv.allclose(block(x), x * factors[:, :, None, None], atol=1e-6)


def test_mlp_and_permute():
    mlp = ops.MLP(4, [8, 3], norm_layer=nn.LayerNorm, dropout=0.1)
    expected = [nn.Linear, nn.LayerNorm, nn.ReLU, nn.Dropout, nn.Linear, nn.Dropout]
    assert [type(layer) for layer in mlp] == expected
    assert mlp(tinyconv.randn(2, 4)).shape == (2, 3)
    assert ops.Permute([0, 2, 3, 1])(tinyconv.zeros(1, 2, 3, 4)).shape == (1, 3, 4, 2)


def test_frozen_batch_norm():
    live = nn.BatchNorm2d(3)
    live(tinyconv.randn(4, 3, 5, 5) * 2 + 1)
    with tinyconv.no_grad():
        live.weight.uniform_()
        live.bias.uniform_()
    frozen = ops.FrozenBatchNorm2d(3)
    frozen.load_state_dict(live.state_dict())
    x = tinyconv.randn(2, 3, 5, 5)
    assert tinyconv.allclose(frozen(x), live.eval()(x), atol=1e-6)
    assert list(frozen.parameters()) == []
    assert repr(frozen) == "FrozenBatchNorm2d(3, eps=1e-05)"
