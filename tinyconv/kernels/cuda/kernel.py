"""Kernels as objects: ``@kernel`` registers a function with its signature, so that tests can simulate and compile all.

A kernel is written once for several types and options. Its *constants* are names that each variant knows at
compilation: types (``T``), functions (a formula to apply), sizes (of a tile)::

    @kernel("T*, T*, int32", T=FLOATS, block=256, registers=16)
    def double(x, y, n):
        i = cuda.grid(1)
        if i < n:
            y[i] = x[i] + x[i]

    launch(double, blocks(n, 256), x, y, n)        # T is taken from x's dtype

The *signature* names a type per parameter: ``T*`` or ``float32*`` for pointers, ``int32``, ``T``, ``float64``, ... for
numbers, ``int32[R]`` for a tuple of R of them. The constants' values in the decorator are those that the tests walk;
``launch`` compiles others as they are asked for.
"""

from __future__ import annotations

import dis
import itertools
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

KERNELS: dict[str, Kernel] = {}
FLOATS = (np.float32, np.float64)
MAX_INT32 = 2**31 - 1
OLDEST_GPU = (7, 5)  # the least compute capability that CUDA 13 compiles for: Turing
TF32_GPU = (8, 0)  # the least whose tensor cores multiply TF32 numbers: Ampere


class Constant:
    """A name in a kernel's text that is replaced by a value: ``F = Constant("F")``."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, *args: Any) -> Any:
        raise RuntimeError(f"{self.name} is a constant of a kernel: it has a value only inside of one")


T: Any = Constant("T")  # the floating type (or other element type) of a kernel


@dataclass(frozen=True)
class Parameter:
    """One argument: a pointer or a number, of a type that may be a constant's; a tuple of ``count`` numbers if that is
    not empty."""

    name: str
    type: str
    pointer: bool
    count: str


class Kernel:
    """A function that GPU threads run.

    Attributes:
        function: what one thread does.
        parameters: by the signature.
        constants: the values of each constant that tests walk.
        block: threads per block, or a function of the constants that says so.
        registers: the most that a thread may take up, in every variant and on every architecture.
        resident: how many blocks are to fit into a multiprocessor's registers together.
        exact: whether ``a*b + c`` keeps its two roundings.
    """

    def __init__(self, function: Callable, signature: str, constants: Mapping[str, tuple], block: Any, registers: int,
                 resident: int, exact: bool, only: Callable[..., bool],
                 oldest: Callable[..., tuple[int, int]]):  # fmt: skip
        self.function, self.name = function, f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        words = signature.replace(" ", "").split(",")
        if len(words) != len(names):
            raise TypeError(f"{self.name}: {len(names)} parameters, but the signature has {len(words)}: {signature}")
        self.parameters = tuple(_parameter(name, word) for name, word in zip(names, words, strict=True))
        self.constants, self.registers, self.exact = dict(constants), registers, exact
        self._block, self._only, self.resident, self._oldest = block, only, resident, oldest
        self._variants: dict[tuple, Variant] = {}
        self._more: list[dict[str, Any]] = []
        # Where the arrays say what a constant is: the first pointer of its type.
        self.inferred = {}
        for i, p in reversed(list(enumerate(self.parameters))):
            if p.pointer and p.type in self.constants:
                self.inferred[p.type] = i

    def variant(self, **constants: Any) -> Variant:
        """The kernel with a value for each constant."""
        key = tuple(constants[name] for name in self.constants) if len(constants) == len(self.constants) else None
        if key is None:
            raise TypeError(f"{self.name} needs {sorted(self.constants)}, got {sorted(constants)}")
        found = self._variants.get(key)
        if found is None:
            found = self._variants[key] = Variant(self, constants)
        return found

    def variants(self) -> Iterator[Variant]:
        """The variants that tests walk."""
        for values in itertools.product(*self.constants.values()):
            constants = dict(zip(self.constants, values, strict=True))
            if self._only(**constants):
                yield self.variant(**constants)
        for constants in self._more:
            yield self.variant(**constants)

    def walk(self, **constants: Any) -> None:
        """Let tests walk one variant more: one whose constants are another module's."""
        self._more.append(constants)

    def block(self, constants: Mapping[str, Any]) -> tuple[int, int, int]:
        """Threads per block along x, y, z."""
        block = self._block(**constants) if callable(self._block) else self._block
        block = (block,) if isinstance(block, int) else tuple(block)
        return (*block, 1, 1)[:3]

    def oldest(self, constants: Mapping[str, Any]) -> tuple[int, int]:
        """The least compute capability that has the instructions."""
        return self._oldest(**constants)

    def __repr__(self) -> str:
        return f"<kernel {self.name}>"


class Variant:
    """A kernel with a value for each of its constants: what is compiled, and what is launched.

    Attributes:
        types: for each parameter its NumPy type.
        counts: for each parameter how many numbers it is, or None where it is no tuple.
        oldest: the least compute capability that has the instructions.
    """

    def __init__(self, kernel: Kernel, constants: Mapping[str, Any]):
        self.kernel, self.constants = kernel, dict(constants)
        self.block, self.oldest = kernel.block(constants), kernel.oldest(constants)
        self.types = [_type(p.type, self.constants) for p in kernel.parameters]
        counts = [self.constants.get(p.count, p.count) for p in kernel.parameters]
        self.counts = [int(count) if count else None for count in counts]
        self.name = "_".join([kernel.name.replace(".", "_"), *(_word(value) for value in self.constants.values())])
        self.single = np.dtype("float64") not in self.types  # no float64 among its arguments: then none at all
        self.compiled: dict[Any, Any] = {}  # by device: what the device makes of it, on first use

    def __repr__(self) -> str:
        return f"<kernel {self.name}>"


def _all(**constants: Any) -> bool:
    return True


def _any_gpu(**constants: Any) -> tuple[int, int]:
    return OLDEST_GPU


def kernel(signature: str, *, block: Any, registers: int, resident: int = 1, exact: bool = False,
           only: Callable[..., bool] = _all, oldest: Callable[..., tuple[int, int]] = _any_gpu,
           **constants: Any) -> Callable[[Callable], Kernel]:  # fmt: skip
    """Register a kernel (see the module's text).

    Args:
        signature: a type per parameter.
        block: threads per block: an int, a tuple of up to three, or a function of the constants.
        registers: the most per thread, asserted by a test for every architecture.
        resident: blocks that the compiler makes fit into a multiprocessor's registers together (from compute capability
            9.0 on; for older ones it finds worse orders, and would put registers into memory).
        exact: keep the two roundings of ``a*b + c`` (no fused multiply-add).
        only: of all combinations of constants, those that make sense.
        oldest: a function of the constants, the least compute capability that has the instructions.
        constants: for each constant the values that tests walk.
    """

    def register(function: Callable) -> Kernel:
        made = Kernel(function, signature, constants, block, registers, resident, exact, only, oldest)
        if made.name in KERNELS:
            raise ValueError(f"there is a kernel {made.name} already")
        KERNELS[made.name] = made
        return made

    return register


def _parameter(name: str, word: str) -> Parameter:
    base, _, count = word.rstrip("]").partition("[")
    return Parameter(name, base.rstrip("*"), base.endswith("*"), count)


def _type(name: str, constants: Mapping[str, Any]) -> np.dtype:
    return np.dtype(constants.get(name, name))


def _word(value: Any) -> str:
    return getattr(value, "__name__", str(value)).strip("_")


def element_type(dtype: np.dtype) -> type:
    """What a kernel sees of an array's dtype: a bool is a uint8 that is 0 or 1."""
    return np.uint8 if dtype.kind == "b" else dtype.type


# ---------------------------------------------------------------------------------- the names that a kernel's text uses


def names_of(function: Callable, constants: Mapping[str, Any], dialect: Mapping[Any, Any],
             convert: Callable[[Callable], Any]) -> dict[str, Any]:  # fmt: skip
    """The global names that ``function`` uses, each with its meaning on a device.

    Args:
        function: the kernel, or a plain function that one calls.
        constants: the values of the variant's constants.
        dialect: what the names of ``language.py`` (and types) become, by the object they stand for here.
        convert: makes a device function of a plain one.

    Raises:
        NameError: a constant without a value.
    """
    if function.__code__.co_freevars:
        raise TypeError(f"{function.__name__}: a kernel cannot look into the function around it; use constants")
    meanings: dict[str, Any] = {}
    used = _names(function.__code__)
    for name in _global_names(function.__code__) & function.__globals__.keys():
        value = function.__globals__[name]
        if isinstance(value, Constant):
            if value.name not in constants:
                raise NameError(f"{function.__name__}: the kernel has no constant {value.name}")
            value = constants[value.name]
        meanings[name] = _meaning(value, used, dialect, convert)
    return meanings


def _meaning(value: Any, used: set[str], dialect: Mapping[Any, Any], convert: Callable) -> Any:
    if value.__hash__ is not None and value in dialect:
        return dialect[value]
    if isinstance(value, types.FunctionType):
        return convert(value)
    if isinstance(value, types.ModuleType) and value.__name__.startswith("tinyconv"):
        room = types.ModuleType(value.__name__)
        for name in used & vars(value).keys():
            setattr(room, name, _meaning(getattr(value, name), used, dialect, convert))
        return room
    return value


def _global_names(code: types.CodeType) -> set[str]:
    """The names that code looks up as globals, not as attributes."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    here = {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return here.union(*map(_global_names, inner))


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))
