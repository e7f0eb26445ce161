"""Every loss beside PyTorch's, in every reduction; and the formulas, extremes, warnings and errors."""

import numpy as np
import pytest
from scipy.special import expit, xlogy

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn

RNG = np.random.default_rng(0)
X, Y, Z = RNG.normal(size=(3, 4, 5))
P, Q = expit(X), expit(Y)
SIGNS = np.where(Z[:, 0] > 0, 1.0, -1.0)
V = np.array([0.5, 1.0, 2.0, 0.1, 3.0])


def tensors(library, value):
    """Arrays as tensors of a library, also inside of options."""
    if isinstance(value, np.ndarray):
        return library.from_numpy(value.copy())
    return value


CASES = [
    ("MSELoss", {}, (X, Y)),
    ("L1Loss", {}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0.5}, (X, Y)),
    ("SmoothL1Loss", {"beta": 0}, (X, Y)),
    ("HuberLoss", {"delta": 0.5}, (X, Y)),
    ("BCELoss", {}, (P, Q)),
    ("BCELoss", {"weight": V}, (P, Q)),
    ("BCEWithLogitsLoss", {}, (X, Q)),
    ("BCEWithLogitsLoss", {"weight": V, "pos_weight": V[::-1].copy()}, (X, Q)),
    ("KLDivLoss", {}, (X, Q)),
    ("KLDivLoss", {"log_target": True}, (X, Y)),
    ("GaussianNLLLoss", {"full": True}, (X, Y, P)),
    ("GaussianNLLLoss", {"eps": 0.5}, (X, Y, P[:, :1])),
    ("GaussianNLLLoss", {}, (X, Y, P[:, 0])),
    ("PoissonNLLLoss", {}, (X, np.abs(Y))),
    ("PoissonNLLLoss", {"log_input": False, "full": True}, (P, np.abs(3 * Y) + 0.1)),
    ("CosineEmbeddingLoss", {"margin": -0.3}, (X, Y, SIGNS)),
    ("HingeEmbeddingLoss", {"margin": 0.7}, (X, np.where(Y > 0, 1.0, -1.0))),
    ("MarginRankingLoss", {"margin": 0.3}, (X[:, 0], Y[:, 0], SIGNS)),
    ("SoftMarginLoss", {}, (X, np.where(Y > 0, 1, -1))),
    ("MultiLabelSoftMarginLoss", {"weight": V}, (X, (Y > 0) * 1.0)),
    ("MultiMarginLoss", {"margin": 0.5}, (X, np.array([0, 4, 2, 2]))),
    ("MultiMarginLoss", {"p": 2, "weight": V}, (X, np.array([0, 4, 2, 2]))),
    ("TripletMarginLoss", {}, (X, Y, Z)),
    ("TripletMarginLoss", {"margin": 2.5, "p": 1.0, "swap": True}, (X, Y, Z)),
    ("TripletMarginWithDistanceLoss", {"swap": True}, (X, Y, Z)),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name, options, inputs", CASES)
def test_as_pytorch(agrees_with_torch, name, options, inputs, reduction):
    torch = pytest.importorskip("torch")
    ours, theirs = (
        getattr(library.nn, name)(reduction=reduction, **{k: tensors(library, v) for k, v in options.items()})
        for library in (tinyconv, torch)
    )
    agrees_with_torch(ours, theirs, *inputs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["CosineSimilarity", "PairwiseDistance"])
def test_distances_as_pytorch(agrees_with_torch, name):
    torch = pytest.importorskip("torch")
    agrees_with_torch(getattr(nn, name)(), getattr(torch.nn, name)(), X, Y)
    agrees_with_torch(getattr(nn, name)(), getattr(torch.nn, name)(), X, np.zeros((4, 5)))
    more = {"CosineSimilarity": {"dim": -1, "eps": 3.0}, "PairwiseDistance": {"p": 3.0, "keepdim": True}}[name]
    agrees_with_torch(getattr(nn, name)(**more), getattr(torch.nn, name)(**more), X, Y)


def test_the_formulas():
    x, y, p, q = map(tinyconv.from_numpy, (X, Y, P, Q))
    d = np.abs(X - Y)
    for found, expected in (
        (F.l1_loss(x, y), d.mean()),
        (F.smooth_l1_loss(x, y, beta=0.5), np.where(d < 0.5, d * d, d - 0.25).mean()),
        (F.huber_loss(x, y, delta=0.5), np.where(d < 0.5, d * d / 2, 0.5 * d - 0.125).mean()),
        (F.binary_cross_entropy(p, q), -(Q * np.log(P) + (1 - Q) * np.log(1 - P)).mean()),
        (F.binary_cross_entropy_with_logits(x, q), -(Q * np.log(P) + (1 - Q) * np.log(1 - P)).mean()),
        (F.kl_div(x, q, reduction="batchmean"), (xlogy(Q, Q) - Q * X).sum() / 4),
        (F.gaussian_nll_loss(x, y, p), ((np.log(P) + d**2 / P) / 2).mean()),
        (F.poisson_nll_loss(x, q), (np.exp(X) - Q * X).mean()),
        (F.normalize(x, dim=1)[2], X[2] / np.sqrt((X[2] ** 2).sum())),
        (F.cosine_similarity(x, y)[1], X[1] @ Y[1] / np.sqrt((X[1] @ X[1]) * (Y[1] @ Y[1]))),
        (F.pairwise_distance(x, y)[1], np.sqrt(((X[1] - Y[1] + 1e-6) ** 2).sum())),
        (F.soft_margin_loss(x, y.sign()), np.log1p(np.exp(-np.sign(Y) * X)).mean()),
        (F.margin_ranking_loss(x, y, y.sign(), 0.2), np.maximum(0, 0.2 - np.sign(Y) * (X - Y)).mean()),
    ):
        np.testing.assert_allclose(found.numpy(), expected)


def test_extreme_scores_stay_finite():
    x = tinyconv.tensor([-1000.0, 0.0, 1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tinyconv.tensor([1.0, 1.0, 0.0]), reduction="none")
    assert loss.tolist() == [1000.0, pytest.approx(np.log(2)), 1000.0]
    loss.sum().backward()
    assert x.grad.tolist() == [-1.0, -0.5, 1.0]
    assert F.soft_margin_loss(tinyconv.tensor([-1000.0]), tinyconv.tensor([1.0])).item() == 1000.0
    p = tinyconv.tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(p, tinyconv.tensor([1.0, 0.0, 0.0, 1.0]), reduction="none")
    assert loss.tolist() == [100.0, 100.0, 0.0, 0.0]
    loss.sum().backward()
    assert p.grad.isfinite().all()
    zero = tinyconv.zeros(2, 3, requires_grad=True)
    (F.normalize(zero).sum() + F.cosine_similarity(zero, zero).sum() + F.pairwise_distance(zero, zero).sum()).backward()
    assert zero.grad.isfinite().all()
    assert F.kl_div(tinyconv.zeros(2), tinyconv.tensor([0.0, 1.0]), reduction="sum").item() == 0


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"])
def test_a_target_that_is_repeated_is_warned_of(name):
    x, y = tinyconv.zeros(4, 1), tinyconv.zeros(4)
    with pytest.warns(
        UserWarning, match=r"Using a target size \(tinyconv.Size\(\[4\]\)\) that is different to the input size"
    ):
        assert getattr(nn, name)(reduction="none")(x, y).shape == (4, 4)


def test_the_old_form_of_the_reduction():
    x, y = tinyconv.from_numpy(X), tinyconv.from_numpy(Y)
    for flags, reduction in (
        ((False, None), "sum"),
        ((None, False), "none"),
        ((True, True), "mean"),
        ((None, True), "mean"),
    ):
        with pytest.warns(UserWarning, match=f"will be deprecated, please use reduction='{reduction}' instead"):
            loss = nn.MSELoss(*flags)
        assert loss.reduction == reduction
        with pytest.warns(UserWarning, match=f"reduction='{reduction}'"):
            assert F.l1_loss(x, y, *flags).tolist() == F.l1_loss(x, y, reduction=reduction).tolist()
    with pytest.warns(UserWarning, match="will be deprecated"):
        assert nn.CrossEntropyLoss(size_average=False).reduction == "sum"


def test_weights_of_errors():
    x, y, w = map(tinyconv.from_numpy, (X, Y, P))
    np.testing.assert_allclose(F.mse_loss(x, y, weight=w).item(), (P * (X - Y) ** 2).sum() / P.sum())
    np.testing.assert_allclose(F.l1_loss(x, y, weight=w, reduction="sum").item(), (P * np.abs(X - Y)).sum())
    huber = np.where(np.abs(X - Y) < 1, (X - Y) ** 2 / 2, np.abs(X - Y) - 0.5)
    np.testing.assert_allclose(F.huber_loss(x, y, weight=w).item(), (P * huber).mean())
    with pytest.raises(ValueError, match="Weights and input must have the same size"):
        F.mse_loss(x, y, weight=w[0])


def test_what_is_ignored_does_not_count_whatever_it_is():
    x = tinyconv.tensor([[0.0, 1.0], [float("nan"), 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, tinyconv.tensor([1, -100]), label_smoothing=0.2)
    expected = F.cross_entropy(x[:1], tinyconv.tensor([1]), label_smoothing=0.2)
    assert loss.item() == expected.item()
    scores = tinyconv.tensor([[float("nan"), 1.0, 2.0]], requires_grad=True)
    F.multi_margin_loss(scores, tinyconv.tensor([2]), p=2, margin=1.5).backward()
    np.testing.assert_allclose(scores.grad.numpy(), [[0.0, 1 / 3, -1 / 3]], rtol=1e-6)


def test_bools_are_numbers_in_a_difference():
    x, y = tinyconv.tensor([0.5, 2.0]), tinyconv.tensor([True, False])
    assert F.mse_loss(x, y).item() == F.mse_loss(y, x).item() == pytest.approx((0.25 + 4) / 2)
    with pytest.raises(RuntimeError, match="bools cannot be subtracted"):
        F.l1_loss(x, y)
    with pytest.raises(RuntimeError, match="huber_loss: input must be floating point"):
        F.huber_loss(y, x)


def test_one_sample_and_empty_batches():
    x = tinyconv.from_numpy(X)
    assert F.cosine_embedding_loss(x[0], x[1], tinyconv.tensor(1.0)).shape == ()
    assert F.triplet_margin_loss(x[0], x[1], x[2]).shape == ()
    assert F.multi_margin_loss(x[0], tinyconv.tensor(2), reduction="none").shape == ()
    assert nn.MSELoss(reduction="sum")(x[:0], x[:0]).item() == 0 and np.isnan(nn.MSELoss()(x[:0], x[:0]).item())


def test_whose_type_a_loss_has():
    wide, narrow = tinyconv.rand(2, 3, dtype=tinyconv.float64), tinyconv.rand(2, 3)
    assert F.binary_cross_entropy_with_logits(wide, narrow).dtype is tinyconv.float32
    assert F.binary_cross_entropy_with_logits(narrow, wide).dtype is tinyconv.float64
    assert F.huber_loss(wide, narrow).dtype is tinyconv.float64
    assert F.huber_loss(narrow, wide).dtype is tinyconv.float32
    assert F.binary_cross_entropy(narrow, narrow, weight=wide).dtype is tinyconv.float32
    assert F.cross_entropy(narrow, narrow, weight=wide[0]).dtype is tinyconv.float64
    assert F.l1_loss(tinyconv.tensor([1, 5]), tinyconv.tensor([4, 4]), reduction="none").tolist() == [3, 1]


def test_errors():
    x, y = tinyconv.from_numpy(X), tinyconv.from_numpy(Y)
    for call, error, message in (
        (lambda: F.l1_loss(x, y, reduction="average"), ValueError, "l1_loss: reduction must be .*, got 'average'"),
        (lambda: nn.BCELoss(reduction="batchmean"), ValueError, "BCELoss: reduction must be"),
        (lambda: F.mse_loss(x.long(), y.long()), RuntimeError, "mse_loss: expected floating point, got tinyconv.int64"),
        (lambda: F.mse_loss(x, y[:3]), RuntimeError, r"mse_loss: shapes \(4, 5\) and \(3, 5\) cannot be broadcast"),
        (
            lambda: F.huber_loss(x, y, delta=0),
            RuntimeError,
            "huber_loss does not support non-positive values for delta",
        ),
        (lambda: F.smooth_l1_loss(x, y, beta=-1), RuntimeError, "does not support negative values for beta, got -1"),
        (lambda: F.binary_cross_entropy(x, y), RuntimeError, "all elements of input should be between 0 and 1"),
        (
            lambda: F.binary_cross_entropy(x[:2], y),
            ValueError,
            "binary_cross_entropy: target must have the shape of input",
        ),
        (
            lambda: F.binary_cross_entropy(x, y.float()),
            RuntimeError,
            "input is tinyconv.float64, target is tinyconv.float32",
        ),
        (
            lambda: F.binary_cross_entropy(x.abs().clamp(0, 1), y * 9),
            RuntimeError,
            "all elements of target should be between 0 and 1",
        ),
        (
            lambda: F.cross_entropy(x, tinyconv.tensor([0, 1, 2, 3]), ignore_index="one"),
            TypeError,
            "cross_entropy: ignore_index must be an int, got 'one'",
        ),
        (lambda: F.nll_loss(x, tinyconv.tensor([0])), ValueError, "has 4 samples, but target .* is for 1"),
        (lambda: F.binary_cross_entropy_with_logits(x, y[0]), ValueError, "target must have the shape of input"),
        (lambda: F.gaussian_nll_loss(x, y, -y.abs()), ValueError, "var has negative entries"),
        (lambda: F.gaussian_nll_loss(x, y, y[:, :2].abs()), ValueError, r"var is of incorrect size \(4, 2\)"),
        (lambda: F.cosine_embedding_loss(x, y, y), RuntimeError, r"expected inputs \(N, D\) with target \(N,\)"),
        (lambda: F.margin_ranking_loss(x, y, y[0]), RuntimeError, "should have the same number of dimensions"),
        (lambda: F.triplet_margin_loss(x, y, y, margin=0), ValueError, "margin must be greater than 0, got 0"),
        (lambda: nn.TripletMarginLoss(0), ValueError, "expected margin to be greater than 0, got 0"),
        (lambda: F.triplet_margin_loss(x, y, y[0]), RuntimeError, "must have the same number of dimensions"),
        (lambda: F.multi_margin_loss(x, tinyconv.tensor([0, 1, 2, 3]), 3), ValueError, "only p == 1 and p == 2"),
        (lambda: nn.MultiMarginLoss(3), ValueError, "only p == 1 and p == 2 supported"),
        (lambda: F.multi_margin_loss(x, tinyconv.tensor([0, 1])), RuntimeError, "inconsistent target"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_kl_div_warns_of_its_mean():
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        F.kl_div(tinyconv.zeros(2, 3), tinyconv.ones(2, 3))
