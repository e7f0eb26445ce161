"""All parameters of a model as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...ops import cat
from ...tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all ``parameters``, one after another, (n,). It is differentiable.

    Raises:
        TypeError: they are on different devices.
    """
    tensors = list(parameters)
    devices = {p.device for p in tensors}
    if len(devices) > 1:
        raise TypeError(f"parameters_to_vector: the parameters are on different devices: {sorted(map(str, devices))}")
    return cat([p.reshape(-1) for p in tensors])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let each of ``parameters`` hold its part of ``vec``; they share its memory, as in PyTorch.

    Raises:
        TypeError: ``vec`` is no Tensor.
        RuntimeError: ``vec`` is too short.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected tinyconv.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        n = p.numel()
        if start + n > vec.numel():
            raise RuntimeError(f"vector_to_parameters: the parameters have more elements than vec, {vec.numel()}")
        p.data = vec[start : start + n].reshape(p.shape).data
        start += n
