"""Reductions: many elements become one."""

from __future__ import annotations

import numpy as np

from .arrays import dense


def wide(dtype):
    """The type in which this backend adds numbers of ``dtype``: float64, or int64 for integers and bools.

    A float32 result is thus rounded once, at the end: the nearest thing to the truth that float32 can say.
    """
    return np.dtype(np.float64 if dtype.kind == "f" else np.int64)


@np.errstate(all="ignore")
def sum(x, axes, keepdims):
    total = np.sum(x, axis=axes, keepdims=keepdims, dtype=wide(x.dtype))
    return dense(total.astype(x.dtype if x.dtype.kind == "f" else np.int64))


@np.errstate(all="ignore")
def prod(x, axes, keepdims):
    product = np.prod(x, axis=axes, keepdims=keepdims, dtype=wide(x.dtype))
    return dense(product.astype(x.dtype if x.dtype.kind == "f" else np.int64))


def amax(x, axes, keepdims):
    return dense(np.max(x, axis=axes, keepdims=keepdims))


def amin(x, axes, keepdims):
    return dense(np.min(x, axis=axes, keepdims=keepdims))


def argmax(x, axis):
    return dense(np.argmax(x, axis)).astype(np.int64)


def argmin(x, axis):
    return dense(np.argmin(x, axis)).astype(np.int64)
