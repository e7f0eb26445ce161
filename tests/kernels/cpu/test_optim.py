"""All parameters in one launch: what is different from one launch each."""

from __future__ import annotations

import numpy as np
import pytest

from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.array_ids import dense_size, ids_of
from tinyconv.kernels.cpu.elementwise import CHUNK


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_parameters_that_share_memory_change_one_after_another(momentum):
    whole = np.ones(10 * CHUNK, np.float32)
    params = [whole, whole, whole[3 * CHUNK :]]
    grads = [np.full(p.shape, i + 1, np.float32) for i, p in enumerate(params)]
    buffers = [np.empty_like(p) for p in params] if momentum else None
    cpu.sgd(params, grads, buffers, 0.5, momentum, 0.0, 0.5, False, False, True)
    np.testing.assert_array_equal(whole[: 3 * CHUNK], -0.8125)  # 0.75 * (0.75 * 1 - 0.5) - 1: the order tells
    np.testing.assert_array_equal(whole[3 * CHUNK :], 0.75 * -0.8125 - 1.5)


@pytest.mark.parametrize("sizes", [[1, CHUNK - 1, 1], [CHUNK, 0, 5, CHUNK], [3 * CHUNK + 1, 1, 2 * CHUNK], [0, 0]])
def test_work_items_end_within_parameters_and_between_them(sizes):
    rng = np.random.default_rng(0)
    ours, theirs = ([[], [], []] for _ in range(2))
    for size in sizes:
        for mine, other in zip(ours, theirs, strict=True):
            mine.append(rng.standard_normal(size))
            other.append(mine[-1].copy())
    for backend, arrays in ((cpu, ours), (reference, theirs)):
        backend.sgd(*arrays, 0.1, 0.9, 0.0, 0.01, True, False, False)
    for mine, other in zip(ours, theirs, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_parameters_that_are_not_dense_change_beside_those_that_are():
    dense, turned = np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)[:, ::2]
    params, grads = [dense, turned, dense[:0]], [dense.copy(), turned.copy(), dense[:0]]
    cpu.sgd(params, grads, None, 0.5, 0, 0, 0, False, False, True)
    assert (dense == 0.5).all() and (turned == 0.5).all()
    assert (turned.base[:, 1::2] == 1).all()


@pytest.mark.parametrize("turned", range(5))
def test_a_parameter_whose_array_of_any_kind_is_not_dense_is_not_left_out(turned):
    rng = np.random.default_rng(turned)
    ours = [[rng.random((3, 10))[:, ::2] if kind == turned else rng.random((3, 5)), rng.random(7)] for kind in range(5)]
    theirs = [[array.copy() for array in arrays] for arrays in ours]
    for backend, arrays in ((cpu, ours), (reference, theirs)):
        backend.adam(*arrays, 0.1, 0.9, 0.99, 1e-8, 0.01, False, False, 3)
    for mine, other in zip(ours, theirs, strict=True):
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("array, size", [
    (np.ones(()), 1), (np.ones((2, 3, 4)), 24), (np.ones((2, 0, 4)), 0), (np.ones((2, 3))[:, ::2], -1),
    (np.ones((2, 3)).T, -1), (np.broadcast_to(np.ones(3), (1, 3)), -1),
])  # fmt: skip
def test_what_compiled_code_reads_of_an_array(array, size):
    numbers = np.zeros(2, np.int64)
    (first, second) = ids_of([array], [numbers])
    assert (first, second) == (id(array), id(numbers))
    assert dense_size(first) == size
