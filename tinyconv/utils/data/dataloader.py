"""DataLoader: a data set, an order, batches."""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.context
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from ...ops.random import randint
from ...random import Generator
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .fetch import Fetch
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import Workers

__all__ = ["DataLoader"]

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterates over a data set in batches; ``for x, y in loader`` is one epoch.

    Args:
        dataset: map-style (``__getitem__``, ``__len__``) or an :class:`IterableDataset`. A map-style data set with
            ``batch(indices)`` (see :class:`Dataset`) is read a batch at a time, with no Python for a single sample.
        batch_size: samples per batch; None switches batching off: the loader then yields single samples.
        shuffle: a new random order each epoch.
        sampler: the order, as an iterable of indices; excludes ``shuffle``.
        batch_sampler: the order, as an iterable of lists of indices; excludes ``batch_size``, ``shuffle``, ``sampler``
            and ``drop_last``.
        num_workers: threads that read ahead (see ``worker.py``); 0 reads in the caller's thread, when asked.
        collate_fn: makes a batch of a list of samples; by default :func:`default_collate`.
        pin_memory: accepted, without effect.
        drop_last: drop the last batch if it is shorter.
        timeout: seconds to wait for a batch from a worker; 0 for ever.
        worker_init_fn: called with the worker's number, in the worker, before it reads.
        multiprocessing_context: "fork", "spawn", "forkserver" or a context of ``multiprocessing``: workers are
            processes. Data set, ``collate_fn`` and ``worker_init_fn`` must then be picklable, unless they are forked.
        generator: shuffles, and gives the workers' seed; by default ``tinyconv.default_generator``.
        prefetch_factor: batches each worker reads ahead, by default 2.
        persistent_workers: keep the workers from one epoch to the next.
        pin_memory_device: accepted, without effect.
        in_order: accepted; batches always come in the sampler's order.

    Raises:
        ValueError: options that exclude each other, a ``batch_size`` that is not a positive int, a negative number of
            workers or seconds, or an unknown way to start processes.
        TypeError: a ``dataset`` that can be neither indexed nor, as an :class:`IterableDataset`, gone through; a
            ``multiprocessing_context`` that is neither a string nor a context.
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
        if num_workers == 0 and multiprocessing_context is not None:
            raise ValueError(
                f"multiprocessing_context can only be used with num_workers > 0, but got num_workers={num_workers}"
            )
        self._is_stream = isinstance(dataset, IterableDataset)
        if not self._is_stream and not hasattr(dataset, "__getitem__"):
            raise TypeError(
                "DataLoader: dataset must have __getitem__ and __len__, or be an IterableDataset, got "
                f"{type(dataset).__name__}"
            )
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
        self.multiprocessing_context = _context(multiprocessing_context)
        self.generator = generator
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._workers: Workers | None = None  # those of the epoch before, if they are persistent

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
                own can only be skipped by iterating them: they are, but nothing is collated (unless workers do it).

        Raises:
            ValueError: ``skip`` is negative.
        """
        if skip < 0:
            raise ValueError(f"DataLoader.epoch: skip must be non-negative, got {skip}")
        if self._is_stream:
            if self.num_workers == 0:
                return Epoch(self._fetch.stream(iter(self.dataset), skip))
            return Epoch(itertools.islice(self._ahead(None, 0), skip, None))
        order: Iterable[Any] = self.sampler if self.batch_sampler is None else self.batch_sampler  # type: ignore[assignment]
        requests = itertools.islice(iter(order), skip, None)
        if self.num_workers == 0:
            return Epoch(map(self._fetch.open(self.dataset), requests))
        return Epoch(self._ahead(requests, skip))

    @property
    def _fetch(self) -> Fetch:
        return Fetch(self.collate_fn, self.batch_sampler is not None, self.batch_size, self.drop_last)

    def _ahead(self, requests: Iterator[Any] | None, first: int) -> Iterator[Any]:
        """The batches, read by workers. Their seed is drawn at once, like the order."""
        seed = int(randint(0, 2**62, (1,), generator=self.generator).item())
        return self._read_ahead(requests, first, seed)

    def _read_ahead(self, requests: Iterator[Any] | None, first: int, seed: int) -> Iterator[Any]:
        workers, self._workers = self._workers, None
        if workers is None:
            workers = Workers(
                self.num_workers,
                self.dataset,
                seed,
                self._fetch,
                self.worker_init_fn,
                self.multiprocessing_context,
                self.timeout,
                self.prefetch_factor or 1,
            )
        try:
            yield from workers.read_streams(seed) if requests is None else workers.read(requests, first, seed)
            if self.persistent_workers and self._workers is None:
                self._workers, workers = workers, None
        finally:  # also when the caller breaks off: what was asked for and not fetched goes with the workers
            if workers is not None:
                workers.stop()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_workers": None}  # threads cannot be copied or sent to a process

    def __del__(self) -> None:
        if self.__dict__.get("_workers") is not None:
            self._workers.stop()  # type: ignore[union-attr]

    def __len__(self) -> int:
        """Batches per epoch (samples, without batching).

        Raises:
            TypeError: the data set or the sampler has no length.
        """
        if not self._is_stream:
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        n = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


class Epoch(Iterator[Any]):
    """One epoch's batches: an iterator."""

    def __init__(self, batches: Iterator[Any]):
        self._batches = batches

    def __next__(self) -> Any:
        return next(self._batches)

    def __getattr__(self, name: str) -> Any:
        hint = ": write next(dataiter), not dataiter.next()" if name == "next" else ""
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{hint}")


def _context(context: Any) -> Any:
    """The context of ``multiprocessing`` that is meant; None for threads."""
    if context is None or isinstance(context, multiprocessing.context.BaseContext):
        return context
    methods = multiprocessing.get_all_start_methods()
    if not isinstance(context, str):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start method, "
            f"but got multiprocessing_context={context}"
        )
    if context not in methods:
        raise ValueError(
            f"multiprocessing_context option should specify a valid start method in {methods}, "
            f"but got multiprocessing_context={context!r}"
        )
    return multiprocessing.get_context(context)
