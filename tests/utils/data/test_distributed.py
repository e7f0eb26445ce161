"""Shares of an epoch, and data sets side by side."""

from __future__ import annotations

import pytest

import tinyconv
from tinyconv.utils.data import DataLoader, DistributedSampler, StackDataset, TensorDataset


@pytest.mark.parametrize("drop_last, total", [(False, 12), (True, 9)])
@pytest.mark.parametrize("shuffle", [False, True])
def test_the_shares_are_an_epoch(shuffle, drop_last, total):
    samplers = [DistributedSampler(range(10), 3, rank, shuffle, drop_last=drop_last) for rank in range(3)]
    shares = [list(sampler) for sampler in samplers]
    assert [len(s) for s in samplers] == [len(share) for share in shares] == [total // 3] * 3
    together = [index for row in zip(*shares, strict=True) for index in row]
    assert len(together) == total and len(set(together)) == min(total, 10)
    if not shuffle:
        assert together == [i % 10 for i in range(total)]
    assert [list(s) for s in samplers] == shares


def test_each_epoch_has_an_order_of_its_own():
    sampler = DistributedSampler(range(20), seed=3)
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        orders.append(tuple(sampler))
    assert len(set(orders)) == 3 and len(sampler) == 20
    assert tuple(DistributedSampler(range(20), seed=5)) == orders[2]
    with pytest.raises(ValueError, match=r"Invalid rank 3, rank should be in the interval \[0, 2\]"):
        DistributedSampler(range(20), 3, 3)


def test_data_sets_side_by_side():
    a, b = TensorDataset(tinyconv.arange(4)), [5, 6, 7, 8]
    pairs = StackDataset(a, b)
    assert len(pairs) == 4 and pairs[1] == ((tinyconv.tensor(1),), 6)
    named = StackDataset(x=b, y="wxyz")
    assert named[2] == {"x": 7, "y": "y"}
    batch = next(iter(DataLoader(named, batch_size=2)))
    assert batch["x"].tolist() == [5, 6] and batch["y"] == ["w", "x"]
    for wrong in (lambda: StackDataset(), lambda: StackDataset(b, x=b), lambda: StackDataset(b, [1])):
        with pytest.raises(ValueError, match="StackDataset"):
            wrong()
