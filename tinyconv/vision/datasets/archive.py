"""Archives (.zip, .tar, .tar.gz, .tar.xz, .tar.bz2) from people one does not know.

* Nothing lands outside the folder: no absolute names, no ``..``, and no links, through which a later entry could leave.
* Nothing grows without bound: the bytes written are counted, whatever the headers claim.
* Nothing is there in part: all is unpacked in a hidden folder first, and then moved file by file, each at once.
"""

from __future__ import annotations

import gzip
import lzma
import os
import re
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from .download import fetch

__all__ = ["download_and_extract_archive", "extract_archive"]

_LARGEST = 2**34  # bytes
_MOST = 10**7  # files
_DAMAGES = (
    tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError,
)  # fmt: skip


class _Entry(NamedTuple):
    name: str
    kind: str  # "file", "folder", or what else it is
    open: Callable[[], Any]


def extract_archive(
    from_path: str | os.PathLike[str],
    to_path: str | os.PathLike[str] | None = None,
    remove_finished: bool = False,
    *,
    limit: int = _LARGEST,
) -> str:
    """Unpack an archive; files of the same name are replaced.

    Args:
        from_path: the archive.
        to_path: the folder to unpack into, made if it does not exist; by default the archive's.
        remove_finished: remove the archive when all went well.
        limit: the most bytes to unpack.

    Returns:
        The folder.

    Raises:
        ValueError: the file is no archive or damaged, an entry is a link or device, its name leads outside the folder
            or stands there twice, or there is more than ``limit``. The message names the archive and the entry. Nothing
            is left in the folder then.
        OSError: a file cannot be read or written.
    """
    archive = Path(from_path)
    folder = archive.parent if to_path is None else Path(to_path)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder) as temporary:
        try:
            _unpack(archive, Path(temporary), limit)
        except _DAMAGES as error:
            raise ValueError(f"{archive}: damaged archive: {error}") from error
        _move(Path(temporary), folder)
    if remove_finished:
        archive.unlink()
    return str(folder)


def download_and_extract_archive(
    url: str,
    download_root: str | os.PathLike[str],
    extract_root: str | os.PathLike[str] | None = None,
    filename: str | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """Download an archive, unless it is there already, and unpack it.

    Args:
        url: its address.
        download_root: the folder for the archive.
        extract_root: the folder for its content; by default the same.
        filename: the archive's name, if it is not the end of ``url``.
        md5: its checksum.
        remove_finished: remove the archive in the end.

    Raises:
        DatasetNotFound: it could not be downloaded, or is not what ``md5`` says; see :mod:`.download`.
        ValueError, OSError: see :func:`extract_archive`.
    """
    mirror, _, name = url.rpartition("/")
    folder = Path(download_root).expanduser()
    archive = folder / (filename or name)
    if not archive.exists():
        fetch(folder, {name: md5}, [mirror + "/"])
        os.replace(folder / name, archive)
    extract_archive(archive, extract_root, remove_finished)


def _unpack(archive: Path, folder: Path, limit: int) -> None:
    left = limit
    for count, entry in enumerate(_entries(archive)):
        if count >= _MOST:
            raise ValueError(f"{archive}: more than {_MOST} entries")
        path = folder / _safe(entry.name, archive)
        if entry.kind not in ("file", "folder"):
            raise ValueError(f"{archive}: {entry.name!r} is a {entry.kind}, not a file")
        try:
            (path if entry.kind == "folder" else path.parent).mkdir(parents=True, exist_ok=True)
            if entry.kind == "folder":
                continue
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError) as error:
            raise ValueError(f"{archive}: the name {entry.name!r} stands there twice") from error
        with file, entry.open() as source:
            while chunk := source.read(2**20):
                left -= len(chunk)
                if left < 0:
                    raise ValueError(f"{archive}: unpacks to more than {limit} bytes")
                file.write(chunk)


def _safe(name: str, archive: Path) -> PurePosixPath:
    """``name`` as a path that stays inside, on every system."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.search(r"[\\:\0]", name):
        raise ValueError(f"{archive}: the name {name!r} leads outside the folder, or may on some system")
    return path


def _entries(archive: Path) -> Iterator[_Entry]:
    if zipfile.is_zipfile(archive):
        return _zip_entries(archive)
    return _tar_entries(archive)


def _zip_entries(archive: Path) -> Iterator[_Entry]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.flag_bits & 1:
                raise ValueError(f"{archive}: {info.filename!r} is encrypted")
            is_link = stat.S_ISLNK(info.external_attr >> 16)
            kind = "link" if is_link else "folder" if info.is_dir() else "file"
            yield _Entry(info.filename, kind, partial(file.open, info))


def _tar_entries(archive: Path) -> Iterator[_Entry]:
    with tarfile.open(archive) as file:
        for info in file:
            kind = "file" if info.isreg() else "folder" if info.isdir() else "link or device"
            yield _Entry(info.name, kind, partial(file.extractfile, info))


def _move(source: Path, target: Path) -> None:
    """Move all files below ``source`` to the same names below ``target``."""
    for place, folders, files in os.walk(source):
        here = target / Path(place).relative_to(source)
        for name in folders:
            (here / name).mkdir(exist_ok=True)
        for name in files:
            os.replace(Path(place, name), here / name)
