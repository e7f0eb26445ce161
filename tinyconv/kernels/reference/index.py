"""Indexing, which on the host is NumPy's."""

from __future__ import annotations

import numpy as np

from .arrays import dense


def getitem(x, index):
    index = index if isinstance(index, tuple) else (index,)
    if not all([is_basic(i) for i in index]):
        return dense(x[index])
    if not any([i is Ellipsis for i in index]):
        index = (*index, ...)  # which keeps x[0] of a vector an array, where NumPy would give a bare scalar
    return x[index]


def is_basic(i):
    """Whether NumPy answers the index ``i`` with a view. (To NumPy a bool is a mask, although Python calls it an
    int.)"""
    return i is None or i is Ellipsis or (isinstance(i, (slice, int, np.integer)) and not isinstance(i, bool))


def setitem(x, index, y):
    x[index] = y


def index_add(x, index, y):
    np.add.at(x, index, y)
