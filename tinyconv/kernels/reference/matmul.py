"""Matrix multiplication: ``(x @ y)[i, j] = sum over k of x[i, k] * y[k, j]``."""

from __future__ import annotations

import numpy as np

from .reduce import wide


@np.errstate(all="ignore")
def matmul(x, y):
    return np.matmul(x, y, dtype=wide(x.dtype)).astype(x.dtype, order="C")


@np.errstate(all="ignore")
def linear(x, w, b):
    y = np.matmul(x, w.T, dtype=wide(x.dtype))
    if b is not None:
        y = y + b
    return y.astype(x.dtype, order="C")
