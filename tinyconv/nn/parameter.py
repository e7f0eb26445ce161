"""Parameter: a tensor that is meant to be trained, so a :class:`Module` that it is assigned to lists it."""

from __future__ import annotations

from typing import Any

from ..formatting import format_tensor
from ..tensor import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A tensor to train.

    Args:
        data: a Tensor, whose memory is shared, not copied (or a bare array).
        requires_grad: False for a parameter that is saved and moved with its module, but frozen.

    Raises:
        RuntimeError: integers that require a gradient.
    """

    def __init__(self, data: Any, requires_grad: bool = True):
        super().__init__(data, requires_grad)
        if isinstance(data, Tensor):
            self._counter = data._counter  # the same memory: a change of one is a change of the other

    def __repr__(self) -> str:
        return "Parameter containing:\n" + format_tensor(self)
