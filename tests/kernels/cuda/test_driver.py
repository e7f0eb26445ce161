"""What the host does with the driver: calls in order, arguments packed, every error a clear one. Its API is a fake."""

from __future__ import annotations

import ctypes
import struct
import threading
from enum import IntEnum
from types import SimpleNamespace

import numpy as np
import pytest

from tinyconv.kernels import cuda as backend
from tinyconv.kernels.cuda import driver, runtime
from tinyconv.kernels.cuda.arrays import BLOCK, fill
from tinyconv.kernels.cuda.driver import CudaError, Driver
from tinyconv.kernels.cuda.runtime import launch


class Result(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_ILLEGAL_ADDRESS = 700


class FakeApi:
    """``cuda.bindings.driver`` on the host's memory. ``fail`` maps a function's name to what it answers."""

    CUdevice_attribute = SimpleNamespace(
        CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR="major", CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR="minor"
    )
    CUstream_flags = SimpleNamespace(CU_STREAM_NON_BLOCKING=1)

    def __init__(self, version=13000, devices=1, capability=(9, 0), total=1 << 20):
        self.answers = {
            "cuDriverGetVersion": version, "cuDeviceGetCount": devices, "cuDeviceGet": 7,
            "cuDeviceGetName": b"Fake GPU\0\0", "cuDevicePrimaryCtxRetain": 11, "cuStreamCreate": 13,
        }  # fmt: skip
        self.capability, self.free_bytes, self.total = capability, total, total
        self.fail: dict[str, Result] = {}
        self.log: list[tuple] = []
        self.memory: dict[int, ctypes.Array] = {}

    def __getattr__(self, name: str):
        if not name.startswith("cu"):
            raise AttributeError(name)

        def call(*args):
            self.log.append((name, *args))
            if name in self.fail:
                return (self.fail[name], None)
            made = getattr(self, f"do_{name}", None)
            result = made(*args) if made else self.answers.get(name)
            return result if isinstance(result, tuple) else (Result(0),) if result is None else (Result(0), result)

        return call

    def do_cuDeviceGetAttribute(self, attribute, device):
        return self.capability[attribute == "minor"]

    def do_cuMemGetInfo(self):
        return Result(0), self.free_bytes, self.total

    def do_cuMemAlloc(self, nbytes):
        if nbytes > self.free_bytes:
            return Result(2), None
        self.free_bytes -= nbytes
        block = ctypes.create_string_buffer(nbytes)
        self.memory[ctypes.addressof(block)] = block
        return ctypes.addressof(block)

    def do_cuMemFree(self, pointer):
        self.free_bytes += len(self.memory.pop(pointer))

    def do_cuMemcpyHtoDAsync(self, to, source, nbytes, stream):
        ctypes.memmove(to, source, nbytes)

    def do_cuMemcpyDtoHAsync(self, to, source, nbytes, stream):
        ctypes.memmove(to, source, nbytes)

    def do_cuModuleLoadData(self, cubin):
        return ["module", cubin]

    def do_cuModuleGetFunction(self, module, name):
        return ["function", name]

    def calls(self, name: str) -> list[tuple]:
        return [entry[1:] for entry in self.log if entry[0] == name]


@pytest.fixture
def api(monkeypatch) -> FakeApi:
    """A fake GPU is the device "cuda"."""
    api = FakeApi()
    gpu = Driver(api)
    monkeypatch.setattr(gpu, "machine_code", lambda variant: (b"cubin", variant.name))
    monkeypatch.setattr(runtime, "_device", gpu)
    return api


def test_it_opens_the_first_gpu(api):
    gpu = runtime.device()
    assert (gpu.name, gpu.capability, gpu.memory()) == ("Fake GPU", (9, 0), (1 << 20, 1 << 20))
    assert [entry[0] for entry in api.log[:2]] == ["cuInit", "cuDriverGetVersion"]
    assert api.calls("cuCtxSetCurrent") == [(11,)]


def test_arrays_go_there_and_back(api):
    x = np.arange(12.0).reshape(3, 4).T
    y = backend.from_host(x)
    np.testing.assert_array_equal(backend.to_host(y), x)
    assert api.calls("cuStreamSynchronize") == [(13,)]


def test_a_launch_packs_its_arguments(api):
    y = backend.empty((600,), np.float32)
    sent = []

    def read(function, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra):
        options = (ctypes.c_void_p * 5).from_address(extra)
        assert (options[0], options[2], options[4]) == (1, 2, None)
        size = ctypes.c_size_t.from_address(options[3]).value
        sent.append((function, (gx, gy, gz), (bx, by, bz), shared, stream, ctypes.string_at(options[1], size)))

    api.do_cuLaunchKernel = read
    backend.assign(y, 1.0)
    launch(fill, (2, 3), 7, None, 5, (1, 2), (3, 4), U=np.uint8, R=2)
    (f, grid, block, shared, stream, data), (_, grid2, _, _, _, data2) = sent
    assert (f, grid, block, shared, stream) == (["function", b"arrays_fill_uint32_1"], (3, 1, 1), (BLOCK, 1, 1), 0, 13)
    one = np.float32(1).view(np.uint32)
    assert struct.unpack("@IPiii", data) == (one, y.pointer, 600, 600, 1)
    assert grid2 == (2, 3, 1)
    assert struct.unpack("@BPiiiii", data2) == (7, 0, 5, 1, 2, 3, 4)
    assert api.calls("cuStreamSynchronize") == []  # nobody waits


def test_kernels_are_loaded_once(api):
    y = backend.empty((600,), np.float32)
    for _ in range(3):
        backend.assign(y, 1.0)
    assert len(api.calls("cuModuleLoadData")) == 1
    assert len(api.calls("cuLaunchKernel")) == 3


def test_memory_is_used_again(api):
    for _ in range(5):
        backend.full((1000,), 2.0, np.dtype("float32"))
    assert len(api.calls("cuMemAlloc")) == 1


def test_a_refused_launch_raises(api):
    y = backend.empty((8,), np.float32)
    api.fail["cuLaunchKernel"] = Result.CUDA_ERROR_ILLEGAL_ADDRESS
    with pytest.raises(RuntimeError, match="cuLaunchKernel: CUDA_ERROR_ILLEGAL_ADDRESS"):
        backend.assign(y, 1.0)


def test_a_failed_kernel_raises_where_the_host_waits(api):
    y = backend.full((8,), 1.0, np.dtype("float32"))
    api.fail["cuStreamSynchronize"] = Result.CUDA_ERROR_ILLEGAL_ADDRESS
    with pytest.raises(CudaError, match="cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS"):
        backend.to_host(y)


def test_blocking_launches_name_the_kernel(api, monkeypatch):
    monkeypatch.setattr(runtime.device(), "_blocking", True)
    y = backend.full((8,), 1.0, np.dtype("float32"))
    api.fail["cuStreamSynchronize"] = Result.CUDA_ERROR_ILLEGAL_ADDRESS
    with pytest.raises(CudaError, match="kernel arrays_fill_uint32_1: CUDA_ERROR_ILLEGAL_ADDRESS"):
        backend.assign(y, 1.0)


def test_out_of_memory(api):
    held = backend.empty((200_000,), np.float32)
    with pytest.raises(
        RuntimeError, match="out of memory on the GPU: an array needs 0.4 MiB, others hold 0.8 of 1.0 MiB"
    ):
        backend.empty((100_000,), np.float32)
    assert held.size == 200_000


def test_every_thread_enters_the_context(api):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(backend.to_host(backend.from_host(np.ones(3)))))
    thread.start()
    thread.join()
    assert seen[0].tolist() == [1, 1, 1]
    assert len(api.calls("cuCtxSetCurrent")) == 2


def test_a_forked_child_is_refused(api, monkeypatch):
    monkeypatch.setattr(driver.os, "getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="a forked process cannot use its parent's GPU"):
        backend.from_host(np.ones(3))


@pytest.mark.parametrize(
    ("options", "fail", "message"),
    [
        ({"version": 12080}, {}, r"the NVIDIA driver is for CUDA 12\.8; .* need one for CUDA 13\.0 or newer .*update"),
        (
            {"devices": 0},
            {},
            r"there is an NVIDIA driver, but no GPU that this process may see \(CUDA_VISIBLE_DEVICES\)",
        ),
        ({"capability": (7, 0)}, {}, r"Fake GPU has compute capability 7\.0; CUDA 13 compiles for 7\.5 and newer"),
        (
            {},
            {"cuInit": Result.CUDA_ERROR_NO_DEVICE},
            r"no GPU can be used: cuInit: CUDA_ERROR_NO_DEVICE; is there a GPU",
        ),
    ],
)
def test_what_cannot_be_used_says_why(options, fail, message):
    api = FakeApi(**options)
    api.fail = fail
    with pytest.raises(RuntimeError, match=message):
        Driver(api)


def test_without_a_driver():
    api = SimpleNamespace(cuInit=lambda flags: missing())

    def missing():
        raise RuntimeError("libcuda.so.1 not found")

    with pytest.raises(RuntimeError, match=r"no NVIDIA driver is installed here .* CUDA 13\.0 or newer"):
        Driver(api)


def test_without_numba_cuda(monkeypatch):
    monkeypatch.setitem(driver.import_module.__globals__["sys"].modules, "numba_cuda", None)
    with pytest.raises(RuntimeError, match=r"computing on a GPU needs numba-cuda .*: pip install 'tinyconv\[cuda\]'"):
        driver.open_device()


def test_the_bindings_take_what_they_are_given():
    """Where there is no driver they fail for that reason, and not for an argument's type."""
    api = pytest.importorskip("cuda.bindings.driver", reason="needs numba-cuda: pip install 'tinyconv[cuda]'")
    stream, attribute = api.CUstream(13), api.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
    for name, *args in (
        ("cuInit", 0),
        ("cuDriverGetVersion",),
        ("cuDeviceGetCount",),
        ("cuDeviceGet", 0),
        ("cuDeviceGetName", 100, api.CUdevice(0)),
        ("cuDeviceGetAttribute", attribute, api.CUdevice(0)),
        ("cuDevicePrimaryCtxRetain", api.CUdevice(0)),
        ("cuCtxSetCurrent", api.CUcontext(1)),
        ("cuStreamCreate", api.CUstream_flags.CU_STREAM_NON_BLOCKING),
        ("cuStreamSynchronize", stream),
        ("cuMemAlloc", 512),
        ("cuMemFree", 4096),
        ("cuMemGetInfo",),
        ("cuMemcpyHtoDAsync", 4096, 8192, 16, stream),
        ("cuMemcpyDtoHAsync", 8192, 4096, 16, stream),
        ("cuModuleLoadData", b"cubin"),
        ("cuModuleGetFunction", api.CUmodule(1), b"name"),
        ("cuLaunchKernel", api.CUfunction(1), 1, 1, 1, 256, 1, 1, 0, stream, 0, 4096),
    ):
        try:
            getattr(api, name)(*args)
        except RuntimeError as error:
            assert "driver" in str(error), name
        else:
            pytest.skip("there is a driver: the other tests use it")
