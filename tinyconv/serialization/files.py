"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Make ``data`` the content of the file ``path``: a reader, or a power cut, sees the old file or the new one.

    The bytes go to a hidden temporary file beside ``path`` and to the disk (fsync), and then take its name
    (``os.replace``), which POSIX makes atomic; last, the folder goes to the disk too. The mode is a new file's, by the
    umask. A process killed with SIGKILL in the middle may leave its ``.tinyconv-*.tmp`` behind; any other failure
    leaves nothing.

    Args:
        path: a symbolic link is followed, and stays one.
        data: a string is written as UTF-8, its newlines as they are.

    Raises:
        OSError: with ``path`` as its ``filename``; what was at ``path`` is still there.
    """
    path = os.fspath(path)
    content = data.encode() if isinstance(data, str) else data
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    # Not the target's name with a suffix: that one may already be as long as the file system allows.
    temporary = os.path.join(folder, f".tinyconv-{secrets.token_hex(8)}.tmp")
    try:
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")  # replacing /dev/null would be rude
        try:
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        if os.name == "posix":
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise OSError(error.errno, f"cannot write the file: {error.strerror or error}", path) from error
