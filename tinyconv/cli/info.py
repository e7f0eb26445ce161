"""``tinyconv info``: what runs here, on what, and where it keeps its files: what a bug report should begin with."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__, cuda, get_num_threads
from ..kernels.cpu.compile import cache_directory
from ..kernels.cpu.parallel import cores

__all__ = ["add_parser", "run"]

_PACKAGES = (
    "numpy",
    "numba",
    "llvmlite",
    "numba-cuda",
    "safetensors",
    "matplotlib",
    "Pillow",
    "pooch",
    "rich",
    "torch",
)


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "info", help="versions, threads, devices, paths", description="Show versions, threads, devices and paths."
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    for name, value in _facts().items():
        print(f"{name:<12} {value}")
    return 0


def _facts() -> dict[str, str]:
    versions = {name: _version(name) for name in _PACKAGES}
    return {
        "tinyconv": f"{__version__} ({Path(__file__).resolve().parents[1]})",
        "Python": f"{platform.python_version()} ({sys.executable})",
        **versions,
        "system": platform.platform(),
        "processor": _processor(),
        "threads": f"{get_num_threads()} (of {cores()} cores)",
        "BLAS": _blas(),
        "GPU": _gpu(),
        "kernel cache": str(cache_directory()),
        "data": "; ".join(str(place) for place in _data_directories()),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    # platform.processor() is empty or just "x86_64" on Linux.
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _blas() -> str:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')} (NumPy's)".replace("  ", " ")


def _gpu() -> str:
    if (reason := cuda.why_unavailable()) is not None:
        return f"none: {reason}"
    free, total = cuda.mem_get_info()
    architecture = "sm_{}{}".format(*cuda.get_device_capability())
    return f"{cuda.get_device_name()} ({architecture}), {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"


def _data_directories() -> list[Path]:
    import pooch

    given = os.environ.get("TINYCONV_DATA")
    return [*([Path(given)] if given else []), Path(pooch.os_cache("tinyconv"))]
