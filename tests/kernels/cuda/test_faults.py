"""What a kernel finds wrong is told when the host waits next."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.runtime import device, simulated, synchronize


@pytest.fixture(autouse=True)
def _simulated():
    with simulated():
        yield


def picked(target) -> object:
    x = backend.full((len(target), 3, 1), -1, np.float32)
    return backend.nll_loss(x, backend.from_host(np.array(target)[:, None]), None, -100)[0]


def test_a_wrong_target_is_nan_until_somebody_waits():
    loss = picked([0, 7, 2, -(2**40)])
    host = np.empty(4, np.float32)
    device().to_host(loss, host)  # without a look at the cells
    np.testing.assert_array_equal(host, [1, np.nan, 1, np.nan])
    with pytest.raises(IndexError, match=r"Target 7 is out of bounds: classes must be in \[0, 3\) .*\(at \(1, 0\)"):
        synchronize()
    synchronize()  # told once
    assert backend.to_host(picked([0, 1])).tolist() == [[1], [1]]


@pytest.mark.parametrize("wrong", [3, -1, 2**62, -(2**62), 2**31])
def test_targets_of_64_bits_are_named_exactly(wrong):
    with pytest.raises(IndexError, match=f"Target {wrong} is out of bounds"):
        backend.to_host(picked([1, wrong]))


def test_a_wrong_index_and_a_wrong_target():
    x = backend.full((3,), 1, np.float32)
    backend.getitem(x, backend.from_host(np.array([5])))
    picked([9])
    with pytest.raises(IndexError, match="Target 9 is out of bounds"):
        synchronize()
    backend.getitem(x, backend.from_host(np.array([5])))
    with pytest.raises(IndexError, match="an index on the GPU was out of bounds"):
        synchronize()
