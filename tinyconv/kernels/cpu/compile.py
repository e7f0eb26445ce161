"""Compiling kernels, and keeping what was compiled.

``@jit`` is Numba's ``njit`` with this house's settings and a cache of its own:

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

import functools
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import caching, config

JIT = not config.DISABLE_JIT
_SOURCE = Path(__file__).parents[1]
_KEEP_DAYS = 30  # caches of earlier source texts are deleted after this many days without use


def cache_root() -> Path:
    """Where compiled kernels are kept: ``$NUMBA_CACHE_DIR`` or the user's cache directory, and there ``tinyconv/``."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR) / "tinyconv"
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "tinyconv"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / f"tinyconv-{os.getuid()}"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tinyconv"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home)) / "tinyconv" / "Cache"
    return home / ".cache" / "tinyconv"


@functools.cache
def cache_directory() -> Path:
    """The directory for the present text of ``kernels/``; those of texts long gone are cleared away."""
    threading = os.environ.get(
        "TINYCONV_THREADING", ""
    )  # parallel.py compiles another way of sharing work into every kernel
    digest = hashlib.sha256(f"{numba.__version__} {threading}".encode())
    for path in sorted(_SOURCE.rglob("*.py")):
        digest.update(str(path.relative_to(_SOURCE)).encode() + b"\0" + path.read_bytes() + b"\0")
    root = cache_root()
    directory = root / f"kernels-{digest.hexdigest()[:16]}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        os.utime(directory)
        for other in root.glob("kernels-*"):
            if other.stat().st_mtime < time.time() - _KEEP_DAYS * 86400:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        pass  # read-only or shared: what is there can still be read
    return directory


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


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]


class _CheckedFile(caching.IndexDataCacheFile):
    """A file for each compiled version, named after what it was compiled for, with a SHA-256 in front.

    Numba numbers these files and keeps an index; but two processes that compile at once may give one number to
    different versions, and then the index hands out the wrong one.
    """

    def _path(self, key: Any) -> str:
        digest = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        return f"{self._index_path.removesuffix('.nbi')}.{digest}.nbc"

    def save(self, key: Any, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._path(key)) as f:
            f.write(hashlib.sha256(content).digest() + content)

    def load(self, key: Any) -> Any:
        try:
            content = Path(self._path(key)).read_bytes()
        except OSError:
            return None
        intact = content[:32] == hashlib.sha256(content[32:]).digest()
        return pickle.loads(content[32:]) if intact else None


class _Cache(caching.FunctionCache):
    _impl_class = _Implementation

    def __init__(self, function: Callable):
        super().__init__(function)
        self._cache_file = _CheckedFile(
            self._cache_path, self._impl.filename_base, self._impl.locator.get_source_stamp()
        )

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError:
            self.disable()  # nowhere to write: compile again next time


def jit(function: Callable | None = None, *, reorder: bool = False, exact: bool = False) -> Any:
    """Compile a kernel on its first call with each set of argument types, or load it from the cache.

    Args:
        function: a module-level function (what a factory makes cannot be cached). Outside of ``kernels/``, whose text
            names the cache, nothing is cached.
        reorder: let the compiler reorder additions, as vectorized reductions need.
        exact: round after every operation, as the formula is written (where backends must agree to the bit).
    """
    if function is None:
        return functools.partial(jit, reorder=reorder, exact=exact)
    if not JIT:
        return function
    fastmath = {"contract", "nsz", "reassoc"} if reorder else set() if exact else {"contract"}
    dispatcher = numba.njit(function, nogil=True, error_model="numpy", fastmath=fastmath or False)
    if Path(function.__code__.co_filename).is_relative_to(_SOURCE):
        dispatcher._cache = _Cache(function)
    return dispatcher
