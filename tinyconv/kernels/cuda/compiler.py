"""From a kernel to machine code: numba-cuda to LTO-IR (NVIDIA's LLVM bitcode), nvJitLink to one architecture's cubin.

No GPU and no driver is needed, so tests compile every kernel for every architecture. A cubin, unlike PTX, needs no
compiler in the driver: one for CUDA 13.0 runs what newer toolkits of CUDA 13 have made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, SimpleNamespace
from typing import Any

from numba import cuda
from numba.cuda import dispatcher, types
from numba.cuda.extending import register_jitable

from . import intrinsics
from .kernel import Variant, names_of

_DIALECT = intrinsics.dialect()


@dataclass(frozen=True)
class Machine:
    """A compiled kernel.

    Attributes:
        cubin: the ELF file.
        entry: the kernel's name in it.
        registers: of a thread.
        stack, spills: bytes of a thread that found no register.
        shared: bytes of a block.
    """

    cubin: bytes
    entry: str
    registers: int
    stack: int
    spills: int
    shared: int


def compiled(variant: Variant, capability: tuple[int, int]) -> Machine:
    """Machine code for an architecture, (9, 0) for sm_90.

    Raises:
        ValueError: the architecture lacks the kernel's instructions.
    """
    if capability < variant.oldest:
        needed, got = (".".join(map(str, c)) for c in (variant.oldest, capability))
        raise ValueError(f"{variant.name} needs a GPU of compute capability {needed} or newer, got {got}")
    return linked(intermediate(variant, capability), capability, exact=variant.kernel.exact)


def intermediate(variant: Variant, capability: tuple[int, int]) -> bytes:
    """LTO-IR."""
    return _by_numba(variant, capability, "ltoir")


def ptx(variant: Variant, capability: tuple[int, int]) -> str:
    """NVIDIA's assembly language, to read."""
    return _by_numba(variant, capability, "ptx")


def _by_numba(variant: Variant, capability: tuple[int, int], output: str) -> Any:
    with _helpers_compiled_for(capability):
        code, _ = cuda.compile(
            _transplanted(variant),
            types.void(*_signature(variant)),
            device=False,
            abi="numba",
            cc=capability,
            output=output,
            launch_bounds=_launch_bounds(variant, capability),
        )
    return code


def _launch_bounds(variant: Variant, capability: tuple[int, int]) -> tuple[int, int]:
    """Threads of a block, and how many blocks must fit into a multiprocessor's registers at once."""
    threads = variant.block[0] * variant.block[1] * variant.block[2]
    return threads, variant.kernel.resident if capability >= (9, 0) else 1


@contextmanager
def _helpers_compiled_for(capability: tuple[int, int]) -> Iterator[None]:
    """numba-cuda is told the architecture of a kernel, but asks the GPU for that of the functions which it calls."""
    ask = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = ask


def _transplanted(variant: Variant) -> Callable:
    """The kernel's function among the names that the compiler knows."""
    made: dict[Callable, Any] = {}

    def convert(function: Callable) -> Any:
        if function not in made:
            made[function] = register_jitable(transplant(function))
        return made[function]

    def transplant(function: Any) -> Callable:
        names = {"__name__": function.__module__, "__builtins__": __builtins__}
        copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
        copy.__module__ = function.__module__
        names.update(names_of(function, variant.constants, _DIALECT, convert))
        return copy

    return transplant(variant.kernel.function)


def _signature(variant: Variant) -> list[Any]:
    out = []
    for parameter, dtype, count in zip(variant.kernel.parameters, variant.types, variant.counts, strict=True):
        number = getattr(types, dtype.name)
        out.append(
            types.CPointer(number) if parameter.pointer else number if count is None else types.UniTuple(number, count)
        )
    return out


def linked(code: bytes, capability: tuple[int, int], exact: bool) -> Machine:
    """LTO-IR to machine code.

    Args:
        code: of :func:`intermediate`.
        capability: the architecture.
        exact: without fused multiply-adds.
    """
    from cuda.bindings import nvjitlink

    options = ["-lto", "-verbose", f"-arch=sm_{capability[0]}{capability[1]}", f"-fma={0 if exact else 1}"]
    linker = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.LTOIR, code, len(code), "kernel")
        nvjitlink.complete(linker)
        log = bytearray(nvjitlink.get_info_log_size(linker))
        nvjitlink.get_info_log(linker, log)
        cubin = bytearray(nvjitlink.get_linked_cubin_size(linker))
        nvjitlink.get_linked_cubin(linker, cubin)
    finally:
        nvjitlink.destroy(linker)
    return _described(bytes(cubin), log.decode(errors="replace"))


def _described(cubin: bytes, log: str) -> Machine:
    entry = re.search(rb"\.nv\.constant0\.([^\0]+)\0", cubin)
    used = re.search(r"Used (\d+) registers", log)
    memory = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", log)
    shared = re.search(r"(\d+) bytes smem", log)
    if entry is None or used is None or memory is None:
        raise RuntimeError(f"nvJitLink's log is not as expected: {log}")
    return Machine(
        cubin, entry[1].decode(), int(used[1]), int(memory[1]), int(memory[2]) + int(memory[3]),
        int(shared[1]) if shared else 0,
    )  # fmt: skip
