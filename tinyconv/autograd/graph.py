"""Looking into the graph: what its nodes save, and how. PyTorch's ``torch.autograd.graph``.

A node keeps tensors from the forward pass for its backward pass, and in a deep network they are most of the memory.
A pair of hooks may keep them in another way: compressed, on disk, on another device, or computed anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .function import Node
from .grad_mode import state

__all__ = ["Node", "disable_saved_tensors_hooks", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """In this block ``save_for_backward`` keeps ``pack_hook(tensor)`` instead of each tensor, and the backward pass
    uses ``unpack_hook`` of that::

        with saved_tensors_hooks(lambda t: t.half(), lambda kept: kept.float()):
            loss = model(x)
        loss.backward()

    Args:
        pack_hook: gets the tensor, without history, and may return anything; it must not change the tensor.
        unpack_hook: gets what was returned, and returns a tensor with the content of the packed one, which gets its
            history back. Of two nested blocks the inner one's hooks are used.

    Raises:
        RuntimeError: inside :class:`disable_saved_tensors_hooks`.
    """

    def __init__(self, pack_hook: Callable[[Tensor], Any], unpack_hook: Callable[[Any], Tensor]):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        if state.no_saving_hooks is not None:
            raise RuntimeError(state.no_saving_hooks)
        state.saving += ((self.pack_hook, self.unpack_hook),)

    def __exit__(self, *exc: object) -> None:
        state.saving = state.saving[:-1]


class save_on_cpu(saved_tensors_hooks):
    """What is saved in this block waits in the CPU's memory, for less of the GPU's.

    Args:
        pin_memory, device_type: accepted for PyTorch's sake; without effect.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda"):
        super().__init__(lambda t: (t.device, t.cpu()), lambda kept: kept[1].to(kept[0]))


class disable_saved_tensors_hooks:
    """In this block :class:`saved_tensors_hooks` raises a RuntimeError with ``error_message``."""

    def __init__(self, error_message: str):
        self.error_message = error_message
        self._before: list[str | None] = []

    def __enter__(self) -> None:
        if state.saving:
            raise RuntimeError(self.error_message)
        self._before.append(state.no_saving_hooks)
        state.no_saving_hooks = self.error_message

    def __exit__(self, *exc: object) -> None:
        state.no_saving_hooks = self._before.pop()
