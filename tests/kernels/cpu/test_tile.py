"""The register tile at its borders: every remainder of rows and columns is right, and nothing outside is touched."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.target import TILES, VECTOR_BYTES

ROWS = 2 * TILES[0][0]


def columns(dtype) -> int:
    """As many as the tile has, and one vector more."""
    return (TILES[0][1] + 1) * VECTOR_BYTES // dtype.itemsize


def drawn(dtype, *shape):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def transposed(x):
    return np.swapaxes(np.swapaxes(x, -1, -2).copy(), -1, -2)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("layout", ["x and y", "x.T and y", "x and y.T"])
def test_matmul_with_every_remainder(dtype, layout):
    K = 5
    x, y = drawn(dtype, ROWS, K), drawn(dtype, K, columns(dtype))
    expected = reference.matmul(x.astype(np.float64), y.astype(np.float64))
    for m in range(1, ROWS + 1):
        for n in range(1, columns(dtype) + 1):
            a = transposed(x[:m]) if "x.T" in layout else x[:m].copy()
            b = transposed(y[:, :n]) if "y.T" in layout else y[:, :n].copy()
            assert_close(cpu.matmul(a, b), expected[:m, :n], terms=K)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("M, K, N", [(1, 1, 1), (129, 257, 3), (127, 256, 49), (128, 512, 48), (300, 0, 7), (0, 3, 5)])
def test_matmul_with_every_remainder_of_a_block(dtype, M, K, N):
    x, y, b = drawn(dtype, M, K), drawn(dtype, K, N), drawn(dtype, N)
    expected = reference.matmul(x.astype(np.float64), y.astype(np.float64))
    assert_close(cpu.matmul(x, y), expected, terms=K)
    assert_close(cpu.linear(x, y.T.copy(), b), expected + b, terms=K)


# ----------------------------------------------------------------------------------------------------- out of bounds


def test_nothing_outside_of_an_array_is_touched(python):
    """Each array lies right behind, and then right before, a page whose reading or writing ends the process."""
    assert python("-m", "tests.kernels.cpu.guarded", OMP_NUM_THREADS=2).splitlines()[-1] == "untouched"


def test_the_guard_works(python):
    """A read one element too far does end the process."""
    with pytest.raises(AssertionError, match="exit code -"):
        python("-m", "tests.kernels.cpu.guarded", "trespass")
