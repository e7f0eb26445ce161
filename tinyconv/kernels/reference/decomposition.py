"""Linear systems and matrix decompositions: LAPACK's, as NumPy has them, a matrix after the other."""

from __future__ import annotations

from functools import wraps
from importlib import import_module

import numpy as np

from ..contract import LinAlgError
from .arrays import dense


def lapack(kernel):
    """Let ``kernel`` raise our error, and return dense arrays."""

    @wraps(kernel)
    def checked(*args):
        try:
            y = kernel(*args)
        except np.linalg.LinAlgError as error:
            raise LinAlgError(f"{kernel.__name__}: {error}") from None
        return tuple(map(dense, y)) if isinstance(y, tuple) else dense(y)

    return checked


@lapack
def cholesky(x):
    y = np.linalg.cholesky(x)
    if np.isnan(y.diagonal(0, -2, -1)).any():  # which NumPy lets pass
        raise np.linalg.LinAlgError("Matrix is not positive definite")
    return y


@lapack
def det(x):
    return np.linalg.det(x)


@lapack
def eigh(x):
    return tuple(np.linalg.eigh(x))


def lu(x):
    *batch, m, n = x.shape
    out = np.array(x, order="C")
    pivots, info = np.zeros((*batch, min(m, n)), np.int32), np.zeros(batch, np.int32)
    if x.size:
        lapack = import_module("scipy.linalg.lapack")  # a tenth of a second, and few need it
        getrf = lapack.sgetrf if x.dtype == np.float32 else lapack.dgetrf
        for i in np.ndindex(*batch):
            out[i], pivots[i], info[i] = getrf(x[i])
        pivots += 1
    return out, pivots, info


@lapack
def qr(x, complete):
    return tuple(np.linalg.qr(x, "complete" if complete else "reduced"))


@lapack
def slogdet(x):
    return tuple(np.linalg.slogdet(x))


@lapack
def solve(x, y):
    return np.linalg.solve(x, y)


@lapack
def svd(x, full):
    return tuple(np.linalg.svd(x, full))
