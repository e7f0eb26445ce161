"""Every rung of the GPU's ladder computes the formula in the simulator, and compiles for a GPU within its means."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks.ladder import gpu, title_of
from benchmarks.ladder.gpu.whole import TOY
from tests.kernels.compare import assert_close
from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda.kernel import KERNELS
from tinyconv.kernels.cuda.runtime import simulated
from tinyconv.kernels.cuda.simulator import SimulatorError

SIZES = {"shared": {"side": 4}, "registers": {"tile": TOY}, "vectors": {"tile": TOY}, "pipeline": {"tile": TOY}}


def rung(name: str):
    return import_module(f"{gpu.__name__}.{name}")


for name in gpu.RUNGS:
    rung(name)  # registers its kernel
OURS = [kernel for kernel in KERNELS.values() if kernel.function.__module__.startswith(gpu.__name__)]


@pytest.mark.parametrize("name", gpu.RUNGS)
@pytest.mark.parametrize("M, K, N", [(1, 1, 1), (8, 4, 8), (9, 13, 7), (17, 8, 24), (3, 30, 40)])
def test_it_computes_the_formula(name, M, K, N):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((M, K), np.float32), rng.standard_normal((K, N), np.float32)
    with simulated():
        c = rung(name).matmul(backend.from_host(a), backend.from_host(b), **SIZES.get(name, {}))
        assert_close(backend.to_host(c), a.astype(float) @ b.astype(float), terms=K)


def test_a_forgotten_barrier_is_found(tmp_path, monkeypatch):
    """Were there none between the writing and the reading of a square, the simulator would say so."""
    text = Path(rung("shared").__file__).read_text()
    broken = text.replace("        cuda.syncthreads()\n        for i", "        for i").replace("by_squares", "racing")
    assert broken != text
    (tmp_path / "forgetful.py").write_text(broken)
    spec = importlib.util.spec_from_file_location(f"{gpu.__name__}.forgetful", tmp_path / "forgetful.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.delitem(KERNELS, "forgetful.racing")
    x = np.ones((4, 4), np.float32)
    with simulated(), pytest.raises(SimulatorError):
        module.matmul(backend.from_host(x), backend.from_host(x), side=4)


@pytest.mark.parametrize("name", gpu.RUNGS)
def test_a_rung_is_short_and_explained(name):
    module = rung(name)
    assert 5 < len(title_of(module)) < 40
    assert len(module.__doc__.partition(":")[2]) > 150
    with open(module.__file__) as file:
        assert len(file.readlines()) - module.__doc__.count("\n") < 90


@pytest.mark.parametrize("kernel", OURS, ids=str)
def test_it_compiles(kernel):
    pytest.importorskip("numba_cuda", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
    compiler = import_module("tinyconv.kernels.cuda.compiler")
    (variant,) = kernel.variants()
    machine = compiler.compiled(variant, (9, 0))
    assert (machine.spills, machine.stack) == (0, 0)
    assert machine.registers <= kernel.registers
    assert not re.findall(r".*\.f64.*", compiler.ptx(variant, (9, 0)))


def test_there_is_a_kernel_a_rung():
    assert len(OURS) == len(gpu.RUNGS)
