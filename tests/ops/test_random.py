"""Random tensors: distributions, the books that the generator keeps, dropout."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import tinyconv
import tinyconv.nn.functional as F
from tinyconv import Generator


def test_distributions():
    u, g = tinyconv.rand(100_000), tinyconv.randn(100_000, dtype=tinyconv.float64)
    assert 0 <= u.min().item() < 1e-3
    assert 1 - 1e-3 < u.max().item() < 1
    assert u.mean().item() == pytest.approx(0.5, abs=0.01)
    assert g.mean().item() == pytest.approx(0, abs=0.02)
    assert g.array.std() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(g.array[::2], g.array[1::2])[0, 1]) < 0.02
    n = tinyconv.randint(-2, 3, (10_000,))
    assert sorted(set(n.tolist())) == [-2, -1, 0, 1, 2]
    assert np.bincount(n.array + 2).min() > 1800


def test_randperm():
    p = tinyconv.randperm(1000)
    assert sorted(p.tolist()) == list(range(1000))
    assert p.tolist() != list(range(1000))
    assert p.dtype is tinyconv.int64
    assert tinyconv.randperm(0).shape == (0,)
    assert tinyconv.randperm(3, dtype=tinyconv.int32).dtype is tinyconv.int32


DRAWS = {
    "rand": lambda g: tinyconv.rand(5, generator=g),
    "rand float64": lambda g: tinyconv.rand(2, 3, dtype=tinyconv.float64, generator=g),
    "randn": lambda g: tinyconv.randn((5,), generator=g),
    "randint": lambda g: tinyconv.randint(1000, (5,), generator=g),
    "randperm": lambda g: tinyconv.randperm(50, generator=g),
    "normal": lambda g: tinyconv.normal(1.0, 2.0, (5,), generator=g),
    "uniform_": lambda g: tinyconv.zeros(5).uniform_(-1, 1, generator=g),
    "normal_": lambda g: tinyconv.zeros(5).normal_(1, 2, generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_repeats_and_draws_do_not(draw):
    generator = Generator().manual_seed(7)
    first, second = draw(generator), draw(generator)
    assert first.tolist() != second.tolist()
    assert draw(Generator().manual_seed(7)).tolist() == first.tolist()
    assert draw(Generator().manual_seed(8)).tolist() != first.tolist()
    tinyconv.manual_seed(7)
    assert draw(None).tolist() == first.tolist()


COUNTERS = dict(zip(DRAWS, (2, 3, 2, 3, 25, 2, 2, 2), strict=True))  # four words each; 64-bit elements take two words


@pytest.mark.parametrize("name", DRAWS)
def test_no_two_draws_overlap(name):
    """Each draw moves the offset by as many counters as it used: the next one starts with fresh words."""
    generator = Generator().manual_seed(1)
    DRAWS[name](generator)
    after = generator.state
    assert after == (1, COUNTERS[name])
    following = tinyconv.rand(64, generator=generator).tolist()
    stream = tinyconv.rand(4096, generator=Generator().manual_seed(1)).tolist()
    start = stream.index(following[0])
    assert stream[start : start + 64] == following
    assert start == 4 * after[1]


def test_like():
    x = tinyconv.zeros(2, 3, dtype=tinyconv.float64)
    for y in (tinyconv.rand_like(x), tinyconv.randn_like(x)):
        assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert tinyconv.rand_like(tinyconv.zeros(2), dtype=tinyconv.float64).dtype is tinyconv.float64
    mean = tinyconv.tensor([0.0, 1000.0])
    assert abs(tinyconv.normal(mean, 1.0)[1].item() - 1000) < 10
    assert tinyconv.normal(0.0, tinyconv.tensor([1.0, 2.0])).shape == (2,)


def test_refilling():
    x = tinyconv.zeros(1000)
    assert x.uniform_(2, 3) is x
    assert 2 <= x.min().item() < x.max().item() < 3
    x.normal_(5, 0.1)
    assert x.mean().item() == pytest.approx(5, abs=0.02)
    view = tinyconv.zeros(4, 4)
    view[:, 1].uniform_(1, 2)
    assert (view.array[:, 1] >= 1).all()
    assert view.array[:, 0].sum() == 0


def test_requires_grad():
    assert tinyconv.rand(2, requires_grad=True).is_leaf
    with pytest.raises(RuntimeError, match="normal_: a leaf tensor that requires grad"):
        tinyconv.rand(2, requires_grad=True).normal_()


def test_dropout():
    x = tinyconv.ones(10_000)
    y = F.dropout(x, 0.25)
    assert set(y.tolist()) == {0.0, float(np.float32(4 / 3))}
    assert (y == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert F.dropout(x, 0.25).tolist() != y.tolist()
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert F.dropout(x, 1.0).sum().item() == 0


def test_the_gradient_of_dropout_has_the_same_zeros():
    x = tinyconv.randn(100, requires_grad=True)
    y = F.dropout(x, 0.5)
    tinyconv.rand(10)  # the mask is drawn again from its own place in the stream
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.array, np.where(y.array == 0, 0, 2))


def test_dropout_in_place():
    x = tinyconv.ones(100)
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(x.tolist()) == {0.0, 2.0}


def test_errors():
    with pytest.raises(ValueError, match=r"dropout: p must be a probability in \[0, 1\], got 1.5"):
        F.dropout(tinyconv.ones(2), 1.5)
    with pytest.raises(RuntimeError, match=r"randint: expected low < high, got \[3, 3\)"):
        tinyconv.randint(3, 3, (2,))
    with pytest.raises(RuntimeError, match="randperm: n must not be negative, got -1"):
        tinyconv.randperm(-1)
    with pytest.raises(RuntimeError, match="rand: dtype must be float32 or float64, got tinyconv.int64"):
        tinyconv.rand(2, dtype=tinyconv.int64)
    with pytest.raises(RuntimeError, match=r"sizes must not be negative, got \(-1,\)"):
        tinyconv.rand(-1)
    with pytest.raises(RuntimeError, match=r"uniform_: expected a <= b, got \[1, 0\)"):
        tinyconv.zeros(2).uniform_(1, 0)
    with pytest.raises(RuntimeError, match="normal_: std must not be negative, got -1"):
        tinyconv.zeros(2).normal_(0, -1)


def test_bernoulli():
    p = tinyconv.rand(2, 50_000, dtype=tinyconv.float64)
    p[0], p[1] = 0.3, 0.9
    x = tinyconv.bernoulli(p)
    assert x.dtype is tinyconv.float64
    np.testing.assert_allclose(x.mean(1).array, [0.3, 0.9], atol=0.01)
    assert set(x.unique().tolist()) == {0, 1}
    assert tinyconv.zeros(50_000, dtype=tinyconv.int64).bernoulli_(0.25).float().mean().item() == pytest.approx(
        0.25, abs=0.01
    )
    assert tinyconv.ones(3).bernoulli_(tinyconv.tensor([0.0, 1.0, 0.0])).tolist() == [0, 1, 0]
    with pytest.raises(RuntimeError, match=r"probabilities must be in \[0, 1\]"):
        tinyconv.bernoulli(tinyconv.tensor([0.5, float("nan")]))


def test_multinomial():
    weights = tinyconv.tensor([[1.0, 0.0, 3.0], [2.0, 2.0, 0.0]])
    drawn = tinyconv.multinomial(weights, 40_000, replacement=True)
    assert drawn.dtype is tinyconv.int64
    shares = [row.bincount(minlength=3).double().array / 40_000 for row in drawn]
    np.testing.assert_allclose(shares, [[0.25, 0, 0.75], [0.5, 0.5, 0]], atol=0.01)
    once = tinyconv.multinomial(weights.repeat(10_000, 1), 2)
    assert (once.sort(1).values.reshape(-1, 2, 2) == tinyconv.tensor([[0, 2], [0, 1]])).all()  # no place twice
    first = once[::2, 0]
    assert (first == 2).float().mean().item() == pytest.approx(0.75, abs=0.02)
    first = tinyconv.multinomial(tinyconv.tensor([1.0, 2.0, 5.0]).repeat(40_000, 1), 2)[:, 0]
    np.testing.assert_allclose(first.bincount().double().array / 40_000, [1 / 8, 2 / 8, 5 / 8], atol=0.01)
    for match, arguments in (
        ("cannot draw 4 of 3 places without replacement", (weights, 4)),
        ("too few places of a row have a weight to draw 3", (weights, 3)),
        ("finite and not negative", (-weights, 1)),
        ("input must be 1-D or 2-D", (weights[None], 1)),
    ):
        with pytest.raises(RuntimeError, match=match):
            tinyconv.multinomial(*arguments)


def test_filled_in_place():
    x = tinyconv.empty(100_000).exponential_(2.0)
    assert x.min().item() >= 0
    assert x.mean().item() == pytest.approx(0.5, abs=0.01)
    assert sorted(tinyconv.empty(1000).random_(3, 6).unique().tolist()) == [3, 4, 5]
    assert tinyconv.empty(1000, dtype=tinyconv.uint8).random_().max().item() > 200
    with pytest.raises(RuntimeError, match="lambd must be positive"):
        x.exponential_(0)


def test_filled_with_other_distributions():
    tinyconv.manual_seed(3)
    x = tinyconv.empty(5000, dtype=tinyconv.float64)
    assert stats.kstest(x.cauchy_(1.0, 2.0).numpy(), stats.cauchy(1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(x.log_normal_(0.5, 0.25).numpy(), stats.lognorm(0.25, scale=math.exp(0.5)).cdf).pvalue > 1e-3
    drawn = tinyconv.empty(20_000, dtype=tinyconv.int64).geometric_(0.3)
    assert drawn.min() == 1
    found = np.bincount(drawn.numpy(), minlength=8)[1:8] / 20_000
    np.testing.assert_allclose(found, stats.geom(0.3).pmf(np.arange(1, 8)), atol=0.015)
    for call in (lambda: x.cauchy_(sigma=0), lambda: x.log_normal_(std=-1), lambda: x.geometric_(1.0)):
        with pytest.raises(RuntimeError, match="must be"):
            call()


def counted(drawn, theirs):
    """The p-value of a chi-squared test of counts, over those that are expected at least 10 times."""
    values, found = np.unique(drawn.numpy(), return_counts=True)
    k = np.arange(0, int(values.max()) + 2)
    expected = theirs.pmf(k) * drawn.numel()
    observed = np.zeros(len(k))
    observed[values.astype(int)] = found
    often = expected >= 10
    observed = np.append(observed[often], drawn.numel() - observed[often].sum())
    expected = np.append(expected[often], drawn.numel() - expected[often].sum())
    return stats.chisquare(observed[expected > 0], expected[expected > 0]).pvalue


@pytest.mark.parametrize("rate", [0.1, 3.0, 9.99, 10.0, 30.0, 1000.0])
def test_poisson(rate):
    tinyconv.manual_seed(6)
    assert counted(tinyconv.poisson(tinyconv.full((20_000,), rate)), stats.poisson(rate)) > 1e-3


@pytest.mark.parametrize("n, p", [(1, 0.5), (7, 0.3), (15, 0.9), (40, 0.5), (100, 0.8), (1000, 0.005), (3000, 0.3)])
def test_binomial(n, p):
    tinyconv.manual_seed(6)
    count = tinyconv.full((20_000,), float(n), dtype=tinyconv.float64)
    assert counted(tinyconv.binomial(count, tinyconv.full_like(count, p)), stats.binom(n, p)) > 1e-3


def test_counts_of_several_rates_and_at_the_ends():
    x = tinyconv.poisson(tinyconv.tensor([[0.0, 5.0, 1e6]]).expand(2000, 3))
    assert x.dtype is tinyconv.float32 and bool((x[:, 0] == 0).all())
    np.testing.assert_allclose(x.mean(0), [0, 5, 1e6], rtol=0.03)
    n, p = tinyconv.tensor([0.0, 50.0, 50.0]), tinyconv.tensor([0.5, 0.0, 1.0])
    assert tinyconv.binomial(n, p).tolist() == [0, 0, 50]
    assert tinyconv.binomial(n.half(), p.half()).dtype is tinyconv.float16
    assert tinyconv.poisson(tinyconv.empty(0)).shape == (0,)
    for call in (
        lambda: tinyconv.poisson(-n),
        lambda: tinyconv.poisson(n * math.inf),
        lambda: tinyconv.binomial(n, 2 * p),
        lambda: tinyconv.binomial(n / 0, p),
        lambda: tinyconv.binomial(n, p.double()),
        lambda: tinyconv.poisson(tinyconv.ones(2, dtype=tinyconv.int64)),
    ):
        with pytest.raises(RuntimeError, match="poisson|binomial"):
            call()


def test_normal_of_tensors():
    mean = tinyconv.tensor([[0.0], [100.0]], requires_grad=True)
    x = tinyconv.normal(mean.expand(2, 10_000), tinyconv.tensor(2.0))
    assert not x.requires_grad
    np.testing.assert_allclose(x.mean(1).array, [0, 100], atol=0.1)
    np.testing.assert_allclose(x.std(1).array, [2, 2], atol=0.1)
    with pytest.raises(RuntimeError, match="std must not be negative"):
        tinyconv.normal(0.0, tinyconv.tensor([1.0, -1.0]))
    with pytest.raises(TypeError, match="expected a size, or a tensor"):
        tinyconv.normal(0.0, 1.0)


@pytest.mark.parametrize("draw", [
    lambda g: tinyconv.bernoulli(tinyconv.full((9,), 0.5), generator=g),
    lambda g: tinyconv.multinomial(tinyconv.ones(50), 9, generator=g),
    lambda g: tinyconv.zeros(9).exponential_(generator=g),
    lambda g: tinyconv.zeros(9).random_(1000, generator=g),
    lambda g: tinyconv.zeros(9).cauchy_(generator=g),
    lambda g: tinyconv.zeros(9).log_normal_(generator=g),
    lambda g: tinyconv.zeros(9).geometric_(0.1, generator=g),
    lambda g: tinyconv.poisson(tinyconv.full((9,), 50.0), generator=g),
    lambda g: tinyconv.binomial(tinyconv.full((9,), 50.0), tinyconv.full((9,), 0.4), generator=g),
])  # fmt: skip
def test_one_seed_one_stream(draw):
    first, again, other = (draw(Generator().manual_seed(seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
