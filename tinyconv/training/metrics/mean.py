"""Means over an epoch, batch by batch."""

from __future__ import annotations

from typing import Any

from ...autograd import no_grad
from ...tensor import Tensor

__all__ = ["Mean"]


class Mean:
    """The mean over an epoch of what each batch has a mean or a sum of.

    The sum stays a tensor until :meth:`value` is asked for: a device is not made to wait for every step's number.
    """

    def __init__(self) -> None:
        self.total: Any = 0.0
        self.count = 0

    def add(self, total: Tensor, count: int) -> None:
        """Count a batch.

        Args:
            total: a 0-d tensor, the sum over the batch.
            count: of how many.
        """
        with no_grad():
            self.total = total + self.total
        self.count += count

    def value(self) -> float:
        """The mean so far (NaN before the first batch)."""
        return float(self.total) / self.count if self.count else float("nan")

    def state_dict(self) -> dict[str, Any]:
        """The sum, to the bit, and the count."""
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what :meth:`state_dict` gave."""
        self.total, self.count = state_dict["total"], state_dict["count"]
