"""Vector units: which one a processor has, tiles that fit into its registers, right results on the smaller ones."""

from __future__ import annotations

import platform

import pytest

from tinyconv.kernels.cpu.target import REGISTERS, TILES, UNIT, UNITS, VECTOR_BYTES, unit_of


@pytest.mark.parametrize(
    "machine, features, unit",
    [
        ("x86_64", "+sse2,+avx,+avx2,+fma,+avx512f,+avx512vl", "avx512"),
        ("AMD64", "+avx512f", "avx512"),
        ("x86_64", "+sse2,+avx,+avx2,+fma,-avx512f", "avx2"),
        ("x86_64", "+avx2,-fma", "sse"),
        ("x86_64", "+sse2,+sse4.2,+avx,-avx2", "sse"),
        ("x86_64", "", "sse"),
        ("aarch64", "+neon,+fp-armv8", "neon"),
        ("arm64", "", "neon"),
    ],
)
def test_unit_of(machine, features, unit):
    assert unit_of(machine, features) == unit


def test_this_machine():
    assert UNITS[UNIT] == (VECTOR_BYTES, REGISTERS, TILES)


@pytest.mark.parametrize("unit", UNITS)
def test_tiles_fit_into_the_registers(unit):
    vector_bytes, registers, tiles = UNITS[unit]
    assert vector_bytes in (16, 32, 64)
    for rows, vectors in tiles:
        assert rows * vectors + vectors + 1 <= registers
        assert rows * vectors >= 8, "too few sums to hide the latency of a multiply-add"
    (wide_rows, _), (slim_rows, _) = tiles
    assert wide_rows > slim_rows


AGREE = """
import numpy as np
from tests.kernels.compare import assert_close
from tests.kernels.cpu.calls import results
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.target import UNIT

names = "conv2d", "conv2d_gx", "conv2d_gw", "matmul", "max_pool2d", "max_pool2d_gx"
ours, truth = (list(results(backend, np.float32, only=names)) for backend in (cpu, reference))
for (name, actual), (_, expected) in zip(ours, truth, strict=True):
    for a, e in zip(actual, expected, strict=True):
        assert_close(a.astype(np.float32), e, terms=64)
print(UNIT, len(ours))
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are x86's units")
@pytest.mark.parametrize(
    "unit, processor, features",
    [
        ("avx2", "haswell", "+sse2,+sse4.2,+avx,+avx2,+fma"),
        pytest.param("sse", "x86-64", "+sse2", marks=pytest.mark.slow),
    ],
)
def test_smaller_units_compute_right(python, unit, processor, features):
    printed = python("-c", AGREE, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features, OMP_NUM_THREADS=1)
    name, calls = printed.split()
    assert name == unit and int(calls) > 20
