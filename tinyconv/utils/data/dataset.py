"""Data sets: what sample ``i`` is, and the ways to cut and join them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from ...caller import warn
from ...ops.random import randperm
from ...random import Generator
from ...tensor import Tensor, wrap

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """A map from indices to samples: a subclass defines ``__getitem__(index)`` and ``__len__()``.

    **Whole batches.** A data set that lies in memory may also define::

        def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]

    which takes B indices (int64, in [0, len)) and returns what ``default_collate`` would make of those samples: one
    Tensor with leading axis B for each field. :class:`~tinyconv.utils.data.DataLoader` then calls it instead of B times
    ``__getitem__``. A subclass that overrides ``__getitem__`` alone is taken at its word: an inherited ``batch`` no
    longer counts.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """A stream of samples: a subclass defines ``__iter__``. No index, no shuffling."""

    def __add__(self, other: Dataset[Any]) -> Any:
        return ChainDataset([self, other])

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample ``i`` is ``(tensors[0][i], tensors[1][i], ...)``.

    Raises:
        AssertionError: the tensors' first axes differ, or there are none.
    """

    def __init__(self, *tensors: Tensor) -> None:
        lengths = [tensor.shape[0] if tensor.shape else None for tensor in tensors]
        if not tensors or None in lengths or len(set(lengths)) > 1:
            shapes = [tuple(tensor.shape) for tensor in tensors]
            raise AssertionError(
                f"TensorDataset: expected tensors with first axes of one length, got the shapes {shapes}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def batch(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples at ``indices``, stacked; see :class:`Dataset`."""
        return tuple(tensor[indices] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class StackDataset(Dataset[Any]):
    """Sample ``i`` is sample ``i`` of each data set: as a tuple of ``StackDataset(images, texts)``, as a dict of
    ``StackDataset(image=images, text=texts)``.

    Raises:
        ValueError: none, some of both kinds, or data sets of different lengths.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError(
                "StackDataset: expected data sets, either all by position (samples are tuples) or all by name (dicts)"
            )
        self.datasets: Any = args or kwargs
        lengths = [len(dataset) for dataset in (args or kwargs.values())]
        if len(set(lengths)) > 1:
            raise ValueError(f"StackDataset: Size mismatch between datasets, got the lengths {lengths}")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __len__(self) -> int:
        return self._length


class Subset(Dataset[T_co]):
    """Sample ``i`` is ``dataset[indices[i]]``."""

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices.tolist() if isinstance(indices, Tensor) else indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def batch(self, indices: np.ndarray) -> Any:
        """The samples at ``indices``, stacked, if ``dataset`` has ``batch``; see :class:`Dataset`."""
        # np.asarray(self.indices) would convert them all for each batch; `map` over a bound method takes 3 us for 64.
        return self.dataset.batch(np.array(list(map(self.indices.__getitem__, indices.tolist())), np.int64))  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[T_co]):
    """The samples of several data sets, one after another.

    Raises:
        AssertionError: there are none, or one is an :class:`IterableDataset`.
    """

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(dataset) for dataset in self.datasets))  # type: ignore[arg-type]

    def __getitem__(self, index: int) -> T_co:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset: index {index} is out of range for {len(self)} samples")
        index %= len(self)
        part = int(np.searchsorted(self.cumulative_sizes, index, side="right"))
        return self.datasets[part][index - self._start(part)]

    def batch(self, indices: np.ndarray) -> Any:
        """The samples at ``indices``, stacked, if all ``datasets`` have ``batch``; see :class:`Dataset`."""
        parts = np.searchsorted(self.cumulative_sizes, indices, side="right")
        order = np.argsort(parts, kind="stable")  # the samples of one part side by side, each part read once
        fields = []
        for part in np.unique(parts):
            fields.append(self.datasets[part].batch(indices[order[parts[order] == part]] - self._start(part)))
        position = np.argsort(order)
        return tuple(wrap(np.concatenate([x.numpy() for x in xs])[position]) for xs in zip(*fields, strict=True))

    def _start(self, part: int) -> int:
        return self.cumulative_sizes[part - 1] if part else 0

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class ChainDataset(IterableDataset[T_co]):
    """The samples of several streams, one stream after another."""

    def __init__(self, datasets: Iterable[Dataset[T_co]]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[T_co]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset")
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self.datasets)  # type: ignore[arg-type, misc]


def has_batch(dataset: Any) -> bool:
    """Whether ``dataset.batch`` speaks for its samples: it is defined no farther up the class hierarchy than
    ``__getitem__``, and the same holds for the data sets it forwards to."""
    for cls in type(dataset).__mro__:
        if "batch" in vars(cls):
            break
        if "__getitem__" in vars(cls):
            return False
    else:
        return False
    if isinstance(dataset, Subset):
        return has_batch(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        return all(has_batch(part) for part in dataset.datasets)
    return True


def fetch_samples(dataset: Any, indices: Sequence[int] | np.ndarray) -> list[Any]:
    """The samples at ``indices`` in a list, by PyTorch's ``__getitems__`` where the data set has it."""
    indices = indices.tolist() if isinstance(indices, np.ndarray) else list(indices)
    if hasattr(dataset, "__getitems__"):
        return dataset.__getitems__(indices)
    return [fetch_sample(dataset, i) for i in indices]


def fetch_sample(dataset: Any, index: Any) -> Any:
    """``dataset[index]``; an error says which sample it was."""
    try:
        return dataset[index]
    except BaseException as error:
        error.add_note(f"(raised by sample {index!r} of the {type(dataset).__name__})")
        raise


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[T_co]]:
    """Cut a data set at random into pieces that do not overlap.

    Args:
        dataset: what to cut.
        lengths: the pieces' lengths; or fractions that add up to 1, rounded down, what is left over going one each to
            the first pieces.
        generator: by default ``tinyconv.default_generator``.

    Raises:
        ValueError: the lengths do not add up to ``len(dataset)``, or a fraction lies outside [0, 1].
    """
    n = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1")
        sizes = [math.floor(n * fraction) for fraction in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warn(f"Length of split at index {i} is 0. This might result in an empty dataset.")
    else:
        sizes = [int(length) for length in lengths]
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ValueError(f"random_split: lengths {list(lengths)} do not add up to the dataset's length {n}")
    order = iter(randperm(n, generator=generator).tolist())
    return [Subset(dataset, list(itertools.islice(order, size))) for size in sizes]
