"""The GPU, by ``torch.cuda``'s names: is there one, how much of its memory is in use, wait for it.

tinyconv computes on one GPU, ``cuda:0``; ``CUDA_VISIBLE_DEVICES`` chooses which. Nothing here, nor ``import tinyconv``,
touches it before it is asked for. Random numbers come from one generator for all devices: element i of a draw is a
function of the seed and of i, and the same on the CPU and on the GPU.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import random
from .tensor import device as Device

__all__ = [
    "current_device",
    "device",
    "device_count",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "set_device",
    "simulated",
    "synchronize",
    "why_unavailable",
]


def _runtime() -> Any:
    return import_module("tinyconv.kernels.cuda.runtime")


def _checked(which: Any) -> None:
    """Whether an argument of PyTorch's means the one GPU: None, 0, "cuda", "cuda:0" or such a device."""
    index = which if which is None or isinstance(which, int) else Device(which).index
    if (isinstance(which, (str, Device)) and Device(which).type != "cuda") or index not in (None, 0):
        raise ValueError(
            f"expected cuda:0, the one GPU that tinyconv uses (CUDA_VISIBLE_DEVICES says which), got {which!r}"
        )


def is_available() -> bool:
    """Whether tensors can be moved to ``"cuda"``."""
    return why_unavailable() is None


def why_unavailable() -> str | None:
    """What keeps tinyconv from using a GPU; None if nothing does."""
    try:
        _runtime().device()
    except RuntimeError as error:
        return str(error)
    return None


def is_initialized() -> bool:
    """Whether the GPU is in use already."""
    return _runtime().in_use()


def device_count() -> int:
    """1 or 0."""
    return int(is_available())


def current_device() -> int:
    """0, the GPU's index.

    Raises:
        RuntimeError: there is none, and why. So do the following functions.
    """
    _runtime().device()
    return 0


def set_device(device: Any) -> None:
    """Accepted for the one GPU.

    Raises:
        ValueError: another one.
    """
    _checked(device)


def get_device_name(device: Any = None) -> str:
    """The GPU's name."""
    _checked(device)
    return _runtime().device().name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """Its architecture: (9, 0) for sm_90."""
    _checked(device)
    return _runtime().device().capability


def synchronize(device: Any = None) -> None:
    """Wait until all that was asked of the GPU is done, and raise what went wrong in it."""
    _checked(device)
    _runtime().synchronize()


def manual_seed(seed: int) -> None:
    """Seed the generator, the CPU's as well: they are one."""
    random.manual_seed(seed)


manual_seed_all = manual_seed


def _statistics(device: Any) -> Any:
    _checked(device)
    return _runtime().device().allocator.statistics


def memory_allocated(device: Any = None) -> int:
    """Bytes that arrays hold, rounded up as the allocator does."""
    return _statistics(device).allocated


def max_memory_allocated(device: Any = None) -> int:
    """The most that arrays have held since the start, or since :func:`reset_peak_memory_stats`."""
    return _statistics(device).max_allocated


def memory_reserved(device: Any = None) -> int:
    """Bytes taken from the driver: those of arrays, and what waits to be used again."""
    return _statistics(device).reserved


def reset_peak_memory_stats(device: Any = None) -> None:
    """Let :func:`max_memory_allocated` start again from what is held now."""
    statistics = _statistics(device)
    statistics.max_allocated = statistics.allocated


def empty_cache() -> None:
    """Return to the driver what waits to be used again."""
    runtime = _runtime()
    if runtime.in_use():
        runtime.device().allocator.trim()


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """Bytes on the GPU: free and in all."""
    _checked(device)
    return _runtime().device().memory()


def simulated() -> Any:
    """A context in which ``"cuda"`` is a GPU simulated in Python: slow, but every step is checked, and none is needed.

    ::

        with tinyconv.cuda.simulated():
            y = model.to("cuda")(x.to("cuda"))
    """
    return _runtime().simulated()


class device:
    """``with tinyconv.cuda.device(0): ...``, as PyTorch has it; there is only one to choose.

    Raises:
        ValueError: another one.
    """

    def __init__(self, device: Any):
        _checked(device)

    def __enter__(self) -> device:
        return self

    def __exit__(self, *exc: object) -> None:
        pass
