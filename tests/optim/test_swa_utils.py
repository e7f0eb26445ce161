"""Averages of weights, their statistics and their learning rate, by formulas and beside PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import tinyconv
from tinyconv import nn, optim
from tinyconv.optim import swa_utils


def steps(model, averaged, count=4):
    """The weights that the averages were given, one after the other."""
    seen = []
    for k in range(count):
        with tinyconv.no_grad():
            for p in model.parameters():
                p.copy_(tinyconv.full_like(p, float(k * k + 1)))
        averaged.update_parameters(model)
        seen.append(k * k + 1.0)
    return seen


@pytest.mark.parametrize(
    "options, expected",
    [
        ({}, np.mean([1, 2, 5, 10])),
        ({"avg_fn": swa_utils.get_swa_avg_fn()}, np.mean([1, 2, 5, 10])),
        ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, np.mean([1, 2, 5, 10])),
        ({"avg_fn": swa_utils.get_ema_avg_fn(0.9)}, 1 * 0.9**3 + 0.1 * (2 * 0.81 + 5 * 0.9 + 10)),
        ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.9)}, 1 * 0.9**3 + 0.1 * (2 * 0.81 + 5 * 0.9 + 10)),
        ({"avg_fn": lambda average, weight, n: average + weight * n}, 1 + 2 * 1 + 5 * 2 + 10 * 3),
    ],
)
def test_averages(options, expected):
    model = nn.Linear(2, 2)
    averaged = swa_utils.AveragedModel(model, **options)
    steps(model, averaged)
    np.testing.assert_allclose(averaged.module.weight.detach(), np.full((2, 2), expected), rtol=1e-6)
    assert averaged.n_averaged == 4 and averaged.n_averaged.dtype is tinyconv.int64
    assert list(averaged.state_dict()) == ["n_averaged", "module.weight", "module.bias"]
    x = tinyconv.ones(1, 2)
    assert averaged(x)[0, 0].item() == pytest.approx(3 * expected) and averaged.module is not model


@pytest.mark.parametrize("use_buffers", [False, True])
def test_buffers_are_copied_or_averaged(use_buffers):
    model = nn.BatchNorm1d(1)
    averaged = swa_utils.AveragedModel(model, use_buffers=use_buffers)
    for value in (2.0, 4.0):
        model.running_mean.fill_(value)
        averaged.update_parameters(model)
    assert averaged.module.running_mean.item() == (3 if use_buffers else 4)


def test_statistics_anew():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, momentum=0.3), nn.Dropout(0.5)).eval()
    model[1].running_mean.fill_(100)
    batches = [tinyconv.randn(4, 2) for _ in range(3)]
    swa_utils.update_bn([(x, None) for x in batches], model)
    outs = [model[0](x).detach().numpy() for x in batches]
    np.testing.assert_allclose(model[1].running_mean, np.mean([y.mean(0) for y in outs], 0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model[1].running_var, np.mean([y.var(0, ddof=1) for y in outs], 0), rtol=1e-5)
    assert model[1].momentum == 0.3 and not model.training and model[1].num_batches_tracked == 3
    plain = nn.Linear(2, 2)
    swa_utils.update_bn([3], plain)  # nothing to do: it is not even called


@pytest.mark.parametrize("options", [
    {"swa_lr": 0.05}, {"swa_lr": 0.05, "anneal_strategy": "linear", "anneal_epochs": 4},
    {"swa_lr": [0.05, 0.5], "anneal_epochs": 3}, {"swa_lr": 0.05, "anneal_epochs": 0},
    {"swa_lr": 0.05, "anneal_epochs": 1, "anneal_strategy": "linear"},
])  # fmt: skip
def test_rates_as_in_pytorch(options):
    torch = pytest.importorskip("torch")
    theirs_of = pytest.importorskip("torch.optim.swa_utils")
    runs = []
    for library, found in ((tinyconv, swa_utils), (torch, theirs_of)):
        ps = [library.ones(1, requires_grad=True) for _ in range(2)]
        optimizer = library.optim.SGD([{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.2}], lr=0.1)
        decay = library.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        scheduler = found.SWALR(optimizer, **options)
        rates = []
        for k in range(12):
            optimizer.step()
            (decay if k < 3 else scheduler).step()
            rates.append([group["lr"] for group in optimizer.param_groups])
        runs.append(rates)
    np.testing.assert_allclose(*runs, rtol=1e-9)


def test_averages_as_in_pytorch():
    torch = pytest.importorskip("torch")
    theirs_of = pytest.importorskip("torch.optim.swa_utils")
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(3, 2)).astype("float32") for _ in range(5)]
    for get, arguments in (("get_ema_multi_avg_fn", (0.95,)), ("get_swa_avg_fn", ()), (None, ())):
        ends = []
        for library, found in ((tinyconv, swa_utils), (torch, theirs_of)):
            model = library.nn.Linear(2, 3, bias=False)
            option = (
                {} if get is None else {"multi_avg_fn" if "multi" in get else "avg_fn": getattr(found, get)(*arguments)}
            )
            averaged = found.AveragedModel(model, **option)
            for w in weights:
                with library.no_grad():
                    model.weight.copy_(library.from_numpy(w.copy()))
                averaged.update_parameters(model)
            ends.append(averaged.module.weight.detach().numpy())
        np.testing.assert_allclose(*ends, rtol=1e-6)


def test_misuse():
    model, optimizer = nn.Linear(1, 1), optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    with pytest.raises(AssertionError, match="Only one of"):
        swa_utils.AveragedModel(model, avg_fn=swa_utils.get_swa_avg_fn(), multi_avg_fn=lambda a, b, n: None)
    for call, message in (
        (lambda: swa_utils.get_ema_avg_fn(1.5), "Invalid decay"),
        (lambda: swa_utils.SWALR(optimizer, 0.1, anneal_strategy="exp"), "anneal_strategy"),
        (lambda: swa_utils.SWALR(optimizer, 0.1, anneal_epochs=-1), "anneal_epochs"),
        (lambda: swa_utils.SWALR(optimizer, [0.1, 0.2]), "one rate a group"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    assert copy.deepcopy(swa_utils.AveragedModel(model)).n_averaged == 0
