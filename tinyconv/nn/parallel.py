"""DataParallel, for programs that wrap their model in it: here one device does all the work."""

from __future__ import annotations

from typing import Any

from .module import Module

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls ``module``. As in PyTorch the model is reached by ``.module``, and the names in the state begin with
    ``module.``, so that a saved state fits on either side.

    Args:
        module: the model.
        device_ids, output_device, dim: accepted for PyTorch's sake; without effect.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0):
        super().__init__()
        self.module = module
        self.device_ids = list(device_ids or [])
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What ``module`` computes."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """What ``module`` computes of ``inputs``, a tensor or a tuple of arguments, and of ``module_kwargs``; the rest is
    accepted for PyTorch's sake, without effect."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*arguments, **(module_kwargs or {}))


class DistributedDataParallel(Module):
    """A model of several processes, which there are none of: programs ask whether theirs is one.

    Raises:
        RuntimeError: when it is made.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any):
        raise RuntimeError("DistributedDataParallel: tinyconv trains in one process; use the model itself")
