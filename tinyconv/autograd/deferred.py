"""A gradient that is not written down until somebody wants to see it.

Max-pooling sends the gradient of a window to one of its pixels; the others' are zeros. What it returns for an image is
then four times as long as what it got, and most of it zeros, which the node before reads, multiplies and adds. So it
may return a :class:`Deferred` instead, if nothing is recorded: ``Winners`` in ``ops/pool.py``, the only one there is.
The engine hands that on to a node whose class ``takes_deferred``: ReLU (``ops/activation.py``) makes another one of it,
a convolution (``ops/conv.py``) the gradients of its arguments. Everyone else, hooks among them, gets the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tensor import Tensor


class Deferred:
    """What ``backward`` may return for an argument instead of a tensor.

    Attributes:
        of_relu: ``(y) -> gradient`` before the ReLU whose output is y, deferred or a tensor.
        of_conv2d: ``(x, w, input_size, kernel_size, geometry) -> (gx, gw, gb)``, the gradients of a convolution.
    """

    of_relu: Callable[..., Any]
    of_conv2d: Callable[..., tuple]

    def tensor(self) -> Tensor:
        """The gradient."""
        raise NotImplementedError

    def __add__(self, other: Tensor) -> Tensor:
        return self.tensor() + other


def written_down(gradient: Any) -> Any:
    """A gradient as a tensor, or None."""
    return gradient.tensor() if isinstance(gradient, Deferred) else gradient
