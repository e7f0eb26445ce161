import math
import warnings

import numpy as np
import pytest
import scipy.stats

import tinyconv
from tinyconv.nn import Parameter, init


@pytest.mark.parametrize(
    "nonlinearity, param, gain",
    [
        ("linear", None, 1), ("conv2d", None, 1), ("conv_transpose2d", None, 1), ("sigmoid", None, 1),
        ("tanh", None, 5 / 3), ("relu", None, math.sqrt(2)), ("leaky_relu", None, math.sqrt(2 / 1.0001)),
        ("leaky_relu", 2, math.sqrt(0.4)), ("selu", None, 0.75),
    ],
)  # fmt: skip
def test_gain(nonlinearity, param, gain):
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(gain)


def test_gain_refuses():
    with pytest.raises(ValueError, match="Unsupported nonlinearity cosine"):
        init.calculate_gain("cosine")
    for slope in (True, "0.1"):
        with pytest.raises(ValueError, match="not a valid number"):
            init.calculate_gain("leaky_relu", slope)


def test_constants():
    x = tinyconv.empty(2, 3)
    assert init.constant_(x, 7) is x and x.tolist() == [[7.0] * 3] * 2
    assert init.ones_(x).tolist() == [[1.0] * 3] * 2
    assert init.zeros_(x).tolist() == [[0.0] * 3] * 2
    assert init.eye_(x).tolist() == [[1, 0, 0], [0, 1, 0]]
    with pytest.raises(ValueError, match="2 dimensions"):
        init.eye_(tinyconv.empty(2))


# A weight (O, C, KH, KW) with fan_in = 80 * 6 and fan_out = 120 * 6, and the distribution each function promises.
SHAPE, FAN_IN, FAN_OUT = (120, 80, 2, 3), 480, 720
UNIFORM = [
    (lambda w, **k: init.uniform_(w, -2, 2, **k), 2),
    (init.xavier_uniform_, math.sqrt(6 / (FAN_IN + FAN_OUT))),
    (lambda w, **k: init.xavier_uniform_(w, 3, **k), 3 * math.sqrt(6 / (FAN_IN + FAN_OUT))),
    (init.kaiming_uniform_, math.sqrt(6 / FAN_IN)),
    (lambda w, **k: init.kaiming_uniform_(w, math.sqrt(5), **k), math.sqrt(1 / FAN_IN)),
    (lambda w, **k: init.kaiming_uniform_(w, mode="fan_out", nonlinearity="tanh", **k), 5 / 3 * math.sqrt(3 / FAN_OUT)),
]
NORMAL = [
    (lambda w, **k: init.normal_(w, 0, 0.3, **k), 0.3),
    (init.xavier_normal_, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (lambda w, **k: init.xavier_normal_(w, 0.5, **k), 0.5 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (init.kaiming_normal_, math.sqrt(2 / FAN_IN)),
    (lambda w, **k: init.kaiming_normal_(w, mode="FAN_OUT", nonlinearity="linear", **k), math.sqrt(1 / FAN_OUT)),
]


@pytest.mark.parametrize("fill, bound", UNIFORM)
def test_uniform_distributions(fill, bound):
    w = Parameter(tinyconv.empty(SHAPE, dtype=tinyconv.float64))
    assert fill(w, generator=tinyconv.Generator().manual_seed(1)) is w and w.requires_grad and w.is_leaf
    values = w.detach().numpy().ravel()
    assert scipy.stats.kstest(values, scipy.stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.001
    assert abs(values).max() <= bound


@pytest.mark.parametrize("fill, std", NORMAL)
def test_normal_distributions(fill, std):
    w = Parameter(tinyconv.empty(SHAPE, dtype=tinyconv.float64))
    assert fill(w, generator=tinyconv.Generator().manual_seed(1)) is w
    assert scipy.stats.kstest(w.detach().numpy().ravel(), scipy.stats.norm(0, std).cdf).pvalue > 0.001


@pytest.mark.parametrize("fill", [fill for fill, _ in UNIFORM + NORMAL])
def test_the_generator_decides(fill):
    def draw(seed):
        return fill(tinyconv.empty(3, 4), generator=tinyconv.Generator().manual_seed(seed)).tolist()

    assert draw(1) == draw(1) != draw(2)
    before = tinyconv.default_generator.state
    draw(1)
    assert tinyconv.default_generator.state == before
    fill(tinyconv.empty(3, 4))
    assert tinyconv.default_generator.state != before


def test_filling_counts_as_a_change_in_place():
    w = Parameter(tinyconv.zeros(2, 2))
    for fill in (init.uniform_, init.normal_, init.ones_, init.eye_):
        before = w._version
        fill(w)
        assert w._version > before


def test_a_vector_has_no_fans():
    for fill in (init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.raises(ValueError, match="fewer than 2 dimensions"):
            fill(tinyconv.empty(3))


def test_unknown_mode():
    with pytest.raises(ValueError, match="Mode fan not supported"):
        init.kaiming_uniform_(tinyconv.empty(2, 2), mode="fan")


def test_empty_weights_are_left_alone():
    for fill in (init.kaiming_uniform_, init.kaiming_normal_):
        with pytest.warns(UserWarning, match="zero-element"):
            assert fill(tinyconv.empty(0, 3)).shape == (0, 3)


def test_bias_bound():
    bias = init.bias_uniform_(tinyconv.empty(10000), tinyconv.empty(5, 4, 3, 3)).numpy()
    assert 0.99 / 6 < abs(bias).max() <= 1 / 6
    assert not init.bias_uniform_(tinyconv.ones(3), tinyconv.empty(3, 0)).numpy().any()


def test_gains_as_pytorch():
    torch = pytest.importorskip("torch")
    for name in ("linear", "conv1d", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        for param in (None, 0.3):
            np.testing.assert_equal(init.calculate_gain(name, param), torch.nn.init.calculate_gain(name, param))


@pytest.mark.parametrize("a, b, std", [(-2.0, 2.0, 1.0), (-2.0, 2.0, 0.02), (0.5, 4.0, 1.0), (3.0, 3.5, 1.0)])
def test_trunc_normal_is_scipys(a, b, std):
    stats = pytest.importorskip("scipy.stats")
    mean = 0.25
    x = init.trunc_normal_(tinyconv.empty(20_000), mean, std, a, b, tinyconv.Generator().manual_seed(0)).numpy()
    assert x.min() >= a and x.max() <= b
    reference = stats.truncnorm((a - mean) / std, (b - mean) / std, mean, std)
    assert stats.kstest(x, reference.cdf).pvalue > 1e-3
    assert init.trunc_normal_(tinyconv.empty(3), 9.0, 0.0).tolist() == [2.0] * 3
    with pytest.raises(ValueError, match="expected a <= b"):
        init.trunc_normal_(tinyconv.empty(2), a=1, b=0)


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3), (6, 2, 3, 3), (1, 5)])
def test_orthogonal(shape):
    w = tinyconv.nn.Parameter(tinyconv.empty(shape))
    q = init.orthogonal_(w, 3.0, tinyconv.Generator().manual_seed(0)).detach().numpy().reshape(shape[0], -1) / 3
    product = q @ q.T if q.shape[0] <= q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-6)
    with pytest.raises(ValueError, match="2 or more dimensions"):
        init.orthogonal_(tinyconv.empty(2))


@pytest.mark.parametrize("shape, groups", [((3, 2, 3), 1), ((2, 3, 3, 5), 1), ((4, 2, 1, 3), 2), ((6, 3, 2, 2, 2), 3)])
def test_dirac_as_pytorch(shape, groups):
    torch = pytest.importorskip("torch")
    ours, theirs = init.dirac_(tinyconv.randn(shape), groups), torch.nn.init.dirac_(torch.randn(shape), groups)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    with pytest.raises(ValueError, match="divisible"):
        init.dirac_(tinyconv.empty(3, 1, 1), 2)
    with pytest.raises(ValueError, match="3, 4, or 5"):
        init.dirac_(tinyconv.empty(3, 1))


def test_sparse():
    w = init.sparse_(tinyconv.empty(10, 50), 0.25, 2.0, tinyconv.Generator().manual_seed(0)).numpy()
    assert ((w == 0).sum(0) == 3).all() and 1.5 < w[w != 0].std() < 2.5
    assert len({tuple(np.flatnonzero(column == 0)) for column in w.T}) > 10
    with pytest.raises(ValueError, match="2 dimensions"):
        init.sparse_(tinyconv.empty(3), 0.5)


@pytest.mark.parametrize("name", ["uniform", "normal", "xavier_uniform", "kaiming_normal", "orthogonal", "eye"])
def test_names_from_before_the_underscore(name):
    filled = []
    for function in (getattr(init, name), getattr(init, name + "_")):
        tinyconv.manual_seed(0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filled.append(function(tinyconv.zeros(3, 4)).tolist())
        assert [w.category for w in caught] == ([FutureWarning] if len(filled) == 1 else [])
    assert filled[0] == filled[1] != [[0.0] * 4] * 3
