"""Every kernel compiles for every architecture, within its means. Needs numba-cuda, but neither GPU nor driver."""

from __future__ import annotations

import functools
import re
import struct
from importlib import import_module

import numpy as np
import pytest

from tests.kernels.cuda.machine_code import floating_instructions, fused_share
from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda import driver
from tinyconv.kernels.cuda.kernel import KERNELS

pytest.importorskip("numba_cuda", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
nvjitlink = pytest.importorskip("cuda.bindings.nvjitlink", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
compiler = import_module("tinyconv.kernels.cuda.compiler")

ARCHITECTURES = {"sm_75": (7, 5), "sm_80": (8, 0), "sm_90": (9, 0), "sm_120": (12, 0)}
# Of large angles the library takes the remainder in float64, with a table on the stack; that path is rarely taken.
ANGLES = ("map1_float32_cos", "map1_float32_sin", "map1_float32_tan", "gaussian_float32")
VARIANTS = {variant.name: variant for kernel in KERNELS.values() for variant in kernel.variants()}


@functools.cache
def compiled(name: str, architecture: str) -> compiler.Machine:
    """Compiled once for all tests."""
    return compiler.compiled(VARIANTS[name], ARCHITECTURES[architecture])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_kernel_fits_into_its_registers(name, architecture):
    variant = VARIANTS[name]
    if ARCHITECTURES[architecture] < variant.oldest:
        with pytest.raises(ValueError, match=r"needs a GPU of compute capability 8\.0 or newer, got 7\.5"):
            compiler.compiled(variant, ARCHITECTURES[architecture])
        return
    machine = compiled(name, architecture)
    assert machine.spills == 0
    assert machine.stack == 0 or not variant.single or name.endswith(ANGLES)
    assert machine.registers <= variant.kernel.registers
    assert machine.shared <= 48 * 1024


@pytest.mark.parametrize("name", [n for n, v in VARIANTS.items() if v.single and not n.endswith(ANGLES)])
def test_no_float64_creeps_in(name):
    ptx = compiler.ptx(VARIANTS[name], (9, 0))
    assert not re.findall(r".*\.f64.*", ptx)


PTX_CODES = {"u64": "P", "b64": "P", "s64": "q", "u32": "i", "s32": "i", "b32": "i", "f32": "f", "f64": "d", "u16": "H",
             "b16": "H", "u8": "B", "b8": "B"}  # fmt: skip


@pytest.mark.parametrize("name", [next(kernel.variants()).name for kernel in KERNELS.values()])
def test_arguments_are_packed_as_the_kernel_reads_them(name):
    """The sizes of the parameters in the kernel's own declaration, in order, are those of the packed ones."""
    variant = VARIANTS[name]
    declaration = compiler.ptx(variant, (9, 0)).split(".entry")[1].split("{")[0]
    declared = struct.Struct("@" + "".join(PTX_CODES[t] for t in re.findall(r"\.param \.(\w+)", declaration)))
    packed = driver.packer(variant)
    sizes = [[struct.calcsize(code) for code in s.format.strip("@")] for s in (declared, packed)]
    assert sizes[0] == sizes[1]
    assert declared.size == packed.size


@pytest.mark.parametrize(("name", "fused"), [("random_uniform32", "FFMA"), ("random_uniform64", "DFMA")])
def test_exact_kernels_round_twice(name, fused):
    """low + (high - low) * u, multiplied and added by two instructions, as the CPU does."""
    variant = VARIANTS[name]
    code = compiler.intermediate(variant, (9, 0))
    exact, fast = (floating_instructions(compiler.linked(code, (9, 0), exact).cubin) for exact in (True, False))
    assert exact[fused] == 0
    assert fast[fused] > 0


# A tile's sizes, as they stand in a variant's name, and the least share of its inner loop that multiplies and adds.
SHARES = {"128_128_8": 0.93, "128_64_16": 0.9, "64_64_16": 0.88}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("size", SHARES)
def test_the_inner_loop_multiplies_and_adds(size, architecture):
    """Matrix products, and convolutions forward and backward, are one kernel: its loops do what they are there for."""
    names = [name for name in VARIANTS if name.startswith("tile_product") and f"_put_by_threads_{size}_" in name]
    assert names
    for name in names:
        share = fused_share(compiled(name, architecture).cubin)
        assert share >= SHARES[size], (name, share)


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize(("size", "threefold"), [("128_64_8", 24), ("64_64_16", 24)])
def test_tensor_cores_multiply(size, threefold, architecture):
    """Three products of each 16 x 8 x 8: of the big parts, and of each with the other's small part."""
    names = [name for name in VARIANTS if f"_multiply_by_tensor_cores_put_by_warps_{size}_" in name]
    assert len(names) >= 5
    name = next(name for name in names if "_along_k_along_rows_" in name)
    counts = floating_instructions(compiler.compiled(VARIANTS[name], ARCHITECTURES[architecture]).cubin)
    assert counts["HMMA"] == threefold
    assert counts["FFMA"] < 16


def test_the_registry_is_whole():
    """Every kernel of the backend is there: nothing is launched that is not compiled here."""
    assert backend
    assert len(VARIANTS) >= len(KERNELS)
    assert all(np.prod(v.block) <= 1024 for v in VARIANTS.values())
