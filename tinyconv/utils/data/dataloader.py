"""DataLoader: a data set, an order, batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import numpy as np

from ...random import Generator
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, fetch_samples, has_batch
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterates over a data set in batches; ``for x, y in loader`` is one epoch.

    Args:
        dataset: map-style (``__getitem__``, ``__len__``) or an :class:`IterableDataset`. A map-style data set with
            ``batch(indices)`` (see :class:`Dataset`) is read a batch at a time, with no Python for a single sample.
        batch_size: samples a batch; None switches batching off: the loader then yields single samples.
        shuffle: a new random order each epoch.
        sampler: the order, as an iterable of indices; excludes ``shuffle``.
        batch_sampler: the order, as an iterable of lists of indices; excludes ``batch_size``, ``shuffle``, ``sampler``
            and ``drop_last``.
        num_workers: accepted for PyTorch's sake. Samples are read in the caller's thread whatever it says, and
            ``timeout``, ``worker_init_fn``, ``multiprocessing_context``, ``prefetch_factor``, ``persistent_workers``
            and ``in_order``, which direct workers, are checked and kept but have no effect. The batches would be the
            same.
        collate_fn: makes a batch of a list of samples; by default :func:`default_collate`.
        pin_memory: accepted, without effect.
        drop_last: drop the last batch if it is shorter.
        generator: shuffles; by default ``tinyconv.default_generator``.

    Raises:
        ValueError: options that exclude each other, a ``batch_size`` that is not a positive int, or a negative number
            of workers or seconds.
    """

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[int] | Iterable[int] | None = None,
        batch_sampler: Sampler[list[int]] | Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers option should be non-negative, got num_workers={num_workers}")
        if timeout < 0:
            raise ValueError(f"timeout option should be non-negative, got timeout={timeout}")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError("prefetch_factor option needs num_workers > 0")
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError(f"prefetch_factor option should be non-negative, got prefetch_factor={prefetch_factor}")
        if num_workers == 0 and persistent_workers:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self._is_stream = isinstance(dataset, IterableDataset)
        if self._is_stream:
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

        if sampler is None and not self._is_stream:
            sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            # A stream has no order: its BatchSampler only checks and keeps the batch size.
            batch_sampler = BatchSampler(() if sampler is None else sampler, batch_size, drop_last)

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn: Callable[[Any], Any] = collate_fn or (
            default_convert if batch_sampler is None else default_collate
        )
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order

    def __iter__(self) -> Iterator[Any]:
        return self.epoch()

    def epoch(self, skip: int = 0) -> Iterator[Any]:
        """One epoch from batch number ``skip`` on. The batches before it are neither read nor augmented.

        The call itself draws the epoch's order, before the first batch is asked for. So the order is a function of the
        generator's state at the call, and an interrupted epoch resumes bit-identically::

            start = generator.get_state()                # kept in the checkpoint, with the number of batches done
            for x, y in loader.epoch(): ...              # interrupted after k batches

            generator.set_state(start)                   # in the new process
            batches = loader.epoch(skip=k)               # the same order, from batch k
            tinyconv.default_generator.set_state(now)    # the state that the checkpoint found after k batches
            for x, y in batches: ...

        Args:
            skip: batches to leave out (samples, without batching). An :class:`IterableDataset` and a sampler of one's
                own can only be skipped by iterating them: they are, but nothing is collated.

        Raises:
            ValueError: ``skip`` is negative.
        """
        if skip < 0:
            raise ValueError(f"DataLoader.epoch: skip must be non-negative, got {skip}")
        if self._is_stream:
            return self._batches_of_stream(iter(self.dataset), skip)
        order: Iterable[Any] = self.sampler if self.batch_sampler is None else self.batch_sampler  # type: ignore[assignment]
        return self._batches(itertools.islice(iter(order), skip, None))

    # Reading ahead in worker threads belongs in these two: they alone ask the data set for samples.

    def _batches(self, order: Iterator[Any]) -> Iterator[Any]:
        if self.batch_sampler is None:
            for index in order:
                yield self.collate_fn(self.dataset[index])
        elif self.collate_fn is default_collate and has_batch(self.dataset):
            for indices in order:
                batch = self.dataset.batch(np.asarray(indices, np.int64))  # type: ignore[attr-defined]
                yield list(batch) if type(batch) is tuple else batch  # a list is what default_collate makes
        else:
            for indices in order:
                yield self.collate_fn(fetch_samples(self.dataset, indices))

    def _batches_of_stream(self, samples: Iterator[Any], skip: int) -> Iterator[Any]:
        if self.batch_size is None:
            yield from map(self.collate_fn, itertools.islice(samples, skip, None))
            return
        samples = itertools.islice(samples, skip * self.batch_size, None)
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.collate_fn(batch)

    def __len__(self) -> int:
        """Batches an epoch (samples, without batching).

        Raises:
            TypeError: the data set or the sampler has no length.
        """
        if not self._is_stream:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
