"""Samplers: in which order an epoch takes the samples.

A sampler is an iterable of indices. Each ``iter()`` is one epoch, and a random sampler draws the whole epoch's order
there and then: the order is a function of the generator's state at that moment, whatever is drawn from it later.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Generic, TypeVar

import numpy as np

from ... import dtypes
from ...ops.random import rand, randint, randperm
from ...random import Generator
from ...tensor import Tensor

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """Base class: a subclass defines ``__iter__``, and ``__len__`` where the length is known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Each epoch a new permutation; or, with ``replacement``, independent uniform draws.

    Args:
        data_source: what to sample from; only its length matters.
        replacement: draw with replacement.
        num_samples: samples per epoch, by default ``len(data_source)``. Without replacement, more than that are several
            permutations one after another.
        generator: by default ``tinyconv.default_generator``.

    Raises:
        TypeError: ``replacement`` is not a bool.
        ValueError: ``num_samples`` is not a positive int.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        _check_num_samples(self.num_samples)

    @property
    def num_samples(self) -> int:
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        if self.replacement:
            return iter(randint(0, n, (self.num_samples,), generator=self.generator).tolist())
        permutations = [randperm(n, generator=self.generator).tolist() for _ in range(-(-self.num_samples // n))]
        return itertools.islice(itertools.chain.from_iterable(permutations), self.num_samples)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given ``indices`` in a new random order each epoch."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        return map(self.indices.__getitem__, randperm(len(self.indices), generator=self.generator).tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Index ``i`` with probability ``weights[i] / sum(weights)``.

    Without replacement, index ``i`` gets the key ``e_i / weights[i]`` with ``e_i`` standard exponential, and the
    smallest keys win: Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006.

    Args:
        weights: (n,) non-negative, not all zero; they need not add up to one.
        num_samples: samples per epoch.
        replacement: draw with replacement.
        generator: by default ``tinyconv.default_generator``.

    Raises:
        ValueError: an argument is not as above, or there are fewer positive weights than samples to draw without
            replacement.
    """

    def __init__(
        self,
        weights: Sequence[float] | np.ndarray | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_num_samples(num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        w = np.array(weights.tolist() if isinstance(weights, Tensor) else weights, np.float64)
        if w.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {w.shape}")
        if not (np.isfinite(w).all() and (w >= 0).all() and w.any()):
            raise ValueError("weights should be finite, non-negative and not all zero")
        if not replacement and np.count_nonzero(w) < num_samples:
            raise ValueError(
                f"cannot draw num_samples={num_samples} without replacement from {np.count_nonzero(w)} positive weights"
            )
        self.weights = w
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        n = self.num_samples if self.replacement else len(self.weights)
        u = rand(n, dtype=dtypes.float64, generator=self.generator).numpy()
        if self.replacement:
            cumulative = np.cumsum(self.weights)
            indices = np.searchsorted(cumulative, u * cumulative[-1], side="right")
            # u * sum may round up to the sum itself, which lies beyond the last index.
            indices = np.minimum(indices, np.flatnonzero(self.weights)[-1])
        else:
            with np.errstate(divide="ignore"):
                keys = np.where(self.weights > 0, -np.log1p(-u) / self.weights, np.inf)
            indices = np.argsort(keys, kind="stable")[:n]
        return iter(indices[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of ``batch_size`` indices from another sampler; ``drop_last`` drops a shorter last one.

    Raises:
        ValueError: ``batch_size`` is not a positive int, or ``drop_last`` not a bool.
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        # Not a generator function: its body would run, and draw the epoch's order, only at the first batch.
        return self._batches(iter(self.sampler))

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _check_num_samples(num_samples: int) -> None:
    if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
        raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
