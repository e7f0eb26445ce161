"""Vector units: which one a processor has, tiles that fit into its registers, right results on the smaller ones, and
what other processors' instructions the kernels become."""

from __future__ import annotations

import json
import platform
import re
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from llvmlite import ir

from tests.kernels.cpu.assembly import PLAIN, PROCESSORS, SHAPES, assembly
from tinyconv.kernels import formulas
from tinyconv.kernels.cpu import parallel, target
from tinyconv.kernels.cpu.arrays import lanes_of
from tinyconv.kernels.cpu.compile import JIT
from tinyconv.kernels.cpu.target import UNIT, UNITS, unit_of


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
    assert UNITS[UNIT]._asdict() == {name: getattr(target, name.upper()) for name in target.Unit._fields}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8], ids=lambda dtype: dtype.__name__)
def test_compiled_code_knows_how_many_numbers_a_vector_holds(dtype):
    x = np.zeros((2, 2), dtype)
    assert numba.njit(lambda x: lanes_of(x))(x) == lanes_of(x) == target.VECTOR_BYTES // x.itemsize


@pytest.mark.parametrize("unit", UNITS)
def test_tiles_fit_into_the_registers(unit):
    vector_bytes, registers, tiles, dots, window_tiles, window_dots, patch, (rows_seen, vectors_seen) = UNITS[unit]
    assert vector_bytes in (16, 32, 64)
    for rows, vectors in tiles + window_tiles:
        assert rows * vectors + vectors + 1 <= registers
    for rows, taps in dots:
        assert rows * taps + rows + 1 <= registers
    for rows, taps in window_dots:  # a row's values, its winners, and the values of those that won
        assert rows * taps + 3 * rows + 1 <= registers
    for sums in (patch, rows_seen * vectors_seen + 1):  # a gradient, and the vector it is multiplied with
        assert 8 <= sums <= registers - 2
    assert all(pixels == 4 for _, pixels in window_tiles)
    for shapes in (tiles, dots, window_tiles, window_dots):
        assert all(rows * columns >= 8 for rows, columns in shapes), "too few sums to hide a multiply-add's latency"
        assert [*shapes] == sorted({*shapes}, reverse=True)


AGREE = """
import numpy as np
from tests.kernels.compare import assert_close
from tests.kernels.cpu.calls import results
from tinyconv.kernels import cpu, reference
from tinyconv.kernels.cpu.target import UNIT

names = "conv2d", "conv2d_gx", "conv2d_gw", "matmul", "max_pool2d", "max_pool2d_gx", \
    "conv2d_relu_max_pool2d", "max_pool2d_conv2d_gx", "max_pool2d_conv2d_gw"
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


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are x86's units")
@pytest.mark.parametrize(
    "processor, features", [("haswell", "+sse2,+sse4.2,+avx,+avx2,+fma"), ("x86-64", "+sse2")], ids=["avx2", "sse"]
)
def test_all_tests_of_kernels_pass_on_smaller_units(python, processor, features):
    others = "cpu/test_target.py", "cpu/test_compile.py", "cuda"
    tests = "tests/kernels", *[f"--ignore=tests/kernels/{name}" for name in others], "-k", "not cuda and not reference"
    printed = python("-m", "pytest", "-q", "-n0", *tests, NUMBA_CPU_NAME=processor, NUMBA_CPU_FEATURES=features)
    assert int(re.search(r"(\d+) passed", printed)[1]) > 500


# ---------------------------------------------------------------------------------------------- other processors' code


FOUND: dict[str, list[dict]] = {}


@pytest.fixture(params=["avx2", "neon", pytest.param("avx512", marks=pytest.mark.slow)])
def elsewhere(request, python, tmp_path):
    """A row of the table, and what ``assembly.py`` found in the functions compiled for its processor."""
    if not JIT:
        pytest.skip("nothing is compiled")
    if request.param not in FOUND:
        printed = python("-m", "tests.kernels.cpu.assembly", request.param, NUMBA_CACHE_DIR=tmp_path, **PLAIN)
        FOUND[request.param] = [json.loads(line) for line in printed.splitlines()]
    return request.param, FOUND[request.param]


def loops_of(functions, name: str) -> list[dict]:
    """The innermost loops of a function that multiply and add, in all its versions."""
    return [loop for function in functions if function["name"] == name for loop in function["loops"]]


def test_a_tile_stays_in_registers_if_the_table_says_so(elsewhere):
    """The innermost loop has as many multiply-adds as the tile has sums, each of a whole vector. AVX2 has 16 registers:
    too few for the 16 sums, 2 vectors and a scalar of an 8 x 2 tile; the 12, 2 and 1 of a 6 x 2 tile fit."""
    unit, functions = elsewhere
    _, registers, tiles, *_ = UNITS[unit]
    for rows, vectors in {*tiles, *SHAPES}:
        (loop,) = loops_of(functions, f"{rows}x{vectors}")
        assert loop["multiply_adds"] == rows * vectors
        assert (loop["spills"] > 0) == (rows * vectors + vectors + 1 > registers)


def test_products_and_convolutions_run_on_these_tiles(elsewhere):
    """Without a spill; but at the borders of a matrix a tile also needs registers for masks."""
    unit, functions = elsewhere
    _, registers, tiles, dots, windows, window_dots, patch, seen = UNITS[unit]
    channel_tiles = [(rows, vectors) for rows, vectors in tiles if rows * vectors + vectors + 1 < registers]
    rows, vectors = tiles[0]
    for name in ("tile.panel_rows", "tile.panel_unit"):
        inner = [loop for loop in loops_of(functions, name) if loop["multiply_adds"] == rows * vectors]
        assert any(loop["spills"] == 0 for loop in inner), name
    for name, shapes in (
        ("conv_images._strip", tiles),
        ("conv_channels._strip", channel_tiles),
        ("conv_channels._weight_part", channel_tiles),
        ("conv_planes._planes", [(4, 9)]),
        ("conv_images._weight_part", dots),
        ("conv_images._pooled_strip", windows),
        ("conv_images._pooled_weight_part", [(4 * rows, taps) for rows, taps in window_dots]),
        ("winners._input_item", [(patch, 1)]),
        ("winners._weight_item", [seen]),
    ):
        inner = loops_of(functions, name)
        for rows, vectors in shapes:
            assert any(loop["multiply_adds"] % (rows * vectors) == 0 for loop in inner)
        assert not any(loop["spills"] for loop in inner)
    assert not [function["name"] for function in functions if function["calls_fma"]]


def test_transpositions_and_pooling_shuffle_vectors(elsewhere):
    _, functions = elsewhere
    for name in ("conv_images._fill", "conv_images._strip", "pool._max_blocks_items", "pool._max_gx_blocks_items"):
        assert any(function["shuffles"] for function in functions if function["name"] == name), name


def test_elementwise_loops_are_vectors(elsewhere):
    _, functions = elsewhere
    assert any(function["additions"] for function in functions if function["name"] == "elementwise._add_chunk")


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
@pytest.mark.parametrize("name", ["exp", "sigmoid", "erf", "ndtr"])
def test_a_loop_over_a_formula_is_vectors(name):
    """Neither a call nor a branch is left in it."""
    formula = getattr(formulas, name)

    @numba.njit(error_model="numpy", fastmath={"contract"})
    def loop(x, y):
        for k in range(y.size):
            y[k] = formula(x[k])

    loop.compile((numba.float32[::1], numba.float32[::1]))
    (text,) = loop.inspect_asm().values()
    assert re.search(r"mulps|fmadd\w*ps|fm(ul|la) v\d+\.4s", text)


@pytest.mark.skipif(not JIT, reason="nothing is compiled")
@pytest.mark.parametrize("machine, unit, instruction", [("x86_64", "avx2", "pause"), ("aarch64", "neon", "yield")])
def test_a_spin_loop_says_so(monkeypatch, machine, unit, instruction):
    monkeypatch.setattr(parallel, "_MACHINE", machine)
    module = ir.Module()
    builder = ir.IRBuilder(ir.Function(module, ir.FunctionType(ir.VoidType(), []), "spin").append_basic_block())
    signature, codegen = parallel.pause._defn(None)
    codegen(SimpleNamespace(get_dummy_value=lambda: None), builder, signature, [])
    builder.ret_void()
    triple, processor, *_ = PROCESSORS[unit]
    assert instruction in assembly(str(module), triple, processor).split()
