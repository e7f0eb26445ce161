"""Files from the first mirror that delivers them, checked, and never half there.

* **Atomic.** A file grows under a temporary name beside its place, and pooch renames it when its checksum is right. Two
  processes that want the same file at once both fetch it, and either's is as good.
* **Offline is known soon.** ``patience`` seconds are shared out among the mirrors, and one that keeps us waiting for
  its share, to connect or to go on, is not asked again for any file. So never more than ``patience`` seconds are lost,
  whatever is wrong: no network, no name server, a firewall that swallows packets, a server that falls silent.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Response

__all__ = ["DatasetNotFound", "Offline", "WrongChecksum", "cache_folder", "download_place", "fetch", "places_of"]

PATIENCE = 8.0  # seconds
_SLOWEST = 1000  # bytes a second: below this on average, a mirror counts as silent
_LARGEST = 2**28  # bytes


class DatasetNotFound(RuntimeError):
    """The data set is not on this machine and could not be, or was not to be, downloaded; the message says why."""


class Offline(DatasetNotFound):
    """No mirror could be reached."""


class WrongChecksum(DatasetNotFound, ValueError):
    """A mirror delivered other bytes than were published."""


def places_of(root: str | os.PathLike[str] | None) -> list[Path]:
    """Where data sets are looked for: ``root``, the folder that ``TINYCONV_DATA`` names, the user's cache folder."""
    places = (root, os.environ.get("TINYCONV_DATA"), cache_folder())
    return [Path(place).expanduser() for place in places if place]


def download_place(root: str | os.PathLike[str] | None) -> Path:
    """Where they are downloaded to: ``root``, or without one the user's cache folder."""
    return Path(cache_folder() if root is None else root).expanduser()


def cache_folder() -> str | os.PathLike[str]:
    """The user's cache folder for this project (``~/.cache/tinyconv`` on Linux)."""
    try:
        import pooch
    except ImportError:  # only downloading needs it
        return Path.home() / ".cache" / "tinyconv"
    return pooch.os_cache("tinyconv")


def fetch(
    folder: Path,
    checksums: Mapping[str, str | None],
    mirrors: Sequence[str],
    *,
    patience: float = PATIENCE,
    largest: int = _LARGEST,
) -> None:
    """Download the files that ``folder`` lacks.

    Args:
        folder: where to put them; made if it does not exist.
        checksums: file name -> md5, in hexadecimal; None accepts any content.
        mirrors: the URLs (each ending in "/") to try, in this order.
        patience: seconds to lose, over all files and mirrors, before giving up. A download that goes on is not cut off.
        largest: bytes after which a file is given up.

    Raises:
        Offline: no mirror could be reached.
        WrongChecksum: all that was delivered was wrong.
        DatasetNotFound: the mirrors have no such file, or ``folder`` cannot be written.
    """
    import pooch
    import requests
    from urllib3.exceptions import HTTPError

    pooch.get_logger().setLevel(logging.WARNING)
    asked = list(mirrors)
    failures: list[tuple[str, Exception]] = []
    try:
        for name, md5 in checksums.items():
            while not (folder / name).exists():
                if not asked:
                    raise _explain(name, failures)
                url = asked[0] + name
                try:
                    downloader = _Downloader(patience / len(mirrors), largest)
                    pooch.retrieve(url, f"md5:{md5}" if md5 else None, name, folder, downloader=downloader)
                except (requests.RequestException, HTTPError, ValueError) as error:
                    failures.append((url, error))
                    asked.pop(0)
    except OSError as error:
        raise DatasetNotFound(f"{folder}: cannot write the downloaded files: {error}") from error


class _Downloader:
    """pooch's downloader: copies a URL to a file, with progress, waiting at most ``seconds`` for anything."""

    def __init__(self, seconds: float, largest: int):
        self.seconds, self.largest = seconds, largest

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        import requests
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        response = self._open(url)
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with response, open(output_file, "wb") as file, Progress(*columns, console=Console(stderr=True)) as progress:
            size = response.headers.get("Content-Length", "")
            task = progress.add_task(url.rsplit("/", 1)[1], total=int(size) if size.isdecimal() else None)
            start, received = time.monotonic(), 0
            # read1 hands over what has come, so that a trickle is noticed; undecoded, for a .gz is not to be unpacked.
            while chunk := response.raw.read1(2**16, decode_content=False):
                file.write(chunk)
                received += len(chunk)
                progress.update(task, completed=received)
                if received > self.largest:
                    raise ValueError(f"{url}: more than {self.largest} bytes")
                if received < _SLOWEST * (time.monotonic() - start - self.seconds):
                    raise requests.Timeout(f"only {received} bytes came")

    def _open(self, url: str) -> Response:
        """The answer to a GET. Asked in a thread of its own: nothing else can cut short a search for a host's name."""
        import requests

        answers: queue.SimpleQueue[Response | requests.RequestException] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(requests.get(url, stream=True, timeout=self.seconds))
            except requests.RequestException as error:
                answers.put(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self.seconds)
        except queue.Empty:
            raise requests.Timeout(f"no answer within {self.seconds:g} seconds") from None
        if isinstance(answer, requests.RequestException):
            raise answer
        answer.raise_for_status()
        return answer


def _explain(name: str, failures: Sequence[tuple[str, Exception]]) -> DatasetNotFound:
    """The exception that says why no mirror delivered the file ``name``."""
    import requests
    from urllib3.exceptions import HTTPError

    reasons = "; ".join(f"{url.split('/')[2]}: {_reason(error)}" for url, error in failures)
    if all(isinstance(error, requests.ConnectionError | requests.Timeout | HTTPError) for _, error in failures):
        return Offline(f"{name}: no mirror can be reached ({reasons})")
    if any(isinstance(error, ValueError) and not isinstance(error, requests.RequestException) for _, error in failures):
        return WrongChecksum(f"{name}: the downloaded file has the wrong checksum ({reasons})")
    return DatasetNotFound(f"{name}: no mirror delivered it ({reasons})")


def _reason(error: Exception) -> str:
    """The innermost cause, in a few words: requests wraps urllib3's, which wraps the system's."""
    cause: Any = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    cause = getattr(cause, "reason", None) or cause
    return str(cause).rsplit("): ", 1)[-1]
