"""Data sets: samples, whole batches, cutting and joining."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv
from tinyconv.tensor import wrap
from tinyconv.utils.data import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)
from tinyconv.utils.data.dataset import has_batch


def pairs(n, start=0):
    x = np.arange(start, start + n)
    return TensorDataset(wrap(np.stack([x, -x], 1).astype(np.float32)), wrap(x))


class Squares(Dataset):
    """Map-style, without batch."""

    def __getitem__(self, index):
        return index * index

    def __len__(self):
        return 10


def assert_batch_is_collated_samples(dataset, indices):
    batch = dataset.batch(np.array(indices, np.int64))
    expected = default_collate([dataset[int(i)] for i in indices])
    assert len(batch) == len(expected)
    for got, want in zip(batch, expected, strict=True):
        assert got.array.dtype == want.array.dtype
        np.testing.assert_array_equal(got.array, want.array)


def test_tensor_dataset():
    dataset = pairs(5)
    assert len(dataset) == 5
    x, y = dataset[3]
    assert x.tolist() == [3, -3]
    assert y.item() == 3
    assert_batch_is_collated_samples(dataset, [4, 0, 0, 2])


@pytest.mark.parametrize("shapes", [[(2,), (3,)], [()], []])
def test_tensor_dataset_wants_one_length(shapes):
    with pytest.raises(AssertionError, match="first axes"):
        TensorDataset(*(wrap(np.zeros(shape)) for shape in shapes))


@pytest.mark.parametrize("as_type", [list, tuple, np.array, lambda i: wrap(np.array(i))])
def test_subset(as_type):
    subset = Subset(pairs(9), as_type([8, 1, 5]))
    assert len(subset) == 3
    assert subset[0][1].item() == 8
    assert_batch_is_collated_samples(subset, [2, 0, 1, 1])


def test_subset_follows_its_indices():
    subset = Subset(pairs(9), [8, 1, 5])
    subset.indices[0] = 2
    assert subset.batch(np.array([0]))[1].tolist() == [2]


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=4).filter(sum), st.data())
def test_concat(sizes, data):
    dataset = ConcatDataset([pairs(n, start=10 * i) for i, n in enumerate(sizes)])
    expected = [10 * i + k for i, n in enumerate(sizes) for k in range(n)]
    assert [dataset[i][1].item() for i in range(len(dataset))] == expected
    assert [dataset[i - len(dataset)][1].item() for i in range(len(dataset))] == expected
    indices = data.draw(st.lists(st.integers(0, len(dataset) - 1), min_size=1))
    assert_batch_is_collated_samples(dataset, indices)


def test_concat_by_plus_and_by_iteration():
    assert [y.item() for _, y in pairs(2) + pairs(1, start=7)] == [0, 1, 7]


def test_concat_errors():
    with pytest.raises(AssertionError, match="empty"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="IterableDataset"):
        ConcatDataset([IterableDataset()])
    for index in (3, -4):
        with pytest.raises(IndexError, match=f"index {index} is out of range for 3 samples"):
            pairs(1).__add__(pairs(2))[index]


def test_has_batch_looks_through_wrappers():
    assert has_batch(Subset(pairs(3) + pairs(2), [0]))
    assert not has_batch(Squares())
    assert not has_batch(Subset(Squares(), [0]))
    assert not has_batch(pairs(3) + Subset(Squares(), [0]))
    assert not has_batch([1, 2])


def test_has_batch_respects_an_overridden_getitem():
    class WithIndex(TensorDataset):
        def __getitem__(self, index):
            return index, *super().__getitem__(index)

    class Both(WithIndex):
        def batch(self, indices):
            return wrap(indices), *super().batch(indices)

    x = wrap(np.zeros(3))
    assert not has_batch(WithIndex(x))
    assert has_batch(Both(x))


def test_random_split_by_lengths():
    parts = random_split(range(10), [3, 7], generator=tinyconv.Generator().manual_seed(0))
    again = random_split(range(10), [3, 7], generator=tinyconv.Generator().manual_seed(0))
    other = random_split(range(10), [3, 7], generator=tinyconv.Generator().manual_seed(1))
    assert [len(part) for part in parts] == [3, 7]
    assert sorted(parts[0].indices + parts[1].indices) == list(range(10))
    assert [part.indices for part in parts] == [part.indices for part in again]
    assert [part.indices for part in parts] != [part.indices for part in other]


def test_random_split_by_fractions():
    assert [len(part) for part in random_split(range(11), [0.5, 0.25, 0.25])] == [6, 3, 2]
    with pytest.warns(UserWarning, match="index 1 is 0"):
        assert [len(part) for part in random_split(range(1), [0.5, 0.5])] == [1, 0]


@pytest.mark.parametrize("lengths", [[3, 3], [0.5, 0.4], [2.5, 7.5], [11, -1], []])
def test_random_split_errors(lengths):
    with pytest.raises(ValueError, match="do not add up"):
        random_split(range(10), lengths)


def test_random_split_wants_fractions_in_range():
    with pytest.raises(ValueError, match="index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])


def test_abstract_methods():
    with pytest.raises(NotImplementedError):
        Dataset()[0]
    with pytest.raises(NotImplementedError):
        iter(IterableDataset())
