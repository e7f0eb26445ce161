"""The real GPU, through CUDA's driver API: one device, its primary context (which PyTorch shares), one stream.

Every call's result is looked at. What goes wrong *in* a kernel is only known later: the driver reports it to the next
call that waits, after which nothing more can be done with the context, and every call fails. So wrong numbers are never
returned, but the message comes late; ``CUDA_LAUNCH_BLOCKING=1`` makes every launch wait, and names the kernel.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .. import cache
from .allocator import Allocator
from .array import DeviceArray
from .graph import Fresh, Launch
from .kernel import OLDEST_GPU, TF32_GPU, Variant

OLDEST_DRIVER = 13000  # CUDA 13.0: what the cubins of its compilers need
HERE = Path(__file__).parent
INSTALL = "pip install 'tinyconv[cuda]'"
_CODES = {"float16": "e", "float32": "f", "float64": "d", "int64": "q", "uint64": "Q", "int32": "i", "uint32": "I",
          "int16": "h", "uint16": "H", "int8": "b", "uint8": "B"}  # fmt: skip


def open_device() -> Driver:
    """The GPU.

    Raises:
        RuntimeError: there is none that can be used, why, and what to do.
    """
    return Driver(_bindings())


def _bindings() -> Any:
    """The driver API."""
    try:
        import_module("numba_cuda")
        return import_module("cuda.bindings.driver")
    except ImportError as error:
        raise RuntimeError(f"computing on a GPU needs numba-cuda ({error}): {INSTALL}") from None


class Driver:
    """The device "cuda".

    Args:
        api: the module ``cuda.bindings.driver``, or in tests one that behaves like it.
    """

    def __init__(self, api: Any):
        self.api = api
        try:
            self.call("cuInit", 0)
        except CudaError as error:
            hint = "is there a GPU, and may this process see it (CUDA_VISIBLE_DEVICES)?"
            raise RuntimeError(f"no GPU can be used: {error}; {hint}") from None
        except RuntimeError as error:  # the bindings' own, where the driver's library is missing
            raise RuntimeError(
                f"no NVIDIA driver is installed here ({type(error).__name__}): it needs one for CUDA "
                f"{_version(OLDEST_DRIVER)} or newer"
            ) from None
        version = self.call("cuDriverGetVersion")
        if version < OLDEST_DRIVER:
            raise RuntimeError(
                f"the NVIDIA driver is for CUDA {_version(version)}; tinyconv's kernels need one for CUDA "
                f"{_version(OLDEST_DRIVER)} or newer (release 580 on): update the driver"
            )
        if self.call("cuDeviceGetCount") == 0:
            raise RuntimeError("there is an NVIDIA driver, but no GPU that this process may see (CUDA_VISIBLE_DEVICES)")
        self.handle = self.call("cuDeviceGet", 0)
        self.name = self.call("cuDeviceGetName", 100, self.handle).partition(b"\0")[0].decode()
        attribute = api.CUdevice_attribute
        major = attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
        minor = attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
        self.capability: tuple[int, int] = (
            self.call("cuDeviceGetAttribute", major, self.handle),
            self.call("cuDeviceGetAttribute", minor, self.handle),
        )
        if self.capability < OLDEST_GPU:
            raise RuntimeError(
                f"{self.name} has compute capability {_dotted(self.capability)}; CUDA 13 compiles for "
                f"{_dotted(OLDEST_GPU)} and newer"
            )
        self.tf32 = self.capability >= TF32_GPU
        self.context = self.call("cuDevicePrimaryCtxRetain", self.handle)
        self._thread = threading.local()
        self._process = os.getpid()
        self.enter()
        self.stream = self.call("cuStreamCreate", api.CUstream_flags.CU_STREAM_NON_BLOCKING)
        self.fault: DeviceArray | None = None
        self.suspected = False
        self.allocator = Allocator(self._allocate, self._free, self.memory()[1])
        self._blocking = os.environ.get("CUDA_LAUNCH_BLOCKING") == "1"

    # ---------------------------------------------------------------------------------------------------------- calls

    def call(self, name: str, *args: Any) -> Any:
        """A function of the driver API: its result, without the error code.

        Raises:
            CudaError: the code is not 0.
        """
        code, *results = getattr(self.api, name)(*args)
        if int(code) != 0:
            raise CudaError(name, code)
        return results[0] if len(results) == 1 else results

    def enter(self) -> None:
        """Let the calling thread use the context (each must, once)."""
        if os.getpid() != self._process:
            raise RuntimeError(
                "a forked process cannot use its parent's GPU: start workers with the 'spawn' method, or let them "
                "compute on the CPU"
            )
        self.call("cuCtxSetCurrent", self.context)
        self._thread.ready = True

    def enter_if_new(self) -> None:
        """Let the calling thread use the context unless it does already."""
        if not getattr(self._thread, "ready", False) or os.getpid() != self._process:
            self.enter()

    # --------------------------------------------------------------------------------------------------------- memory

    def _allocate(self, nbytes: int) -> int:
        self.enter_if_new()
        try:
            return int(self.call("cuMemAlloc", nbytes))
        except CudaError as error:
            if "OUT_OF_MEMORY" in str(error):
                raise MemoryError from None
            raise

    def _free(self, pointer: int) -> None:
        self.enter_if_new()
        self.call("cuMemFree", pointer)

    def memory(self) -> tuple[int, int]:
        """Bytes: free and in all."""
        self.enter_if_new()
        free, total = self.call("cuMemGetInfo")
        return free, total

    def fresh(self, array: DeviceArray) -> None:
        """Nothing: the contents are undefined anyway."""

    def to_device(self, array: DeviceArray, host: np.ndarray) -> None:
        self.enter_if_new()
        self.call("cuMemcpyHtoDAsync", array.pointer, host.ctypes.data, host.nbytes, self.stream)

    def to_host(self, array: DeviceArray, host: np.ndarray) -> None:
        self.enter_if_new()
        self.call("cuMemcpyDtoHAsync", host.ctypes.data, array.pointer, host.nbytes, self.stream)
        self.synchronize()

    def synchronize(self) -> None:
        self.enter_if_new()
        self.call("cuStreamSynchronize", self.stream)

    # --------------------------------------------------------------------------------------------------------- launch

    def function(self, variant: Variant) -> Function:
        """A kernel, compiled and loaded on first use."""
        function = variant.compiled.get(self)
        if function is None:
            function = variant.compiled[self] = Function(self, variant)
        return function

    def launch(self, variant: Variant, grid: tuple[int, int, int], args: tuple) -> None:
        self.enter_if_new()
        self.function(variant).launch(grid, args)
        if self._blocking:
            try:
                self.synchronize()
            except CudaError as error:
                raise CudaError(f"kernel {variant.name}", error.code) from None

    def executable(self, entries: list[Launch | Fresh]) -> DriverGraph:
        self.enter_if_new()
        return DriverGraph(self, entries)

    def machine_code(self, variant: Variant) -> tuple[bytes, str]:
        """A kernel's cubin and its name there: from the cache, or compiled."""
        architecture = f"sm_{self.capability[0]}{self.capability[1]}"
        path = cache_directory() / f"{variant.name[:150]}-{_digest(variant)}.{architecture}"
        ours = Path(variant.kernel.function.__code__.co_filename).is_relative_to(HERE)
        kept = cache.read(path) if ours else None
        if kept is not None:
            header, _, cubin = kept.partition(b"\n")
            return cubin, json.loads(header)["entry"]
        from .compiler import compiled

        machine = compiled(variant, self.capability)
        if ours:
            cache.write(path, json.dumps({"entry": machine.entry}).encode() + b"\n" + machine.cubin)
        return machine.cubin, machine.entry


class Function:
    """A kernel on the GPU, ready to be launched: arguments are packed into one buffer that the driver copies."""

    def __init__(self, driver: Driver, variant: Variant):
        self.driver, self.variant = driver, variant
        cubin, entry = driver.machine_code(variant)
        self.module = driver.call("cuModuleLoadData", cubin)
        self.handle = driver.call("cuModuleGetFunction", self.module, entry.encode())
        self.packer = packer(variant)
        self.pointers = [p.pointer for p in variant.kernel.parameters]
        self.buffer = ctypes.create_string_buffer(self.packer.size)
        self.size = ctypes.c_size_t(self.packer.size)
        # CU_LAUNCH_PARAM_BUFFER_POINTER, ..._SIZE, ..._END
        self.extra = (ctypes.c_void_p * 5)(
            1, ctypes.addressof(self.buffer), 2, ctypes.addressof(self.size), 0
        )  # fmt: skip
        self.extra_address = ctypes.addressof(self.extra)
        self.lock = threading.Lock()

    def launch(self, grid: tuple[int, int, int], args: tuple) -> None:
        with self.lock:
            self._pack(args)
            self.driver.call(
                "cuLaunchKernel", self.handle, *grid, *self.variant.block, 0, self.driver.stream, 0, self.extra_address
            )

    @contextmanager
    def node(self, grid: tuple[int, int, int], args: tuple) -> Iterator[Any]:
        """The launch as a graph's node describes it, to be copied inside."""
        node = self.driver.api.CUDA_KERNEL_NODE_PARAMS()
        node.func = self.handle
        node.gridDimX, node.gridDimY, node.gridDimZ = grid
        node.blockDimX, node.blockDimY, node.blockDimZ = self.variant.block
        node.extra = self.extra_address
        with self.lock:
            self._pack(args)
            yield node

    def _pack(self, args: tuple) -> None:
        flat: list[Any] = []
        for pointer, value in zip(self.pointers, args, strict=True):
            if pointer:
                flat.append(0 if value is None else value.pointer)
            elif type(value) is tuple:
                flat += value
            else:
                flat.append(value)
        self.packer.pack_into(self.buffer, 0, *flat)


class DriverGraph:
    """Launches in a row, each a node that depends on the one before, instantiated once."""

    def __init__(self, driver: Driver, entries: list[Launch | Fresh]):
        self.driver = driver
        self.launches = [entry for entry in entries if isinstance(entry, Launch)]
        self.nodes: list[Any] = []
        self.graph = driver.call("cuGraphCreate", 0)
        self.ready: Any = None
        for variant, grid, args in self.launches:
            before = self.nodes[-1:]
            with driver.function(variant).node(grid, args) as node:
                self.nodes.append(driver.call("cuGraphAddKernelNode", self.graph, before, len(before), node))
        self.ready = driver.call("cuGraphInstantiate", self.graph, 0)

    def rebind(self, number: int, args: tuple) -> None:
        variant, grid, _ = self.launches[number]
        with self.driver.function(variant).node(grid, args) as node:
            self.driver.call("cuGraphExecKernelNodeSetParams", self.ready, self.nodes[number], node)

    def run(self) -> None:
        self.driver.enter_if_new()
        self.driver.call("cuGraphLaunch", self.ready, self.driver.stream)

    def __del__(self) -> None:
        if not sys.is_finalizing():
            if self.ready is not None:
                self.driver.call("cuGraphExecDestroy", self.ready)
            self.driver.call("cuGraphDestroy", self.graph)


class CudaError(RuntimeError):
    """The driver refuses, or reports what went wrong in a kernel."""

    def __init__(self, what: str, code: Any):
        super().__init__(f"{what}: {getattr(code, 'name', code)}")
        self.code = code


def packer(variant: Variant) -> struct.Struct:
    """How a kernel's parameters lie in memory: one after the other, each on a multiple of its size."""
    codes = []
    for parameter, dtype, count in zip(variant.kernel.parameters, variant.types, variant.counts, strict=True):
        codes.append("P" if parameter.pointer else _CODES[dtype.name] * (1 if count is None else count))
    return struct.Struct("@" + "".join(codes))


@functools.cache
def cache_directory() -> Path:
    """Where the machine code of this folder's kernels is kept."""
    versions = [import_module("numba_cuda").__version__, str(import_module("cuda.bindings.nvjitlink").version())]
    return cache.directory_for("cuda", [*HERE.glob("*.py"), HERE.parent / "formulas.py"], *versions)


def _digest(variant: Variant) -> str:
    """What tells kernels of equal names apart."""
    what = [variant.kernel.function.__module__]
    for name, value in variant.constants.items():
        what += [name, getattr(value, "__module__", ""), getattr(value, "__qualname__", str(value))]
    return hashlib.sha256(" ".join(what).encode()).hexdigest()[:8]


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def _dotted(capability: tuple[int, ...]) -> str:
    return ".".join(map(str, capability))
