"""A sampler for several processes: each takes its share of every epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from ...ops.random import randperm
from ...random import Generator
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every ``num_replicas``-th index of an order that all processes know, from ``rank`` on. All get as many: some
    samples are taken twice, or with ``drop_last`` left out.

    Call :meth:`set_epoch` before each epoch, or its order is that of the last one.

    Args:
        dataset: what to sample from; only its length matters.
        num_replicas: the number of processes; by default 1.
        rank: which of them this is, from 0 on; by default 0.
        shuffle: a random order, the same in every process.
        seed: of that order.
        drop_last: leave samples out instead of taking some twice.

    Raises:
        ValueError: a rank that is none of the processes'.
    """

    def __init__(self, dataset: Sized, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True,
                 seed: int = 0, drop_last: bool = False) -> None:  # fmt: skip
        num_replicas, rank = num_replicas or 1, rank or 0
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last = shuffle, seed, drop_last
        self.epoch = 0
        self.num_samples = len(dataset) // num_replicas if drop_last else -(-len(dataset) // num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        if self.shuffle:
            order = randperm(n, generator=Generator().manual_seed(self.seed + self.epoch)).tolist()
        else:
            order = list(range(n))
        return iter([order[i % n] for i in range(self.rank, self.total_size, self.num_replicas)])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """The epoch that comes next: each has an order of its own."""
        self.epoch = epoch
