"""``load_url``, the older name of :func:`tinyconv.hub.load_state_dict_from_url`."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__all__ = ["load_url"]


def load_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
) -> Any:
    """What :func:`~tinyconv.load` reads of a file, which is downloaded the first time."""
    hub = import_module("tinyconv.hub")  # which stands above: it downloads as the data sets do
    return hub.load_state_dict_from_url(url, model_dir, map_location, progress, check_hash, file_name)
