"""The fixture ``kernels``: each backend in turn, and around every call the rules that hold for every kernel."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import hypothesis
import numpy as np
import pytest

from tests.kernels.simulated import memory_of, seen_from_the_device
from tinyconv.kernels import HOST_BACKENDS
from tinyconv.kernels.contract import KERNELS
from tinyconv.kernels.cuda.runtime import check_faults, simulated

EXAMPLES = 15  # of each property in the simulator

VIEWS = {
    "view",
    "permute",
    "flip",
    "broadcast_to",
    "diagonal",
    "sliding_windows",
    "as_strided",
    "storage",
    "reinterpret",
    "getitem",
    "from_host",
    "to_host",
}
WRITES = {
    "assign": [0],
    "setitem": [0],
    "index_add": [0],
    "add_": [0],
    "mul_": [0],
    "sgd": [0, 2],
    "adam": [0, 2, 3, 4],
}  # which arguments
ANY_DTYPE = {"cast"}


class Backend:
    """A backend as the tests call it: with NumPy arrays in and out, wherever it computes.

    Every call checks what the contract promises for every kernel: no argument but those written *in place* changes, a
    result is a fresh C-contiguous array unless it is a view, and it keeps the floating type of the arguments. In-place
    kernels answer what they return, None, and have written into the test's own arrays.
    """

    def __init__(self, name: str):
        self.name = name
        self.module = import_module(f"tinyconv.kernels.{name}")

    def __repr__(self) -> str:
        return self.name

    def __getattr__(self, name: str):
        if name not in KERNELS:
            raise AttributeError(name)
        return lambda *args: self.call(name, *args)

    def enter(self, x: np.ndarray):
        """A test's array in the backend's memory."""
        return self.module.from_host(x)

    def leave(self, x) -> np.ndarray:
        """A backend's array as the test sees it."""
        return self.module.to_host(x)

    def call(self, name: str, *args):
        written = [id(a) for i in WRITES.get(name, ()) for a in arrays_in(args[i])]
        kept = [(a, a.copy()) for a in arrays_in(args) if id(a) not in written]
        arguments = mapped(self.enter, args)
        result = mapped(self.leave, getattr(self.module, name)(*arguments))

        for a, before in kept:
            assert same(a, before), f"{name} changed an argument"
        if name in WRITES:
            assert result is None
            for a, on_device in zip(arrays_in(args), arrays_in(arguments), strict=True):
                if on_device is not a and id(a) in written:
                    a[...] = self.leave(on_device)
        for y in arrays_in(result) if name not in VIEWS else ():
            assert type(y) is np.ndarray
            assert y.flags.c_contiguous, f"{name}: strides {y.strides} for shape {y.shape}"
            assert y.flags.writeable
            assert not any(np.may_share_memory(y, a) for a in arrays_in(args)), f"{name} returned an argument's memory"
            kinds = {a.dtype for a in arrays_in(args) if a.dtype.kind == "f"}
            if kinds and y.dtype.kind == "f" and name not in ANY_DTYPE:
                assert {y.dtype} == kinds, f"{name}: {kinds} became {y.dtype}"
        return result


class SimulatedGPU(Backend):
    """The CUDA backend in the simulator.

    Its memory is NumPy's, so a test's array becomes a device array where it lies, with the strides it has: kernels are
    tried on every layout, views are views for the test as well, and what is written in place is there at once.
    """

    def __init__(self, device):
        super().__init__("cuda")
        self.device = device

    def call(self, name: str, *args):
        if name == "from_host":
            return self.leave(self.module.from_host(*args))
        if name == "to_host":
            return self.module.to_host(self.enter(*args))
        result = super().call(name, *args)
        check_faults()  # the test waits
        return result

    def enter(self, x: np.ndarray):
        return seen_from_the_device(self.device, x)

    def leave(self, x) -> np.ndarray:
        return memory_of(self.device, x)


def mapped(function, x):
    """``function`` applied to every array in nested tuples and lists; the rest as it is."""
    if isinstance(x, (tuple, list)):
        return type(x)(mapped(function, item) for item in x)
    return x if x is None or isinstance(x, PLAIN) else function(x)


PLAIN = (bool, int, float, str, slice, type(Ellipsis), np.dtype, np.generic)


def arrays_in(x) -> list:
    """Every array in nested tuples and lists."""
    if isinstance(x, (tuple, list)):
        return [a for item in x for a in arrays_in(item)]
    return [] if x is None or isinstance(x, PLAIN) else [x]


def same(a, b) -> bool:
    """Equal element by element; NaN equals NaN."""
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


@pytest.fixture(scope="module", params=[*HOST_BACKENDS, "cuda"])
def kernels(request) -> Iterator[Backend]:
    """Each backend in turn; the GPU's run in the simulator, which finds races, bad indexes and undefined numbers."""
    if request.param in HOST_BACKENDS:
        yield Backend(request.param)
        return
    with simulated() as device:
        yield SimulatedGPU(device)


@pytest.fixture(autouse=True)
def _fewer_examples_for_the_simulator(request, monkeypatch):
    """It checks every step of every thread, and takes its time."""
    parameters = getattr(getattr(request.node, "callspec", None), "params", {})
    if parameters.get("kernels") == "cuda" and hasattr(request.function, "hypothesis"):
        few = hypothesis.settings(max_examples=EXAMPLES)
        monkeypatch.setattr(request.function, "_hypothesis_internal_use_settings", few)
