"""Files that may be compressed: whether and how, their first bytes say, whatever their name."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

__all__ = ["SUFFIXES", "find_plain_or_compressed", "open_plain_or_compressed", "read_up_to"]

SUFFIXES = ("", ".gz", ".xz")
_XZ_MAGIC = b"\xfd7zXZ\0"
_GZIP_MAGIC = b"\x1f\x8b"
_XZ_MEMORY = 2**28  # bytes; xz's strongest preset needs 65 million, a forged header may ask for 4 billion


def find_plain_or_compressed(folder: Path, name: str) -> Path | None:
    """The file ``name`` in ``folder``, plain or compressed; None if it is not there."""
    return next(filter(Path.is_file, (folder / (name + suffix) for suffix in SUFFIXES)), None)


@contextmanager
def open_plain_or_compressed(path: Path) -> Iterator[BinaryIO]:
    """Open ``path`` for reading, through gzip or xz if it starts like one.

    Raises:
        ValueError: while it is read, the compressed data turn out to be damaged. The message names the file.
        OSError: it cannot be opened or read.
    """
    with path.open("rb") as file:
        magic = file.read(len(_XZ_MAGIC))
        file.seek(0)
        try:
            if magic.startswith(_GZIP_MAGIC):
                with gzip.open(file) as unpacked:
                    yield cast(BinaryIO, unpacked)
            elif magic == _XZ_MAGIC:
                yield io.BufferedReader(_Xz(file), 2**16)
            else:
                yield file
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip file: {error}") from error
        except lzma.LZMAError as error:
            raise ValueError(f"{path}: damaged xz file: {error}") from error


class _Xz(io.RawIOBase):
    """The content of an xz file, with a limit on what unpacking it may take: ``lzma.open`` knows none."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.decompressor = file, lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.decompressor.eof:
            packed = self.file.read(2**16) if self.decompressor.needs_input else b""
            if self.decompressor.needs_input and not packed:
                raise lzma.LZMAError("it ends too early")
            if content := self.decompressor.decompress(packed, len(buffer)):
                buffer[: len(content)] = content
                return len(content)
        return 0


def read_up_to(file: BinaryIO, size: int) -> bytearray:
    """The next ``size`` bytes, and one more if there is one: the sign that the file goes on.

    They are read piece by piece: what a file claims to hold costs no memory, only what it does hold.
    """
    content = bytearray()
    while chunk := file.read(min(size + 1 - len(content), 2**20)):
        content += chunk
    return content
