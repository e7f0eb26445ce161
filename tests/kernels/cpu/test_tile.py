"""The register tile at its borders: every remainder of rows and columns is right, and nothing outside is touched."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.compare import assert_close
from tests.strategies import FLOATS
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.target import TILES, VECTOR_BYTES
from tinyconv.kernels.cpu.tile import SLIM_ROWS, WIDE_ROWS, best_rows

ONE, ZERO = (1, 1), (0, 0)
ROWS = 2 * max(rows for rows, _ in TILES)


def columns(dtype) -> int:
    """As many as the widest tile has, and one vector more."""
    return (max(vectors for _, vectors in TILES) + 1) * VECTOR_BYTES // dtype.itemsize


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


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_conv2d_with_every_remainder(dtype, stride):
    """Rows of the tile are output channels, columns are output positions: n of them, in one row or in two."""
    x, w, b = drawn(dtype, 2, 2, 4, 2 * columns(dtype) + 3), drawn(dtype, ROWS, 2, 3, 2), drawn(dtype, ROWS)
    for width in range(2, columns(dtype) + 2):
        for H in (3, 5):
            image = x[:, :, :H, : stride * (width - 2) + 2].copy()
            expected = reference.conv2d(*(a.astype(np.float64) for a in (image, w, b)), (stride,) * 2, (0, 1), ONE, 1)
            for O in range(1, ROWS + 1) if width % 5 == 2 else (1, 7, ROWS):
                y = cpu.conv2d(image, w[:O], b[:O], (stride,) * 2, (0, 1), ONE, 1)
                assert_close(y, expected[:, :O], terms=12)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("stride", [1, 2])
def test_conv2d_gx_with_every_remainder(dtype, stride):
    """Rows are input channels, columns input positions."""
    for C in range(1, ROWS + 1):
        for W in (*range(2, 2 * C, 3), columns(dtype) - C + 2):
            OW = (W - 2) // stride + 1
            gy, w = drawn(dtype, 2, 3, 2, OW), drawn(dtype, 3, C, 1, 2)
            arguments = (2 * stride - stride + 1, W), (stride,) * 2, ZERO, ONE, 1
            expected = reference.conv2d_gx(gy.astype(np.float64), w.astype(np.float64), *arguments)
            assert_close(cpu.conv2d_gx(gy, w, *arguments), expected, terms=6)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_conv2d_gw_with_every_remainder(dtype):
    """Rows are channels and taps, columns are output channels; with few output channels lanes run along positions."""
    x, gy = drawn(dtype, 2, ROWS, 3, 7), drawn(dtype, 2, columns(dtype), 3, 7)
    for C in range(1, ROWS + 1):
        for O in range(1, columns(dtype) + 1):
            for W in (7,) if O > 9 else (1, 5, 7):
                a, b = x[:, :C, :, :W].copy(), gy[:, :O, :, :W].copy()
                expected = np.einsum("noij,ncij->oc", b.astype(np.float64), a.astype(np.float64))[:, :, None, None]
                assert_close(cpu.conv2d_gw(b, a, ONE, ONE, ZERO, ONE, 1), expected, terms=2 * 3 * W)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_conv2d_gw_with_every_number_of_positions(dtype):
    lanes = VECTOR_BYTES // dtype.itemsize
    for W in range(3, 2 * lanes + 4):
        for O in (1, SLIM_ROWS, lanes // 2, lanes // 2 + 1):
            x, gy = drawn(dtype, 3, 2, 1, W), drawn(dtype, 3, O, 1, W - 2)
            expected = reference.conv2d_gw(gy.astype(np.float64), x.astype(np.float64), (1, 3), ONE, ZERO, ONE, 1)
            assert_close(cpu.conv2d_gw(gy, x, (1, 3), ONE, ZERO, ONE, 1), expected, terms=3 * W)


def test_the_number_of_rows_that_wastes_least():
    for n in range(1, 100):
        rows = best_rows(n)
        wasted = {candidate: -n % candidate for candidate in (WIDE_ROWS, SLIM_ROWS)}
        assert wasted[rows] == min(wasted.values())


# ----------------------------------------------------------------------------------------------------- out of bounds


@pytest.mark.parametrize("side", ["before", "behind"])
def test_nothing_outside_of_an_array_is_touched(python, side):
    """Each array lies right before or right behind a page whose reading or writing ends the process."""
    assert python("-m", "tests.kernels.cpu.guarded", side, OMP_NUM_THREADS=2).splitlines()[-1] == "untouched"


def test_the_guard_works(python):
    """A read one element too far does end the process."""
    with pytest.raises(AssertionError, match="exit code -"):
        python("-m", "tests.kernels.cpu.guarded", "behind", "trespass")
