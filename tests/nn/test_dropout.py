import numpy as np
import pytest

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import nn


def test_training_drops_and_scales():
    tinyconv.manual_seed(0)
    y = nn.Dropout(0.25)(tinyconv.ones(100, 100)).numpy()
    kept = y != 0
    np.testing.assert_allclose(y[kept], 1 / 0.75, rtol=1e-6)
    assert abs(kept.mean() - 0.75) < 0.02


def test_evaluation_changes_nothing():
    x = tinyconv.randn(10)
    assert nn.Dropout(0.9).eval()(x).tolist() == x.tolist()


def test_inplace_writes_into_the_input():
    x = tinyconv.ones(1000)
    y = nn.Dropout(0.5, inplace=True)(x)
    assert y.array is x.array and 0.0 in x.tolist()


def test_probability():
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
            nn.Dropout(p)
    assert nn.Dropout(1)(tinyconv.ones(3)).tolist() == [0, 0, 0]
    assert repr(nn.Dropout(0.5)) == "Dropout(p=0.5, inplace=False)"


@pytest.mark.parametrize(
    "name, shape",
    [
        ("Dropout1d", (40, 30, 5)),
        ("Dropout1d", (900, 4)),
        ("Dropout2d", (40, 30, 2, 3)),
        ("Dropout3d", (40, 30, 2, 2, 2)),
        ("Dropout3d", (900, 3, 2, 2)),
    ],
)
@pytest.mark.parametrize("inplace", [False, True])
def test_channels_are_dropped_whole(name, shape, inplace):
    tinyconv.manual_seed(0)
    x = tinyconv.ones(shape)
    y = getattr(nn, name)(0.25, inplace)(x)
    rows = y.reshape(-1, int(np.prod(shape[2 if shape[0] == 40 else 1 :]))).numpy()
    assert (rows == rows[:, :1]).all() and set(np.unique(rows).tolist()) == {0.0, float(np.float32(1 / 0.75))}
    assert abs((rows[:, 0] == 0).mean() - 0.25) < 0.05
    assert (y is x) == inplace
    assert getattr(nn, name)(0.25).eval()(x) is x


def test_three_axes_of_dropout2d_are_sequences_not_one_image():
    tinyconv.manual_seed(0)
    with pytest.warns(UserWarning, match=r"dropout2d: expected input \(N, C, H, W\), \(40, 30, 5\) is taken for"):
        y = F.dropout2d(tinyconv.ones(40, 30, 5), 0.25)
    dropped = (y == 0).numpy()
    assert (dropped == dropped[..., :1]).all() and abs(dropped.mean() - 0.25) < 0.05


def test_other_ranks_of_dropout3d_are_one_volume():
    tinyconv.manual_seed(0)
    with pytest.warns(UserWarning, match=r"dropout3d: .* \(900, 5\) is taken for \(C, ...\)"):
        y = F.dropout3d(tinyconv.ones(900, 5), 0.25)
    dropped = (y == 0).numpy()
    assert (dropped == dropped[:, :1]).all() and abs(dropped.mean() - 0.25) < 0.05
    with pytest.warns(match="dropout3d"), pytest.raises(RuntimeError, match=r"dropout3d: .* got shape \(\)"):
        F.dropout3d(tinyconv.ones(()), 0.25)


def test_dropped_channels_get_no_gradient():
    x = tinyconv.ones(4, 8, 3, requires_grad=True)
    y = nn.Dropout1d()(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


@pytest.mark.parametrize("name", ["AlphaDropout", "FeatureAlphaDropout"])
def test_alpha_dropout_keeps_mean_and_variance(name):
    tinyconv.manual_seed(0)
    x = tinyconv.randn(200, 500)
    y = getattr(nn, name)(0.2)(x).numpy()
    assert abs(y.mean()) < 0.02 and abs(y.std() - 1) < 0.02
    a = 1 / np.sqrt((1.7580993408473766**2 * 0.2 + 1) * 0.8)
    values, counts = np.unique(y.round(4), return_counts=True)
    assert abs(values[counts.argmax()] + 1.7580993408473766 * a * 0.8) < 1e-3  # what is dropped
    assert getattr(nn, name)().eval()(x) is x
    assert getattr(nn, name)(1.0)(x).abs().sum().item() == 0
    z = x.clone()
    assert getattr(nn, name)(0.2, inplace=True)(z) is z


def test_arguments_of_the_functions():
    x = tinyconv.zeros(2, 3)
    for function in (F.dropout1d, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout):
        with pytest.raises(ValueError, match=rf"{function.__name__}: p must be a probability in \[0, 1\], got 2"):
            function(x, 2)
    with pytest.raises(RuntimeError, match=r"dropout1d: expected input \(N, C, L\) or \(C, L\), got shape \(3,\)"):
        F.dropout1d(x[0])
    with (
        pytest.warns(UserWarning, match=r"\(3,\) is taken for \(N, C, ...\)"),
        pytest.raises(RuntimeError, match=r"dropout2d: expected input \(N, C, ...\), got shape \(3,\)"),
    ):
        F.dropout2d(x[0])
    with pytest.raises(RuntimeError, match=r"feature_alpha_dropout: expected input \(N, C, ...\), got shape \(3,\)"):
        F.feature_alpha_dropout(x[0], training=True)
