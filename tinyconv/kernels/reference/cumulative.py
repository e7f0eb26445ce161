"""Running totals and extremes along an axis."""

from __future__ import annotations

import numpy as np

from .reduce import wide


def _running(operation, x, axis):
    """``operation`` of all elements so far, in the wide type, rounded once at the end."""
    y = operation.accumulate(x, axis, dtype=wide(x.dtype))
    return y.astype(x.dtype if x.dtype.kind == "f" else np.int64, order="C")


@np.errstate(all="ignore")
def cumsum(x, axis):
    return _running(np.add, x, axis)


@np.errstate(all="ignore")
def cumprod(x, axis):
    return _running(np.multiply, x, axis)


def _leaders(operation, x, axis):
    """The extreme so far, and the last place that held it."""
    values = operation.accumulate(x, axis)
    leads = (x == values) | (x != x)
    places = np.arange(x.shape[axis]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    indices = np.maximum.accumulate(np.where(leads, places, 0), axis)
    return values.astype(x.dtype, order="C"), indices.astype(np.int64, order="C")


def cummax(x, axis):
    return _leaders(np.maximum, x, axis)


def cummin(x, axis):
    return _leaders(np.minimum, x, axis)
