"""Compiling kernels, and keeping what was compiled.

``@jit`` is Numba's ``njit`` with this house's settings, less to compile, and a cache of its own:

* **Lean.** The code that unpacks a call's arguments from Python's objects takes as long to compile as many a kernel.
  Most functions here are called by other kernels only, which use a *lean* version without it. And Numba copies every
  function into those that call it; a long one may say ``@jit(apart=True)``, so that they contain the call alone.
* **Fresh.** Numba's cache notices changes only in the file of the function itself: edit a formula that a cached
  kernel calls, and the old result comes back. Here the cache directory is named after a hash of all of ``kernels/``,
  so any edit starts an empty one.
* **Whole.** Every cache file begins with its checksum. A truncated or corrupt file counts as missing; so does a
  directory that cannot be written. Both only cost time.

``fastmath`` would delete even an explicit ``isnan``, so kernels are compiled without it, but may fuse ``a*b + c``
(``contract``; not with ``@jit(exact=True)``); reductions that profit from reordering say ``@jit(reorder=True)``.
Reordered or not, the order of additions is fixed at compilation: it does not depend on the number of threads.

With ``NUMBA_DISABLE_JIT=1`` the decorator does nothing, and every kernel is ordinary Python to step through.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import hashlib
import os
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numba
from llvmlite import binding, ir
from numba.core import caching, config
from numba.core.imputils import impl_ret_new_ref
from numba.core.registry import CPUDispatcher

from ..cache import directory_for, read, sealed

JIT = not config.DISABLE_JIT
_SOURCE = Path(__file__).parents[1]


@functools.cache
def cache_directory() -> Path:
    """The directory for the present text of the kernels, without the GPU's."""
    threading = os.environ.get(
        "TINYCONV_THREADING", ""
    )  # parallel.py compiles another way of sharing work into every kernel
    sources = (path for path in _SOURCE.rglob("*.py") if _SOURCE / "cuda" not in path.parents)
    return directory_for("kernels", sources, numba.__version__, threading)


class _Locator(caching._CacheLocator):
    def __init__(self, function: Callable, path: str):
        self._py_file = path
        self._name = hashlib.sha256(str(Path(path).relative_to(_SOURCE)).encode()).hexdigest()[:8]

    def get_cache_path(self) -> str:
        return str(cache_directory())

    def get_source_stamp(self) -> str:
        return cache_directory().name

    def get_disambiguator(self) -> str:
        return self._name

    @classmethod
    def from_function(cls, function: Callable, path: str) -> _Locator:
        return cls(function, path)


_NO_CODE = binding.parse_assembly("").as_bitcode()


class _Implementation(caching.CompileResultCacheImpl):
    """Keeps a function's instructions beside its machine code, as Numba does: something new may contain it. But they
    take as long to read as all else, so it keeps the names in them as well, which is what is needed at once."""

    _locator_classes = [_Locator]

    def reduce(self, data: Any) -> Any:
        module = data.library._get_module_for_linking()
        values = [*module.functions, *module.global_variables]
        return [value.name for value in values if not value.is_declaration], super().reduce(data)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        names, ((name, kind, (machine_code, bitcode)), *rest) = payload
        target_context.codegen()._engine._defined_symbols.update(names)
        compiled = super().rebuild(target_context, ((name, kind, (machine_code, _NO_CODE)), *rest))
        compiled.library._get_module_for_linking = functools.cache(lambda: binding.parse_bitcode(bitcode))
        return compiled


class _CheckedFile(caching.IndexDataCacheFile):
    """A file for each compiled version, named after what it was compiled for, and sealed.

    Numba numbers these files and keeps an index; but two processes that compile at once may give one number to
    different versions, and then the index hands out the wrong one.
    """

    def _path(self, key: Any) -> str:
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{self._index_path.removesuffix('.nbi')}.{digest}.nbc"

    def save(self, key: Any, data: Any) -> None:
        with self._open_for_write(self._path(key)) as f:
            f.write(sealed(self._dump(data)))

    def load(self, key: Any) -> Any:
        content = read(Path(self._path(key)))
        return None if content is None else pickle.loads(content)


class _Cache(caching.FunctionCache):
    _impl_class = _Implementation

    def __init__(self, function: Callable, kind: str):
        super().__init__(function)
        self._kind = kind
        self._cache_file = _CheckedFile(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def _index_key(self, sig: Any, codegen: Any) -> tuple:
        return self._kind, *super()._index_key(sig, codegen)

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()  # nowhere to write: compile again next time

    def _save_overload(self, sig: Any, data: Any) -> None:
        if self._enabled and self._impl.check_cachable(data):
            self._impl.locator.ensure_cache_path()
            called = [(f.__module__, f.__qualname__, arguments) for f, arguments in _called_by_address(data.library)]
            self._cache_file.save(self._index_key(sig, data.codegen), (called, self._impl.reduce(data)))

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        content = self._cache_file.load(self._index_key(sig, target_context.codegen())) if self._enabled else None
        if content is None:
            return None
        called, data = content
        called = [(getattr(import_module(module), name).lean, arguments) for module, name, arguments in called]
        for function, arguments in called:
            address_of(function, arguments)
        compiled = self._impl.rebuild(target_context, data)
        compiled.library.called_by_address = called
        return compiled


# ------------------------------------------------------------------------------------------------------- versions


class _Lean(CPUDispatcher):
    """A function as other kernels call it; if it is ``apart``, they contain the call alone, not the function's code."""

    apart = False

    def compile(self, sig: Any) -> Any:
        collecting = gc.isenabled()
        gc.disable()  # what the compiler makes are many small objects that stay: looking for others takes a tenth more
        try:
            return super().compile(sig)
        finally:
            if collecting:
                gc.enable()

    def add_overload(self, cres: Any) -> None:
        super().add_overload(cres)
        if self.apart:
            self.targetctx.remove_user_function(cres.entry_point)
            call = functools.partial(_call, self, cres.signature)
            self.targetctx._defns[cres.entry_point].append(call, cres.signature.args)


class _Kernel(_Lean):
    """A function as Python calls it. Kernels that call it use its :attr:`lean` version."""

    @functools.cached_property
    def lean(self) -> _Lean:
        """This function without the code that unpacks Python's arguments."""
        return _compiler(_Lean, self.py_func, self.apart, self.targetoptions | {"no_cpython_wrapper": True})

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return self.lean.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        return self.lean.get_overload(sig)


def _compiler(kind: type[_Lean], function: Callable, apart: bool, options: dict[str, Any]) -> Any:
    made = kind(function, targetoptions=options)
    made.apart = apart
    if Path(function.__code__.co_filename).is_relative_to(_SOURCE):
        made._cache = _Cache(function, kind.__name__)
    return made


# ------------------------------------------------------------------------------------------------ calls by address

_slots: dict[str, ctypes.c_int64] = {}  # words of memory that compiled code finds by name


def address_of(function: _Lean, arguments: tuple, caller: Any = None) -> str:
    """Let compiled code call a function without containing it: the name of a word that holds its address.

    Numba copies what a function calls into it and optimizes it all again, at every level of calls. Here the caller (a
    library that is being compiled) contains a load of the word instead, and its cache entry notes what it calls.
    """
    function.compile(arguments)
    compiled = function.overloads[arguments]
    kept = isinstance(function._cache, _Cache)  # module-level: the same in every process
    identity = f"{function.__module__}.{function.__qualname__}{arguments}{'' if kept else id(function)}"
    name = f"tinyconv_address_{hashlib.sha256(identity.encode()).hexdigest()[:24]}"
    if name not in _slots:
        _slots[name] = ctypes.c_int64()
        binding.add_symbol(name, ctypes.addressof(_slots[name]))
    _slots[name].value = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    if caller is not None:
        caller.__dict__.setdefault("called_by_address", []).append((function, arguments))
    return name


def call_by_address(context: Any, builder: Any, function: _Lean, signature: Any, values: list) -> tuple[Any, Any]:
    """Write the instructions of such a call: its status and its result."""
    restype, arguments = signature.return_type, signature.args
    name = address_of(function, arguments, context.active_code_library)
    kind = context.call_conv.get_function_type(restype, arguments)
    slot = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, kind.as_pointer(), name)
    return context.call_conv.call_function(builder, builder.load(slot), restype, arguments, values)


def _call(function: _Lean, signature: Any, context: Any, builder: Any, _: Any, values: list, loc: Any = None) -> Any:
    """What Numba writes for a call of a function that is apart."""
    status, result = call_by_address(context, builder, function, signature, values)
    with builder.if_then(status.is_error, likely=False):
        context.call_conv.return_status_propagate(builder, status)
    return impl_ret_new_ref(context, builder, signature.return_type, result)


def _called_by_address(library: Any) -> list[tuple]:
    """What a library calls by address, itself or by what is linked into it."""
    called = list(library.__dict__.get("called_by_address", ()))
    for linked in library._linking_libraries:
        called += _called_by_address(linked)
    return called


def jit(function: Callable | None = None, *, reorder: bool = False, exact: bool = False, apart: bool = False) -> Any:
    """Compile a kernel on its first call with each set of argument types, or load it from the cache.

    Args:
        function: a module-level function (what a factory makes cannot be cached). Outside of ``kernels/``, whose text
            names the cache, nothing is cached.
        reorder: let the compiler reorder additions, as vectorized reductions need.
        exact: round after every operation, as the formula is written (where backends must agree to the bit).
        apart: let kernels that call it not contain it: for what is long, and called for much work at a time.
    """
    if function is None:
        return functools.partial(jit, reorder=reorder, exact=exact, apart=apart)
    if not JIT:
        return function
    fastmath = {"contract", "nsz", "reassoc"} if reorder else set() if exact else {"contract"}
    options = {"nopython": True, "nogil": True, "error_model": "numpy", "fastmath": fastmath or False}
    return _compiler(_Kernel, function, apart, options | {"no_cfunc_wrapper": True})
