"""Where both sides compute: the kernels of one backend, their arrays, and the peer's tensors on the same device."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from tinyconv import kernels

Array = Any


class Place:
    """A device, for both sides.

    Args:
        device: "cpu" or "cuda".
        torch: the peer, or None.
        peer_device: its device (beside a simulated GPU it has none of its own).
    """

    def __init__(self, device: str = "cpu", torch: ModuleType | None = None, peer_device: str | None = None):
        self.device, self.torch, self.peer_device = device, torch, peer_device or device

    @property
    def kernels(self) -> Any:
        """The kernels of the device's backend."""
        return kernels.on(self.device)

    @property
    def aten(self) -> Any:
        """The peer's operators; None without one."""
        return self.torch.ops.aten if self.torch else None

    def array(self, x: np.ndarray) -> Array:
        """``x`` on our side: a copy if it is contiguous, else ``x`` itself, with its strides, where the device keeps
        them."""
        y = self.kernels.from_host(x)
        if not self.kernels.is_contiguous(y):
            return y
        out = self.kernels.empty(x.shape, x.dtype)
        self.kernels.assign(out, y)
        return out

    def tensor(self, x: np.ndarray | None) -> Any:
        """``x`` on the peer's side, a copy with its strides; None without a peer."""
        return self.torch.from_numpy(x).to(self.peer_device, copy=True) if self.torch and x is not None else None

    def host(self, y: Any) -> np.ndarray:
        """Either side's result as a NumPy array."""
        if hasattr(y, "detach"):
            return y.detach().cpu().numpy()
        return np.asarray(y) if isinstance(y, (np.ndarray, np.generic)) else self.kernels.to_host(y)

    def listed(self, results: Any) -> list[np.ndarray]:
        """One result or several, as NumPy arrays."""
        return [self.host(a) for a in (results if isinstance(results, (tuple, list)) else [results])]


def nbytes(array: Array) -> int:
    """The bytes of an array's elements, on whichever device it lies."""
    return int(array.size) * array.dtype.itemsize
