"""From a list of samples to a batch: whatever the samples' nesting, their leaves are stacked along a new first axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...tensor import Tensor, wrap

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Stack samples into a batch.

    ========================== =====================================================
    a sample is                the batch is
    ========================== =====================================================
    Tensor or array of shape S a Tensor of shape (B, \\*S), same dtype
    float                      a float64 Tensor (B,)
    int, bool                  an int64, a bool Tensor (B,)
    str, bytes                 the list as it is
    mapping                    a dict of batches (in the samples' own type if it takes a dict)
    namedtuple                 a namedtuple of batches
    tuple, list                a list of batches
    ========================== =====================================================

    Args:
        batch: B samples of one structure.

    Raises:
        RuntimeError: the samples' lengths or shapes differ.
        TypeError: a sample is of no type above (a PIL image, say: give the data set a transform).
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack([sample.detach().numpy() for sample in batch])
    if isinstance(first, np.ndarray | np.number | np.bool_):
        return _stack([np.asarray(sample) for sample in batch])
    if isinstance(first, float):
        return wrap(np.array(batch, np.float64))
    if isinstance(first, int):
        return wrap(np.array(batch, np.bool_ if isinstance(first, bool) else np.int64))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        collated = {key: default_collate([sample[key] for sample in batch]) for key in first}
        try:
            return type(first)(collated)  # type: ignore[call-arg]
        except TypeError:  # a mapping such as defaultdict, whose constructor takes something else
            return collated
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*(default_collate(field) for field in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return [default_collate(field) for field in zip(*batch, strict=True)]
    raise TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {type(first)}"
    )


def default_convert(data: Any) -> Any:
    """Arrays inside ``data`` as Tensors, the rest as it is: what a loader without batching does to a sample."""
    if isinstance(data, np.ndarray | np.number | np.bool_) and data.dtype.kind in "biuf":
        return wrap(np.asarray(data))
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, list | tuple):
        return [default_convert(value) for value in data]
    return data


def _stack(arrays: list[np.ndarray]) -> Tensor:
    try:
        return wrap(np.stack(arrays))
    except ValueError as error:
        shapes = sorted({array.shape for array in arrays})
        raise RuntimeError(f"default_collate: samples of one batch have different shapes: {shapes}") from error
