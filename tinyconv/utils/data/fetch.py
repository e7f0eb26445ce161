"""How a batch is read: from indices, or as the next one of a stream; in the caller's thread or by a worker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np

from .collate import default_collate
from .dataset import IterableDataset, fetch_sample, fetch_samples, has_batch

__all__ = ["Ended", "Fetch"]


class Ended(Enum):
    """What stands in place of a batch."""

    STREAM = auto()


@dataclass
class Fetch:
    """How a loader reads.

    Attributes:
        collate_fn: makes a batch of a list of samples.
        batched: whether requests are lists of indices, or single ones.
        batch_size: of a stream; None for single samples.
        drop_last: leave out a stream's last batch if it is shorter.
    """

    collate_fn: Callable[[Any], Any]
    batched: bool
    batch_size: int | None
    drop_last: bool

    def open(self, dataset: Any) -> Callable[[Any], Any]:
        """The function that reads a batch of ``dataset``: from its indices (or index), or the next one of a stream,
        whatever it is given, and :attr:`Ended.STREAM` after the last."""
        collate_fn = self.collate_fn
        if isinstance(dataset, IterableDataset):
            batches = self.stream(iter(dataset))
            return lambda _: next(batches, Ended.STREAM)
        if not self.batched:
            return lambda index: collate_fn(fetch_sample(dataset, index))
        if collate_fn is default_collate and has_batch(dataset):
            return lambda indices: _as_list(dataset.batch(np.asarray(indices, np.int64)))
        return lambda indices: collate_fn(fetch_samples(dataset, indices))

    def stream(self, samples: Iterator[Any], skip: int = 0) -> Iterator[Any]:
        """The batches of a stream, without the first ``skip``, which are not even collated."""
        if self.batch_size is None:
            yield from map(self.collate_fn, itertools.islice(samples, skip, None))
            return
        samples = itertools.islice(samples, skip * self.batch_size, None)
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)


def _as_list(batch: Any) -> Any:
    return list(batch) if type(batch) is tuple else batch  # a list is what default_collate makes
