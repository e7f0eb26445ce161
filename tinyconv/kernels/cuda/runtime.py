"""The device that computes: a GPU, or the simulator in its place; its memory, and the one function that launches.

``launch(kernel, grid, *args)`` is the only way by which a kernel ever runs, on one stream, and nothing but ``to_host``
and ``synchronize`` makes the host wait. So a sequence of launches can be recorded once and replayed as a CUDA graph:
``graph.py``, whose ``Graph`` takes the device's place in a thread that records.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from .allocator import Allocator
from .array import DeviceArray, dense_strides
from .faults import COUNT, message
from .kernel import MAX_INT32, Kernel, Variant, element_type

if TYPE_CHECKING:
    from .graph import Executable, Fresh, Graph, Launch


class Device(Protocol):
    """What a GPU and the simulator have in common."""

    name: str
    capability: tuple[int, int]
    tf32: bool  # whether there are tensor cores that multiply TF32 numbers
    allocator: Allocator
    fault: DeviceArray | None  # the cells in which kernels note what they find wrong (faults.py)
    suspected: bool  # whether such a kernel has been launched since the last look

    def launch(self, variant: Variant, grid: tuple[int, int, int], args: tuple) -> None:
        """Let all blocks of the grid run; args are DeviceArrays, None (a null pointer), numbers, tuples of numbers."""

    def to_device(self, array: DeviceArray, host: np.ndarray) -> None:
        """Copy a dense array."""

    def to_host(self, array: DeviceArray, host: np.ndarray) -> None:
        """Copy a dense array, after all that was launched."""

    def fresh(self, array: DeviceArray) -> None:
        """Told of each new array: what its memory held before is not to be read."""

    def synchronize(self) -> None:
        """Wait for all that was launched."""

    def memory(self) -> tuple[int, int]:
        """Bytes: free and in all."""

    def executable(self, entries: list[Launch | Fresh]) -> Executable:
        """A graph's launches, ready to be run again and again."""


MOST_BLOCKS = 65535  # along y and z of a grid; along x there are as many as anyone wants

_device: Device | None = None
_thread = threading.local()  # .graph: the one that this thread records


def device() -> Device:
    """The device in use; the first call looks for one.

    Raises:
        RuntimeError: there is none, and why.
    """
    global _device
    if _device is None:
        from .driver import open_device

        _device = open_device()
    return _device


def in_use() -> bool:
    """Whether a device has been opened."""
    return _device is not None


@contextmanager
def simulated() -> Iterator[Device]:
    """Let the simulator take the GPU's place: kernels run in Python, and every step is checked.

    ::

        with tinyconv.cuda.simulated():
            y = model.to("cuda")(x.to("cuda"))
    """
    global _device
    from .simulator import Simulator

    before, _device = _device, Simulator()
    try:
        yield _device
    finally:
        _device = before


def recording() -> Graph | None:
    """The graph in which this thread's launches are written down, instead of being run."""
    return getattr(_thread, "graph", None)


@contextmanager
def recorded_in(graph: Graph | None) -> Iterator[None]:
    """Inside, this thread's launches go there; with None they run."""
    before, _thread.graph = recording(), graph
    try:
        yield
    finally:
        _thread.graph = before


def not_in_a_graph(what: str) -> None:
    """Raise RuntimeError if this thread records: ``what`` cannot be repeated."""
    if recording() is not None:
        raise RuntimeError(f"a graph is being recorded, and {what}; do that before or after")


def empty(shape: tuple[int, ...], dtype: Any) -> DeviceArray:
    """Fresh memory."""
    shape, dtype, on = tuple(shape), np.dtype(dtype), device()
    count = math.prod(shape)
    if count > MAX_INT32:
        raise ValueError(f"an array on the GPU has at most 2**31 - 1 elements, got {count} (shape {shape})")
    owner = recording()
    block = (on.allocator if owner is None else owner).take(count * dtype.itemsize)
    array = DeviceArray(block, 0, shape, dense_strides(shape), dtype)
    (on if owner is None else owner).fresh(array)
    return array


def constant(host: np.ndarray) -> DeviceArray:
    """What the host knows once and for all, on the device: the numbers of a range, a table of addresses. In a graph it
    is there before, and stays."""
    with recorded_in(None):
        array = empty(host.shape, host.dtype)
        if host.size:
            device().to_device(array, np.ascontiguousarray(host))
    return array


def launch(kernel: Kernel, grid: int | tuple[int, ...], *args: Any, **constants: Any) -> None:
    """Run a kernel.

    Args:
        kernel: what ``@kernel`` made.
        grid: how many blocks; up to three numbers. With a 0 among them nothing runs.
        args: in the order of the kernel's parameters.
        constants: those that the arrays' dtypes do not tell.
    """
    for name, i in kernel.inferred.items():
        if name not in constants:
            constants[name] = element_type(args[i].dtype)
    x, y, z, *_ = (grid, 1, 1) if isinstance(grid, int) else (*grid, 1, 1)
    blocks = (x, y, z)
    if max(y, z) > MOST_BLOCKS:
        raise ValueError(f"{kernel}: a grid has at most {MOST_BLOCKS} blocks along y and z, got {blocks}")
    if 0 not in blocks:
        (recording() or device()).launch(kernel.variant(**constants), blocks, args)


def faults() -> DeviceArray:
    """The cells in which a kernel notes what it finds wrong (``faults.py``).

    Nobody waits for the kernel: :func:`check_faults` looks into the cells the next time that the host waits anyway.
    """
    on = device()
    if on.fault is None:
        on.fault = empty((COUNT,), np.int64)
        on.to_device(on.fault, np.zeros(COUNT, np.int64))
    on.suspected = True
    return on.fault


def check_faults() -> None:
    """Look into the cells.

    Raises:
        IndexError: some kernel launched since the last look met an index that is out of bounds, or a target.
    """
    on = device()
    if not on.suspected or on.fault is None:
        return
    found = np.zeros(COUNT, np.int64)
    on.to_host(on.fault, found)
    on.suspected = False
    wrong = message(found)
    if wrong is not None:
        on.to_device(on.fault, np.zeros(COUNT, np.int64))
        raise IndexError(wrong)


def synchronize() -> None:
    """Wait for all that was launched, and look whether it went well."""
    not_in_a_graph("its launches only run when it is replayed: nothing can be waited for")
    device().synchronize()
    check_faults()


def ceil_div(n: int, size: int) -> int:
    """How many blocks of ``size`` hold n."""
    return -(-n // size)
