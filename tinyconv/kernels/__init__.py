"""How the numbers are computed: loops only, never a gradient rule, never a Tensor.

``contract.py`` lists the kernels; each backend (``reference/``: plain NumPy, ``cpu/``: Numba, ``cuda/``: numba-cuda)
implements all of them. ``formulas.py`` has the formulas on single numbers that both compiled backends inline,
``cache.py`` keeps what they have compiled, and ``precision.py`` says how exact products are to be.

Dispatch follows the array: :func:`of` returns the backend that an array lives on. Host (NumPy) arrays can be served by
any host backend, chosen by :class:`use_kernels`; an array of another class has the one backend that registered it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["get_num_threads", "of", "on", "register", "set_num_threads", "use_kernels"]

HOST_BACKENDS = ("cpu", "reference")
DEVICE_BACKENDS = ("cuda",)

_host: ModuleType | None = None  # imported on first use: `import tinyconv` does not wait for Numba
_host_name = "cpu"
_by_class: dict[type, ModuleType] = {}  # np.ndarray among them, once the host backend is imported
_by_device: dict[str, ModuleType] = {}


def of(array: Any) -> ModuleType:
    """The backend that computes on ``array``."""
    try:
        return _by_class[type(array)]
    except KeyError:
        return of_class(type(array))


def of_class(array_class: type) -> ModuleType:
    """The backend that computes on arrays of a class."""
    if array_class is np.ndarray:
        return _host or _load_host()
    if array_class not in _by_class:
        raise TypeError(f"no kernels for arrays of class {array_class.__name__}")
    return _by_class[array_class]


def on(device_type: str) -> ModuleType:
    """The backend of a device: ``"cpu"``, ``"cuda"`` (imported on first use), or a name given to :func:`register`."""
    if device_type == "cpu":
        return _host or _load_host()
    try:
        return _by_device[device_type]
    except KeyError:
        if device_type in DEVICE_BACKENDS:
            return import_module(f"{__name__}.{device_type}")
        raise RuntimeError(f"no kernels for device {device_type!r} (there are: {['cpu', *_by_device]})") from None


def register(device_type: str, array_class: type, backend: ModuleType) -> None:
    """Let ``backend`` serve arrays of ``array_class``, and tensors created on ``device_type``."""
    _by_device[device_type] = backend
    _by_class[array_class] = backend


def _load_host() -> ModuleType:
    global _host
    _by_class[np.ndarray] = _host = import_module(f"{__name__}.{_host_name}")
    return _host


def set_num_threads(n: int) -> None:
    """Let the CPU kernels use ``n`` threads, the calling one included. Results do not depend on it.

    Raises:
        ValueError: ``n`` is not a positive int.
    """
    import_module(f"{__name__}.cpu")
    import_module(f"{__name__}.cpu.parallel").set_num_threads(n)


def get_num_threads() -> int:
    """How many threads the CPU kernels use: all cores, unless told otherwise."""
    import_module(f"{__name__}.cpu")
    return import_module(f"{__name__}.cpu.parallel").get_num_threads()


class use_kernels:
    """Choose the kernels for host arrays: ``"cpu"`` (Numba, the default) or ``"reference"`` (plain NumPy).

    Works at once and for the whole process; as a context manager it restores the earlier choice at the end::

        with tinyconv.use_kernels("reference"):
            y = model(x)

    Raises:
        ValueError: ``name`` is no host backend.
    """

    def __init__(self, name: str):
        if name not in HOST_BACKENDS:
            raise ValueError(f"use_kernels: name must be one of {HOST_BACKENDS}, got {name!r}")
        self._previous = _host_name
        self._choose(name)

    @staticmethod
    def _choose(name: str) -> None:
        global _host, _host_name
        _host, _host_name = None, name
        _by_class.pop(np.ndarray, None)

    def __enter__(self) -> use_kernels:
        return self

    def __exit__(self, *exc: object) -> None:
        self._choose(self._previous)
