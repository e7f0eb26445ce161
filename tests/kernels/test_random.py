"""Random numbers: the published test vectors, the layout of the stream, and the distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.compare import assert_same
from tests.strategies import DTYPES, FLOATS, arrays, float_dtypes, shapes
from tinyconv.kernels.reference import random as reference

# Random123's kat_vectors, philox4x32 with 10 rounds: counter, key, result.
KNOWN_ANSWERS = (
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
)

words_64 = st.integers(0, 2**64 - 1)
offsets = st.one_of(st.integers(0, 100), words_64)


def integers(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def word(seed: int, offset: int, i: int) -> int:
    """Word ``i`` of the stream by the contract, in Python's integers."""
    counter = (offset + i // 4) % 2**64
    c, k = [counter % 2**32, counter >> 32, 0, 0], [seed % 2**32, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [q >> 32 ^ c[1] ^ k[0], q % 2**32, p >> 32 ^ c[3] ^ k[1], p % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c[i % 4]


def bits(seed: int, offset: int, i: int) -> int:
    return word(seed, offset, 2 * i) << 32 | word(seed, offset, 2 * i + 1)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN_ANSWERS)
def test_known_answers_of_the_reference(counter, key, expected):
    four = reference.philox([np.array([c], np.uint64) for c in integers(counter)], integers(key))
    assert [int(w[0]) for w in four] == integers(expected)


def test_the_words_of_a_stream_are_the_known_answers():
    assert [word(0, 0, i) for i in range(4)] == integers(KNOWN_ANSWERS[0][2])


# -------------------------------------------------------------------------------------------------- the stream's layout


@given(shapes(), words_64, offsets)
def test_uniform_float32_is_the_upper_24_bits_of_each_word(kernels, shape, seed, offset):
    expected = np.array([word(seed, offset, i) >> 8 for i in range(math.prod(shape))]) * 2.0**-24
    u = kernels.uniform(shape, 0.0, 1.0, np.dtype("float32"), seed, offset)
    assert_same(u, expected.astype(np.float32).reshape(shape))


@given(shapes(), words_64, offsets)
def test_uniform_float64_is_the_upper_53_bits_of_two_words(kernels, shape, seed, offset):
    expected = np.array([bits(seed, offset, i) >> 11 for i in range(math.prod(shape))]) * 2.0**-53
    u = kernels.uniform(shape, 0.0, 1.0, np.dtype("float64"), seed, offset)
    assert_same(u, expected.reshape(shape))


@given(shapes(max_dims=2), st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**63 - 1), words_64, offsets)
def test_randint_is_64_bits_modulo_the_width(kernels, shape, low, width, seed, offset):
    high = min(low + width, 2**63 - 1)
    low = min(low, high - 1)
    n = math.prod(shape)
    expected = np.array([low + bits(seed, offset, i) % (high - low) for i in range(n)], np.int64).reshape(shape)
    assert_same(kernels.randint(shape, low, high, np.dtype("int64"), seed, offset), expected)


@pytest.mark.parametrize("dtype", DTYPES[2:5], ids=str)
def test_randint_of_other_dtypes(kernels, dtype):
    x = kernels.randint((1000,), 3, 10, dtype, 5, 0)
    assert_same(x, kernels.randint((1000,), 3, 10, np.dtype("int64"), 5, 0).astype(dtype))
    assert sorted(set(x.tolist())) == list(range(3, 10))


@given(st.integers(0, 200), words_64, offsets)
def test_randperm_orders_by_64_bits(kernels, n, seed, offset):
    expected = sorted(range(n), key=lambda i: (bits(seed, offset, i), i))
    assert_same(kernels.randperm(n, seed, offset), np.array(expected, np.int64))


@given(st.data(), float_dtypes, st.integers(0, 50), words_64, offsets)
def test_normal_is_box_muller_on_pairs_of_uniforms(kernels, data, dtype, n, seed, offset):
    mean, std = data.draw(st.sampled_from([(0.0, 1.0), (-3.0, 0.5)]))
    pairs = kernels.uniform(((n + 1) // 2, 2), 0.0, 1.0, dtype, seed, offset).astype(np.float64)
    radius, angle = np.sqrt(-2 * np.log(1 - pairs[:, 0])), 2 * np.pi * pairs[:, 1]
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()[:n]
    z = kernels.normal((n,), mean, std, dtype, seed, offset)
    assert z.dtype == dtype
    np.testing.assert_allclose(z, mean + std * expected, atol=64 * np.finfo(dtype).eps)


DRAWS = {
    "uniform": lambda kernels, n, offset: kernels.uniform((n,), 0.0, 1.0, FLOATS[0], 7, offset),
    "uniform float64": lambda kernels, n, offset: kernels.uniform((n,), 0.0, 1.0, FLOATS[1], 7, offset),
    "normal": lambda kernels, n, offset: kernels.normal((n,), 0.0, 1.0, FLOATS[0], 7, offset),
    "normal float64": lambda kernels, n, offset: kernels.normal((n,), 0.0, 1.0, FLOATS[1], 7, offset),
    "randint": lambda kernels, n, offset: kernels.randint((n,), 0, 1000, DTYPES[2], 7, offset),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 1021, 70_001])
def test_a_draw_of_n_elements_uses_up_the_promised_counters(kernels, name, n):
    """So two draws one after the other are one long draw, cut where the first counter is unused."""
    draw, words_each = DRAWS[name], 1 if name in ("uniform", "normal") else 2
    counters = -(-n * words_each // 4)
    first, second = draw(kernels, n, 0), draw(kernels, n, counters)
    both = draw(kernels, counters * 4 // words_each + n, 0)
    assert_same(first, both[:n])
    assert_same(second, both[-n:])


# -------------------------------------------------------------------------------------------------------- distributions


@given(
    float_dtypes, st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (1.0, 2.0), (0.0, 1e-3), (-5.0, 1e3), (1.0, 1.0 + 2**-20)])
)
def test_uniform_stays_below_high(kernels, dtype, bounds):
    low, high = bounds
    u = kernels.uniform((10_000,), low, high, dtype, 3, 0)
    assert u.min() >= dtype.type(low)
    assert u.max() < dtype.type(high)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_distributions(kernels, dtype):
    """Kolmogorov-Smirnov on one fixed stream: not a matter of luck."""
    u = kernels.uniform((20_000,), -2.0, 3.0, dtype, 1, 0)
    assert scipy.stats.kstest(u, scipy.stats.uniform(-2, 5).cdf).pvalue > 0.01
    z = kernels.normal((20_000,), 2.0, 3.0, dtype, 1, 0)
    assert scipy.stats.kstest(z, scipy.stats.norm(2, 3).cdf).pvalue > 0.01
    assert np.isfinite(z).all()


@given(st.sampled_from([(-2.0, 3.0), (0.1, 0.7), (1.0, 2.0)]), float_dtypes, words_64)
def test_uniform_is_stretched_in_its_own_type(kernels, bounds, dtype, seed):
    """(high - low) * u rounded, plus low, rounded: the bits are the same on every backend."""
    low, high = map(dtype.type, bounds)
    u = kernels.uniform((997,), 0.0, 1.0, dtype, seed, 0)
    expected = low + (high - low) * u
    assert_same(kernels.uniform((997,), *bounds, dtype, seed, 0), np.where(expected < high, expected, low))


# -------------------------------------------------------------------------------------------------------------- dropout


def number(seed: int, offset: int, e: int) -> float:
    """The random number of element ``e`` by the contract."""
    upper, lower = (word(seed, start, e // 2) >> 16 * (e % 2) & 0xFFFF for start in (offset, offset + 2**63))
    return (upper << 16 | lower) * 2.0**-32


@given(arrays(special=True), st.sampled_from([0.0, 1e-9, 0.1, 0.5, 0.9]), words_64, offsets)
def test_dropout_keeps_where_the_number_is_at_least_p(kernels, x, p, seed, offset):
    y = kernels.dropout(x, p, seed, offset)
    u = np.array([number(seed, offset, e) for e in range(x.size)]).reshape(x.shape)
    with np.errstate(all="ignore"):
        expected = np.where(u >= p, x.astype(np.float64) / (1 - p), 0)
        expected = np.where(np.abs(expected) <= np.finfo(x.dtype).max, expected, expected.astype(x.dtype))
    np.testing.assert_allclose(y, expected, rtol=4 * np.finfo(x.dtype).eps)


@pytest.mark.parametrize("n", [64, 9231])
def test_dropout_compares_with_p_itself(kernels, n):
    """With all of its bits: an element's number is kept, and just below p it is dropped. The lower half decides, of
    this element alone."""
    x, e = np.arange(1, n + 1, dtype=np.float32), n // 2 + 5
    u = number(3, 2, e)
    assert 0 < u % 2**-16 < 2**-16 - 2**-32
    kept, dropped, as_before = (kernels.dropout(x, p, 3, 2) for p in (u, u + 2.0**-40, u - 2.0**-40))
    assert kept[e] > 0 and dropped[e] == 0
    assert_same(np.delete(kept, e) > 0, np.delete(dropped, e) > 0)
    assert_same(kept, as_before)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("offset", [0, 2**32 - 700, 5 * 2**32 - 1500, 2**64 - 1100, 2**63])
def test_dropout_of_more_than_a_work_item(kernels, dtype, offset):
    """Some of the counters pass a multiple of 2**32, where the upper half of a counter changes."""
    x = np.arange(1, 18463, dtype=dtype)
    upper, lower = (reference.halves(x.size, 7, start) for start in (offset, offset + 2**63))
    kept = (upper << 16 | lower) * 2.0**-32 >= 0.3
    np.testing.assert_array_equal(kernels.dropout(x, 0.3, 7, offset), np.where(kept, x * dtype.type(1 / 0.7), 0))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout_of_everything(kernels, dtype):
    x = np.array([1, np.nan, np.inf, -2], dtype)
    assert_same(kernels.dropout(x, 1.0, 0, 0), np.zeros(4, dtype))
