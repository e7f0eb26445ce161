"""Optimizers on the GPU: one launch for all parameters."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.runtime import simulated


@pytest.fixture
def counted(monkeypatch):
    """The simulator, and how often it was asked for what."""
    with simulated() as device:
        counts = {"launch": 0, "to_device": 0}

        def counting(name, does):
            def count(*args):
                counts[name] += 1
                return does(*args)

            return count

        for name in counts:
            monkeypatch.setattr(device, name, counting(name, getattr(device, name)))
        yield counts


def test_one_launch_for_all_and_a_table_that_is_kept(counted):
    sizes = [(3,), (1025,), (), (40, 60), (0,)]
    params, grads, first, second = ([backend.full(s, v, np.float32) for s in sizes] for v in (1, 1, 0, 0))
    counted.update(launch=0, to_device=0)
    for step in (1, 2, 3):
        backend.adam(params, grads, first, second, None, 0.1, 0.9, 0.99, 1e-8, 0.0, False, False, step)
        assert counted == {"launch": step, "to_device": 1}
    grads[1] = backend.full(sizes[1], 1, np.float32)  # elsewhere
    counted.update(launch=0, to_device=0)
    backend.adam(params, grads, first, second, None, 0.1, 0.9, 0.99, 1e-8, 0.0, False, False, 4)
    assert counted == {"launch": 1, "to_device": 1}
    values = {float(v) for p in params for v in backend.to_host(p).ravel()}
    assert len(values) == 1
    np.testing.assert_allclose(values.pop(), 1 - 4 * 0.1, rtol=1e-5)  # all gradients are 1


def test_parameters_of_two_types(counted):
    params = [backend.full((5,), 1, np.float32), backend.full((7,), 1, np.float64)]
    grads = [backend.full((5,), 1, np.float32), backend.full((7,), 2, np.float64)]
    counted.update(launch=0, to_device=0)
    backend.sgd(params, grads, None, 0.5, 0.0, 0.0, 0.0, False, False, True)
    assert counted["launch"] == 2
    assert [backend.to_host(p).tolist() for p in params] == [[0.5] * 5, [0.0] * 7]
