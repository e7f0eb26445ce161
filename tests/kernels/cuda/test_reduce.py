"""Reductions on the GPU: how many launches, and of how many blocks."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.runtime import simulated


@pytest.fixture
def launched(monkeypatch):
    """The simulator; the kernels it is asked for, by name, each with its number of blocks."""
    with simulated() as device:
        launches, launch = [], device.launch

        def note(variant, grid, args):
            launches.append((variant.kernel.name, grid[0]))
            launch(variant, grid, args)

        monkeypatch.setattr(device, "launch", note)
        yield launches


def test_the_sum_over_any_axes_of_a_transposed_array_copies_nothing(launched):
    x = np.random.default_rng(0).standard_normal((6, 40, 50)).astype(np.float32)
    there = backend.permute(backend.from_host(x), (2, 0, 1))
    np.testing.assert_allclose(backend.to_host(backend.sum(there, (0,), False)), x.sum(2), rtol=1e-4, atol=1e-5)
    assert [name for name, _ in launched] == ["reduce.fold_rows"]


def test_a_long_row_occupies_many_blocks(launched):
    x = backend.from_host(np.ones(500_000, np.float32))
    assert backend.to_host(backend.sum(x, (0,), False)) == 500_000
    assert launched == [("reduce.fold_chunks", 31), ("reduce.fold_rows", 1)]


def test_the_gradient_of_a_bias_takes_pixels_then_images(launched):
    x = np.random.default_rng(0).standard_normal((30, 6, 9, 9)).astype(np.float32)
    y = backend.to_host(backend.sum(backend.from_host(x), (0, 2, 3), False))
    np.testing.assert_allclose(y, x.sum((0, 2, 3)), rtol=1e-4, atol=1e-4)
    assert [name for name, _ in launched] == ["reduce.fold_rows", "reduce.fold_columns"]
