"""Batch normalization folded into the layer before it computes the same."""

from __future__ import annotations

import numpy as np
import pytest

import tinyconv
from tinyconv import nn
from tinyconv.nn import utils


def seen(norm):
    """The normalization after some training, in evaluation."""
    with tinyconv.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        for p in norm.parameters():
            p.normal_()
    return norm.eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(
    "layer, norm, shape",
    [
        (lambda bias: nn.Conv2d(4, 6, 3, groups=2, bias=bias), nn.BatchNorm2d, (2, 4, 5, 5)),
        (lambda bias: nn.Conv1d(4, 6, 3, bias=bias), nn.BatchNorm1d, (2, 4, 5)),
        (lambda bias: nn.ConvTranspose2d(4, 6, 3, bias=bias), nn.BatchNorm2d, (2, 4, 5, 5)),
        (lambda bias: nn.Linear(4, 6, bias=bias), nn.BatchNorm1d, (3, 4)),
    ],
)
def test_one_layer_for_two(layer, norm, shape, affine, bias):
    first, second = layer(bias).eval(), seen(norm(6, affine=affine))
    x = tinyconv.randn(shape)
    expected = second(first(x)).detach()
    state = {k: v.clone() for k, v in first.state_dict().items()}
    if isinstance(first, nn.Linear):
        fused = utils.fuse_linear_bn_eval(first, second)
    else:
        fused = utils.fuse_conv_bn_eval(first, second, transpose=isinstance(first, nn.ConvTranspose2d))
    assert type(fused) is type(first) and isinstance(fused.bias, nn.Parameter) and fused.weight.is_leaf
    np.testing.assert_allclose(fused(x).detach(), expected, rtol=1e-4, atol=1e-5)
    assert all(tinyconv.equal(state[k], v) for k, v in first.state_dict().items())


def test_only_in_evaluation():
    with pytest.raises(AssertionError, match="only for evaluation"):
        utils.fuse_conv_bn_eval(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2).eval())
    with pytest.raises(AssertionError, match="no running statistics"):
        utils.fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(2, track_running_stats=False).eval())
    with pytest.raises(AssertionError, match="2 features, the normalization 3"):
        utils.fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(3).eval())


def test_skip_init_makes_the_module():
    layer = utils.skip_init(nn.Linear, 3, 2, bias=False, dtype=tinyconv.float64)
    assert layer.weight.shape == (2, 3) and layer.weight.dtype is tinyconv.float64 and layer.bias is None
    with pytest.raises(RuntimeError, match="'device'"):
        utils.skip_init(nn.ReLU)
    with pytest.raises(RuntimeError, match="Expected a Module"):
        utils.skip_init(dict)


def test_the_older_name_of_clipping():
    p = nn.Parameter(tinyconv.ones(4))
    p.grad = tinyconv.ones(4)
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert utils.clip_grad_norm([p], 1.0) == 2
    assert p.grad.norm().item() == pytest.approx(1)
