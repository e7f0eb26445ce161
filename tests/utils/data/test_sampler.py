"""Samplers: the right indices, the documented errors, an order that depends on the generator at iter() alone."""

from collections import Counter

import numpy as np
import pytest

import tinyconv
from tinyconv.utils.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)


def seeded(seed):
    return tinyconv.Generator().manual_seed(seed)


def test_sequential():
    sampler = SequentialSampler("abcd")
    assert list(sampler) == [0, 1, 2, 3]
    assert len(sampler) == 4


def test_random_is_a_permutation_by_seed():
    a, b = (list(RandomSampler(range(100), generator=seeded(3))) for _ in range(2))
    assert a == b
    assert a != list(range(100))
    assert sorted(a) == list(range(100))
    assert all(type(i) is int for i in a)


def test_random_takes_a_new_order_each_epoch():
    sampler = RandomSampler(range(100), generator=seeded(3))
    assert list(sampler) != list(sampler)


def test_random_draws_from_the_default_generator():
    tinyconv.manual_seed(5)
    a = list(RandomSampler(range(50)))
    tinyconv.manual_seed(5)
    assert a == list(RandomSampler(range(50)))


@pytest.mark.parametrize("n, num_samples", [(5, 12), (5, 5), (5, 3)])
def test_random_num_samples_without_replacement(n, num_samples):
    sampler = RandomSampler(range(n), num_samples=num_samples, generator=seeded(0))
    indices = list(sampler)
    assert len(indices) == len(sampler) == num_samples
    counts = Counter(indices)
    assert set(counts) <= set(range(n))
    assert max(counts.values()) == -(-num_samples // n)
    assert min(counts[i] for i in range(n)) >= num_samples // n


def test_random_with_replacement():
    indices = list(RandomSampler(range(4), replacement=True, num_samples=4000, generator=seeded(0)))
    assert len(indices) == 4000
    np.testing.assert_allclose(np.bincount(indices, minlength=4) / 4000, 0.25, atol=0.04)


@pytest.mark.parametrize("sampler", [
    lambda g: RandomSampler(range(9), generator=g),
    lambda g: RandomSampler(range(9), replacement=True, generator=g),
    lambda g: SubsetRandomSampler(range(9), generator=g),
    lambda g: WeightedRandomSampler([1.0] * 9, 9, generator=g),
    lambda g: BatchSampler(RandomSampler(range(9), generator=g), 2, False),
])  # fmt: skip
def test_order_is_drawn_at_iter(sampler):
    generator = seeded(1)
    expected = list(sampler(seeded(1)))
    indices = iter(sampler(generator))
    generator.manual_seed(99)
    assert list(indices) == expected


def test_subset_random():
    sampler = SubsetRandomSampler([7, 3, 11], generator=seeded(0))
    assert sorted(sampler) == [3, 7, 11]
    assert len(sampler) == 3


def test_weighted_with_replacement_follows_the_weights():
    weights = [0.0, 1.0, 3.0, 0.0, 4.0, 0.0]
    sampler = WeightedRandomSampler(weights, 8000, generator=seeded(0))
    indices = list(sampler)
    assert len(sampler) == len(indices) == 8000
    np.testing.assert_allclose(np.bincount(indices, minlength=6) / 8000, np.array(weights) / 8, atol=0.03)
    assert set(indices) == {1, 2, 4}


def test_weighted_without_replacement_follows_the_weights():
    # P(first = i) = w_i / sum w; P(1 then 0) = 3/4 * 1, P(first two = {0, 1}) = 1 with weights (1, 3, 0).
    firsts = Counter()
    generator = seeded(0)
    for _ in range(2000):
        drawn = list(WeightedRandomSampler([1.0, 3.0, 0.0], 2, replacement=False, generator=generator))
        assert sorted(drawn) == [0, 1]
        firsts[drawn[0]] += 1
    assert abs(firsts[1] / 2000 - 0.75) < 0.05


def test_batches():
    assert list(BatchSampler(range(7), 3, False)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(BatchSampler(range(7), 3, True)) == [[0, 1, 2], [3, 4, 5]]
    assert len(BatchSampler(range(7), 3, False)) == 3
    assert len(BatchSampler(range(7), 3, True)) == 2
    assert len(BatchSampler(range(6), 3, False)) == len(BatchSampler(range(6), 3, True)) == 2
    assert list(BatchSampler([], 3, False)) == []


@pytest.mark.parametrize("make, error, match", [
    (lambda: BatchSampler(range(3), 0, False), ValueError, "batch_size=0"),
    (lambda: BatchSampler(range(3), -1, False), ValueError, "batch_size=-1"),
    (lambda: BatchSampler(range(3), True, False), ValueError, "batch_size=True"),
    (lambda: BatchSampler(range(3), 2.0, False), ValueError, "batch_size=2.0"),
    (lambda: BatchSampler(range(3), 2, 1), ValueError, "drop_last=1"),
    (lambda: RandomSampler(range(3), replacement=1), TypeError, "replacement=1"),
    (lambda: RandomSampler(range(3), num_samples=0), ValueError, "num_samples=0"),
    (lambda: RandomSampler([]), ValueError, "num_samples=0"),
    (lambda: WeightedRandomSampler([1.0], 0), ValueError, "num_samples=0"),
    (lambda: WeightedRandomSampler([1.0], 1, replacement=1), ValueError, "replacement=1"),
    (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, r"shape \(1, 1\)"),
    (lambda: WeightedRandomSampler([0.0, 0.0], 1), ValueError, "not all zero"),
    (lambda: WeightedRandomSampler([1.0, -1.0], 1), ValueError, "non-negative"),
    (lambda: WeightedRandomSampler([1.0, float("nan")], 1), ValueError, "finite"),
    (lambda: WeightedRandomSampler([1.0, 0.0], 2, replacement=False), ValueError, "1 positive weights"),
])  # fmt: skip
def test_bad_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_base_class_is_abstract():
    with pytest.raises(NotImplementedError):
        iter(Sampler())
