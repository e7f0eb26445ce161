"""Results too large for a cache are written past it: the same numbers, wherever rows begin."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from tinyconv.kernels import cpu
from tinyconv.kernels.cpu import arrays


def results(x: np.ndarray, gy: np.ndarray) -> list[np.ndarray]:
    w, b = np.linspace(-1, 2, x.shape[1], dtype=x.dtype), np.linspace(3, 5, x.shape[1], dtype=x.dtype)
    y, mean, var, rstd = cpu.batch_norm_train(x, w, b, 1e-5)
    return [y, mean, var, rstd, cpu.batch_norm(x, mean, rstd, w, b), *cpu.batch_norm_gx(gy, x, mean, rstd, w)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("L", [1, 15, 16, 49, 64, 80, 1024, 1040, 1100])
def test_streamed_results_are_the_same(monkeypatch, dtype, L):
    rng = np.random.default_rng(L)
    x, gy = (rng.standard_normal((3, 5, L)).astype(dtype) for _ in range(2))
    expected = results(x, gy)
    monkeypatch.setattr(arrays, "LARGE", 0)
    monkeypatch.setattr(arrays, "ALIGNED", 0)
    for a, e in zip(results(x, gy), expected, strict=True):
        np.testing.assert_array_equal(a, e)


def test_a_large_array_begins_with_a_line_of_the_cache(monkeypatch):
    monkeypatch.setattr(arrays, "ALIGNED", 400)
    for n in (99, 100, 101, 117):
        x = arrays.empty((2, n), np.float32)
        for y in (x, arrays.empty_like(x), arrays.copy(x), cpu.relu(x), cpu.add(x, x)):
            assert y.shape == (2, n) and y.dtype is x.dtype and y.flags.carray
            assert y.ctypes.data % arrays.CACHE_LINE == 0 and arrays.storage(y[1:]).size == y.size
    assert arrays.empty((99,), np.float32).flags.owndata  # NumPy's own


def test_memory_that_lasts_begins_with_a_line():
    for shape in ((64, 128), (8193,)):
        for y in (cpu.empty(shape, np.float32), cpu.full(shape, 3, np.dtype(np.float32))):
            assert y.shape == shape and y.ctypes.data % arrays.CACHE_LINE == 0
    assert cpu.empty((8191,), np.float32).flags.owndata


def test_the_memory_of_a_large_array_lives_as_long_as_its_views(monkeypatch):
    monkeypatch.setattr(arrays, "ALIGNED", 0)
    x = arrays.empty((3, 5), np.float32)
    memory, part = weakref.ref(x.base.memory), x[1:].reshape(-1)
    del x
    assert memory() is not None
    del part
    assert memory() is None


def test_a_large_array_has_memory_for_all_of_its_elements(monkeypatch):
    monkeypatch.setattr(arrays, "ALIGNED", 0)
    with np.errstate(over="ignore"):  # 300 * 300 is 24464 in 16 bits
        x = arrays.empty((np.int16(300), np.int16(300)), np.int8)
    memory = x.base.memory
    assert memory.ctypes.data <= x.ctypes.data and x.ctypes.data + x.nbytes <= memory.ctypes.data + memory.nbytes
