"""DataLoader: batches, both paths alike, PyTorch's errors, epochs that resume."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyconv
from tinyconv import Tensor
from tinyconv.tensor import wrap
from tinyconv.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
)


def seeded(seed):
    return tinyconv.Generator().manual_seed(seed)


def numbers(n):
    return TensorDataset(wrap(np.arange(n, dtype=np.float32)), wrap(np.arange(n)))


class Slow(Dataset):
    """The samples of numbers(n), without ``batch``; it notes what was read."""

    def __init__(self, n):
        self.data = numbers(n)
        self.read = []

    def __getitem__(self, index):
        assert type(index) is int
        self.read.append(index)
        return self.data[index]

    def __len__(self):
        return len(self.data)


class Fast(Slow):
    def batch(self, indices):
        assert indices.dtype == np.int64
        self.read.extend(indices.tolist())
        return self.data.batch(indices)

    def __getitem__(self, index):
        raise AssertionError("the fast path reads no single sample")


class Stream(IterableDataset):
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.n


def labels(batches):
    return [y.tolist() for _, y in batches]


@settings(deadline=None)
@given(
    n=st.integers(1, 20), batch_size=st.integers(1, 6), shuffle=st.booleans(), drop_last=st.booleans(),
    skip=st.integers(0, 8),
)  # fmt: skip
def test_both_paths_agree_and_skip_is_the_tail(n, batch_size, shuffle, drop_last, skip):
    runs = []
    for make in (Fast, Slow):
        options = {"batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
        dataset = make(n)
        whole = labels(DataLoader(dataset, **options, generator=seeded(4)))
        order = [i for batch in whole for i in batch]
        assert dataset.read == order
        assert len(DataLoader(dataset, **options)) == len(whole)
        assert len(order) == (n - n % batch_size if drop_last else n)
        if not shuffle:
            assert order == list(range(len(order)))

        dataset.read.clear()
        assert labels(DataLoader(dataset, **options, generator=seeded(4)).epoch(skip)) == whole[skip:]
        assert dataset.read == order[skip * batch_size :]
        runs.append(whole)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("dataset", [numbers(3), Slow(3), Subset(Fast(3), [0, 1, 2])])
def test_a_batch_is_a_list_of_tensors(dataset):
    (batch,) = DataLoader(dataset, batch_size=3)
    assert type(batch) is list
    assert [type(field) for field in batch] == [Tensor, Tensor]
    assert batch[0].array.dtype == np.float32
    assert batch[1].array.dtype == np.int64


def test_shuffle_is_new_each_epoch_and_the_same_by_seed():
    loader = DataLoader(numbers(50), batch_size=8, shuffle=True, generator=seeded(0))
    first, second = labels(loader), labels(loader)
    assert first != second
    loader.generator.manual_seed(0)
    assert (labels(loader), labels(loader)) == (first, second)


def test_shuffle_by_default_draws_from_the_default_generator():
    loader = DataLoader(numbers(50), batch_size=8, shuffle=True)
    tinyconv.manual_seed(1)
    first = labels(loader)
    tinyconv.manual_seed(1)
    assert labels(loader) == first


def test_resume_in_mid_epoch_with_one_generator_for_order_and_augmentation():
    class Augmented(Fast):
        def batch(self, indices):
            return tinyconv.randint(0, 1000, (len(indices),)), *super().batch(indices)

    def run(batches):
        return [(noise.tolist(), y.tolist()) for noise, _, y in batches]

    loader = DataLoader(Augmented(20), batch_size=3, shuffle=True)
    generator = tinyconv.default_generator
    tinyconv.manual_seed(7)
    run(loader)
    start = generator.get_state()
    whole = run(loader)

    generator.set_state(start)
    batches = loader.epoch()
    done = run(next(batches) for _ in range(3))
    now = generator.get_state()

    tinyconv.manual_seed(12345)
    generator.set_state(start)
    rest = loader.epoch(skip=3)
    generator.set_state(now)
    assert done + run(rest) == whole


def test_skip_must_not_be_negative():
    with pytest.raises(ValueError, match="skip must be non-negative, got -1"):
        DataLoader(numbers(3)).epoch(-1)


def test_own_collate_fn_gets_samples():
    seen = []
    loader = DataLoader(numbers(4), batch_size=2, collate_fn=lambda samples: seen.append(samples) or len(samples))
    assert list(loader) == [2, 2]
    assert [y.item() for _, y in seen[0]] == [0, 1]


def test_own_collate_fn_may_be_default_collate():
    assert labels(DataLoader(Fast(3), batch_size=2, collate_fn=default_collate)) == [[0, 1], [2]]


def test_getitems():
    class Many(Slow):
        def __getitems__(self, indices):
            return [self.data[i] for i in indices]

        def __getitem__(self, index):
            raise AssertionError

    assert labels(DataLoader(Many(3), batch_size=2)) == [[0, 1], [2]]


def test_samplers():
    assert labels(DataLoader(numbers(9), batch_size=2, sampler=[5, 3, 8])) == [[5, 3], [8]]
    loader = DataLoader(numbers(9), batch_sampler=[[1, 2, 3], [4]])
    assert labels(loader) == [[1, 2, 3], [4]]
    assert (len(loader), loader.batch_size, loader.drop_last) == (2, None, False)
    assert labels(DataLoader(numbers(9), batch_sampler=BatchSampler(range(3), 2, True))) == [[0, 1]]


@pytest.mark.parametrize("dataset", [numbers(3), Slow(3)])
def test_without_batching(dataset):
    loader = DataLoader(dataset, batch_size=None, sampler=[2, 0, 1])
    assert [y.item() for _, y in loader] == [2, 0, 1]
    assert [y.item() for _, y in loader.epoch(skip=2)] == [1]
    assert len(loader) == 3
    assert isinstance(next(iter(DataLoader([np.zeros(2)], batch_size=None))), Tensor)


def test_stream():
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2, drop_last=True)] == [[0, 1], [2, 3]]
    assert [b.tolist() for b in DataLoader(Stream(5), batch_size=2).epoch(skip=1)] == [[2, 3], [4]]
    assert list(DataLoader(Stream(3), batch_size=None).epoch(skip=1)) == [1, 2]
    assert [
        len(DataLoader(Stream(5), batch_size=2)),
        len(DataLoader(Stream(5), batch_size=2, drop_last=True)),
        len(DataLoader(Stream(5), batch_size=None)),
    ] == [3, 2, 5]


def test_the_old_way_to_ask_for_a_batch():
    batches = iter(DataLoader(numbers(3)))
    with pytest.raises(AttributeError, match=r"write next\(dataiter\), not dataiter.next\(\)"):
        batches.next()
    assert next(batches)[1].tolist() == [0]


def test_an_error_names_the_sample():
    class Broken(Slow):
        def __getitem__(self, index):
            return self.data[index] if index != 5 else {}["missing"]

    with pytest.raises(KeyError, match="missing") as caught:
        list(DataLoader(Broken(9), batch_size=4))
    assert caught.value.__notes__ == ["(raised by sample 5 of the Broken)"]


@pytest.mark.parametrize("options, match", [
    ({"batch_size": 0}, "batch_size=0"),
    ({"batch_size": -2}, "batch_size=-2"),
    ({"batch_size": 2.0}, "batch_size=2.0"),
    ({"num_workers": -1}, "num_workers=-1"),
    ({"timeout": -1}, "timeout=-1"),
    ({"prefetch_factor": 2}, "prefetch_factor"),
    ({"prefetch_factor": -1, "num_workers": 1}, "prefetch_factor=-1"),
    ({"persistent_workers": True}, "persistent_workers"),
    ({"multiprocessing_context": "fork"}, "num_workers > 0, but got num_workers=0"),
    ({"multiprocessing_context": "thread", "num_workers": 1}, "valid start method in .*'thread'"),
    ({"shuffle": True, "sampler": [0]}, "sampler option is mutually exclusive with shuffle"),
    ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
    ({"batch_sampler": [[0]], "shuffle": True}, "batch_sampler option is mutually exclusive"),
    ({"batch_sampler": [[0]], "sampler": [0]}, "batch_sampler option is mutually exclusive"),
    ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler option is mutually exclusive"),
    ({"batch_size": None, "drop_last": True}, "mutually exclusive with drop_last"),
])  # fmt: skip
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        DataLoader(numbers(3), **options)


@pytest.mark.parametrize("dataset", [3, None, {1, 2}, iter([1, 2])])
def test_what_is_no_data_set(dataset):
    with pytest.raises(TypeError, match=f"dataset must have __getitem__ .* got {type(dataset).__name__}"):
        DataLoader(dataset)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}])
def test_a_stream_has_no_order(options):
    with pytest.raises(ValueError, match=f"unspecified {next(iter(options))} option"):
        DataLoader(Stream(3), **options)


def test_empty_dataset():
    assert list(DataLoader(numbers(0), batch_size=4)) == []
    with pytest.raises(ValueError, match="num_samples=0"):
        DataLoader(numbers(0), shuffle=True)
