"""Where compiled kernels are kept from one run to the next.

A directory is named after a hash of the source text that its contents were compiled from, so any edit starts an empty
one, and nothing stale is ever found.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from numba.core import config

KEEP_DAYS = 30  # directories of earlier source texts are deleted after this many days without use


def cache_root() -> Path:
    """``$NUMBA_CACHE_DIR`` or the user's cache directory, and there ``tinyconv/``."""
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


def directory_for(kind: str, sources: Iterable[Path], *facts: str) -> Path:
    """The directory for what is compiled from the present text of ``sources``; those of texts long gone are cleared
    away.

    Args:
        kind: what its name begins with.
        sources: Python files below ``kernels/``.
        facts: what else the result depends on (versions, settings).
    """
    digest = hashlib.sha256(" ".join(facts).encode())
    here = Path(__file__).parent
    for path in sorted(sources):
        digest.update(str(path.relative_to(here)).encode() + b"\0" + path.read_bytes() + b"\0")
    root = cache_root()
    directory = root / f"{kind}-{digest.hexdigest()[:16]}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        os.utime(directory)
        for other in root.glob(f"{kind}-*"):
            if other.stat().st_mtime < time.time() - KEEP_DAYS * 86400:
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        pass  # read-only or shared: what is there can still be read
    return directory


def sealed(content: bytes) -> bytes:
    """``content`` with its SHA-256 in front, as every file has it."""
    return hashlib.sha256(content).digest() + content


def read(path: Path) -> bytes | None:
    """The content of a file that is :func:`sealed`; None if it is missing or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return content[32:] if content[:32] == hashlib.sha256(content[32:]).digest() else None


def write(path: Path, content: bytes) -> None:
    """Keep ``content``, :func:`sealed`, if the directory can be written."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(sealed(content))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
