"""Published weights from the web, by ``torch.hub``'s names.

Files are kept where PyTorch keeps its own, so that both libraries share them: in ``$TORCH_HOME/hub``, by default
``~/.cache/torch/hub``. Models of other people's repositories (``torch.hub.load``) are programs:
none is fetched and run.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

from .serialization import load

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")  # resnet18-f37072fd.pth
_LARGEST = 2**32  # bytes
_dir: str | None = None


def get_dir() -> str:
    """The folder that files are kept in."""
    if _dir is not None:
        return _dir
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME") or os.path.join(cache, "torch")), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep files in ``d`` from now on."""
    global _dir
    _dir = os.path.expanduser(d)


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetch ``url`` into the file ``dst``, which is never half there.

    Args:
        url: of http or https.
        dst: the file; its folder exists.
        hash_prefix: the first hexadecimal digits of its SHA-256.
        progress: accepted; the progress is shown on a terminal.

    Raises:
        DatasetNotFound: it cannot be fetched, and why.
        RuntimeError: its SHA-256 is another.
    """
    from .vision.datasets.download import fetch

    folder, name = url.rsplit("/", 1)
    with tempfile.TemporaryDirectory(prefix=".tinyconv-", dir=Path(dst).parent) as partial:
        fetch(Path(partial), {name: None}, [folder + "/"], largest=_LARGEST)
        path = Path(partial) / name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if hash_prefix and not digest.startswith(hash_prefix):
            raise RuntimeError(f"{url}: expected a SHA-256 that begins with {hash_prefix}, got {digest}")
        path.replace(dst)


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """What :func:`~tinyconv.load` reads of a file, which is downloaded the first time.

    Args:
        url: of http or https.
        model_dir: the folder that has it or gets it; None: ``checkpoints`` in :func:`get_dir`.
        map_location, weights_only: see :func:`~tinyconv.load`.
        progress: accepted; the progress is shown on a terminal.
        check_hash: whether the digits in the file's name, as in ``resnet18-f37072fd.pth``, begin its SHA-256.
        file_name: its name in ``model_dir``; None: as in ``url``.

    Raises:
        DatasetNotFound: it is not there and cannot be fetched.
        RuntimeError: its SHA-256 is another.
        CheckpointError: no file of weights, or a damaged one.
    """
    folder = Path(model_dir) if model_dir is not None else Path(get_dir()) / "checkpoints"
    path = folder / (file_name or PurePosixPath(urlparse(url).path).name)
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        digits = HASH_REGEX.search(path.name) if check_hash else None
        download_url_to_file(url, path, digits[1] if digits else None, progress)
    return load(path, map_location, weights_only=weights_only)


def __getattr__(name: str) -> Any:
    if name == "tqdm":  # a package of its own, which programs take from here
        from tqdm import tqdm  # type: ignore[import-untyped]

        return tqdm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
