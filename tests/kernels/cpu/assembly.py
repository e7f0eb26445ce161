"""Compiles the kernels for another processor than this one, and prints what became of their loops.

Run as a program, with the environment ``PLAIN``::

    python -m tests.kernels.cpu.assembly UNIT

The kernels are written for UNIT's row of the table in ``target.py``. They run here, whatever this machine has (of
vectors that it lacks, the compiler makes smaller ones), and are compared with the reference backend. Then their LLVM
instructions, which Numba left as they were written, are optimized and compiled for UNIT's processor. One line of JSON
a function; those that wait for other threads are left out, for they hold this machine's instruction for it.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import llvmlite.binding as llvm
import numpy as np
from numba.core import codegen, config
from numba.core.registry import CPUDispatcher

import tinyconv.kernels

PLAIN = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_OPT": 0, "OMP_NUM_THREADS": 1}
PLAIN |= {"PYTHONWARNINGS": "ignore"}  # that functions are too plain to be cached
KERNELS = "conv2d", "conv2d_gx", "conv2d_gw", "matmul", "max_pool2d", "max_pool2d_gx", "relu", "add", *(
    "conv2d_relu_max_pool2d", "max_pool2d_conv2d_gx", "max_pool2d_conv2d_gw"
)  # fmt: skip
SHAPES = (6, 2), (8, 2)  # of tiles beside those of the table

# The processor, and what its assembly calls a multiply-add of floats, a vector on the stack, an addition of vectors, a
# shuffle.
PROCESSORS = {
    "avx512": ("x86_64-unknown-linux-gnu", "x86-64-v4", r"vfmadd\w+ps .*%zmm", r"(%rsp.*%zmm|%zmm.*%rsp)",
               r"vaddps .*%[yz]mm", r"v(perm|shuf|p?unpck)\w+ .*%[yz]mm"),
    "avx2": ("x86_64-unknown-linux-gnu", "x86-64-v3", r"vfmadd\w+ps .*%ymm", r"(%rsp.*%ymm|%ymm.*%rsp)",
             r"vaddps .*%ymm", r"v(perm|shuf|p?unpck)\w+ .*%ymm"),
    "neon": ("aarch64-unknown-linux-gnu", "generic", r"fmla v\d+\.4s", r"[qv]\d+.*\[sp",
             r"fadd v\d+\.4s", r"((uzp|zip|trn)[12]|ld2|st2) \{? ?v\d+\.4s"),
}  # fmt: skip
MACHINES = {"avx512": ("x86_64", "+avx512f"), "avx2": ("x86_64", "+avx2,+fma"), "neon": ("aarch64", "")}
JUMP = r"^(?:j\w+|b\.\w+|cbn?z \w+,|tbn?z \w+, #\d+,) "


def keep_instructions() -> None:
    """Let Numba keep a function's instructions as they are: compiling for this machine rewrites them."""
    finalize = codegen.CPUCodeLibrary._finalize_final_module

    def keeping(library):
        code = str(library._final_module)
        finalize(library)
        library._final_module = llvm.parse_assembly(code)

    codegen.CPUCodeLibrary._finalize_final_module = keeping


def choose(unit: str) -> None:
    """Let the kernels, which are not imported yet, be written as on a machine of this kind."""
    name = "tinyconv.kernels.cpu.target"
    path = Path(tinyconv.kernels.__file__).parent / "cpu" / "target.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader and name not in sys.modules
    target = sys.modules[name] = importlib.util.module_from_spec(spec)
    machine, features = MACHINES[unit]
    with mock.patch("platform.machine", return_value=machine), mock.patch.object(config, "CPU_FEATURES", features):
        spec.loader.exec_module(target)
    assert unit == target.UNIT


def run_and_compare() -> None:
    """Run kernels on small arrays, which compiles them, and see that they are right."""
    from tests.kernels.compare import assert_close
    from tests.kernels.cpu.calls import results
    from tinyconv.kernels import cpu, reference

    ours, truth = (results(backend, np.float32, only=KERNELS) for backend in (cpu, reference))
    for (_, actual), (_, expected) in zip(ours, truth, strict=True):
        for a, e in zip(actual, expected, strict=True):
            assert_close(a.astype(np.float32), e, terms=64)


def functions() -> Iterator[tuple[str, str]]:
    """Every compiled function of the CPU backend that does not wait for threads: its name and its instructions."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("tinyconv.kernels.cpu.")]
    for function in {f: None for module in modules for f in vars(module).values() if isinstance(f, CPUDispatcher)}:
        for result in [*function.overloads.values(), *function.lean.overloads.values()]:
            code = result.library.get_llvm_str()
            if "tinyconv_mailbox" not in code:
                yield f"{function.__module__.rpartition('.')[2]}.{function.__name__}", code


def tile_alone(MR: int, NV: int) -> str:
    """The instructions of a tile of this shape."""
    from tinyconv.kernels.cpu.compile import jit
    from tinyconv.kernels.cpu.target import VECTOR_BYTES
    from tinyconv.kernels.cpu.tile import ZERO, make_tile

    tile, width = make_tile(MR, NV, unit=True), NV * VECTOR_BYTES // 4

    @jit
    def once(S, V, columns, out):
        tile(columns.size, S, 0, MR, columns, V, 0, columns, out, 0, width, MR, width, ZERO)

    K, out = 5, np.empty((MR, width), np.float32)
    S, V = (np.random.default_rng(0).standard_normal((K, n), np.float32) for n in out.shape)
    once(S.reshape(-1), V.reshape(-1), np.arange(K) * width, out.reshape(-1))
    np.testing.assert_allclose(out, S.T @ V, rtol=1e-5, atol=1e-5)
    (result,) = once.overloads.values()
    return result.library.get_llvm_str()


def assembly(code: str, triple: str, processor: str) -> str:
    """LLVM instructions, optimized and compiled for a processor; each line in single spaces."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(triple)
    machine = target.create_target_machine(cpu=processor, opt=3, reloc="pic", codemodel="default")
    module = llvm.parse_assembly(re.sub(r"^target (datalayout|triple) = .*$", "", code, flags=re.M))
    module.triple, module.data_layout = triple, str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return re.sub(r"^ ", "", re.sub(r"[ \t]+", " ", machine.emit_assembly(module)), flags=re.M)


def loops(text: str) -> Iterator[str]:
    """The innermost loops: from a label to the jump back to it, with no other label between."""
    for block in re.split(r"^(?=\.LBB\d+_\d+:)", text, flags=re.M):
        back = re.search(JUMP + re.escape(block.partition(":")[0]) + r"\b", block, re.M)
        if back:
            yield block[: back.start()]


def main(unit: str) -> None:
    """Print the lines for one row of the table."""
    keep_instructions()
    choose(unit)
    run_and_compare()
    from tinyconv.kernels.cpu.target import TILES

    triple, processor, *patterns = PROCESSORS[unit]
    multiply_add, spill, addition, shuffle = (re.compile(f"^.*{pattern}", re.M) for pattern in patterns)
    own = [(f"{MR}x{NV}", tile_alone(MR, NV)) for MR, NV in {*SHAPES, *TILES}]
    for name, code in [*functions(), *own]:
        text = assembly(code, triple, processor)
        row = {
            "name": name,
            "loops": [
                {"multiply_adds": n, "spills": len(spill.findall(body))}
                for body in loops(text)
                if (n := len(multiply_add.findall(body)))
            ],
            "additions": len(addition.findall(text)),
            "shuffles": len(shuffle.findall(text)),
            "calls_fma": bool(re.search(r"\bfmaf?\b", text)),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
