"""The fixture ``kernels``: each backend in turn, and around every call the rules that hold for every kernel."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from tinyconv.kernels import HOST_BACKENDS
from tinyconv.kernels.contract import KERNELS

VIEWS = {
    "view",
    "permute",
    "flip",
    "broadcast_to",
    "diagonal",
    "sliding_windows",
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

    def call(self, name: str, *args):
        written = [id(a) for i in WRITES.get(name, ()) for a in arrays_in(args[i])]
        kept = [(a, a.copy()) for a in arrays_in(args) if id(a) not in written]
        arguments = mapped(self.module.from_host, args)
        result = mapped(self.module.to_host, getattr(self.module, name)(*arguments))

        for a, before in kept:
            assert same(a, before), f"{name} changed an argument"
        if name in WRITES:
            assert result is None
            for a, on_device in zip(arrays_in(args), arrays_in(arguments), strict=True):
                if on_device is not a and id(a) in written:
                    a[...] = self.module.to_host(on_device)
        for y in arrays_in(result) if name not in VIEWS else ():
            assert type(y) is np.ndarray
            assert y.flags.c_contiguous, f"{name}: strides {y.strides} for shape {y.shape}"
            assert y.flags.writeable
            assert not any(np.may_share_memory(y, a) for a in arrays_in(args)), f"{name} returned an argument's memory"
            kinds = {a.dtype for a in arrays_in(args) if a.dtype.kind == "f"}
            if kinds and y.dtype.kind == "f" and name not in ANY_DTYPE:
                assert {y.dtype} == kinds, f"{name}: {kinds} became {y.dtype}"
        return result


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


@pytest.fixture(scope="session", params=HOST_BACKENDS)
def kernels(request) -> Backend:
    """Each host backend in turn. (A later device backend joins the list where its device is present.)"""
    return Backend(request.param)
