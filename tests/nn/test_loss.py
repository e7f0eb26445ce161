import numpy as np
import pytest
from scipy.special import log_softmax

import tinyconv
from tinyconv import nn

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(5, 4))
TARGET = np.array([0, 3, 1, 1, 2])
WEIGHT = np.array([0.5, 1.0, 2.0, 0.1])


def test_cross_entropy_is_the_nll_of_the_log_softmax():
    x, t, w = tinyconv.from_numpy(SCORES), tinyconv.from_numpy(TARGET), tinyconv.from_numpy(WEIGHT)
    logp = log_softmax(SCORES, 1)
    each = -logp[np.arange(5), TARGET]
    np.testing.assert_allclose(nn.CrossEntropyLoss()(x, t).item(), each.mean())
    scale = WEIGHT[TARGET]
    want = (each * scale).sum() / scale.sum()
    np.testing.assert_allclose(nn.CrossEntropyLoss(w)(x, t).item(), want)
    np.testing.assert_allclose(nn.NLLLoss(w)(tinyconv.from_numpy(logp), t).item(), want)
    np.testing.assert_allclose(nn.NLLLoss(reduction="sum")(tinyconv.from_numpy(logp), t).item(), each.sum())
    ignoring = nn.CrossEntropyLoss(ignore_index=1, reduction="none")(x, t)
    np.testing.assert_allclose(ignoring.numpy(), each * (TARGET != 1))
    smooth = nn.CrossEntropyLoss(label_smoothing=0.2)(x, t).item()
    np.testing.assert_allclose(smooth, (0.8 * each - 0.2 * logp.mean(1)).mean())


def test_reductions_are_checked():
    for loss in (nn.NLLLoss, nn.CrossEntropyLoss):
        with pytest.raises(ValueError, match="reduction must be .*, got 'average'"):
            loss(reduction="average")


def test_the_weight_moves_with_the_module():
    loss = nn.CrossEntropyLoss(tinyconv.ones(3))
    assert loss.double().weight.dtype is tinyconv.float64
    assert list(loss.state_dict()) == ["weight"] and list(nn.NLLLoss().state_dict()) == []


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "name, kwargs",
    [
        ("NLLLoss", {"ignore_index": 1}),
        ("NLLLoss", {}),
        ("CrossEntropyLoss", {"ignore_index": 3}),
        ("CrossEntropyLoss", {"label_smoothing": 0.1}),
    ],
)
@pytest.mark.parametrize("extra", [(), (3, 2)])
def test_classification_as_pytorch(agrees_with_torch, reduction, weighted, name, kwargs, extra):
    torch = pytest.importorskip("torch")
    scores, target = RNG.normal(size=(5, 4, *extra)), RNG.integers(0, 4, (5, *extra))
    ours = getattr(nn, name)(tinyconv.from_numpy(WEIGHT) if weighted else None, reduction=reduction, **kwargs)
    theirs = getattr(torch.nn, name)(torch.from_numpy(WEIGHT) if weighted else None, reduction=reduction, **kwargs)
    agrees_with_torch(ours, theirs, scores, target)
