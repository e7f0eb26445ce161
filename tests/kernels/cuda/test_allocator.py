"""The device's memory: reuse, size classes, the end of it."""

from __future__ import annotations

import pytest

from tinyconv.kernels.cuda.allocator import Allocator, OutOfMemoryError, Pool, size_class


class Bank:
    """A driver with so many bytes."""

    def __init__(self, total: int):
        self.total, self.taken, self.next = total, {}, 1 << 20

    def allocate(self, nbytes: int) -> int:
        if sum(self.taken.values()) + nbytes > self.total:
            raise MemoryError
        self.next += nbytes
        self.taken[self.next] = nbytes
        return self.next

    def free(self, pointer: int) -> None:
        del self.taken[pointer]


@pytest.fixture
def bank() -> Bank:
    return Bank(1 << 20)


@pytest.fixture
def allocator(bank) -> Allocator:
    return Allocator(bank.allocate, bank.free, bank.total)


def test_size_classes_waste_little():
    for n in [1, 511, 512, 513, *range(1000, 300_000, 777), 2**31 + 1]:
        assert n <= size_class(n) <= max(512, n * 1.125 + 512)
        assert size_class(n) % 512 == 0
        assert size_class(size_class(n)) == size_class(n)


def test_a_block_comes_back_when_it_dies(allocator, bank):
    first = allocator.take(1000)
    pointer = first.pointer
    assert allocator.take(1000).pointer != pointer
    del first
    assert allocator.take(900).pointer == pointer  # the same class
    assert allocator.take(5000).pointer != pointer
    assert allocator.statistics.driver_calls == len(bank.taken) == 3


def test_the_same_program_finds_the_same_memory(allocator):
    """Whatever order blocks died in."""
    blocks = [allocator.take(1000) for _ in range(4)]
    places = [block.pointer for block in blocks]
    for order in ((0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)):
        for i in order:
            blocks[i] = None
        blocks = [allocator.take(1000) for _ in range(4)]
        assert [block.pointer for block in blocks] == places


def test_statistics(allocator):
    a, b = allocator.take(1024), allocator.take(2048)
    s = allocator.statistics
    assert (s.allocated, s.max_allocated, s.reserved) == (3072, 3072, 3072)
    del a
    assert (s.allocated, s.max_allocated, s.reserved) == (2048, 3072, 3072)
    allocator.trim()
    assert (s.allocated, s.max_allocated, s.reserved) == (2048, 3072, 2048)
    assert b.nbytes == 2048


def test_what_waits_goes_back_to_the_driver_before_there_is_too_little(allocator, bank):
    held = [allocator.take(100 * 1024) for _ in range(9)]
    del held[1:]
    allocator.take(800 * 1024)
    assert sorted(bank.taken.values()) == [size_class(100 * 1024), size_class(800 * 1024)]


def test_out_of_memory_says_what_is_held(allocator):
    held = allocator.take(600 * 1024)
    with pytest.raises(
        OutOfMemoryError, match=r"an array needs 0\.6 MiB, others hold 0\.6 of 1\.0 MiB; a smaller batch"
    ):
        allocator.take(600 * 1024)
    assert allocator.statistics.allocated == held.nbytes


def test_a_pool_keeps_what_waits_in_it(allocator, bank):
    """Where there is too little, the driver gets back what waits in the parent: in the pool there is what a graph will
    write to."""
    pool = Pool(allocator)
    of_the_parent, of_the_pool = allocator.take(400 * 1024), pool.take(300 * 1024)
    place = of_the_pool.pointer
    del of_the_parent, of_the_pool
    large = pool.take(600 * 1024)
    assert place in bank.taken and len(bank.taken) == 2
    assert pool.take(300 * 1024).pointer == place
    assert allocator.statistics.allocated == large.nbytes
    del large, pool
    assert not bank.taken
    assert allocator.statistics.reserved == 0
