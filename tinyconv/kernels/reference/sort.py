"""Sorting along an axis."""

from __future__ import annotations

import numpy as np

from .arrays import dense


def sort(x, axis, descending, count):
    if descending:  # from the back, so that equals, turned round twice, keep their order
        indices = x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)
    else:
        indices = np.argsort(x, axis, kind="stable")
    indices = indices[(slice(None),) * axis + (slice(count),)]
    return dense(np.take_along_axis(x, indices, axis)), dense(indices.astype(np.int64))
