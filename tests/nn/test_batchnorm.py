import numpy as np
import pytest

import tinyconv
from tinyconv import nn


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(2, 3, shape)


def test_training_normalizes_each_channel():
    x = images(4, 3, 5, 6)
    bn = nn.BatchNorm2d(3, dtype=tinyconv.float64)
    mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3))
    want = (x - mean[:, None, None]) / np.sqrt(var + bn.eps)[:, None, None]
    np.testing.assert_allclose(bn(tinyconv.from_numpy(x)).detach().numpy(), want)
    np.testing.assert_allclose(bn.running_mean.numpy(), 0.1 * mean)
    np.testing.assert_allclose(bn.running_var.numpy(), 0.9 + 0.1 * x.var((0, 2, 3), ddof=1))
    assert bn.num_batches_tracked.item() == 1


def test_evaluation_uses_and_keeps_the_running_statistics():
    bn = nn.BatchNorm1d(2, dtype=tinyconv.float64).eval()
    bn.running_mean.fill_(1)
    bn.running_var.fill_(4)
    x = images(5, 2)
    np.testing.assert_allclose(bn(tinyconv.from_numpy(x)).detach().numpy(), (x - 1) / np.sqrt(4 + bn.eps))
    assert bn.running_mean.tolist() == [1, 1] and bn.num_batches_tracked.item() == 0


def test_without_momentum_all_batches_count_alike():
    bn = nn.BatchNorm1d(2, momentum=None, dtype=tinyconv.float64)
    batches = [images(5, 2, seed=seed) for seed in range(3)]
    for x in batches:
        bn(tinyconv.from_numpy(x))
    np.testing.assert_allclose(bn.running_mean.numpy(), np.mean([x.mean(0) for x in batches], 0))


def test_momentum_zero_keeps_the_statistics():
    bn = nn.BatchNorm1d(2, momentum=0)
    bn(tinyconv.randn(4, 2))
    assert bn.running_mean.tolist() == [0, 0]
    assert bn.running_var.tolist() == [1, 1]


def test_reset():
    bn = nn.BatchNorm1d(2)
    bn(tinyconv.randn(3, 2))
    with tinyconv.no_grad():
        bn.weight.fill_(7)
    bn.reset_parameters()
    assert bn.running_mean.tolist() == [0, 0] and bn.running_var.tolist() == [1, 1]
    assert bn.num_batches_tracked.item() == 0 and bn.weight.tolist() == [1, 1] and bn.bias.tolist() == [0, 0]


def test_state():
    assert list(nn.BatchNorm2d(2).state_dict()) == [
        "weight", "bias", "running_mean", "running_var", "num_batches_tracked"
    ]  # fmt: skip
    assert list(nn.BatchNorm2d(2, affine=False).state_dict()) == ["running_mean", "running_var", "num_batches_tracked"]
    assert list(nn.BatchNorm2d(2, track_running_stats=False, bias=False).state_dict()) == ["weight"]
    assert nn.BatchNorm2d(2).num_batches_tracked.dtype is tinyconv.int64


@pytest.mark.parametrize("layer, ranks", [(nn.BatchNorm1d, (2, 3)), (nn.BatchNorm2d, (4,))])
def test_ranks(layer, ranks):
    for rank in range(1, 6):
        x = tinyconv.ones(*[2] * rank)
        if rank in ranks:
            layer(2)(x)
        else:
            with pytest.raises(ValueError, match=f"got {rank}D input"):
                layer(2)(x)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"affine": False},
        {"bias": False},
        {"momentum": None, "eps": 0.1},
        {"track_running_stats": False},
        {"affine": False, "track_running_stats": False},
    ],
)
@pytest.mark.parametrize(
    "name, shape", [("BatchNorm1d", (5, 3)), ("BatchNorm1d", (4, 3, 6)), ("BatchNorm2d", (4, 3, 5, 6))]
)
def test_as_pytorch(agrees_with_torch, training, kwargs, name, shape):
    torch = pytest.importorskip("torch")
    theirs = getattr(torch.nn, name)(3, **kwargs, dtype=torch.float64)
    with torch.no_grad():
        for tensor in (*theirs.parameters(), *theirs.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5)
    agrees_with_torch(
        getattr(nn, name)(3, **kwargs, dtype=tinyconv.float64).train(training), theirs.train(training), images(*shape)
    )


def test_statistics_switched_off_later_do_not_move():
    bn = nn.BatchNorm1d(2)
    bn.track_running_stats = False
    bn(tinyconv.randn(4, 2))
    assert bn.running_mean.tolist() == [0, 0] and bn.num_batches_tracked.item() == 0


@pytest.mark.parametrize("plain", [True, False])
def test_a_state_dict_from_before_batches_were_counted(plain):
    """PyTorch's before 0.4.1, and those that have lost their versions on the way."""
    old, new = nn.Sequential(nn.BatchNorm2d(2)), nn.Sequential(nn.BatchNorm2d(2))
    old(tinyconv.randn(4, 2, 3, 3))
    new[0].num_batches_tracked.fill_(7)
    state = old.state_dict()
    assert state._metadata == {"": {"version": 1}, "0": {"version": 2}}
    del state["0.num_batches_tracked"]
    with pytest.raises(RuntimeError, match="Missing key.*num_batches_tracked"):
        new.load_state_dict(state)
    if plain:
        state = dict(state)
    else:
        del state._metadata["0"]["version"]
    assert new.load_state_dict(state).missing_keys == []
    assert new[0].running_mean.tolist() == old[0].running_mean.tolist()
    assert new[0].num_batches_tracked.item() == 7
    del state["0.running_mean"]
    with pytest.raises(RuntimeError, match="Missing key.*running_mean"):
        new.load_state_dict(state)


def test_batch_norm_of_all_processes():
    """There is one: the same numbers, for inputs of any rank."""
    x = tinyconv.randn(4, 3, 2, 2, 2)
    synced, plain = nn.SyncBatchNorm(3), nn.BatchNorm1d(3)
    assert tinyconv.equal(synced(x), plain(x.flatten(2)).reshape(x.shape))
    assert tinyconv.equal(synced.running_var, plain.running_var)
    with pytest.raises(ValueError, match="expected at least 2D input"):
        synced(tinyconv.randn(3))


def test_each_batch_norm_is_replaced():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3, affine=False)), nn.BatchNorm1d(3, 0.1)).eval()
    weight, mean = net[2].weight, net[2].running_mean
    x = tinyconv.randn(5, 2)
    before, names = net(x), list(net.state_dict())
    assert nn.SyncBatchNorm.convert_sync_batchnorm(net) is net
    assert [type(net[1][0]), type(net[2])] == [nn.SyncBatchNorm, nn.SyncBatchNorm]
    assert net[2].weight is weight
    assert net[2].running_mean is mean
    assert net[2].eps == 0.1
    assert not net[2].training
    assert tinyconv.equal(net(x), before)
    assert list(net.state_dict()) == names
    assert isinstance(nn.SyncBatchNorm.convert_sync_batchnorm(nn.BatchNorm2d(2)), nn.SyncBatchNorm)
