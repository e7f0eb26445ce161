"""Every kernel compiles for every architecture, within its means. Needs numba-cuda, but neither GPU nor driver."""

from __future__ import annotations

import re
from importlib import import_module

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.kernel import KERNELS

pytest.importorskip("numba_cuda", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
nvjitlink = pytest.importorskip("cuda.bindings.nvjitlink", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
compiler = import_module("tinyconv.kernels.cuda.compiler")

ARCHITECTURES = {"sm_75": (7, 5), "sm_80": (8, 0), "sm_90": (9, 0), "sm_120": (12, 0)}
# Of large angles the library takes the remainder in float64, with a table on the stack; that path is rarely taken.
ANGLES = ("map1_float32_cos", "map1_float32_sin", "map1_float32_tan")
VARIANTS = {variant.name: variant for kernel in KERNELS.values() for variant in kernel.variants()}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_kernel_fits_into_its_registers(name, architecture):
    variant = VARIANTS[name]
    machine = compiler.compiled(variant, ARCHITECTURES[architecture])
    assert machine.spills == 0
    assert machine.stack == 0 or not variant.single or name.endswith(ANGLES)
    assert machine.registers <= variant.kernel.registers
    assert machine.shared <= 48 * 1024


@pytest.mark.parametrize("name", [n for n, v in VARIANTS.items() if v.single and not n.endswith(ANGLES)])
def test_no_float64_creeps_in(name):
    ptx = compiler.ptx(VARIANTS[name], (9, 0))
    assert not re.findall(r".*\.f64.*", ptx)


def test_the_registry_is_whole():
    """Every kernel of the backend is there: nothing is launched that is not compiled here."""
    assert backend
    assert len(VARIANTS) >= len(KERNELS)
    assert all(np.prod(v.block) <= 1024 for v in VARIANTS.values())
